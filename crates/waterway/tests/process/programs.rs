//! The programs that the tests of `process.rs` run.

#[path = "alive.rs"]
mod alive;
#[path = "contexts.rs"]
mod contexts;
#[path = "held.rs"]
mod held;
#[path = "reap.rs"]
mod reap;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use waterway::flow::{FlowState, Monitor, Overflow};
use waterway::sync::{Mutex, WaitGroup};
use waterway::time::{sleep, sleep_async};
use waterway::{Builder, block_on, chan, go, go_local, scope};

pub fn run(program: &str) {
    match program {
        "nothing" => go(|| ()).join().unwrap(),
        "deadlock" => deadlock(),
        "deadlock_reported" => deadlock_reported(),
        "deadlock_served" => {
            let server = waterway::watch::serve("127.0.0.1:0").unwrap();
            // A reader that never reads keeps one of its threads.
            let mut reader = std::net::TcpStream::connect(server.addr()).unwrap();
            std::io::Write::write_all(&mut reader, b"GET /").unwrap();
            deadlock();
        }
        "deadlock_monitored" => {
            let _monitor = Monitor::builder().start();
            deadlock();
        }
        "monitor_logs" => monitor_logs(),
        "dump_in_report" => dump_in_report(),
        "deadlock_reaps_goroutine" => drop(waterway::__private::run_main(reap::each_wait)),
        "deadlock_reaps_thread" => reap::each_wait(),
        "deadlock_in_scope" => reap::in_scope(),
        "deadlock_while_panicking" => reap::while_panicking(),
        "deadlock_threads" => deadlock_threads(),
        "alive_foreign_thread" => alive::foreign_thread(),
        "alive_sleeper" => alive::sleeper(),
        "alive_sleeping_task" => block_on(sleep_async(Duration::from_millis(300))),
        "alive_task_elsewhere" => alive::task_elsewhere(),
        "alive_blocking_job" => alive::blocking_job(),
        "alive_main" => alive::main(),
        "deadlock_std_join" => {
            let thread = std::thread::spawn(|| never_done().wait());
            thread.join().unwrap();
        }
        "deadlock_main_has_lock" => {
            let lock = Arc::new(Mutex::new(()));
            let _held = lock.lock();
            let wants = lock.clone();
            let thread = std::thread::spawn(move || drop(wants.lock()));
            thread.join().unwrap();
        }
        "deadlock_std_channel" => {
            let (give, take) = std::sync::mpsc::channel();
            drop(go(move || {
                never_done().wait();
                give.send(())
            }));
            take.recv().unwrap();
        }
        "deadlock_std_park" => {
            drop(go(|| never_done().wait()));
            loop {
                std::thread::park();
            }
        }
        "alive_context_deadline" => contexts::deadlines(),
        "alive_context_above" => contexts::deadline_above(),
        "alive_after_func" => contexts::after_func(),
        "deadlock_context" => contexts::forgotten(),
        "deadlock_context_done" => contexts::forgotten_done(),
        "deadlock_context_cancelled" => contexts::cancelled(),
        "alive_std_timeout" => alive::std_timeout(),
        "alive_signal_handler" => alive::signal_handler(),
        "spin" => held::spin(Duration::from_secs(60)),
        "spin_a_while" => held::spin(Duration::from_secs(1)),
        "own_sigquit" => own_sigquit(),
        "hold_by_computing" => held::hold(held::compute),
        "hold_by_sleeping" => held::hold(std::thread::sleep),
        "hold_by_std_lock" => held::hold_by_std_lock(),
        "others_go_on" => held::others_go_on(),
        "spare_shares_its_token" => held::spare_shares_its_token(),
        "overflow" => drop(Builder::new().name("deep").go(|| dive(0)).join()),
        "overflow_scope" => scope(|s| drop(s.go(|| dive(0)).join())),
        "overflow_main" => drop(waterway::__private::run_main(|| assert!(dive(0) > 0))),
        "first_sleep" => sleep(Duration::from_millis(1)),
        "first_timer" => drop(waterway::time::Timer::new(Duration::from_millis(1))),
        "first_nap" => drop(waterway::time::sleep_async(Duration::from_millis(1))),
        "first_count" => assert!(waterway::max_procs() > 0),
        "panic_detached" => panic_detached(),
        "panic_main" => drop(waterway::__private::run_main(|| -> () {
            panic!("main panics")
        })),
        "panic_with_own_hook" => {
            std::panic::set_hook(Box::new(|_| eprintln!("own hook")));
            go(|| panic!("unseen")).join().map(|_: ()| ()).unwrap_err();
        }
        "panic_in_scope" => scope(|s| drop(s.go(|| panic!("in a scope")))),
        "panic_in_hook_does_not_switch" => panic_in_hook(),
        "fork" => fork(),
        "sandboxed" => sandboxed(),
        "park_in_tls_init" => park_in_tls_init(),
        "park_in_scoped_tls" => park_in_scoped_tls(),
        "context_held_across_a_park" => go(context_held_across_a_park).join().unwrap(),
        "spike" => spike(),
        other => super::outside::run_program(other),
    }
}

pub(crate) fn never_done() -> WaitGroup {
    let group = WaitGroup::new();
    group.add(1);
    group
}

fn deadlock() {
    let group = never_done();
    Builder::new()
        .name("stuck")
        .go(move || group.wait())
        .join()
        .unwrap();
}

/// Dumps, with and without backtraces, while the report is being told.
fn dump_in_report() {
    fn told(report: &str) {
        let mut dump = Vec::new();
        waterway::watch::dump(&mut dump).unwrap();
        let backtraces = waterway::watch::Dump::new().backtraces(true);
        backtraces.write(&mut dump).unwrap();
        let dump = String::from_utf8(dump).unwrap();
        let stuck = "\"stuck\" [sync.WaitGroup.Wait, ";
        assert!(report.contains(stuck), "{report}");
        assert_eq!(dump.matches(stuck).count(), 2, "{dump}");
        assert!(dump.contains("(count 1), made at "), "{dump}");
        assert!(dump.contains("programs.rs:"), "{dump}");
        std::process::exit(7);
    }
    let call = waterway::DeadlockPolicy::Call(told);
    waterway::Config::new().on_deadlock(call).install().unwrap();
    deadlock();
}

fn monitor_logs() {
    let builder = Monitor::builder().every(Duration::from_millis(2));
    let monitor = builder.window(Duration::from_millis(300)).start();
    let (changes, changed) = chan(1);
    monitor.on_change(move |flow| {
        let jobs = flow
            .channel()
            .filter(|flow| flow.name.as_deref() == Some("jobs"));
        if let Some(jobs) = jobs.filter(|jobs| jobs.state == FlowState::ReaderBound) {
            let _ = changes.try_send(jobs.factor.is_some());
        }
    });
    // Another channel, where the machine was so busy that nothing was received in the window: then the line says less.
    let mut told = false;
    while !told {
        let builder = chan::builder().name("jobs").capacity(4);
        let (tx, rx) = builder.overflow(Overflow::DropNewest).make();
        // One of a hundred is received, by who sends: so it is, however busy the machine may be.
        told = loop {
            for n in 0..100 {
                tx.send(n).unwrap();
            }
            rx.recv().unwrap();
            if let Ok(rates) = changed.try_recv() {
                break rates;
            }
        };
    }
}

/// After the report the process goes on sleeping; a signal from outside is what ends it.
fn deadlock_reported() {
    unsafe extern "C" fn end(_: libc::c_int) {
        // SAFETY: `_exit` may be called in a signal handler.
        unsafe { libc::_exit(0) }
    }
    // SAFETY: a handler that only exits.
    unsafe { libc::signal(libc::SIGALRM, end as *const () as libc::sighandler_t) };
    deadlock();
}

fn deadlock_threads() {
    let (a, b) = (never_done(), never_done());
    let thread = std::thread::spawn(move || a.wait());
    Builder::new()
        .dedicated()
        .go(move || b.wait())
        .join()
        .unwrap();
    thread.join().unwrap();
}

fn own_sigquit() {
    static SEEN: AtomicBool = AtomicBool::new(false);
    extern "C" fn handler(_: libc::c_int) {
        SEEN.store(true, Ordering::SeqCst);
    }
    // SAFETY: a handler that stores to an atomic.
    unsafe { libc::signal(libc::SIGQUIT, handler as *const () as libc::sighandler_t) };
    go(|| println!("ready")).join().unwrap();
    while !SEEN.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
}

#[allow(unconditional_recursion)]
fn dive(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    dive(black_box(depth + 1)) + frame[7]
}

fn panic_detached() {
    let group = never_done();
    let done = group.clone();
    drop(go(move || {
        struct Done(WaitGroup);
        impl Drop for Done {
            fn drop(&mut self) {
                self.0.done();
            }
        }
        let _done = Done(done);
        panic!("detached");
    }));
    group.wait();
    while waterway::num_goroutines() > 0 {
        std::thread::yield_now();
    }
}

/// A blocking call in the panic hook blocks the thread: a sibling that panics meanwhile does not abort the process.
fn panic_in_hook() {
    std::panic::set_hook(Box::new(|_| sleep(Duration::from_millis(20))));
    let handles: Vec<_> = (0..8).map(|_| go(|| panic!("one of many"))).collect();
    for handle in handles {
        handle.join().unwrap_err();
    }
}

fn fork() {
    go(|| ()).join().unwrap();
    fork_here();
    go(fork_here).join().unwrap();
    assert_eq!(go(|| 7).join().unwrap(), 7, "the parent goes on");
}

fn fork_here() {
    // SAFETY: the child only panics, prints and exits.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let told = |f: fn()| {
            let panic = std::panic::catch_unwind(f).unwrap_err();
            let text = panic.downcast_ref::<&str>();
            text.is_some_and(|text| text.contains("after fork"))
        };
        let starts = told(|| drop(go(|| ())));
        let waits = told(|| assert!(waterway::chan::<()>(0).1.recv().is_ok()));
        // SAFETY: plain exit.
        unsafe { libc::_exit(if starts && waits { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: waits for the child just made.
    unsafe { libc::waitpid(pid, &mut status, 0) };
    assert_eq!(status, 0);
}

/// The kernel refuses a call that it has granted to the runtime.
fn sandboxed() {
    go(|| ()).join().unwrap();
    let step = |code: u32, k: u32, unless: u8| libc::sock_filter {
        code: code as u16,
        jt: 0,
        jf: unless,
        k,
    };
    let mut filter = [
        // The number of the call.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            libc::SYS_membarrier as u32,
            1,
        ),
        step(
            libc::BPF_RET | libc::BPF_K,
            libc::SECCOMP_RET_ERRNO | libc::EPERM as u32,
            0,
        ),
        step(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0),
    ];
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: a filter as long as it says, for this thread.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) == 0
    };
    assert!(done, "{}", std::io::Error::last_os_error());
    waterway::watch::snapshot();
}

fn park_in_tls_init() {
    thread_local! {
        static SLOW: String = {
            sleep(Duration::from_millis(1));
            String::from("made")
        };
    }
    drop(go(|| SLOW.with(|s| s.len())).join());
}

fn park_in_scoped_tls() {
    scoped_tls::scoped_thread_local!(static SCOPED: u32);
    drop(go(|| SCOPED.set(&1, yield_and_sleep)).join());
}

fn yield_and_sleep() {
    sleep(Duration::from_millis(1));
}

/// Memory of many parked goroutines, and after they have finished.
fn spike() {
    let many = 20_000;
    let before = memory();
    let gate = never_done();
    let parked = Arc::new(AtomicUsize::new(0));
    let group = WaitGroup::new();
    for _ in 0..many {
        let (gate, parked) = (gate.clone(), parked.clone());
        group.go(move || {
            parked.fetch_add(1, Ordering::Relaxed);
            gate.wait();
        });
    }
    while parked.load(Ordering::Relaxed) < many {
        std::thread::yield_now();
    }
    let peak = memory() - before;
    gate.done();
    group.wait();
    let mut after = usize::MAX;
    // Looks are counted, not seconds: in those others may have had the CPUs.
    for _ in 0..300 {
        std::thread::sleep(Duration::from_millis(100));
        after = memory().saturating_sub(before);
        if after <= peak / 10 {
            break;
        }
    }
    println!(
        "{} bytes for each of {many} parked, {} bytes afterwards",
        peak / many,
        after
    );
    assert!(
        after <= peak / 10,
        "memory falls after a spike: {peak} at the peak, {after} afterwards"
    );
}

/// Resident memory and page tables, in bytes.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|l| l.starts_with(name)).unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<usize>()
            .unwrap()
            * 1024
    };
    field("VmRSS:") + field("VmPTE:")
}

/// What SOUNDNESS.md says of tokio's `EnterGuard`: the goroutines of one thread leave their contexts in the wrong order.
fn context_held_across_a_park() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
    };
    let (first, second) = (runtime(), runtime());
    let (a, b) = (first.handle().clone(), second.handle().clone());
    let (entered, begins) = chan::<()>(0);
    let (left, ends) = chan::<()>(0);
    let outer = go_local(move || {
        let _context = a.enter();
        entered.send(()).unwrap();
        ends.recv().unwrap();
    });
    let inner = go_local(move || {
        begins.recv().unwrap();
        let _context = b.enter();
        left.send(()).unwrap();
        sleep(Duration::from_millis(1));
    });
    assert!(
        outer.join().is_err(),
        "it leaves while its sibling is inside"
    );
    inner.join().unwrap();
}
