//! A mutex that eight want all the time: how long each waits, and what share each gets.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use waterway::sync::Mutex;
use waterway::{max_procs, scope, time, yield_now};

use crate::children;

const MEMBERS: usize = 8;
const SECONDS: &str = "WATERWAY_TEST_FAIR_SECONDS";
const WORKERS: &str = "WATERWAY_TEST_FAIR_WORKERS";
/// Nobody may wait longer, beside the time in which the kernel ran none of the workers, or not his own.
const LONGEST: Duration = Duration::from_millis(10);
/// Shorter waits are not looked at more closely.
const LONG: Duration = Duration::from_millis(2);

/// What one member saw.
#[derive(Clone, Copy, Default)]
struct Seen {
    turns: u64,
    longest: Duration,
    /// The same, less what the kernel is to blame for.
    own: Duration,
}

/// What the kernel says of the threads of all workers, and of the caller's, on which a goroutine stays.
struct Workers {
    all: Vec<File>,
    own: File,
}

/// How long threads have run, and have waited for a CPU, together.
#[derive(Clone, Copy, Default)]
struct Times {
    ran: Duration,
    delayed: Duration,
}

impl Times {
    fn add(mut self, file: &File) -> Times {
        let mut bytes = [0; 100];
        // One that has ended counts no more.
        let length = file.read_at(&mut bytes, 0).unwrap_or(0);
        let text = std::str::from_utf8(&bytes[..length]).unwrap();
        let mut numbers = text.split(' ').map_while(|n| n.parse().ok());
        let mut next = || numbers.next().map_or(Duration::ZERO, Duration::from_nanos);
        self.ran += next();
        self.delayed += next();
        self
    }
}

/// A moment, by the clock and by the kernel.
#[derive(Clone, Copy)]
struct Moment {
    at: Instant,
    all: Times,
    own: Times,
}

impl Workers {
    fn now_there() -> Workers {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let is_worker = |name: &str| {
            let number = name.trim_end().strip_prefix("waterway-");
            number.is_some_and(|n| n.parse::<usize>().is_ok())
        };
        let files = tasks.filter_map(|task| {
            let task = task.ok()?.path();
            let name = std::fs::read_to_string(task.join("comm")).ok()?;
            is_worker(&name).then(|| File::open(task.join("schedstat")).unwrap())
        });
        Workers {
            all: files.collect(),
            own: File::open("/proc/thread-self/schedstat").unwrap(),
        }
    }

    fn look(&self) -> Moment {
        Moment {
            at: Instant::now(),
            all: self.all.iter().fold(Times::default(), Times::add),
            own: Times::default().add(&self.own),
        }
    }

    /// For how long since `before` the kernel ran none of them at least, though some could have run; or let the caller's wait for a
    /// CPU.
    fn blames_kernel(&self, before: Moment) -> Duration {
        let now = self.look();
        // What one has had that has ended meanwhile is not counted any more.
        let ran = now.all.ran.saturating_sub(before.all.ran);
        let none_ran = (now.at - before.at).saturating_sub(ran);
        let none_ran = none_ran.min(now.all.delayed.saturating_sub(before.all.delayed));
        none_ran.max(now.own.delayed.saturating_sub(before.own.delayed))
    }
}

/// Some work that the compiler can not leave out, about a nanosecond a step.
pub fn work(steps: u64) {
    let mut x = black_box(steps);
    for _ in 0..steps {
        x = black_box(x.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 1);
    }
}

/// Locks, works, unlocks, works, until told to stop. It gives way by itself every millisecond, outside of the lock: what is
/// measured is the wait for the lock, not for the CPU when a time slice ends.
fn member(lock: &Mutex<u64>, steps: u64, begun: &AtomicUsize, stop: &AtomicBool) -> Seen {
    let workers = Workers::now_there();
    let mut seen = Seen::default();
    let mut slice = Instant::now();
    let mut before = workers.look();
    while !stop.load(Ordering::Relaxed) {
        let begin = Instant::now();
        if begin - slice > Duration::from_millis(1) {
            yield_now();
            before = workers.look();
            slice = Instant::now();
            continue;
        }
        let mut count = lock.lock();
        let waited = begin.elapsed();
        *count += 1;
        work(steps);
        drop(count);
        work(steps);
        seen.turns += 1;
        if seen.turns == 1 {
            begun.fetch_add(1, Ordering::Relaxed);
        }
        let own = match waited > LONG {
            true => waited.saturating_sub(workers.blames_kernel(before)),
            false => waited,
        };
        seen.longest = seen.longest.max(waited);
        seen.own = seen.own.max(own);
        if waited > Duration::from_millis(1) {
            before = workers.look();
            slice = Instant::now();
        }
    }
    seen
}

fn compete(steps: u64, length: Duration) {
    let (lock, stop) = (Mutex::new(0), AtomicBool::new(false));
    let begun = AtomicUsize::new(0);
    let seen: Vec<Seen> = scope(|s| {
        let members: Vec<_> = (0..MEMBERS)
            .map(|_| s.go(|| member(&lock, steps, &begun, &stop)))
            .collect();
        time::sleep(length);
        // Each has a turn, however busy the machine is; else the program's time is up.
        while begun.load(Ordering::Relaxed) < MEMBERS {
            time::sleep(Duration::from_millis(1));
        }
        stop.store(true, Ordering::Relaxed);
        members.into_iter().map(|m| m.join().unwrap()).collect()
    });
    let all: u64 = seen.iter().map(|s| s.turns).sum();
    assert_eq!(all, *lock.lock());
    let each = |f: &dyn Fn(&Seen) -> f64| {
        let figures = seen.iter().map(|s| format!("{:.1}", f(s)));
        figures.collect::<Vec<_>>().join(" ")
    };
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "{} workers, {steps} steps inside and outside: {all} turns; shares in %: {}; longest waits in ms: {}; less what the kernel is to blame for: {}",
        max_procs(),
        each(&|s| 100.0 * s.turns as f64 / all as f64),
        each(&|s| ms(s.longest)),
        each(&|s| ms(s.own)),
    );
    let worst = seen.iter().map(|s| s.own).max();
    let judged = std::env::var(SECONDS).is_ok();
    assert!(!judged || worst <= Some(LONGEST), "{worst:?}");
}

/// With short and with longer critical sections.
pub fn run() {
    let seconds = std::env::var(SECONDS).ok();
    let seconds = seconds.map_or(0.2, |s| {
        s.parse().expect("WATERWAY_TEST_FAIR_SECONDS: a number")
    });
    for steps in [10, 20_000] {
        compete(steps, Duration::from_secs_f64(seconds));
    }
}

/// Everybody has turns, whatever the machine does meanwhile.
#[test]
fn each_of_eight_has_turns() {
    for n in ["1", "2", "8"] {
        children::run("fair", &children::workers(n));
    }
}

/// Prints who waited how long, and fails if anybody waited for more than 10 ms that are not the kernel's doing. In release,
/// `WATERWAY_TEST_FAIR_SECONDS=60 cargo test --release -p waterway --test stress -- --ignored --nocapture fair_for_a_minute`.
#[test]
#[ignore = "long, and wants the machine for itself"]
fn fair_for_a_minute() {
    let seconds = std::env::var(SECONDS).unwrap_or_else(|_| "60".into());
    let workers = std::env::var(WORKERS).unwrap_or_else(|_| "1 2 8".into());
    for n in workers.split(' ') {
        let [most, started] = children::workers(n);
        let env = [most, started, (SECONDS, &seconds)];
        print!("{}", children::output("fair", &env));
    }
}
