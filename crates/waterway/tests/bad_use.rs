//! Bad use gets a clear answer: the rows of docs/bad-use.md that have no test elsewhere.

#[path = "bad_use/channels.rs"]
mod channels;
#[path = "attack/child.rs"]
mod child;
#[path = "bad_use/settings.rs"]
mod settings;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use channels::{
    a_capacity_that_fits_nowhere_panics, a_channel_closed_twice_is_closed,
    a_chosen_operation_is_finished_once_and_with_its_own_end,
    a_future_of_a_channel_that_is_dropped_takes_nothing,
    a_receive_from_a_closed_channel_gives_what_is_left,
    a_select_without_arms_is_a_deadlock_that_says_so,
    a_send_on_a_closed_channel_gives_the_value_back, who_waits_at_a_channel_that_closes_is_told,
    who_waits_for_itself_is_a_deadlock_that_counts_the_ends,
};
use child::{DEADLOCK, run};
use settings::{
    builders_of_nonsense_panic, settings_are_installed_once_and_before_the_start,
    settings_out_of_range_are_an_error_that_names_them,
};
use waterway::sync::{
    Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, Semaphore, WaitGroup,
};
use waterway::{block_on, chan, defer, go, num_goroutines, scope, time, yield_now};

const BRIEF: Duration = Duration::from_millis(1);

fn programs(program: &str) {
    let goroutine = |f: fn()| go(f).join().unwrap();
    match program {
        "locks_twice" => goroutine(locks_twice),
        "reads_and_writes" => goroutine(reads_and_writes),
        "asks_for_too_much" => goroutine(|| drop(Semaphore::new(1).acquire(2))),
        "forgets_a_guard" => goroutine(forgets_a_guard),
        "parks_while_unwinding" => parks_while_unwinding(),
        other => settings::programs(other),
    }
}

/// The message of the panic that `f` ends with, which must name a line of this file as its place.
fn panics(f: impl FnOnce()) -> String {
    let (place, text) = panic_of(f);
    assert!(place.contains("tests/bad_use"), "{place}");
    text
}

/// Where the panic is that `f` ends with, and its message. Of tests that run side by side, each has its own.
fn panic_of(f: impl FnOnce()) -> (String, String) {
    thread_local!(static PLACE: Cell<Option<String>> = const { Cell::new(None) });
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| match PLACE.take() {
            Some(_) => PLACE.set(info.location().map(|at| at.to_string())),
            None => usual(info),
        }));
    });
    PLACE.set(Some(String::new()));
    let panic = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
    let place = PLACE.take().unwrap();
    let text = match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().unwrap().to_string(),
    };
    (place, text)
}

/// Waits until all goroutines but `n` are asleep for good: each look lets the others run.
fn settled(waiting: impl Fn() -> bool) {
    while !waiting() {
        yield_now();
        std::thread::sleep(BRIEF);
    }
}

/// How many goroutines and threads wait, by a dump, with `reason`.
fn waiting(reason: &str) -> usize {
    let mut dump = Vec::new();
    waterway::watch::dump(&mut dump).unwrap();
    String::from_utf8(dump).unwrap().matches(reason).count()
}

fn locks_twice() {
    let lock = Mutex::new(0);
    let _first = lock.lock();
    let _second = lock.lock();
}

fn a_mutex_locked_twice_is_a_deadlock_that_names_itself() {
    let outcome = run("locks_twice", &[]);
    outcome.code(2).says(DEADLOCK).says("sync.Mutex.Lock");
    outcome.says("held by itself (locked at");
}

fn reads_and_writes() {
    let lock = RwLock::new(0);
    let _reader = lock.read();
    let _writer = lock.write();
}

fn a_reader_that_writes_is_a_deadlock_that_names_itself() {
    let outcome = run("reads_and_writes", &[]);
    outcome.code(2).says(DEADLOCK).says("sync.RWMutex.Lock");
    outcome.says("held by a reader");
}

fn more_permits_than_there_are_is_a_deadlock_that_names_itself() {
    let outcome = run("asks_for_too_much", &[]);
    outcome.code(2).says(DEADLOCK).says("on semaphore");
}

fn forgets_a_guard() {
    let lock = Mutex::new(0);
    std::mem::forget(lock.lock());
    drop(lock.lock());
}

fn a_forgotten_guard_is_a_deadlock_that_names_it() {
    let outcome = run("forgets_a_guard", &[]);
    outcome.code(2).says(DEADLOCK);
    outcome.says("held by itself (locked at");
}

/// Forgotten guards are held for ever; calls that give up give up, and nothing else breaks.
fn forgotten_guards_are_held_for_ever() {
    let (lock, rw) = (Mutex::new(0), RwLock::new(0));
    std::mem::forget(lock.lock());
    assert!(lock.try_lock().is_none() && lock.lock_timeout(BRIEF).is_none());
    std::mem::forget(rw.read());
    assert!(rw.try_read().is_some() && rw.write_timeout(BRIEF).is_none());
    let permits = Semaphore::new(2);
    std::mem::forget(permits.acquire(1));
    assert_eq!(permits.available(), 1);
    assert!(permits.acquire_timeout(2, BRIEF).is_none());
    let group = WaitGroup::new();
    std::mem::forget(group.token());
    assert!(!group.wait_timeout(BRIEF));
    let (mut lock, mut rw) = (lock, rw);
    assert_eq!((*lock.get_mut(), *rw.get_mut()), (0, 0));
}

fn a_future_that_is_never_awaited_takes_nothing() {
    let (lock, rw, permits) = (Mutex::new(0), RwLock::new(0), Semaphore::new(1));
    drop((lock.lock_async(), rw.read_async(), rw.write_async()));
    drop(permits.acquire_async(1));
    assert!(lock.try_lock().is_some() && rw.try_write().is_some());
    assert_eq!(permits.available(), 1);
}

fn a_condition_with_two_mutexes_panics() {
    let (one, two, changed) = (Mutex::new(()), Mutex::new(()), Condvar::new());
    scope(|s| {
        s.go(|| changed.wait(&mut one.lock()));
        settled(|| waiting("[sync.Cond.Wait") == 1);
        let text = panics(|| changed.wait(&mut two.lock()));
        assert!(text.contains("two mutexes"), "{text}");
        assert_eq!(text.matches("bad_use.rs").count(), 3, "{text}");
        assert!(two.try_lock().is_some(), "unwinding unlocks");
        settled(|| one.try_lock().is_some());
        changed.notify_one();
    });
    // One after the other they may.
    assert!(changed.wait_timeout(&mut two.lock(), BRIEF).timed_out());
    assert!(changed.wait_timeout(&mut one.lock(), BRIEF).timed_out());
}

fn initialisers_that_use_themselves_panic() {
    static PLACE: OnceLock<u32> = OnceLock::new();
    static LAZY: LazyLock<u32> = LazyLock::new(|| *LAZY + 1);
    let once = Once::new();
    for text in [
        panics(|| once.call_once(|| once.call_once(|| ()))),
        panics(|| _ = PLACE.get_or_init(|| *PLACE.get_or_init(|| 1))),
        panics(|| _ = LazyLock::force(&LAZY)),
    ] {
        assert!(text.contains("from within its own call"), "{text}");
        assert!(text.contains("bad_use.rs"), "{text}");
    }
    // A call that panicked has not been made; a maker is used up by it.
    once.call_once(|| ());
    assert_eq!(PLACE.get_or_init(|| 2), &2);
    let text = panics(|| _ = LazyLock::force(&LAZY));
    assert!(text.contains("panicked before"), "{text}");
}

fn calls_that_can_not_be_right_say_so() {
    let group = WaitGroup::new();
    let text = panics(|| group.done());
    assert!(
        text.contains("negative") && text.contains("bad_use.rs"),
        "{text}"
    );
    let permits = Semaphore::new(1);
    let text = panics(|| permits.add_permits(usize::MAX));
    assert!(text.contains("too many permits"), "{text}");
    let ticker = time::Ticker::new(Duration::MAX);
    for text in [
        panics(|| drop(time::Ticker::new(Duration::ZERO))),
        panics(|| ticker.reset(Duration::ZERO)),
    ] {
        assert!(text.contains("a period of zero"), "{text}");
    }
    assert!(time::tick(Duration::ZERO).try_recv().is_err());
}

fn a_barrier_of_none_lets_each_pass() {
    let barrier = Barrier::new(0);
    assert!(barrier.wait().is_leader() && barrier.wait().is_leader());
}

fn a_guard_kept_across_a_yield_keeps_others_waiting() {
    let (lock, seen) = (Mutex::new(0), AtomicUsize::new(0));
    scope(|s| {
        s.go(|| {
            let mut guard = lock.lock();
            // Whoever wants the lock waits, and a dump says for whom.
            settled(|| waiting("held by goroutine") >= 2);
            seen.store(waiting("[sync.Mutex.Lock"), Ordering::Relaxed);
            *guard = 1;
        });
        settled(|| lock.try_lock().is_none());
        for _ in 0..2 {
            s.go(|| assert_eq!(*lock.lock(), 1));
        }
    });
    assert!(seen.load(Ordering::Relaxed) >= 2);
}

/// All that can be held or waited for.
#[derive(Default)]
struct All {
    mutex: Mutex<()>,
    rw: RwLock<()>,
    changed: Condvar,
    once: Once,
    place: OnceLock<()>,
    group: WaitGroup,
}

/// Destructors that unwinding calls wait in each primitive, and are woken; each panic stays its goroutine's own.
fn parks_while_unwinding() {
    type Wait = fn(&All, &Semaphore, &Barrier, &waterway::Receiver<()>);
    const WAITS: &[Wait] = &[
        |a, _, _, _| drop(a.mutex.lock()),
        |a, _, _, _| drop(a.rw.read()),
        |a, _, _, _| drop(a.rw.write()),
        |_, s, _, _| drop(s.acquire(1)),
        |a, _, _, _| a.changed.wait(&mut a.mutex.lock()),
        |a, _, _, _| a.once.call_once(|| ()),
        |a, _, _, _| _ = a.place.get_or_init(|| ()),
        |a, _, _, _| a.group.wait(),
        |_, _, b, _| _ = b.wait(),
        |_, _, _, r| assert!(r.recv().is_err()),
        |_, _, _, _| time::sleep(BRIEF),
        |a, _, _, _| drop(block_on(a.mutex.lock_async())),
        |_, _, _, _| go(yield_now).join().unwrap(),
        |_, _, _, _| scope(|s| _ = s.go(yield_now)),
    ];
    let (all, permits) = (Arc::new(All::default()), Semaphore::new(1));
    let (barrier, (open, closed)) = (Barrier::new(2), chan(0));
    let parked = Arc::new(AtomicUsize::new(0));
    // Held by main, so that each has to wait.
    let (mutex, rw, permit) = (all.mutex.lock(), all.rw.write(), permits.acquire(1));
    let token = all.group.token();
    let (holds, let_go) = (chan::<()>(0), all.clone());
    let held = go(move || {
        let once = || _ = holds.1.recv();
        let_go.once.call_once(once);
        let_go.place.get_or_init(|| ());
    });
    let members: Vec<_> = (0..WAITS.len())
        .map(|n| {
            let (all, permits, barrier) = (all.clone(), permits.clone(), barrier.clone());
            let (closed, parked) = (closed.clone(), parked.clone());
            go(move || {
                defer! {
                    parked.fetch_add(1, Ordering::SeqCst);
                    WAITS[n](&all, &permits, &barrier, &closed);
                }
                resume_unwind(Box::new(n));
            })
        })
        .collect();
    settled(|| parked.load(Ordering::SeqCst) == WAITS.len());
    drop((mutex, rw, permit, token, open, holds.0));
    barrier.wait();
    held.join().unwrap();
    let condition = go(move || {
        while num_goroutines() > 1 {
            all.changed.notify_all();
            time::sleep(BRIEF);
        }
    });
    for (n, member) in members.into_iter().enumerate() {
        let payload = member.join().map(|_: ()| ()).unwrap_err();
        assert_eq!(payload.downcast_ref::<usize>(), Some(&n));
    }
    condition.join().unwrap();
}

fn destructors_wait_while_a_panic_unwinds() {
    run("parks_while_unwinding", &[]).code(0);
    run("parks_while_unwinding", &[("WATERWAY_MAX_PROCS", "1")]).code(0);
}

/// Where a test of the page may stand.
fn sources(module: &str) -> String {
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let mut text = std::fs::read_to_string(format!("{tests}/{module}.rs")).expect(module);
    for file in std::fs::read_dir(format!("{tests}/{module}"))
        .into_iter()
        .flatten()
    {
        text += &std::fs::read_to_string(file.unwrap().path()).unwrap();
    }
    text
}

fn each_row_of_the_page_names_a_test() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/bad-use.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let mut seen = 0;
    for row in rows.filter(|row| !row.starts_with("| use |") && !row.starts_with("| --- |")) {
        let (_, tests) = row.trim_end_matches(" |").rsplit_once(" | ").unwrap();
        let mut module = String::new();
        for test in tests.split('`').skip(1).step_by(2) {
            let name = match test.split_once("::") {
                Some((of, name)) => {
                    module = of.into();
                    name
                }
                None => test,
            };
            let there = match name.ends_with(".rs") || module.is_empty() {
                true => ["", ".rs"].iter().any(|end| {
                    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
                    std::fs::exists(format!("{tests}/{name}{end}")).unwrap()
                }),
                false => sources(&module).contains(&format!("fn {name}()")),
            };
            assert!(there, "no test {name} of {module:?}: {row}");
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}

fn main() {
    child::main(
        programs,
        tests!(
            a_mutex_locked_twice_is_a_deadlock_that_names_itself,
            a_reader_that_writes_is_a_deadlock_that_names_itself,
            more_permits_than_there_are_is_a_deadlock_that_names_itself,
            a_forgotten_guard_is_a_deadlock_that_names_it,
            forgotten_guards_are_held_for_ever,
            a_future_that_is_never_awaited_takes_nothing,
            a_condition_with_two_mutexes_panics,
            initialisers_that_use_themselves_panic,
            calls_that_can_not_be_right_say_so,
            a_barrier_of_none_lets_each_pass,
            a_guard_kept_across_a_yield_keeps_others_waiting,
            destructors_wait_while_a_panic_unwinds,
            each_row_of_the_page_names_a_test,
            a_send_on_a_closed_channel_gives_the_value_back,
            a_receive_from_a_closed_channel_gives_what_is_left,
            a_channel_closed_twice_is_closed,
            who_waits_at_a_channel_that_closes_is_told,
            who_waits_for_itself_is_a_deadlock_that_counts_the_ends,
            a_select_without_arms_is_a_deadlock_that_says_so,
            a_capacity_that_fits_nowhere_panics,
            a_chosen_operation_is_finished_once_and_with_its_own_end,
            a_future_of_a_channel_that_is_dropped_takes_nothing,
            settings_are_installed_once_and_before_the_start,
            settings_out_of_range_are_an_error_that_names_them,
            builders_of_nonsense_panic,
        ),
    );
}
