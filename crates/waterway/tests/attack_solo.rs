//! Attacks on what costs nearly nothing as long as one worker alone does it: rings and locks that are one worker's own, and goroutines that
//! follow others on their stack.

#[path = "attack/child.rs"]
mod child;
#[path = "attack_solo/followers.rs"]
mod followers;
#[path = "attack_solo/users.rs"]
mod users;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use child::{command, finish};
use users::{Boxed, Chance, Found, LIVE, Large, Nothing, User, Value, Wide};
use waterway::chan::WeakSender;
use waterway::flow::Overflow;
use waterway::sync::WaitGroup;
use waterway::{Receiver, chan, go, select, yield_now};

fn programs(program: &str) {
    match program {
        "changes_hands" => changes_hands(),
        "drops_come_back" => drops_come_back(),
        "followers" => followers::followers(),
        "dives_as_a_follower" => followers::dives_as_a_follower(),
        other => panic!("no program {other:?}"),
    }
}

const WORKERS: [&str; 3] = ["1", "2", "4"];

/// Runs a program with one worker, two and four, at once.
fn with_workers(program: &str) {
    let start = |n| command(program, &[("WATERWAY_MAX_PROCS", n)]).spawn();
    for child in WORKERS.map(|n| start(n).unwrap()) {
        finish(child).code(0);
    }
}

/// A channel that was one's own for a while, and then is used by others: goroutines of its worker, of others, and a plain thread; and
/// closed, perhaps.
fn one_channel<V: Value>(seed: u64) {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let capacity = [1, 2, 3, 7, 128][chance.below(5) as usize];
    let warm = [3, 120, 128, 129, 130, 300][chance.below(6) as usize];
    let (tx, rx) = chan::<V>(capacity);
    let found = Arc::new(Found::default());
    let done = Arc::new(AtomicU64::new(0));
    let closes = chance.below(4) == 0;
    let policy = chance.below(8) == 0;
    let mut owner = User::new(0, &tx, &rx, &found, chance.below(1 << 40));
    let mut others: Vec<_> = (1..1 + chance.below(4))
        .map(|me| User::new(me, &tx, &rx, &found, chance.below(1 << 40)))
        .collect();
    let thread = (chance.below(3) == 0).then(|| others.pop()).flatten();
    let (end, steps) = ((tx.clone(), rx.clone()), 20 + chance.below(60));
    let group = WaitGroup::new();
    group.add(1 + others.len() as isize);
    let mut looks = |mut user: User<V>| {
        let (done, from) = (done.clone(), chance.below(warm + 1));
        move || {
            user.looks(&done, from, warm);
            (0..steps).for_each(|_| user.step());
        }
    };
    let others: Vec<_> = others.into_iter().map(&mut looks).collect();
    let thread = thread.map(looks);
    let (all, counter) = (group.clone(), done.clone());
    go(move || {
        for mut other in others {
            let all = all.clone();
            drop(go(move || {
                other();
                all.done();
            }));
        }
        owner.alone(warm, &counter);
        for step in 0..steps {
            owner.step();
            if policy && step == steps / 2 {
                owner.tx.set_overflow(Overflow::Block);
            }
        }
        if closes {
            match chance.below(2) {
                0 => end.0.close(),
                _ => end.1.close(),
            }
        }
        drop((owner, end));
        all.done();
    });
    if let Some(other) = thread {
        thread::spawn(other).join().unwrap();
    }
    group.wait();
    if !closes {
        let left = rx.try_iter().count() as u64;
        let counts = [&found.sent, &found.received, &found.unsure];
        let [sent, received, unsure] = counts.map(|count| count.load(Ordering::SeqCst));
        // Evicted by a forced send beside others, which took its room.
        let shed = rx.statistics().shed;
        let received = received + left + shed;
        assert!(
            (sent..=sent + unsure).contains(&received),
            "seed {seed}: {received} of {sent} and {unsure}"
        );
    }
    drop((tx, rx));
}

fn changes_hands() {
    std::panic::set_hook(Box::new(|panic| {
        if panic.payload_as_str() != Some("no message") {
            eprintln!("{panic}");
            std::process::abort();
        }
    }));
    let first = std::env::var("SEED").map_or(0, |seed| seed.parse().unwrap());
    let rounds = std::env::var("ROUNDS").map_or(50, |rounds| rounds.parse().unwrap());
    for seed in first..first + rounds {
        one_channel::<Boxed>(seed);
        one_channel::<Nothing>(seed);
        one_channel::<Wide>(seed);
        one_channel::<Large>(seed);
        // Goroutines drop what they have after they are counted down.
        let mut looks = 0;
        while LIVE.load(Ordering::SeqCst) > 0 {
            thread::sleep(Duration::from_micros(100));
            looks += 1;
            assert!(looks < 100_000, "values are left, seed {seed}");
        }
    }
}

/// Attack: a ring that is its worker's own is used, looked at, selected on, closed by others, all at once, in every way there is, by
/// goroutines, threads and tasks, with values of every kind.
/// Outcome: each value comes once, in its sender's order, and is dropped once.
fn a_ring_changes_hands_at_any_moment() {
    with_workers("changes_hands");
}

/// Comes back to its channel as it goes.
struct Comes {
    back: Option<(WeakSender<Comes>, Receiver<Comes>)>,
    panics: bool,
}

static CAME: AtomicUsize = AtomicUsize::new(0);

impl Drop for Comes {
    fn drop(&mut self) {
        let Some((tx, rx)) = self.back.take() else {
            return;
        };
        CAME.fetch_add(1, Ordering::SeqCst);
        let again = || Comes {
            back: None,
            panics: false,
        };
        if let Some(tx) = tx.upgrade() {
            let _ = tx.try_send(again());
            let _ = tx.send_timeout(again(), Duration::from_micros(20));
            let _ = tx.force_send(again());
            select! { send(tx, again()) -> r => drop(r), default => () }
            black_box((tx.len(), tx.statistics()));
        }
        black_box((rx.len(), rx.is_empty(), rx.try_recv().is_ok()));
        select! { recv(rx) -> v => drop(v), default => () }
        yield_now();
        if self.panics && !thread::panicking() {
            panic!("a value panics in its drop");
        }
    }
}

fn no_message() -> Comes {
    panic!("no message")
}

fn drops_come_back() {
    std::panic::set_hook(Box::new(|_| ()));
    for way in 0..8 {
        for capacity in [1, 2, 5] {
            for panics in [false, true] {
                let ends = go(move || {
                    let (tx, rx) = chan::<Comes>(capacity);
                    for _ in 0..300 {
                        let none = Comes { back: None, panics };
                        assert!(tx.send(none).is_ok() && rx.recv().is_ok());
                    }
                    let comes = || Comes {
                        back: Some((tx.downgrade(), rx.clone())),
                        panics,
                    };
                    for _ in 0..capacity {
                        assert!(tx.send(comes()).is_ok());
                    }
                    match way {
                        0 => drop(rx.recv()),
                        1 => drop(tx.force_send(comes())),
                        2 => drop(tx.try_send(comes())),
                        3 => rx.close(),
                        4 => tx.close(),
                        5 => tx.set_overflow(Overflow::DropOldest),
                        6 => select! { recv(rx) -> v => drop(v), default => () },
                        _ => {
                            select! { send(tx, no_message()) -> _ => (), recv(rx) -> v => drop(v) }
                        }
                    }
                    if way == 5 {
                        let _ = tx.send(comes());
                    }
                    // Receivers sit in their own buffer otherwise.
                    rx.close();
                });
                let _ = ends.join();
            }
        }
    }
    assert!(CAME.load(Ordering::SeqCst) > 100);
}

/// Attack: values of a ring that is its worker's own use that ring in their drop, and panic there, wherever values are dropped.
/// Outcome: as on any channel: no lock is held.
fn values_come_back_to_a_ring_that_is_its_workers_own() {
    with_workers("drops_come_back");
}

fn main() {
    use followers::{who_follows_another_has_nothing_of_it, who_follows_another_overflows};
    child::main(
        programs,
        tests!(
            a_ring_changes_hands_at_any_moment,
            values_come_back_to_a_ring_that_is_its_workers_own,
            who_follows_another_has_nothing_of_it,
            who_follows_another_overflows,
        ),
    );
}
