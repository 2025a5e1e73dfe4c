//! Attacks on what costs nearly nothing as long as one worker alone does it: rings and locks that are one worker's own, and goroutines that
//! follow others on their stack.

#[path = "attack/child.rs"]
mod child;

use std::collections::HashMap;
use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use child::{command, finish, run};
use waterway::chan::{WeakSender, unbounded};
use waterway::flow::Overflow;
use waterway::sync::WaitGroup;
use waterway::time::sleep;
use waterway::watch::snapshot;
use waterway::{Builder, Receiver, Sender, chan, current, go, local, select, yield_now};

fn programs(program: &str) {
    match program {
        "changes_hands" => changes_hands(),
        "drops_come_back" => drops_come_back(),
        "followers" => followers(),
        "dives_as_a_follower" => dives_as_a_follower(),
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

/// Numbers that look like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// What goes through the channels: it counts how many live.
trait Value: Send + 'static {
    fn new(sender: u64, number: u64) -> Self;
    fn tells(&self) -> Option<(u64, u64)>;
}

static LIVE: AtomicUsize = AtomicUsize::new(0);

struct Boxed(Box<(u64, u64)>);
/// Without a size.
struct Nothing;
#[repr(align(256))]
struct Wide(u64, u64);
/// Goes the long way.
struct Large([u64; 64]);

macro_rules! value {
    ($type:ty, $new:expr, $tells:expr) => {
        impl Value for $type {
            fn new(sender: u64, number: u64) -> Self {
                LIVE.fetch_add(1, Ordering::SeqCst);
                ($new)(sender, number)
            }

            fn tells(&self) -> Option<(u64, u64)> {
                ($tells)(self)
            }
        }

        impl Drop for $type {
            fn drop(&mut self) {
                assert!(LIVE.fetch_sub(1, Ordering::SeqCst) > 0, "dropped twice");
            }
        }
    };
}

value!(Boxed, |s, n| Boxed(Box::new((s, n))), |v: &Boxed| Some(
    *v.0
));
value!(Nothing, |_, _| Nothing, |_: &Nothing| None);
value!(Wide, Wide, |v: &Wide| {
    assert!((&raw const *v as usize).is_multiple_of(256));
    Some((v.0, v.1))
});
value!(
    Large,
    |s, n| {
        let mut all = [s; 64];
        all[63] = n;
        Large(all)
    },
    |v: &Large| Some((v.0[0], v.0[63]))
);

/// What all who use one channel have found.
#[derive(Default)]
struct Found {
    sent: AtomicU64,
    received: AtomicU64,
    /// Sent, or not.
    unsure: AtomicU64,
}

/// One of those who use a channel.
struct User<V: Value> {
    me: u64,
    number: u64,
    tx: Sender<V>,
    rx: Receiver<V>,
    found: Arc<Found>,
    /// The last number of each sender.
    last: HashMap<u64, u64>,
    chance: Chance,
}

impl<V: Value> User<V> {
    fn new(me: u64, tx: &Sender<V>, rx: &Receiver<V>, found: &Arc<Found>, seed: u64) -> User<V> {
        User {
            me,
            number: 0,
            tx: tx.clone(),
            rx: rx.clone(),
            found: found.clone(),
            last: HashMap::new(),
            chance: Chance(seed | 1),
        }
    }

    fn value(&mut self) -> V {
        self.number += 1;
        V::new(self.me, self.number)
    }

    fn sent(&self, sent: bool) {
        self.found.sent.fetch_add(sent as u64, Ordering::SeqCst);
    }

    fn got(&mut self, value: Option<V>) {
        let Some(value) = value else { return };
        self.found.received.fetch_add(1, Ordering::SeqCst);
        if let Some((sender, number)) = value.tells() {
            let last = self.last.insert(sender, number).unwrap_or(0);
            assert!(last < number, "{sender}: {last} before {number}");
        }
    }

    /// Sends and receives as one who is alone. Others look meanwhile.
    fn alone(&mut self, times: u64, done: &AtomicU64) {
        for n in 1..=times {
            let value = self.value();
            let sent = self.tx.send(value).is_ok();
            self.sent(sent);
            let value = self.rx.recv().ok();
            self.got(value);
            done.store(n, Ordering::Relaxed);
        }
    }

    /// Looks at the channel from when its owner has done something `from` times until it is alone no more, at `to`.
    fn looks(&mut self, done: &AtomicU64, from: u64, to: u64) {
        loop {
            let now = done.load(Ordering::Relaxed);
            if now >= to {
                break;
            }
            if now >= from {
                self.look();
            }
            yield_now();
        }
    }

    fn look(&mut self) {
        let (tx, rx) = (&self.tx, &self.rx);
        match self.chance.below(4) {
            0 => assert!(rx.len() <= rx.capacity().unwrap()),
            1 => {
                let all = rx.statistics();
                assert!(all.in_queue <= rx.capacity().unwrap() as u64, "{all:?}");
            }
            2 => _ = black_box((rx.is_empty(), tx.is_full(), rx.is_closed())),
            _ => drop(snapshot()),
        }
    }

    /// Does something that does not wait for long.
    fn step(&mut self) {
        let short = Duration::from_micros(30);
        let value = self.value();
        let (tx, rx) = (self.tx.clone(), self.rx.clone());
        match self.chance.below(16) {
            0 => self.sent(tx.try_send(value).is_ok()),
            1 => self.sent(tx.send_timeout(value, short).is_ok()),
            2 => self.sent(select! { send(tx, value) -> r => r.is_ok(), default => false }),
            3 => {
                let mut send = pin!(tx.send_async(value));
                let poll = send.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                match poll {
                    Poll::Ready(sent) => self.sent(sent.is_ok()),
                    // Its value may be fetched until it goes, here.
                    Poll::Pending => _ = self.found.unsure.fetch_add(1, Ordering::SeqCst),
                }
            }
            4 => match tx.force_send(value) {
                Ok(None) => self.sent(true),
                Ok(Some(back)) => {
                    self.sent(true);
                    self.found.received.fetch_add(1, Ordering::SeqCst);
                    drop(back);
                }
                Err(_) => {}
            },
            5 | 6 => {
                let value = rx.try_recv().ok();
                self.got(value);
            }
            7 => {
                let value = rx.recv_timeout(short).ok();
                self.got(value);
            }
            8 => {
                let value = select! { recv(rx) -> v => v.ok(), default => None };
                self.got(value);
            }
            9 => {
                let after = waterway::time::after(short);
                let value = select! { recv(rx) -> v => v.ok(), recv(after) -> _ => None };
                self.got(value);
            }
            10 => {
                let mut recv = pin!(rx.recv_async());
                if let Poll::Ready(value) =
                    recv.as_mut().poll(&mut Context::from_waker(Waker::noop()))
                {
                    self.got(value.ok());
                }
            }
            11 => {
                let after = waterway::time::after(short);
                let gives_up = self.number.is_multiple_of(2);
                // What was reserved is given back if there is no message after all.
                let chosen = catch_unwind(AssertUnwindSafe(|| {
                    select! {
                        send(tx, { assert!(!gives_up, "no message"); value }) -> r => Err(r.is_ok()),
                        recv(rx) -> v => Ok(v.ok()),
                        recv(after) -> _ => Ok(None),
                    }
                }));
                match chosen {
                    Ok(Ok(value)) => self.got(value),
                    Ok(Err(sent)) => self.sent(sent),
                    Err(_) => {}
                }
            }
            12 | 13 => self.look(),
            14 => yield_now(),
            _ => {
                drop(value);
                self.look();
            }
        }
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

local! { static OWNER: Tells = Tells(current().id()); }

/// Tells who it belongs to, as it goes too.
struct Tells(Option<u64>);

static TOLD: AtomicUsize = AtomicUsize::new(0);

impl Drop for Tells {
    fn drop(&mut self) {
        assert_eq!(self.0, current().id(), "dropped by another");
        TOLD.fetch_add(1, Ordering::SeqCst);
    }
}

fn check(name: &str) {
    let me = current();
    assert_eq!(me.name(), Some(name));
    OWNER.with(|owner| assert_eq!(owner.0, me.id()));
}

/// One of a row in which each spawns the next and ends.
fn link(n: u64, ends: Sender<u64>) {
    check(&format!("link {n}"));
    if n.is_multiple_of(7) {
        // It stays for a while, and others begin elsewhere.
        sleep(Duration::from_micros(n % 50));
        check(&format!("link {n}"));
    }
    if n.is_multiple_of(11) {
        black_box(deep(200));
    }
    if n < 3_000 {
        let ends = ends.clone();
        let next = Builder::new()
            .name(format!("link {}", n + 1))
            .go(move || link(n + 1, ends));
        match n % 3 {
            0 => drop(next),
            1 => assert!(!next.is_finished() || next.join().is_ok()),
            _ => drop(Builder::new().name("beside").go(|| check("beside"))),
        }
    } else {
        ends.send(n).unwrap();
    }
    assert!(!n.is_multiple_of(5), "every fifth panics");
}

fn deep(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    match depth {
        0 => 0,
        _ => deep(depth - 1) + frame[7],
    }
}

fn followers() {
    std::panic::set_hook(Box::new(|_| ()));
    let over = Arc::new(AtomicBool::new(false));
    let looks = {
        let over = over.clone();
        thread::spawn(move || {
            let mut names: HashMap<u64, String> = HashMap::new();
            while !over.load(Ordering::SeqCst) {
                for goroutine in snapshot().goroutines {
                    let Some(name) = goroutine.name else { continue };
                    let before = names.entry(goroutine.id).or_insert_with(|| name.clone());
                    assert_eq!(*before, name, "of {}", goroutine.id);
                }
                thread::sleep(Duration::from_micros(200));
            }
        })
    };
    let (tx, rx) = unbounded();
    let root = tx.clone();
    drop(Builder::new().name("link 1").go(move || link(1, root)));
    assert_eq!(rx.recv(), Ok(3_000));
    over.store(true, Ordering::SeqCst);
    looks.join().unwrap();
    drop(tx);
    let mut looks = 0;
    while TOLD.load(Ordering::SeqCst) < 4_000 {
        thread::sleep(Duration::from_millis(1));
        looks += 1;
        assert!(looks < 10_000, "{}", TOLD.load(Ordering::SeqCst));
    }
    assert_eq!(TOLD.load(Ordering::SeqCst), 4_000);
}

/// Attack: goroutines that follow each other on one stack have names, values of their own, parks, panics and deep calls, while a thread
/// takes snapshots without end.
/// Outcome: none sees anything of the one before it, and no snapshot mixes two.
fn who_follows_another_has_nothing_of_it() {
    with_workers("followers");
}

#[allow(unconditional_recursion)]
fn dive(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    dive(black_box(depth + 1)) + frame[7]
}

fn dives_as_a_follower() {
    let all = Arc::new(Mutex::new(0));
    go(move || {
        drop(Builder::new().name("the last").go(|| dive(0)));
        for n in 0..10 {
            let all = all.clone();
            let work = move || *all.lock().unwrap() += n;
            drop(Builder::new().name(format!("before {n}")).go(work));
        }
    });
    thread::sleep(Duration::from_secs(20));
}

/// Attack: one that follows others overflows its stack.
/// Outcome: it is told by its own name, SIGABRT.
fn who_follows_another_overflows() {
    let outcome = run("dives_as_a_follower", &[("WATERWAY_MAX_PROCS", "1")]);
    outcome
        .says("the last, spawned at")
        .says("overflowed its stack")
        .says_not("before");
    assert_eq!(outcome.status.signal(), Some(libc::SIGABRT));
}

fn main() {
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
