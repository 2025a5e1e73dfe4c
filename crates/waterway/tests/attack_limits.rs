//! Attacks by limits: threads refused, address space, mappings, few and many workers.

#[path = "attack/child.rs"]
mod child;

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::time::Duration;

use child::run;
use waterway::sync::WaitGroup;
use waterway::{Builder, blocking, chan, go, scope, yield_now};

/// How many more threads may be started. Below 0 there is no limit.
static THREADS: AtomicIsize = AtomicIsize::new(-1);
/// How many times the limit then refuses one, before it is lifted.
static REFUSALS: AtomicIsize = AtomicIsize::new(isize::MAX);

type Start = extern "C" fn(*mut c_void) -> *mut c_void;
type Create = unsafe extern "C" fn(
    *mut libc::pthread_t,
    *const libc::pthread_attr_t,
    Start,
    *mut c_void,
) -> libc::c_int;

/// Stands before libc's own function, as a limit on threads would.
///
/// # Safety
///
/// As of libc's.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> libc::c_int {
    let left = THREADS.load(Ordering::SeqCst);
    if left == 0 {
        if REFUSALS.fetch_sub(1, Ordering::SeqCst) == 1 {
            THREADS.store(-1, Ordering::SeqCst);
        }
        return libc::EAGAIN;
    }
    if left > 0 {
        THREADS.fetch_sub(1, Ordering::SeqCst);
    }
    // SAFETY: libc has a function of that name and type; the arguments are the caller's.
    unsafe {
        let real = libc::dlsym(libc::RTLD_NEXT, c"pthread_create".as_ptr());
        std::mem::transmute::<*mut c_void, Create>(real)(thread, attributes, start, argument)
    }
}

fn programs(program: &str) {
    match program {
        "no_thread_for_a_dedicated" => no_thread_for_a_dedicated(),
        "no_thread_for_the_pool" => no_thread_for_the_pool(),
        "few_workers_start" => few_workers_start(),
        "no_sysmon_at_first" => no_sysmon_at_first(),
        "many_blocking_calls" => many_blocking_calls(),
        "everything" => everything(),
        "little_address_space" => two_gigabytes(libc::RLIMIT_AS),
        "little_data" => two_gigabytes(libc::RLIMIT_DATA),
        "huge_stacks" => huge_stacks(),
        "many_mappings" => many_mappings(),
        other => panic!("no program {other:?}"),
    }
}

/// Attack: no thread can be started for a dedicated goroutine, alone and in a scope.
/// Outcome: a panic that says so; the closure is dropped, nobody waits for it, and it is not counted.
fn a_dedicated_goroutine_without_a_thread_leaves_nothing_behind() {
    run("no_thread_for_a_dedicated", &[])
        .code(0)
        .says("no thread can be started");
}

fn no_thread_for_a_dedicated() {
    go(|| ()).join().unwrap();
    let own = || Builder::new().dedicated();
    let (tx, rx) = chan::<u32>(0);
    THREADS.store(0, Ordering::SeqCst);
    let refused = std::panic::catch_unwind(|| own().go(move || tx.send(1)));
    assert!(refused.is_err());
    assert!(rx.recv().is_err(), "the closure's sender is gone");
    let mut lent = 1;
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        scope(|s| {
            s.go_with(own(), || lent = 2);
        })
    }));
    assert!(refused.is_err());
    assert_eq!(lent, 1);
    assert_eq!(waterway::num_goroutines(), 0);
}

/// Attack: no thread can be started for blocking calls.
/// Outcome: they run where they are called.
fn blocking_calls_need_no_thread() {
    run("no_thread_for_the_pool", &[]).code(0);
}

fn no_thread_for_the_pool() {
    go(|| ()).join().unwrap();
    THREADS.store(0, Ordering::SeqCst);
    let handles: Vec<_> = (0..100).map(|i| go(move || blocking(|| i))).collect();
    let sum: i32 = handles.into_iter().map(|h| h.join().unwrap()).sum();
    assert_eq!(sum, 4950);
}

/// Attack: of eight workers two can be started, and the monitor; goroutines are spread by every rule, from threads and goroutines.
/// Outcome: a line that says so; all of them run.
fn goroutines_go_to_workers_that_have_a_thread() {
    let env = [
        ("WATERWAY_MAX_PROCS", "8"),
        ("WATERWAY_WORKERS", "8"),
        ("WATERWAY_HELD_WARN_MS", "0"),
    ];
    run("few_workers_start", &env)
        .code(0)
        .says("2 of 8 worker threads")
        .says_not("deadlock");
}

fn few_workers_start() {
    THREADS.store(3, Ordering::SeqCst);
    REFUSALS.store(1, Ordering::SeqCst);
    let mut all = Vec::new();
    for i in 0..2000 {
        let builder = if i % 3 == 0 {
            Builder::new().spread()
        } else {
            Builder::new()
        };
        all.push(builder.go(move || go(move || i).join().unwrap()));
        // One at a time now and then: whoever runs it must be woken from sleep.
        if i % 4 == 0 {
            assert!(all.pop().unwrap().join().is_ok());
        }
    }
    assert!(all.into_iter().all(|h| h.join().is_ok()));
}

/// Attack: the first use of the runtime finds no thread for sysmon; later there is one.
/// Outcome: the first use panics and says why, and the next one works, with as many workers as were asked for.
fn a_start_that_failed_can_be_tried_again() {
    let outcome = run("no_sysmon_at_first", &[("WATERWAY_MAX_PROCS", "2")]);
    outcome.code(0).says("monitor thread");
}

fn no_sysmon_at_first() {
    THREADS.store(1, Ordering::SeqCst);
    for _ in 0..3 {
        std::panic::catch_unwind(|| drop(go(|| ()))).unwrap_err();
    }
    THREADS.store(-1, Ordering::SeqCst);
    go(|| ()).join().unwrap();
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().count();
    assert!(
        tasks <= 4,
        "main, two workers and sysmon, not {tasks} threads"
    );
}

/// Attack: thousands of blocking calls at once.
/// Outcome: no more threads than the pool may have.
fn blocking_calls_share_a_limited_number_of_threads() {
    run("many_blocking_calls", &[("WATERWAY_CHECK_TLS", "0")]).code(0);
}

fn many_blocking_calls() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let group = WaitGroup::new();
    for _ in 0..1500 {
        let (now, most) = (now.clone(), most.clone());
        group.go(move || {
            blocking(|| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(100));
                now.fetch_sub(1, Ordering::SeqCst);
            });
        });
    }
    group.wait();
    let most = most.load(Ordering::SeqCst);
    assert!(most <= 512, "{most} blocking calls at a time");
}

/// Attack: one worker, eight and 256 of them on whatever cores there are; stacks guarded by `mprotect`.
/// Outcome: the same results.
fn any_number_of_workers_will_do() {
    for procs in ["1", "8", "256"] {
        run(
            "everything",
            &[
                ("WATERWAY_MAX_PROCS", procs),
                ("WATERWAY_WORKERS", procs),
                ("WATERWAY_HELD_WARN_MS", "0"),
            ],
        )
        .code(0);
    }
    run("everything", &[("WATERWAY_GUARD", "mprotect")]).code(0);
}

/// A bit of everything: messages, scopes, panics, blocking calls, dedicated goroutines.
fn everything() {
    let (tx, rx) = chan::<usize>(3);
    for i in 0..100 {
        let tx = tx.clone();
        go(move || {
            for n in 0..20 {
                tx.send(n).unwrap();
            }
            if i % 10 == 0 {
                std::panic::resume_unwind(Box::new(i));
            }
        });
    }
    drop(tx);
    assert_eq!(rx.iter().sum::<usize>(), 100 * 190);
    let mut parts = vec![0; 50];
    scope(|s| {
        for (i, part) in parts.iter_mut().enumerate() {
            let builder = if i % 10 == 0 {
                Builder::new().dedicated()
            } else {
                Builder::new().spread()
            };
            s.go_with(builder, move || {
                yield_now();
                *part = blocking(|| i);
            });
        }
    });
    assert_eq!(parts, (0..50).collect::<Vec<_>>());
    // Those that were not joined give up their handles' share last; then the count is that of the living.
    while waterway::num_goroutines() > 0 {
        std::thread::yield_now();
    }
}

/// Attack: a limit of 2 GiB on addresses (`ulimit -v`), or on private memory (`ulimit -d`), of which the program itself wants
/// one.
/// Outcome: it gets it: the runtime's own ranges take a small part.
fn a_limit_on_addresses_leaves_room_for_the_program() {
    for program in ["little_address_space", "little_data"] {
        run(program, &[("WATERWAY_MAX_PROCS", "2")]).code(0);
    }
}

fn two_gigabytes(resource: libc::__rlimit_resource_t) {
    let limit = libc::rlimit {
        rlim_cur: 2 << 30,
        rlim_max: 2 << 30,
    };
    // SAFETY: a plain call with a valid pointer.
    assert_eq!(unsafe { libc::setrlimit(resource, &limit) }, 0);
    go(|| ()).join().unwrap();
    let (_tx, _rx) = chan::<u8>(0);
    let mut own: Vec<u8> = Vec::new();
    own.try_reserve_exact(1 << 30).expect("a gigabyte is left");
    let group = WaitGroup::new();
    (0..200).for_each(|_| group.go(yield_now));
    group.wait();
}

/// Attack: stacks of a gigabyte each, more than there are addresses for, and one of every size.
/// Outcome: those that find no place wait for one.
fn stacks_larger_than_the_address_space_wait_their_turn() {
    run("huge_stacks", &[]).code(0);
}

fn huge_stacks() {
    let handles: Vec<_> = (0..300)
        .map(|i| {
            Builder::new().stack_size(1 << 30).go(move || {
                yield_now();
                i
            })
        })
        .collect();
    assert_eq!(
        handles
            .into_iter()
            .map(|h| h.join().unwrap())
            .sum::<usize>(),
        300 * 299 / 2
    );
    let sizes = (0..200).map(|i| {
        Builder::new()
            .stack_size((128 << 10) + i * 5000)
            .go(yield_now)
    });
    sizes
        .collect::<Vec<_>>()
        .into_iter()
        .for_each(|h| h.join().unwrap());
}

/// Attack: more stacks than the kernel gives mappings (`vm.max_map_count`), each guarded by `mprotect`.
/// Outcome: a line that names the limit; goroutines wait for stacks, and all run.
fn without_mappings_goroutines_wait_for_stacks() {
    let env = [
        ("WATERWAY_GUARD", "mprotect"),
        ("WATERWAY_CHECK_TLS", "0"),
        ("WATERWAY_STACK_SIZE", "131072"),
    ];
    run("many_mappings", &env)
        .code(0)
        .says("vm.max_map_count is ");
}

fn many_mappings() {
    let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
    let stacks = limit.trim().parse::<usize>().unwrap() / 2;
    assert!(stacks < 200_000, "the limit is too high to be reached");
    let (begun, gate, all) = (
        Arc::new(AtomicUsize::new(0)),
        WaitGroup::new(),
        WaitGroup::new(),
    );
    gate.add(1);
    for _ in 0..stacks + 100 {
        let (begun, gate) = (begun.clone(), gate.clone());
        all.go(move || {
            begun.fetch_add(1, Ordering::Relaxed);
            gate.wait();
        });
    }
    // When stacks may have no more mappings, those that have one make room. Some are left to the rest of the program.
    let mappings = || std::fs::read("/proc/self/maps").unwrap();
    while mappings().iter().filter(|b| **b == b'\n').count() + 4096 < 2 * stacks {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(begun.load(Ordering::Relaxed) < stacks + 100);
    gate.done();
    all.wait();
}

fn main() {
    child::main(
        programs,
        tests!(
            a_dedicated_goroutine_without_a_thread_leaves_nothing_behind,
            blocking_calls_need_no_thread,
            goroutines_go_to_workers_that_have_a_thread,
            a_start_that_failed_can_be_tried_again,
            blocking_calls_share_a_limited_number_of_threads,
            any_number_of_workers_will_do,
            a_limit_on_addresses_leaves_room_for_the_program,
            stacks_larger_than_the_address_space_wait_their_turn,
            without_mappings_goroutines_wait_for_stacks,
        ),
    );
}
