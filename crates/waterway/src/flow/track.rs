//! What several looks at one channel say together: rates, times, and how its ends stand to each other.

mod time_in_queue;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::history::{History, Sampled};
use super::look::{Seen, Waits};
use super::state::{FlowState, holds};
use crate::chan::ByCause;

pub use time_in_queue::TimeInQueue;
use time_in_queue::time_in_queue;

/// What was measured of one channel in a window. Its `Display` is the line of the log.
///
/// ```
/// use std::time::Duration;
/// use waterway::{chan, flow::Monitor};
///
/// let builder = Monitor::builder().every(Duration::from_millis(1)).window(Duration::from_millis(20));
/// let monitor = builder.log(false).start();
/// let (flows, flow) = chan::unbounded();
/// monitor.on_change(move |flow| {
///     if let Some(flow) = flow.channel() {
///         let _ = flows.send(flow.clone());
///     }
/// });
/// // A sender, and nobody who receives.
/// let (tx, rx) = chan::builder().name("jobs").make();
/// waterway::go(move || tx.send("held up"));
/// let flow = flow.iter().find(|flow| flow.name.as_deref() == Some("jobs")).unwrap();
/// assert_eq!((flow.waiting_senders, flow.len, flow.capacity), (1, 0, Some(0)));
/// assert!(flow.to_string().contains("jobs"));
/// # drop(rx);
/// ```
///
/// Go: none.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChannelFlow {
    /// The channel's number, as in dumps.
    pub channel: usize,
    /// Its name, if it has one.
    pub name: Option<Arc<str>>,
    /// Where it was made.
    pub made_at: &'static Location<'static>,
    /// How its ends stand to each other.
    pub state: FlowState,
    /// How long the window was.
    pub window: Duration,
    /// How many values the channel holds; `None` if there is no limit.
    pub capacity: Option<usize>,
    /// Values in it at the last look.
    pub len: u64,
    /// The most that were in it at any look.
    pub high_water: u64,
    /// Values that came in, a second.
    pub rate_in: f64,
    /// Values that receivers got, a second.
    pub rate_out: f64,
    /// Values that were shed or refused, a second.
    pub rate_shed: f64,
    /// What was ever shed and refused, by cause.
    pub shed: ByCause,
    /// Goroutines and threads that waited in a send at the last look.
    pub waiting_senders: usize,
    /// Those that waited in a receive.
    pub waiting_receivers: usize,
    /// In which share of the looks somebody waited in a send, from 0 to 1.
    pub senders_waited: f64,
    /// The same for receives.
    pub receivers_waited: f64,
    /// How long values waited in the buffer; `None` if none came out of one.
    pub time_in_queue: Option<TimeInQueue>,
    /// When the buffer is full if all goes on as in the window; `None` if it is not filling, or has no limit.
    pub until_full: Option<Duration>,
    /// How many times the rate of the readers was offered by the writers: those values that came in, were shed, refused, or wait with
    /// a sender more than before. `None` if it was no more than what went out, or nothing went out.
    pub factor: Option<f64>,
    /// Where one of the senders waits, and where its goroutine was spawned.
    pub sends_at: Option<&'static Location<'static>>,
    /// See `sends_at`.
    pub spawned_at: Option<&'static Location<'static>>,
}

/// What one look found.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    pub(super) at: u64,
    pub(super) put: u64,
    pub(super) taken: u64,
    pub(super) counts: ByCause,
    pub(super) senders: usize,
    pub(super) receivers: usize,
    /// The readers were behind, or the writers.
    lags: bool,
    idles: bool,
}

impl Sample {
    fn len(&self) -> u64 {
        self.put - self.taken
    }

    fn evicted(&self) -> u64 {
        let by = &self.counts;
        by.oldest + by.superseded + by.late + by.forced_out
    }

    /// Superseded values are no loss.
    fn lost(&self) -> u64 {
        let by = &self.counts;
        by.oldest + by.late + by.newest + by.refused
    }
}

impl Sampled for Sample {
    fn at(&self) -> u64 {
        self.at
    }
}

/// One channel, as it is followed.
pub(super) struct Track {
    capacity: Option<usize>,
    history: History<Sample>,
    waits: Waits,
    high_water: u64,
    pub(super) state: FlowState,
    name: Option<Arc<str>>,
    made_at: &'static Location<'static>,
    id: usize,
}

impl Track {
    pub(super) fn new(seen: &Seen) -> Track {
        Track {
            capacity: seen.capacity,
            history: History::new(None),
            waits: seen.waits,
            high_water: 0,
            state: FlowState::Balanced,
            name: seen.name.clone(),
            made_at: seen.made_at,
            id: seen.id,
        }
    }

    /// One more look, of a window of so many nanoseconds. True if the state changed.
    pub(super) fn add(&mut self, at: u64, seen: &Seen, window: u64) -> bool {
        self.waits = seen.waits;
        // A look at a receiver that takes the newest value may count one that came twice.
        let put = self.history.last().map_or(0, |before| before.put);
        let mut sample = Sample {
            at,
            put: seen.put.max(put),
            taken: seen.taken,
            counts: seen.counts,
            senders: seen.waits.senders,
            receivers: seen.waits.receivers,
            lags: false,
            idles: false,
        };
        let before = self.history.last();
        let lost = before.is_some_and(|before| sample.lost() > before.lost());
        let full = match self.capacity {
            Some(0) => false,
            Some(n) => sample.len() * 10 >= n as u64 * 9,
            None => self.history.rises(Sample::len, (at, sample.len()), window),
        };
        sample.lags = sample.senders > 0 || lost || full;
        sample.idles = sample.receivers > 0 && sample.len() == 0 && sample.senders == 0;
        self.high_water = self.high_water.max(sample.len());
        self.history.add(sample, window);
        let state = self.judge(window);
        std::mem::replace(&mut self.state, state) != state
    }

    fn judge(&self, window: u64) -> FlowState {
        let Some((first, last)) = self.history.whole(window) else {
            return self.state;
        };
        let moved = last.put != first.put || last.taken != first.taken;
        let given = moved || last.lost() != first.lost();
        let work = |sample: &Sample| sample.senders > 0 || sample.len() > 1;
        if !given && self.history.samples().iter().all(work) {
            return FlowState::Stalled;
        }
        let is = |state, share| holds(share, self.state == state);
        if (given || last.senders > 0) && is(FlowState::ReaderBound, self.history.share(|s| s.lags))
        {
            return FlowState::ReaderBound;
        }
        if moved && is(FlowState::WriterBound, self.history.share(|s| s.idles)) {
            return FlowState::WriterBound;
        }
        FlowState::Balanced
    }

    pub(super) fn report(&self) -> Option<ChannelFlow> {
        let (first, last) = self.history.ends()?;
        let a_second = |count: u64| self.history.a_second(count);
        let put = last.put.saturating_sub(first.put);
        let evicted = last.evicted().saturating_sub(first.evicted());
        let taken = last.taken.saturating_sub(first.taken);
        let received = taken.saturating_sub(evicted);
        let (rate_in, rate_out) = (a_second(put), a_second(received));
        let never_in = |sample: &Sample| sample.counts.newest + sample.counts.refused;
        let offered = put
            + never_in(last).saturating_sub(never_in(first))
            + last.senders.saturating_sub(first.senders) as u64;
        let filling = rate_in - a_second(taken);
        let until_full = self
            .capacity
            .map(|n| (n as u64).saturating_sub(last.len()))
            .filter(|room| *room > 0 && filling > 0.0)
            .and_then(|room| Duration::try_from_secs_f64(room as f64 / filling).ok());
        Some(ChannelFlow {
            channel: self.id,
            name: self.name.clone(),
            made_at: self.made_at,
            state: self.state,
            window: self.history.span(),
            capacity: self.capacity,
            len: last.len(),
            high_water: self.high_water,
            rate_in,
            rate_out,
            rate_shed: a_second(last.lost().saturating_sub(first.lost())),
            shed: last.counts,
            waiting_senders: last.senders,
            waiting_receivers: last.receivers,
            senders_waited: self.history.share(|s| s.senders > 0),
            receivers_waited: self.history.share(|s| s.receivers > 0),
            time_in_queue: match self.capacity {
                Some(0) => None,
                _ => time_in_queue(self.history.samples()),
            },
            until_full,
            factor: (received > 0 && offered > received).then(|| offered as f64 / received as f64),
            sends_at: self.waits.sends_at,
            spawned_at: self.waits.spawned_at,
        })
    }
}

impl fmt::Display for ChannelFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "channel {}", self.channel)?;
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        write!(
            f,
            ", made at {}, is {}: over {:.1} s {:.1} values/s came in and {:.1}/s went out",
            self.made_at,
            self.state.words(),
            self.window.as_secs_f64(),
            self.rate_in,
            self.rate_out
        )?;
        if self.rate_shed > 0.0 {
            write!(f, ", {:.1}/s were shed or refused", self.rate_shed)?;
        }
        match self.capacity {
            Some(0) => {}
            Some(n) => write!(f, "; {} of {n} places are taken", self.len)?,
            None => write!(f, "; {} values are in it, without a limit", self.len)?,
        }
        if let Some(time) = self.until_full {
            write!(f, ", all of them in {:.1} s", time.as_secs_f64())?;
        }
        if let Some(time) = self.time_in_queue {
            write!(
                f,
                ", half of them waited for up to {:.1} ms",
                time.p50.as_secs_f64() * 1e3
            )?;
        }
        if self.senders_waited > 0.0 {
            write!(
                f,
                "; senders waited in {:.0} % of the looks, {} now",
                self.senders_waited * 100.0,
                self.waiting_senders
            )?;
            if let Some(site) = self.sends_at {
                write!(f, ", at {site}")?;
            }
            if let Some(site) = self.spawned_at {
                write!(f, ", spawned at {site}")?;
            }
        }
        if self.state != FlowState::ReaderBound {
            return Ok(());
        }
        match self.factor {
            // What prints as 1.0 says nothing.
            Some(factor) if factor >= 1.05 => {
                write!(f, "; readers would need {factor:.1} times the rate")
            }
            _ if self.senders_waited > 0.0 => {
                f.write_str("; senders are held back, so how much more would come is not known")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
