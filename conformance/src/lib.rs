//! What the conformance tests share: a bound on their time, and the observation that something blocks.

#![forbid(unsafe_code)]

pub mod child;
pub mod directions;
pub mod goker;
pub mod power_series;
pub mod real_go;

use std::io::Write as _;
use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use waterway::{Builder, JoinHandle, Receiver, Sender, chan};

/// No test takes nearly as long; whoever reaches it hangs.
pub const LIMIT: Duration = Duration::from_secs(120);

/// A time-out that is reached only when something is lost.
pub const LONG: Duration = Duration::from_secs(60);

/// The time that a test may take. See [`bound`].
#[must_use = "the bound ends when it is dropped"]
pub struct Bound {
    _ends: mpsc::Sender<()>,
}

/// Bounds the time of the calling test, until the value is dropped: a test that hangs ends the process, with a dump of
/// all goroutines. Every test of this package starts with it (`catalogue.rs` checks that).
#[track_caller]
pub fn bound() -> Bound {
    let site = Location::caller();
    let (ends, ended) = mpsc::channel();
    thread::spawn(move || {
        if ended.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
            // Not through `eprintln!`, which the harness would keep to itself.
            let mut err = std::io::stderr();
            let _ = writeln!(err, "the test at {site} has not ended after {LIMIT:?}");
            let _ = waterway::watch::dump(&mut err);
            std::process::abort();
        }
    });
    Bound { _ends: ends }
}

/// Waits until `condition` holds; others run meanwhile.
pub fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        waterway::yield_now();
    }
}

/// Starts a goroutine that must block, and waits until it does, for `reason` (the words of a dump).
#[track_caller]
pub fn blocked<T, F>(reason: &str, f: F) -> JoinHandle<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = format!("blocker {}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let line = format!("{name:?} [{reason}, ");
    let handle = Builder::new().name(&name).go(f);
    until(|| {
        assert!(!handle.is_finished(), "it does not block: {line}");
        let mut dump = Vec::new();
        waterway::watch::dump(&mut dump).expect("a vector takes everything");
        String::from_utf8_lossy(&dump).contains(&line)
    });
    handle
}

/// One channel of each kind, with its capacity in words.
pub fn flavours<T>() -> Vec<(&'static str, Sender<T>, Receiver<T>)> {
    let kinds = [
        ("0", chan(0)),
        ("1", chan(1)),
        ("3", chan(3)),
        ("100", chan(100)),
        ("unbounded", waterway::chan::unbounded()),
    ];
    kinds.map(|(name, (tx, rx))| (name, tx, rx)).into()
}

/// One of a crew: it does its work and is done.
pub type Member<'env> = Box<dyn FnOnce() + Send + 'env>;

/// Whom the work is given to.
#[derive(Clone, Copy, Debug)]
pub enum Crew {
    /// Goroutines only.
    Goroutines,
    /// Threads only.
    Threads,
    /// Goroutines and threads in turn.
    Mixed,
}

impl Crew {
    /// Every kind.
    pub const ALL: [Crew; 3] = [Crew::Goroutines, Crew::Threads, Crew::Mixed];

    /// Has each member do its work, all at once, and waits for all. For tests that are plain threads: it waits as a thread
    /// does.
    pub fn run<'env>(self, members: impl IntoIterator<Item = Member<'env>>) {
        let (mut goroutines, mut threads) = (Vec::new(), Vec::new());
        for (n, member) in members.into_iter().enumerate() {
            match self {
                Crew::Goroutines => goroutines.push(member),
                Crew::Mixed if n % 2 == 0 => goroutines.push(member),
                Crew::Threads | Crew::Mixed => threads.push(member),
            }
        }
        thread::scope(|t| {
            for member in threads {
                t.spawn(member);
            }
            waterway::scope(|s| {
                for member in goroutines {
                    s.go(member);
                }
            });
        });
    }
}

/// `members![work, work, …]`: a list of [`Member`]s.
#[macro_export]
macro_rules! members {
    ($($work:expr),* $(,)?) => {
        [$(Box::new($work) as $crate::Member<'_>),*]
    };
}
