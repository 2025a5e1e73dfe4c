//! Making a monitor.

use std::sync::Arc;
use std::time::Duration;

use super::{MONITORS, Monitor, Shared};

/// So many looks are in a window, at most.
const MOST_LOOKS: u128 = 1000;

/// The properties of a monitor to be: see [`Monitor::builder`].
///
/// ```
/// use std::time::Duration;
/// use waterway::flow::Monitor;
/// let builder = Monitor::builder().every(Duration::from_millis(1)).log(false);
/// let monitor = builder.window(Duration::from_millis(20)).start();
/// assert!(format!("{monitor:?}").contains("20ms"));
/// ```
///
/// Go: none.
#[derive(Clone, Debug)]
#[must_use = "a builder starts nothing before `start`"]
pub struct MonitorBuilder {
    pub(super) every: Duration,
    pub(super) window: Duration,
    pub(super) log: bool,
}

impl MonitorBuilder {
    pub(super) fn new() -> MonitorBuilder {
        MonitorBuilder {
            every: Duration::from_millis(10),
            window: Duration::from_secs(1),
            log: true,
        }
    }

    /// How much time is between two looks.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::flow::Monitor;
    /// let monitor = Monitor::builder().every(Duration::from_millis(5)).start();
    /// assert!(format!("{monitor:?}").contains("5ms"));
    /// ```
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// How much time is judged together.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::flow::Monitor;
    /// let monitor = Monitor::builder().window(Duration::from_secs(7)).start();
    /// assert!(format!("{monitor:?}").contains("7s"));
    /// ```
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Whether changes are told on standard error.
    ///
    /// ```
    /// let quiet = waterway::flow::Monitor::builder().log(false);
    /// assert!(format!("{quiet:?}").contains("log: false"));
    /// ```
    pub fn log(mut self, log: bool) -> Self {
        self.log = log;
        self
    }

    /// Starts the monitor. It stops when it is dropped.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::flow::Monitor;
    /// let builder = Monitor::builder().every(Duration::from_millis(10)).log(false);
    /// let monitor = builder.clone().start();
    /// let brief = builder.window(Duration::from_millis(15));
    /// assert!(std::panic::catch_unwind(|| brief.start()).is_err(), "not two looks in it");
    /// # drop(monitor);
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no time between two looks, or the window has not at least two of them, or more than 1,000 (all of which are kept, of each
    /// channel). If no thread can be started.
    #[track_caller]
    pub fn start(self) -> Monitor {
        assert!(
            !self.every.is_zero(),
            "a monitor that looks every 0 s does nothing else: take 10 ms, or what suits the channels"
        );
        assert!(
            self.window >= self.every.saturating_mul(2),
            "a window of {:?} has not two looks in it, at one every {:?}: make it longer",
            self.window,
            self.every
        );
        assert!(
            self.window.as_nanos() / self.every.as_nanos() <= MOST_LOOKS,
            "a window of {:?} has more than {MOST_LOOKS} looks in it, at one every {:?}: make it shorter, or look less often",
            self.window,
            self.every
        );
        let shared = Arc::new(Shared::new(self));
        MONITORS.add(shared.clone());
        Monitor {
            shared,
            #[cfg(feature = "tracing")]
            _runs: crate::rt::events::MonitorRuns::begin(),
        }
    }
}
