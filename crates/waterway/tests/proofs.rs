//! Proofs of lock cycles: what is proved, how soon, who is named, and what must never be proved; and suspicions. Each program runs in a child process
//! of this binary, with others that go on meanwhile, so that the whole program is not asleep.

#[path = "attack/child.rs"]
mod child;
#[path = "proofs/suspects.rs"]
mod suspicions;

use std::cell::RefCell;
use std::os::unix::process::ExitStatusExt;
use std::rc::Rc;
use std::sync::{Arc, Mutex as StdMutex};
use std::time::{Duration, Instant};

use child::{DEADLOCK, command, finish, run};
use waterway::sync::{Barrier, Mutex, MutexGuard, Once, OnceLock, RwLock, RwLockReadGuard};
use waterway::time::sleep;
use waterway::watch::{Suspect, SuspectKind, Verdict, VerdictKind, on_verdict, suspects, verdicts};
use waterway::{Builder, JoinHandle, Receiver, Sender, chan, go, go_local, yield_now};

/// A proof comes within 100 ms of the last wait. How long that takes on a busy machine is not asked.
const SOON: Duration = Duration::from_secs(20);
/// So long nothing may be proved. Whoever looks for cycles has looked many times by then.
const QUIET: Duration = Duration::from_millis(400);

fn programs(program: &str) {
    let name = program;
    match name {
        "ab_ba" => ab_ba(),
        "own_lock" => own_lock(),
        "ring_of_five" => ring_of_five(),
        "behind_a_cycle" => behind_a_cycle(),
        "threads_take_part" => threads_take_part(),
        "dedicated_takes_part" => dedicated_takes_part(),
        "read_then_write" => read_then_write(),
        "write_then_read" => write_then_read(),
        "read_behind_a_writer" => read_behind_a_writer(),
        "two_rw_locks" => two_rw_locks(),
        "once_waits_for_its_caller" => once_waits_for_its_caller(),
        "join_under_a_lock" => join_under_a_lock(),
        "joins" => joins(),
        "a_computing_sibling" => a_computing_sibling(),
        "guard_in_a_thread_local" => guard_in_a_thread_local(),
        "guard_with_a_local_sibling" => guard_with_a_local_sibling(),
        "guard_in_a_channel" => guard_in_a_channel(),
        "read_guard_with_a_sibling" => read_guard_with_a_sibling(),
        "guard_in_a_box" => guard_in_a_box(),
        "timed_waits" => timed_waits(),
        "held_by_a_task" => held_by_a_task(),
        "churn" => churn(),
        "carried_behind_the_compilers_back" => carried_behind_the_compilers_back(),
        "guard_on_a_worker_that_blocks_in_a_waker" => guard_on_a_worker_that_blocks_in_a_waker(),
        "lent_guard_of_a_task" => lent_guard_of_a_task(),
        "whole_program" => whole_program(),
        "growing_site" => suspicions::growing_site(),
        "held_worker" => suspicions::held_worker(),
        "lock_across_a_wait" => suspicions::lock_across_a_wait(),
        other => panic!("no program {other:?}"),
    }
}

/// Waits for a verdict.
struct Watch(Receiver<(Verdict, Instant)>);

impl Watch {
    fn new() -> Watch {
        let (tx, rx) = chan(100);
        on_verdict(move |verdict| drop(tx.send((verdict.clone(), Instant::now()))));
        // Somebody goes on all the time.
        go(|| {
            loop {
                sleep(Duration::from_millis(3));
            }
        });
        Watch(rx)
    }

    /// The next verdict must come soon, be of that kind, and name these goroutines; in any order, unless it is a cycle of two.
    #[track_caller]
    fn says(&self, kind: VerdictKind, names: &[&str]) -> Verdict {
        let (verdict, _) = self.0.recv_timeout(SOON).expect("a verdict soon");
        assert_eq!(verdict.kind, kind, "{verdict:#?}");
        let mut named: Vec<_> = verdict
            .parties
            .iter()
            .filter_map(|p| p.name.as_deref())
            .collect();
        named.sort_unstable();
        assert_eq!(named, names, "{verdict:#?}");
        for party in &verdict.parties {
            assert!(
                party.waits.is_some() && party.spawned_at.is_some(),
                "{party:#?}"
            );
        }
        verdict
    }

    /// Nothing may be proved.
    #[track_caller]
    fn says_nothing(&self) {
        let verdict = self.0.recv_timeout(QUIET);
        assert!(verdict.is_err(), "{verdict:#?}");
        assert!(verdicts().is_empty());
    }
}

fn named<T: Send + 'static>(name: &str, f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    Builder::new().name(name).go(f)
}

fn lock<T>(value: T) -> Arc<Mutex<T>> {
    Arc::new(Mutex::new(value))
}

/// Two goroutines that hold one each, and then want the other's.
fn cross(a: &Arc<Mutex<u32>>, b: &Arc<Mutex<u32>>, spread: bool) {
    let both = Arc::new(Barrier::new(2));
    for (name, first, second) in [("a then b", a, b), ("b then a", b, a)] {
        let (first, second, both) = (first.clone(), second.clone(), both.clone());
        let builder = Builder::new().name(name);
        let builder = if spread { builder.spread() } else { builder };
        builder.go(move || {
            let one = first.lock();
            both.wait();
            *second.lock() += *one;
        });
    }
}

fn ab_ba() {
    let watch = Watch::new();
    for spread in [false, true] {
        cross(&lock(1), &lock(2), spread);
        let verdict = watch.says(VerdictKind::LockCycle, &["a then b", "b then a"]);
        for party in &verdict.parties {
            let held = &party.holds[..];
            assert_eq!(held.len(), 1, "{verdict:#?}");
            assert!(held[0].at.as_ref().unwrap().file.ends_with("proofs.rs"));
        }
        assert_ne!(verdict.parties[0].holds, verdict.parties[1].holds);
    }
    assert_eq!(verdicts().len(), 2);
}

fn own_lock() {
    let watch = Watch::new();
    let mutex = lock(1);
    named("twice", move || {
        let _once = mutex.lock();
        let _twice = mutex.lock();
    });
    watch.says(VerdictKind::OwnLock, &["twice"]);
}

fn ring_of_five() {
    let watch = Watch::new();
    let locks: Vec<_> = (0..5).map(lock).collect();
    let all = Arc::new(Barrier::new(5));
    for n in 0..5 {
        let (own, next, all) = (locks[n].clone(), locks[(n + 1) % 5].clone(), all.clone());
        named("philosopher", move || {
            let left = own.lock();
            all.wait();
            *next.lock() += *left;
        });
    }
    let verdict = watch.says(VerdictKind::LockCycle, &["philosopher"; 5]);
    for (n, party) in verdict.parties.iter().enumerate() {
        let next = &verdict.parties[(n + 1) % 5];
        let waits = party.waits.as_ref().unwrap().on;
        let held = waterway_snapshot::Target::Object(next.holds[0].object);
        assert_eq!(waits, held, "each waits for what the next one holds");
    }
}

fn behind_a_cycle() {
    let watch = Watch::new();
    let (a, b) = (lock(1), lock(2));
    cross(&a, &b, false);
    watch.says(VerdictKind::LockCycle, &["a then b", "b then a"]);
    let late = a.clone();
    let waits = named("late", move || drop(late.lock()));
    watch.says(VerdictKind::NeverWoken, &["late"]);
    named("joins it", move || waits.join());
    watch.says(VerdictKind::NeverWoken, &["joins it"]);
}

fn threads_take_part() {
    let watch = Watch::new();
    let (a, b) = (lock(1), lock(2));
    let both = Arc::new(Barrier::new(2));
    let (first, second, meet) = (a.clone(), b.clone(), both.clone());
    std::thread::spawn(move || {
        let one = first.lock();
        meet.wait();
        *second.lock() += *one;
    });
    named("goroutine", move || {
        let one = b.lock();
        both.wait();
        *a.lock() += *one;
    });
    let (verdict, _) = watch.0.recv_timeout(SOON).unwrap();
    assert_eq!(
        (verdict.kind, verdict.parties.len()),
        (VerdictKind::LockCycle, 2)
    );
}

fn dedicated_takes_part() {
    let watch = Watch::new();
    let (a, b) = (lock(1), lock(2));
    let both = Arc::new(Barrier::new(2));
    let (first, second, meet) = (a.clone(), b.clone(), both.clone());
    Builder::new().name("own thread").dedicated().go(move || {
        let one = first.lock();
        meet.wait();
        *second.lock() += *one;
    });
    named("goroutine", move || {
        let one = b.lock();
        both.wait();
        *a.lock() += *one;
    });
    watch.says(VerdictKind::LockCycle, &["goroutine", "own thread"]);
}

fn read_then_write() {
    let watch = Watch::new();
    let rw = Arc::new(RwLock::new(1));
    named("upgrades", move || {
        let read = rw.read();
        *rw.write() += *read;
    });
    watch.says(VerdictKind::OwnLock, &["upgrades"]);
}

fn write_then_read() {
    let watch = Watch::new();
    let rw = Arc::new(RwLock::new(1));
    named("downgrades", move || {
        let mut write = rw.write();
        *write += *rw.read();
    });
    let verdict = watch.says(VerdictKind::OwnLock, &["downgrades"]);
    assert!(
        verdict.parties[0].holds[0].at.is_some(),
        "a writer says where"
    );
}

fn read_behind_a_writer() {
    let watch = Watch::new();
    let rw = Arc::new(RwLock::new(1));
    let (other, to_write) = (rw.clone(), chan::<()>(0));
    let (tx, rx) = to_write;
    named("reads twice", move || {
        let read = rw.read();
        drop(tx);
        while rw.try_read().is_some() {
            yield_now();
        }
        drop((rw.read(), read));
    });
    named("writes", move || {
        let _ = rx.recv();
        *other.write() += 1;
    });
    watch.says(VerdictKind::LockCycle, &["reads twice", "writes"]);
}

fn two_rw_locks() {
    let watch = Watch::new();
    let (a, b) = (Arc::new(RwLock::new(1)), Arc::new(RwLock::new(2)));
    let both = Arc::new(Barrier::new(2));
    for (name, first, second) in [("one", &a, &b), ("other", &b, &a)] {
        let (first, second, both) = (first.clone(), second.clone(), both.clone());
        named(name, move || {
            let read = first.read();
            both.wait();
            *second.write() += *read;
        });
    }
    watch.says(VerdictKind::LockCycle, &["one", "other"]);
}

fn once_waits_for_its_caller() {
    let watch = Watch::new();
    static ONCE: Once = Once::new();
    static PLACE: OnceLock<u32> = OnceLock::new();
    let both = Arc::new(Barrier::new(2));
    let meet = both.clone();
    named("calls", move || {
        ONCE.call_once(|| {
            meet.wait();
            PLACE.get_or_init(|| 1);
        });
    });
    named("makes", move || {
        PLACE.get_or_init(|| {
            both.wait();
            ONCE.call_once(|| ());
            2
        });
    });
    watch.says(VerdictKind::LockCycle, &["calls", "makes"]);
}

fn join_under_a_lock() {
    let watch = Watch::new();
    let mutex = lock(1);
    named("joins", move || {
        let guard = mutex.lock();
        let other = mutex.clone();
        let child = named("locks", move || *other.lock() += 1);
        drop((child.join(), guard));
    });
    watch.says(VerdictKind::LockCycle, &["joins", "locks"]);
}

fn joins() {
    let watch = Watch::new();
    let (tx, rx) = chan::<JoinHandle<()>>(1);
    let (back, from) = chan::<JoinHandle<()>>(1);
    let one = named("one", move || rx.recv().unwrap().join().unwrap());
    let other = named("other", move || from.recv().unwrap().join().unwrap());
    tx.send(other).unwrap();
    back.send(one).unwrap();
    watch.says(VerdictKind::JoinCycle, &["one", "other"]);
}

/// Somebody computes without a pause meanwhile: he is none of the cycle.
fn a_computing_sibling() {
    let watch = Watch::new();
    Builder::new().dedicated().go(|| {
        loop {
            std::hint::spin_loop();
        }
    });
    cross(&lock(1), &lock(2), false);
    watch.says(VerdictKind::LockCycle, &["a then b", "b then a"]);
}

thread_local! {
    static KEPT: RefCell<Option<MutexGuard<'static, u32>>> = const { RefCell::new(None) };
}

/// Whoever waits must come through in the end.
/// The cycles that are suspected. That a worker is held, or a wait is long, is true where other programs have the cores.
fn cycles() -> Vec<Suspect> {
    let mut all = suspects();
    all.retain(|s| matches!(s.kind, SuspectKind::LockCycle | SuspectKind::OwnLock));
    all
}

fn comes_through(watch: &Watch, stuck: JoinHandle<()>, rescue: Sender<()>) {
    watch.says_nothing();
    drop(rescue);
    stuck.join().unwrap();
    assert!(verdicts().is_empty() && cycles().is_empty());
}

fn guard_in_a_thread_local() {
    static MUTEX: Mutex<u32> = Mutex::new(1);
    let watch = Watch::new();
    let (rescue, wait) = chan::<()>(0);
    let stuck = go(move || {
        let guard = MUTEX.lock();
        KEPT.with(|kept| *kept.borrow_mut() = Some(guard));
        go_local(move || {
            let _ = wait.recv();
            KEPT.with(|kept| drop(kept.borrow_mut().take()));
        });
        drop(MUTEX.lock());
    });
    comes_through(&watch, stuck, rescue);
}

fn guard_with_a_local_sibling() {
    static MUTEX: Mutex<u32> = Mutex::new(1);
    let watch = Watch::new();
    let (rescue, wait) = chan::<()>(0);
    let stuck = go(move || {
        let guard = MUTEX.lock();
        go_local(move || {
            let _ = wait.recv();
            drop(guard);
        });
        drop(MUTEX.lock());
    });
    watch.says_nothing();
    let end = Instant::now() + SOON;
    let found = loop {
        let found = cycles();
        if !found.is_empty() || Instant::now() > end {
            break found;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].kind, SuspectKind::OwnLock);
    watch.says_nothing();
    comes_through(&watch, stuck, rescue);
}

fn guard_in_a_channel() {
    static MUTEX: Mutex<u32> = Mutex::new(1);
    for capacity in [0, 1] {
        let watch = Watch::new();
        let (rescue, wait) = chan::<()>(0);
        let stuck = go(move || {
            let (tx, rx) = chan::<MutexGuard<'static, u32>>(capacity);
            go_local(move || {
                if capacity == 0 {
                    let guard = rx.recv();
                    let _ = wait.recv();
                    drop(guard);
                } else {
                    let _ = wait.recv();
                    drop(rx.recv());
                }
            });
            tx.send(MUTEX.lock()).ok().unwrap();
            drop(MUTEX.lock());
        });
        comes_through(&watch, stuck, rescue);
    }
}

fn read_guard_with_a_sibling() {
    static RW: RwLock<u32> = RwLock::new(1);
    let watch = Watch::new();
    let (rescue, wait) = chan::<()>(0);
    let stuck = go(move || {
        let guard: RwLockReadGuard<'static, u32> = RW.read();
        go_local(move || {
            let _ = wait.recv();
            drop(guard);
        });
        *RW.write() += 1;
    });
    comes_through(&watch, stuck, rescue);
}

/// The guard of a task may go to another thread, so another goroutine may drop it where it lies: on the stack of one who waits.
fn lent_guard_of_a_task() {
    static RW: RwLock<u32> = RwLock::new(1);
    static MUTEX: Mutex<u32> = Mutex::new(1);
    let watch = Watch::new();
    let (rescue, wait) = chan::<()>(0);
    let (tell, told) = chan::<()>(0);
    let stuck = go(move || {
        let mut lent = Some(waterway::block_on(RW.write_async()));
        let lent = &mut lent;
        waterway::scope(|s| {
            s.go(move || {
                let _ = wait.recv();
                drop(lent.take());
            });
            drop(tell);
            while MUTEX.try_lock().is_some() {
                yield_now();
            }
            drop(MUTEX.lock());
        });
    });
    let other = go(move || {
        let _ = told.recv();
        let one = MUTEX.lock();
        *RW.write() += *one;
    });
    comes_through(&watch, stuck, rescue);
    other.join().unwrap();
}

fn guard_in_a_box() {
    static MUTEX: Mutex<u32> = Mutex::new(1);
    let watch = Watch::new();
    let (rescue, wait) = chan::<()>(0);
    let stuck = go(move || {
        let shared = Rc::new(RefCell::new(Some(MUTEX.lock())));
        let other = shared.clone();
        go_local(move || {
            let _ = wait.recv();
            drop(other.borrow_mut().take());
        });
        drop(MUTEX.lock());
        drop(shared);
    });
    comes_through(&watch, stuck, rescue);
}

fn timed_waits() {
    let watch = Watch::new();
    let (a, b) = (lock(1), lock(2));
    let both = Arc::new(Barrier::new(2));
    let (first, second, meet) = (a.clone(), b.clone(), both.clone());
    let gives_up = go(move || {
        let one = first.lock();
        meet.wait();
        assert!(second.lock_timeout(Duration::from_millis(300)).is_none());
        drop(one);
    });
    let waits = go(move || {
        let one = b.lock();
        both.wait();
        *a.lock() += *one;
    });
    watch.says_nothing();
    gives_up.join().unwrap();
    waits.join().unwrap();
    // A wait that a context can end.
    let (ctx, cancel) = waterway::Context::background().with_cancel();
    let mutex = lock(1);
    let ends = go(move || {
        let _once = mutex.lock();
        assert!(ctx.lock(&mutex).is_err());
    });
    watch.says_nothing();
    drop(cancel);
    ends.join().unwrap();
}

fn held_by_a_task() {
    let watch = Watch::new();
    let mutex: &'static Mutex<u32> = Box::leak(Box::new(Mutex::new(1)));
    let kept = Arc::new(StdMutex::new(None));
    *kept.lock().unwrap() = Some(waterway::block_on(mutex.lock_async()));
    let stuck = go(move || drop(mutex.lock()));
    watch.says_nothing();
    drop(kept.lock().unwrap().take());
    stuck.join().unwrap();
}

/// Locks that are fought for by many, for a while, with waits that last long enough to be looked at.
fn churn() {
    let watch = Watch::new();
    let locks: Arc<Vec<Mutex<u64>>> = Arc::new((0..4).map(Mutex::new).collect());
    let rw = Arc::new(RwLock::new(0));
    let once: Arc<Vec<Once>> = Arc::new((0..64).map(|_| Once::new()).collect());
    let end = Instant::now() + Duration::from_secs(1);
    let crew: Vec<_> = (0..24u64)
        .map(|n| {
            let (locks, rw, once) = (locks.clone(), rw.clone(), once.clone());
            go(move || {
                let mut seed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
                let mut chance = |below: u64| {
                    seed = seed
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    (seed >> 33) % below
                };
                while Instant::now() < end {
                    // Always in one order.
                    let mut held: Vec<_> = Vec::new();
                    let from = chance(4) as usize;
                    for lock in &locks[from..] {
                        held.push(lock.lock());
                        if chance(3) == 0 {
                            sleep(Duration::from_millis(chance(12)));
                        }
                    }
                    held.iter_mut().for_each(|guard| **guard += 1);
                    drop(held);
                    match chance(3) {
                        0 => *rw.write() += 1,
                        1 => {
                            let read = rw.read();
                            sleep(Duration::from_millis(*read % 10));
                        }
                        _ => {
                            once[chance(64) as usize].call_once(|| sleep(Duration::from_millis(15)))
                        }
                    }
                    let child = go(|| sleep(Duration::from_millis(10)));
                    child.join().unwrap();
                }
            })
        })
        .collect();
    crew.into_iter().for_each(|one| one.join().unwrap());
    watch.says_nothing();
    assert!(cycles().is_empty());
}

/// What is documented not to be seen: a guard that is lent to another goroutine although it is not `Send`. A verdict that is wrong
/// because of it must not go unnoticed.
fn carried_behind_the_compilers_back() {
    struct Carried(Option<MutexGuard<'static, u32>>);
    // SAFETY: tests only: both goroutines are on the one worker.
    unsafe impl Send for Carried {}
    static MUTEX: Mutex<u32> = Mutex::new(1);
    let watch = Watch::new();
    let (rescue, wait) = chan::<()>(0);
    let stuck = go(move || {
        let kept = StdMutex::new(Carried(Some(MUTEX.lock())));
        waterway::scope(|s| {
            s.go(|| {
                let _ = wait.recv();
                drop(kept.lock().unwrap().0.take());
            });
            drop(MUTEX.lock());
        });
    });
    assert!(watch.0.recv_timeout(SOON).is_ok());
    drop(rescue);
    stuck.join().unwrap();
}

/// A worker that has waited as a thread does, inside of a waker, keeps its thread-locals where its stack is.
fn guard_on_a_worker_that_blocks_in_a_waker() {
    struct Blocks(Sender<()>);
    impl std::task::Wake for Blocks {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(());
        }
    }
    let (tx, rx) = chan::<()>(0);
    let (value, mut values) = (chan::<u32>(1), Vec::new());
    let waker = Arc::new(Blocks(tx)).into();
    let mut pending = Box::pin(value.1.recv_async());
    let mut context = std::task::Context::from_waker(&waker);
    assert!(pending.as_mut().poll(&mut context).is_pending());
    let sends = go(move || value.0.send(1).unwrap());
    values.push(rx.recv());
    sends.join().unwrap();
    guard_in_a_thread_local();
}

fn whole_program() {
    cross(&lock(1), &lock(2), false);
    let (_tx, rx) = chan::<()>(0);
    let _ = rx.recv();
}

#[track_caller]
fn passes(program: &str) {
    let started = ["1", "2", "4"].map(|procs| {
        let env = [("WATERWAY_MAX_PROCS", procs)];
        command(program, &env).spawn().unwrap()
    });
    for child in started {
        finish(child).code(0).says_not("verdict was wrong");
    }
}

macro_rules! pass {
    ($($name:ident => $program:literal),* $(,)?) => {
        $(fn $name() { passes($program); })*
    };
}

pass! {
    two_locks_in_both_orders_are_proved => "ab_ba",
    a_lock_taken_twice_is_proved => "own_lock",
    five_philosophers_are_named_in_their_order => "ring_of_five",
    who_waits_behind_a_cycle_is_named_too => "behind_a_cycle",
    a_thread_may_take_part => "threads_take_part",
    a_goroutine_on_its_own_thread_may_take_part => "dedicated_takes_part",
    a_reader_who_writes_is_proved => "read_then_write",
    a_writer_who_reads_is_proved => "write_then_read",
    a_reader_behind_a_writer_is_proved => "read_behind_a_writer",
    two_readers_who_write_are_proved => "two_rw_locks",
    calls_that_wait_for_each_other_are_proved => "once_waits_for_its_caller",
    a_join_under_a_lock_is_proved => "join_under_a_lock",
    two_that_join_each_other_are_proved => "joins",
    who_computes_elsewhere_is_in_no_way => "a_computing_sibling",
    a_guard_in_a_thread_local_is_no_proof => "guard_in_a_thread_local",
    a_guard_that_a_local_sibling_has_is_no_proof => "guard_with_a_local_sibling",
    a_guard_in_a_channel_is_no_proof => "guard_in_a_channel",
    a_read_guard_that_a_sibling_has_is_no_proof => "read_guard_with_a_sibling",
    a_guard_in_a_box_is_no_proof => "guard_in_a_box",
    a_task_s_guard_that_was_lent_is_no_proof => "lent_guard_of_a_task",
    waits_with_a_limit_are_no_proof => "timed_waits",
    a_guard_beside_a_worker_that_blocked_is_no_proof => "guard_on_a_worker_that_blocks_in_a_waker",
    a_lock_that_a_task_holds_is_no_proof => "held_by_a_task",
    locks_that_are_fought_for_are_no_proof => "churn",
}

fn a_cycle_is_told_before_the_program_ends_in_its_deadlock() {
    let outcome = run("whole_program", &[]);
    outcome
        .code(2)
        .says(DEADLOCK)
        .says("each waits for a lock that the next one holds");
    let proof = outcome.stderr.find("each waits").unwrap();
    assert!(proof < outcome.stderr.find(DEADLOCK).unwrap());
}

fn a_site_whose_goroutines_only_become_more_is_named() {
    run("growing_site", &[]).code(0);
}

fn a_worker_that_is_held_for_long_is_named() {
    run("held_worker", &[]).code(0);
}

fn a_lock_that_is_held_across_a_long_wait_is_named() {
    run("lock_across_a_wait", &[]).code(0);
}

fn a_wrong_verdict_ends_the_process() {
    let outcome = run(
        "carried_behind_the_compilers_back",
        &[("WATERWAY_MAX_PROCS", "1")],
    );
    assert_eq!(
        outcome.status.signal(),
        Some(libc::SIGABRT),
        "{}",
        outcome.stderr
    );
    outcome.says("it waits for a lock that it holds itself");
    outcome.says("a verdict was wrong");
    // Both traces: where the one goes on, and where the other, who has dropped the guard, woke it.
    let (before, after) = outcome
        .stderr
        .split_once(" has woken it, here:")
        .unwrap_or_else(|| panic!("no waker in {}", outcome.stderr));
    let name = "carried_behind_the_compilers_back";
    assert!(
        before.contains("It goes on here:") && before.contains("Mutex"),
        "{before}"
    );
    assert!(
        before.contains(name) && after.contains(name),
        "{}",
        outcome.stderr
    );
    assert!(after.contains("drop"), "{after}");
    assert!(after.contains("Please report it."), "{after}");
}

fn main() {
    child::main(
        programs,
        tests![
            a_lock_that_is_held_across_a_long_wait_is_named,
            a_site_whose_goroutines_only_become_more_is_named,
            a_worker_that_is_held_for_long_is_named,
            locks_that_are_fought_for_are_no_proof,
            two_locks_in_both_orders_are_proved,
            a_lock_taken_twice_is_proved,
            five_philosophers_are_named_in_their_order,
            who_waits_behind_a_cycle_is_named_too,
            a_thread_may_take_part,
            a_goroutine_on_its_own_thread_may_take_part,
            a_reader_who_writes_is_proved,
            a_writer_who_reads_is_proved,
            a_reader_behind_a_writer_is_proved,
            two_readers_who_write_are_proved,
            calls_that_wait_for_each_other_are_proved,
            a_join_under_a_lock_is_proved,
            two_that_join_each_other_are_proved,
            who_computes_elsewhere_is_in_no_way,
            a_guard_in_a_thread_local_is_no_proof,
            a_guard_that_a_local_sibling_has_is_no_proof,
            a_guard_in_a_channel_is_no_proof,
            a_read_guard_that_a_sibling_has_is_no_proof,
            a_guard_in_a_box_is_no_proof,
            a_task_s_guard_that_was_lent_is_no_proof,
            waits_with_a_limit_are_no_proof,
            a_lock_that_a_task_holds_is_no_proof,
            a_cycle_is_told_before_the_program_ends_in_its_deadlock,
            a_wrong_verdict_ends_the_process,
            a_guard_beside_a_worker_that_blocked_is_no_proof,
        ],
    );
}
