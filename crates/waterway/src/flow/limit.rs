//! How many a gate lets in.

use std::time::Duration;

/// How many a [`Gate`](super::Gate) lets in at a time. [`Fixed`] is the simple one; one that adapts sees how long each stays.
///
/// The methods are called by whoever enters or leaves, with no lock held. They must not panic, nor wait for anything.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use std::time::Duration;
/// use waterway::flow::{Departure, Gate, Limit};
///
/// /// One place fewer whenever somebody took more than a second, one more whenever somebody was quick.
/// struct Patient(AtomicUsize);
///
/// impl Limit for Patient {
///     fn limit(&self) -> usize {
///         self.0.load(Ordering::Relaxed)
///     }
///     fn is_adaptive(&self) -> bool {
///         true
///     }
///     fn left(&self, departure: &Departure) {
///         let slow = departure.stayed > Duration::from_secs(1);
///         let next = |n: usize| Some(if slow { n.saturating_sub(1).max(1) } else { (n + 1).min(100) });
///         let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
///     }
/// }
///
/// let gate = Gate::builder().limit(Patient(AtomicUsize::new(10))).make();
/// gate.go(|| ()).join().unwrap();
/// assert_eq!(gate.statistics().limit, 11);
/// ```
///
/// Go: none.
pub trait Limit: Send + Sync + 'static {
    /// How many may be inside now. 0 lets nobody in; who is inside stays.
    fn limit(&self) -> usize;

    /// True if the limit moves: then `left` is told of each departure, and `limit` is asked again after it and before
    /// anybody is refused or waits. Else it is asked once.
    fn is_adaptive(&self) -> bool {
        false
    }

    /// Somebody left.
    fn left(&self, departure: &Departure) {
        _ = departure;
    }
}

/// How somebody left a gate with an adaptive limit.
///
/// ```
/// use std::time::Duration;
/// use waterway::{chan, flow::{Departure, Gate, Limit}};
///
/// /// Two, and tells of each that leaves.
/// struct Told(waterway::Sender<(Duration, usize)>);
///
/// impl Limit for Told {
///     fn limit(&self) -> usize {
///         2
///     }
///     fn is_adaptive(&self) -> bool {
///         true
///     }
///     fn left(&self, departure: &Departure) {
///         let _ = self.0.try_send((departure.stayed, departure.inside));
///     }
/// }
///
/// let (tx, left) = chan(2);
/// let gate = Gate::builder().limit(Told(tx)).make();
/// let (first, _second) = (gate.enter(), gate.enter());
/// std::thread::sleep(Duration::from_millis(1));
/// drop(first);
/// let (stayed, inside) = left.recv().unwrap();
/// assert!(stayed >= Duration::from_millis(1));
/// assert_eq!(inside, 2, "with the one that leaves");
/// ```
///
/// Go: none.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Departure {
    /// How long it was inside.
    pub stayed: Duration,
    /// How many were inside, with this one, when it left.
    pub inside: usize,
}

/// Always the same number.
///
/// ```
/// use waterway::flow::{Fixed, Gate};
/// let gate = Gate::builder().limit(Fixed(8)).make();
/// assert_eq!(gate.statistics().limit, 8);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Fixed(pub usize);

impl Limit for Fixed {
    fn limit(&self) -> usize {
        self.0
    }
}
