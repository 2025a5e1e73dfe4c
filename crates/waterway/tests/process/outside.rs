//! What outside of the runtime may still wake somebody: where nothing does, the verdict; where something might, dumps that name it, and
//! no verdict, for it does wake in the end.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex as StdMutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

use waterway::flow::Monitor;
use waterway::sync::{Barrier, Mutex};
use waterway::time::{after, after_func, tick};
use waterway::{Builder, blocking, go, select};

use super::child::{DEADLOCK, SOON, command, finish, run, run_all};
use super::page::{show, update};
use super::programs::never_done;

/// So long the judge has time to give a verdict, on what is not dead.
const QUIET: Duration = Duration::from_millis(300);
const LATE: Duration = Duration::from_secs(3600);

pub fn run_program(program: &str) {
    match program {
        "dead_job" => dead(|| blocking(|| never_done().wait())),
        "dead_job_of_std" => dead(|| blocking(sleep_for_ever)),
        "dead_timer" => {
            let unheard = after(LATE);
            dead(move || {
                never_done().wait();
                drop(unheard);
            });
        }
        "dead_beside_tokio" => {
            let builder = &mut tokio::runtime::Builder::new_multi_thread();
            let _idle = builder.worker_threads(2).enable_time().build().unwrap();
            dead(|| never_done().wait());
        }
        "dead_beside_own_threads" => {
            let server = waterway::watch::serve("127.0.0.1:0").unwrap();
            // One that asks for nothing keeps one of its threads.
            let _asks = std::net::TcpStream::connect(server.addr()).unwrap();
            let _monitor = Monitor::builder().every(Duration::from_millis(2)).start();
            std::thread::spawn(sleep_for_ever);
            dead(|| never_done().wait());
        }
        "dead_after_a_stop" => {
            let monitor = Monitor::builder().every(LATE).window(LATE * 2);
            let _monitor = monitor.start();
            std::thread::spawn(sleep_for_ever);
            go(|| println!("ready")).join().unwrap();
            input_ends();
            dead(|| never_done().wait());
        }
        "asleep_for_good" => {
            go(|| println!("ready")).join().unwrap();
            go(sleep_for_ever).join().unwrap();
        }
        "alive_job" => {
            let group = never_done();
            let other = group.clone();
            std::thread::spawn(move || {
                std::thread::sleep(QUIET);
                other.done();
            });
            go(move || blocking(|| group.wait())).join().unwrap();
        }
        "alive_timer" => {
            let (never, heard) = (waterway::chan::<()>(0), after(QUIET));
            let waits = go(move || {
                select! {
                    recv(never.1) -> _ => unreachable!(),
                    recv(heard) -> _ => drop(never.0),
                }
            });
            waits.join().unwrap();
        }
        "shown_standstill" => shown_standstill(),
        "shown_report" => shown_report(),
        "read" => woken(input_ends),
        "poll" => woken(|| poll(&[0, event()])),
        "epoll" => woken(|| epoll(&[0, event()])),
        "sigwait" => {
            let set = set_of(libc::SIGHUP);
            // SAFETY: a set of its own; the threads that are started later inherit the mask.
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) };
            woken(move || {
                let mut signal = 0;
                // SAFETY: valid pointers.
                assert_eq!(unsafe { libc::sigwait(&set, &mut signal) }, 0);
                assert_eq!(signal, libc::SIGHUP);
            });
        }
        "self_pipe" => self_pipe(),
        "handler" => handler(),
        "sleep" => woken(|| std::thread::sleep(LATE)),
        "job" => {
            go(|| println!("ready")).join().unwrap();
            go(|| blocking(input_ends)).join().unwrap();
        }
        "goroutine" => {
            go(|| println!("ready")).join().unwrap();
            go(input_ends).join().unwrap();
        }
        "on_change" => {
            let monitor = Monitor::builder().log(false).start();
            monitor.on_change(|_| ());
            go(|| println!("ready")).join().unwrap();
            go(|| never_done().wait()).join().unwrap();
        }
        "after_func" => {
            let group = never_done();
            let other = group.clone();
            after_func(LATE, move || other.done());
            go(|| println!("ready")).join().unwrap();
            go(move || group.wait()).join().unwrap();
        }
        other => panic!("no program {other:?}"),
    }
}

/// The program whose end of a dump the pages show.
fn shown_standstill() {
    let set = set_of(libc::SIGHUP);
    // SAFETY: a set of its own; the threads that are started later inherit the mask.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) };
    handle(libc::SIGUSR1, nothing);
    let outside = |name: &str, f: fn()| {
        let thread = std::thread::Builder::new().name(name.into());
        drop(thread.spawn(f).unwrap());
    };
    outside("signals", || {
        // SAFETY: valid pointers.
        unsafe { libc::sigwait(&set_of(libc::SIGHUP), &mut 0) };
    });
    outside("poller", || epoll(&[event()]));
    after_func(LATE, || ());
    let (mut never, kept) = std::io::pipe().unwrap();
    std::mem::forget(kept);
    go(move || never.read(&mut [0]).unwrap());
    go(|| println!("ready")).join().unwrap();
    go(|| blocking(input_ends)).join().unwrap();
}

extern "C" fn nothing(_: libc::c_int) {}

/// The program whose end the pages show.
fn shown_report() {
    let both = Arc::new(Barrier::new(2));
    let locks: &_ = Box::leak(Box::new([Mutex::new(1), Mutex::new(2)]));
    for (first, second) in [(0, 1), (1, 0)] {
        let both = both.clone();
        let builder = Builder::new().name("teller");
        builder.go(move || {
            let _held = locks[first].lock();
            both.wait();
            drop(locks[second].lock());
        });
    }
    let thread = std::thread::Builder::new().name("archive".into());
    drop(thread.spawn(sleep_for_ever).unwrap());
    let ticker = tick(Duration::from_millis(1));
    dead(move || {
        blocking(|| never_done().wait());
        drop(ticker);
    });
}

fn dead(f: impl FnOnce() + Send + 'static) {
    Builder::new().name("stuck").go(f).join().unwrap();
}

/// A goroutine waits for a thread that comes back from outside.
fn woken(outside: impl FnOnce() + Send + 'static) {
    let group = never_done();
    let other = group.clone();
    let thread = std::thread::Builder::new().name("outside".into());
    thread
        .spawn(move || {
            outside();
            other.done();
        })
        .unwrap();
    go(|| println!("ready")).join().unwrap();
    go(move || group.wait()).join().unwrap();
}

/// Somebody has the sender, and never sends.
fn sleep_for_ever() {
    let (give, take) = mpsc::channel::<()>();
    std::mem::forget(give);
    take.recv().unwrap();
}

fn input_ends() {
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// A file for which nothing ever comes.
fn event() -> i32 {
    // SAFETY: a plain call.
    unsafe { libc::eventfd(0, 0) }
}

fn poll(files: &[i32]) {
    let entry = |fd: &i32| libc::pollfd {
        fd: *fd,
        events: libc::POLLIN,
        revents: 0,
    };
    let mut entries: Vec<_> = files.iter().map(entry).collect();
    // SAFETY: a valid array, of that length. A signal's handler may end the call.
    while unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as _, -1) } < 1 {}
}

fn epoll(files: &[i32]) {
    // SAFETY: plain calls with valid pointers. A signal's handler may end the wait.
    unsafe {
        let epoll = libc::epoll_create1(0);
        for file in files {
            let mut event = libc::epoll_event {
                events: libc::EPOLLIN as u32,
                u64: *file as u64,
            };
            assert_eq!(
                libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, *file, &mut event),
                0
            );
        }
        let mut event = std::mem::zeroed();
        while libc::epoll_wait(epoll, &mut event, 1, -1) < 1 {}
    }
}

fn set_of(signal: i32) -> libc::sigset_t {
    // SAFETY: plain calls with a valid pointer.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal);
        set
    }
}

fn handle(signal: i32, handler: extern "C" fn(libc::c_int)) {
    // SAFETY: the handlers here do only what one may.
    unsafe { libc::signal(signal, handler as *const () as libc::sighandler_t) };
}

/// A thread reads what a handler writes, as `signal-hook` and others have it.
fn self_pipe() {
    static TO: AtomicI32 = AtomicI32::new(-1);
    extern "C" fn tell(_: libc::c_int) {
        // SAFETY: `write` may be called in a handler.
        unsafe { libc::write(TO.load(Ordering::SeqCst), [1u8].as_ptr().cast(), 1) };
    }
    let (mut from, to) = std::io::pipe().unwrap();
    TO.store(std::os::fd::IntoRawFd::into_raw_fd(to), Ordering::SeqCst);
    handle(libc::SIGUSR1, tell);
    woken(move || from.read_exact(&mut [0]).unwrap());
}

/// A thread sleeps for good, but for a handler.
fn handler() {
    static SLEEPER: OnceLock<std::thread::Thread> = OnceLock::new();
    static RANG: AtomicBool = AtomicBool::new(false);
    extern "C" fn ring(_: libc::c_int) {
        RANG.store(true, Ordering::SeqCst);
        SLEEPER.get().unwrap().unpark();
    }
    woken(|| {
        SLEEPER.set(std::thread::current()).unwrap();
        handle(libc::SIGUSR1, ring);
        while !RANG.load(Ordering::SeqCst) {
            std::thread::park();
        }
    });
}

pub fn a_job_that_waits_for_ever_is_no_hope() {
    for outcome in run_all(&["dead_job", "dead_job_of_std"], &[]) {
        outcome
            .code(2)
            .says(DEADLOCK)
            .says("\"stuck\" [blocking call");
        outcome.says("1 blocking job runs");
    }
}

pub fn a_timer_that_nobody_hears_is_no_hope() {
    run("dead_timer", &[]).code(2).says(DEADLOCK);
}

/// Its threads sleep on futexes, with no driver of files to wait in.
pub fn a_runtime_of_tokio_that_idles_is_no_hope() {
    run("dead_beside_tokio", &[])
        .code(2)
        .says(DEADLOCK)
        .says("\"tokio-rt-worker\" [asleep outside of this runtime");
}

/// The runtime's own threads must be seen to rest where others sleep for good: then who looks now and then is no hope either.
pub fn the_runtime_s_own_threads_are_no_hope() {
    run("dead_beside_own_threads", &[])
        .code(2)
        .says(DEADLOCK)
        .says("asleep outside of this runtime");
}

/// A thread of the runtime's own sleeps for a time as the process is stopped. When that goes on, the kernel shows it in another call.
pub fn a_deadlock_is_seen_after_the_process_was_stopped() {
    let mut child = command("dead_after_a_stop", &[]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    while !sleeps_on_a_futex(&child, "waterway-monito") {
        std::thread::sleep(Duration::from_millis(1));
    }
    signal(&child, libc::SIGSTOP);
    let mut status = 0;
    // SAFETY: a valid pointer. The child is not reaped, as it has not ended.
    unsafe { libc::waitpid(child.id() as libc::pid_t, &mut status, libc::WUNTRACED) };
    assert!(libc::WIFSTOPPED(status));
    signal(&child, libc::SIGCONT);
    end_input(&mut child);
    finish(child).code(2).says(DEADLOCK);
}

/// True if a thread of that name does.
fn sleeps_on_a_futex(child: &Child, name: &str) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", child.id())).unwrap();
    let mut paths = tasks.map(|task| task.unwrap().path());
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    let sleeps = format!("{} ", libc::SYS_futex);
    paths.any(|path| {
        read(path.join("comm")).trim_end() == name
            && read(path.join("syscall")).starts_with(&sleeps)
    })
}

/// It holds a worker, and sleeps inside of std: no proof, and nothing that would wake it.
pub fn a_goroutine_that_sleeps_for_good_is_told() {
    let told =
        "\nno goroutine can make progress by itself, and nothing is seen that could wake one\n";
    says("asleep_for_good", &[told]).killed();
}

pub fn jobs_and_timers_that_come_keep_a_verdict_away() {
    for outcome in run_all(&["alive_job", "alive_timer"], &[]) {
        outcome.code(0).says_not("deadlock");
    }
}

/// After the report the program lives on, and each dump repeats it in a line.
pub fn a_dump_after_the_report_says_that_it_is_proved() {
    let env = [
        ("WATERWAY_DEADLOCK", "report"),
        ("WATERWAY_SIGQUIT", "dump"),
    ];
    let mut child = command("dead_job", &env).spawn().unwrap();
    let said = listen(&mut child);
    until_said(&said, &[DEADLOCK], || {});
    let proved = "\nproved: every goroutine and thread waits, and nothing outside will wake one\n";
    until_said(&said, &[proved], || signal(&child, libc::SIGQUIT));
    assert!(
        !said
            .lock()
            .unwrap()
            .contains("no goroutine can make progress")
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

fn signal(child: &Child, signal: i32) {
    // SAFETY: a signal to a child of our own that is not reaped yet.
    unsafe { libc::kill(child.id() as libc::pid_t, signal) };
}

fn listen(child: &mut Child) -> Arc<StdMutex<String>> {
    let said = Arc::new(StdMutex::new(String::new()));
    let (out, err) = (child.stderr.take().unwrap(), said.clone());
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines() {
            let mut said = err.lock().unwrap();
            said.push_str(&line.unwrap());
            said.push('\n');
        }
    });
    said
}

#[track_caller]
fn until_said(said: &StdMutex<String>, texts: &[&str], ask: impl Fn()) -> String {
    let begin = Instant::now();
    loop {
        let all = said.lock().unwrap().clone();
        // What is asked for stands in one dump.
        let mut dumps = all.rsplit("SIGQUIT: quit");
        if let Some(dump) = dumps.find(|dump| texts.iter().all(|text| dump.contains(text))) {
            return dump.into();
        }
        assert!(begin.elapsed() < SOON, "no {texts:?} in\n{all}");
        ask();
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A program that is not dead, and what its dump says.
struct Told {
    child: Child,
    said: Arc<StdMutex<String>>,
    dump: String,
    began: Instant,
}

/// A dump of the program names all of these.
#[track_caller]
fn names(program: &str, sources: &[&str]) -> Told {
    let mut texts =
        vec!["\nno goroutine can make progress by itself. What could still wake one:\n\t"];
    texts.extend(sources);
    says(program, &texts)
}

#[track_caller]
fn says(program: &str, texts: &[&str]) -> Told {
    let mut child = command(program, &[("WATERWAY_SIGQUIT", "dump")])
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let (said, began) = (listen(&mut child), Instant::now());
    let dump = until_said(&said, texts, || signal(&child, libc::SIGQUIT));
    Told {
        child,
        said,
        dump,
        began,
    }
}

impl Told {
    /// After the judge had time, `wake` has it go on from outside: there was no verdict.
    #[track_caller]
    fn goes_on(mut self, wake: impl FnOnce(&mut Child)) {
        std::thread::sleep(QUIET.saturating_sub(self.began.elapsed()));
        wake(&mut self.child);
        finish(self.child).code(0);
        assert!(!self.said.lock().unwrap().contains("deadlock"));
    }

    fn killed(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn end_input(child: &mut Child) {
    drop(child.stdin.take());
}

pub fn threads_that_wait_for_input_are_named() {
    for (program, sources) in [
        ("read", &["\"outside\", in read (pipe 0)\n"][..]),
        ("poll", &["\"outside\", in poll (pipe 0, eventfd "]),
        (
            "epoll",
            &["\"outside\", in epoll_wait (", "pipe 0", "eventfd "],
        ),
        (
            "job",
            &["\"waterway-blocki\", with a blocking job, in read (pipe 0)\n"],
        ),
    ] {
        names(program, sources).goes_on(end_input);
    }
}

pub fn a_goroutine_that_sleeps_in_the_kernel_is_named() {
    let sources = ["\tgoroutine ", ", in read (pipe 0)\n"];
    names("goroutine", &sources).goes_on(end_input);
}

pub fn signals_that_may_come_are_named() {
    let waits = ["\"outside\", in rt_sigtimedwait (SIGHUP)\n"];
    names("sigwait", &waits).goes_on(|child| signal(child, libc::SIGHUP));
    let reads = ["\"outside\", in read (pipe ", "\tthe handler of SIGUSR1\n"];
    names("self_pipe", &reads).goes_on(|child| signal(child, libc::SIGUSR1));
    names("handler", &reads[1..]).goes_on(|child| signal(child, libc::SIGUSR1));
}

pub fn what_time_may_bring_is_named() {
    let sleeps = ["\"outside\", in clock_nanosleep, for a time\n"];
    names("sleep", &sleeps).killed();
    let calls = ["\tthe clock: a timer in 3"];
    names("after_func", &calls).killed();
    let told =
        ["\"waterway-monito\", for the `on_change` function of a monitor, in futex, for a time\n"];
    names("on_change", &told).killed();
}

/// As if it were a program of its own.
fn told(text: &str) -> String {
    text.replace(file!(), "src/main.rs")
        .replace("crates/waterway/tests/process/programs.rs", "src/main.rs")
}

#[track_caller]
fn shows(page: &str, mark: &str, real: &str) {
    let path = format!("{}/../../docs/{page}", env!("CARGO_MANIFEST_DIR"));
    let mut page = std::fs::read_to_string(&path).unwrap();
    show(&mut page, mark, &told(real));
    if update() {
        std::fs::write(path, page).unwrap();
    }
}

pub fn the_pages_show_what_is_told() {
    let outcome = run("shown_report", &[]);
    outcome.code(2);
    shows("verdicts.md", "report", &outcome.stderr);
    let sources = [
        "(SIGHUP)",
        "(eventfd ",
        "(pipe 0)",
        "\tgoroutine ",
        "of SIGUSR1",
        "the clock: a timer in ",
    ];
    let told = names("shown_standstill", &sources);
    let at = told.dump.find("no goroutine can make progress").unwrap();
    let mut lines = told.dump[at..].lines();
    let mut shown: Vec<&str> = lines.next().into_iter().collect();
    shown.extend(lines.take_while(|line| line.starts_with('\t')));
    shows("reading-a-dump.md", "standstill", &shown.join("\n"));
    told.goes_on(end_input);
}
