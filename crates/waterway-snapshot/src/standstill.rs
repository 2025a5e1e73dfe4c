//! That nobody goes on by himself, and what could still wake somebody.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};

use crate::Snapshot;
use crate::text::seconds;

/// Every goroutine, and every thread that waits in the runtime, waits for others to do something, without a limit. That is a fact about
/// a moment and no verdict: what comes from outside may wake one.
///
/// Printed it is what a dump says of it.
///
/// ```
/// use waterway_snapshot::{Source, Standstill};
///
/// let mut standstill = Standstill::default();
/// standstill.sources.push(Source::Handler("SIGHUP".into()));
/// let text = "no goroutine can make progress by itself. What could still wake one:\n\tthe handler of SIGHUP\n";
/// assert_eq!(standstill.to_string(), text);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Standstill {
    /// What could wake one. If there is nothing, nothing was seen: a thread may sleep for good with a goroutine inside of it, say.
    pub sources: Vec<Source>,
    /// The thread that asked for this, if the runtime does not know it otherwise: it runs, and may wake one as any thread that runs.
    pub asker: Option<Outsider>,
}

/// Something outside of the runtime that may wake somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Source {
    /// A thread that does not wait in the runtime.
    Thread(Outsider),
    /// The program's own handler of that signal.
    Handler(Cow<'static, str>),
    /// Timers that may wake somebody, or call a function, when they are due.
    Clock {
        /// How many are set.
        timers: usize,
        /// Until the first of them is due, in nanoseconds.
        first_ns: u64,
    },
    /// A subscriber of `tracing`, which is told what monitors measure.
    Subscriber,
}

/// A thread that does not wait in the runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Outsider {
    /// The kernel's number.
    pub tid: u32,
    /// What the kernel calls it.
    pub name: String,
    /// True for the thread that the process began with.
    pub main: bool,
    /// It runs a blocking job.
    pub job: bool,
    /// It calls the `on_change` function of a monitor.
    pub on_change: bool,
    /// The goroutine that sleeps in the kernel on it.
    pub goroutine: Option<u64>,
    /// The system call that it sleeps in. `None` if it runs.
    pub call: Option<Cow<'static, str>>,
    /// What that call waits for: files, signals.
    pub on: Vec<String>,
    /// The call ends by itself after a time.
    pub timed: bool,
}

impl Display for Standstill {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("no goroutine can make progress by itself")?;
        let asker = self.asker.as_ref().map(Outsider::who);
        match (self.sources.is_empty(), asker) {
            (true, None) => f.write_str(", and nothing is seen that could wake one\n")?,
            (true, Some(asker)) => writeln!(
                f,
                ", and but for {asker}, which asks, nothing is seen that could wake one"
            )?,
            (false, None) => f.write_str(". What could still wake one:\n")?,
            (false, Some(asker)) => writeln!(
                f,
                ". What could still wake one, but for {asker}, which asks:"
            )?,
        }
        for source in &self.sources {
            writeln!(f, "\t{source}")?;
        }
        Ok(())
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Source::Thread(thread) => thread.fmt(f),
            Source::Handler(signal) => write!(f, "the handler of {signal}"),
            Source::Clock { timers, first_ns } => {
                let timers = match timers {
                    1 => "a timer".into(),
                    n => format!("{n} timers, the first"),
                };
                write!(f, "the clock: {timers} in {}", seconds(*first_ns))
            }
            Source::Subscriber => f.write_str("a subscriber that is told what monitors measure"),
        }
    }
}

impl Outsider {
    fn who(&self) -> Cow<'static, str> {
        match (self.main, self.goroutine) {
            (_, Some(id)) => format!("goroutine {id}").into(),
            (true, _) => "the main thread".into(),
            _ => format!("thread {} {:?}", self.tid, self.name).into(),
        }
    }
}

impl Display for Outsider {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.who())?;
        if self.job {
            f.write_str(", with a blocking job")?;
        }
        if self.on_change {
            f.write_str(", for the `on_change` function of a monitor")?;
        }
        match &self.call {
            None => f.write_str(", which runs")?,
            Some(call) => write!(f, ", in {call}")?,
        }
        if !self.on.is_empty() {
            write!(f, " ({})", self.on.join(", "))?;
        }
        match self.timed {
            true => f.write_str(", for a time"),
            false => Ok(()),
        }
    }
}

impl Snapshot {
    /// What a dump says at its end of a program that stands still.
    pub(crate) fn standstill(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.standstill {
            Some(standstill) => write!(f, "\n{standstill}"),
            None => Ok(()),
        }
    }
}
