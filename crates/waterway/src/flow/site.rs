//! What several looks at the goroutines of one line say together: how many live, how fast they come and go.
//!
//! Who is there is known by number, so who has come and who has gone since the last look is the difference of two lists. Nothing is noted
//! where goroutines are spawned or end. Who comes and goes between two looks is not seen.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::history::{History, Sampled};
use super::look::{SeenSite, WaitsAt};
use super::state::{FlowState, holds};

/// What was measured of the goroutines that were spawned at one line. Its `Display` is the line of the log.
///
/// Counted are goroutines that have started and those that have not; not those with a thread of their own
/// ([`Builder::dedicated`](crate::Builder::dedicated)). One that comes and goes between two looks is not seen.
///
/// ```
/// use std::time::Duration;
/// use waterway::{chan, flow::{FlowState, Monitor}, go};
///
/// let builder = Monitor::builder().every(Duration::from_millis(1)).window(Duration::from_millis(20));
/// let monitor = builder.log(false).start();
/// let (sites, site) = chan::unbounded();
/// monitor.on_change(move |flow| {
///     if let Some(site) = flow.site() {
///         let _ = sites.send(site.clone());
///     }
/// });
/// // A goroutine for each of the values, which nobody takes.
/// let (tx, rx) = chan(0);
/// let site = loop {
///     let tx = tx.clone();
///     go(move || tx.send("held up"));
///     std::thread::sleep(Duration::from_micros(100));
///     if let Ok(site) = site.try_recv() {
///         break site;
///     }
/// };
/// assert_eq!((site.state, site.spawned_at.line()), (FlowState::Growing, line!() - 6));
/// assert!(site.rate_spawned > site.rate_ended);
/// # drop(rx);
/// ```
///
/// Go: none; the count of each stack in pprof's goroutine profile, twice.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SiteFlow {
    /// The line.
    pub spawned_at: &'static Location<'static>,
    /// Whether they become more.
    pub state: FlowState,
    /// How long the window was.
    pub window: Duration,
    /// How many lived at the last look.
    pub live: usize,
    /// The most that lived at any look.
    pub most_live: usize,
    /// How many of those at the last look waited for something.
    pub blocked: usize,
    /// Goroutines that were spawned, a second.
    pub rate_spawned: f64,
    /// Goroutines that ended, a second.
    pub rate_ended: f64,
    /// How many times as fast they would have to end to become no more. `None` if they did not become more, or none ended.
    pub factor: Option<f64>,
    /// Where one of them waits, and for what, in the words of a dump.
    pub waits_at: Option<&'static Location<'static>>,
    /// See `waits_at`.
    pub waits_for: Option<&'static str>,
}

/// What one look found.
#[derive(Clone, Copy)]
struct Sample {
    at: u64,
    live: usize,
    /// How many were seen to have come and gone so far.
    spawned: u64,
    ended: u64,
    rises: bool,
}

impl Sampled for Sample {
    fn at(&self) -> u64 {
        self.at
    }
}

/// One spawn site, as it is followed.
pub(super) struct SiteTrack {
    spawned_at: &'static Location<'static>,
    history: History<Sample>,
    /// Who was there at the last look, by number, in order.
    ids: Vec<u64>,
    blocked: usize,
    waits: Option<WaitsAt>,
    most_live: usize,
    pub(super) state: FlowState,
}

impl SiteTrack {
    /// Of a site that had no goroutine at the look before, if there was one.
    pub(super) fn new(spawned_at: &'static Location<'static>, before: Option<u64>) -> SiteTrack {
        let nobody = |at| Sample {
            at,
            live: 0,
            spawned: 0,
            ended: 0,
            rises: false,
        };
        SiteTrack {
            spawned_at,
            history: History::new(before.map(nobody)),
            ids: Vec::new(),
            blocked: 0,
            waits: None,
            most_live: 0,
            state: FlowState::Balanced,
        }
    }

    /// One more look, of a window of so many nanoseconds. True if the state changed.
    pub(super) fn add(&mut self, at: u64, seen: SeenSite, window: u64) -> bool {
        let before = self.history.last().copied();
        let stayed = in_both(&self.ids, &seen.ids);
        // At the first look all were there already.
        let (spawned, ended) = before.map_or((0, 0), |before| {
            let (came, went) = (seen.ids.len() - stayed, self.ids.len() - stayed);
            (before.spawned + came as u64, before.ended + went as u64)
        });
        let live = seen.ids.len();
        let rises = (self.history).rises(|look| look.live as u64, (at, live as u64), window);
        let sample = Sample {
            at,
            live,
            spawned,
            ended,
            rises,
        };
        self.history.add(sample, window);
        self.ids = seen.ids;
        (self.blocked, self.waits) = (seen.blocked, seen.waits);
        self.most_live = self.most_live.max(live);
        let state = self.judge(window);
        std::mem::replace(&mut self.state, state) != state
    }

    fn judge(&self, window: u64) -> FlowState {
        if self.history.whole(window).is_none() {
            return self.state;
        }
        let rising = self.history.share(|look| look.rises);
        match holds(rising, self.state == FlowState::Growing) {
            true => FlowState::Growing,
            false => FlowState::Balanced,
        }
    }

    /// True if nobody lived in the whole window.
    pub(super) fn is_over(&self) -> bool {
        self.state == FlowState::Balanced
            && self.history.samples().iter().all(|look| look.live == 0)
    }

    pub(super) fn report(&self) -> Option<SiteFlow> {
        let history = &self.history;
        let (first, last) = history.ends()?;
        let (spawned, ended) = (last.spawned - first.spawned, last.ended - first.ended);
        Some(SiteFlow {
            spawned_at: self.spawned_at,
            state: self.state,
            window: history.span(),
            live: last.live,
            most_live: self.most_live,
            blocked: self.blocked,
            rate_spawned: history.a_second(spawned),
            rate_ended: history.a_second(ended),
            factor: (ended > 0 && spawned > ended).then(|| spawned as f64 / ended as f64),
            waits_at: self.waits.map(|waits| waits.at),
            waits_for: self.waits.map(|waits| waits.reason.text()),
        })
    }
}

/// How many numbers are in both of two lists in order.
fn in_both(one: &[u64], other: &[u64]) -> usize {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    let mut both = 0;
    while let (Some(a), Some(b)) = (one.peek(), other.peek()) {
        let order = a.cmp(b);
        both += usize::from(order.is_eq());
        if order.is_le() {
            one.next();
        }
        if order.is_ge() {
            other.next();
        }
    }
    both
}

impl fmt::Display for SiteFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "spawn site {} is {}: over {:.1} s {:.1} goroutines/s were spawned and {:.1}/s ended; {} live, {} of them wait",
            self.spawned_at,
            self.state.words(),
            self.window.as_secs_f64(),
            self.rate_spawned,
            self.rate_ended,
            self.live,
            self.blocked
        )?;
        if let (Some(reason), Some(at)) = (self.waits_for, self.waits_at) {
            write!(f, ", one of them [{reason}] at {at}")?;
        }
        match self.factor {
            // What prints as 1.0 says nothing.
            Some(factor) if self.state == FlowState::Growing && factor >= 1.05 => {
                write!(f, "; they would have to end {factor:.1} times as fast")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
