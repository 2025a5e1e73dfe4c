//! The programs that the tests of `outside.rs` run.

use std::io::Read;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use waterway::flow::Monitor;
use waterway::sync::{Barrier, Mutex};
use waterway::time::{after, after_func, tick};
use waterway::{Builder, blocking, go, select};

use super::QUIET;
use crate::programs::never_done;

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
        "asks" => asks(),
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

/// The main thread asks for dumps, and nobody else moves.
fn asks() {
    go(|| never_done().wait());
    loop {
        let mut dump = Vec::new();
        waterway::watch::dump(&mut dump).unwrap();
        let dump = String::from_utf8(dump).unwrap();
        if dump.contains("no goroutine can make progress") {
            return eprintln!("{dump}");
        }
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
