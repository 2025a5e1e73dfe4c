//! A snapshot in words, as dumps print it.

mod crowd;
mod found;
mod object;

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use crate::{Frame, Goroutine, Snapshot, Target, Thread, Wait, Who};
use crowd::Likeness;
use object::Asks;

/// From so many on, goroutines that are alike are told of together.
const ALIKE: usize = 10;

/// How a snapshot is printed; see [`Snapshot::text`].
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    snapshot: &'a Snapshot,
    grouped: bool,
}

impl Snapshot {
    /// The snapshot in words: threads, goroutines by number, held workers, and at the end what was found wrong. Many goroutines that
    /// are alike are told of together.
    ///
    /// ```
    /// let snapshot = waterway_snapshot::Snapshot::default();
    /// println!("{}", snapshot.text().grouped(false));
    /// ```
    pub fn text(&self) -> Text<'_> {
        Text {
            snapshot: self,
            grouped: true,
        }
    }
}

impl Display for Snapshot {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl Text<'_> {
    /// Whether many goroutines that are alike are told of together. They are, if nothing else is said.
    pub fn grouped(mut self, on: bool) -> Self {
        self.grouped = on;
        self
    }
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let snapshot = self.snapshot;
        for thread in &snapshot.threads {
            writeln!(f)?;
            self.thread(f, thread)?;
        }
        let mut alike: HashMap<Likeness<'_>, Vec<&Goroutine>> = HashMap::new();
        if self.grouped && snapshot.goroutines.len() >= ALIKE {
            for goroutine in &snapshot.goroutines {
                let like = alike.entry(self.likeness(goroutine)).or_default();
                like.push(goroutine);
            }
        }
        for goroutine in &snapshot.goroutines {
            let like = alike.get(&self.likeness(goroutine));
            match like.filter(|like| like.len() >= ALIKE) {
                None => {
                    writeln!(f)?;
                    self.goroutine(f, goroutine)?;
                }
                Some(like) if like[0].id == goroutine.id => {
                    writeln!(f)?;
                    self.crowd(f, like)?;
                }
                Some(_) => {}
            }
        }
        self.workers(f)?;
        snapshot.standstill(f)?;
        self.findings(f)
    }
}

impl Text<'_> {
    fn thread(&self, f: &mut Formatter<'_>, thread: &Thread) -> fmt::Result {
        match thread.main {
            true => f.write_str("main thread")?,
            false => write!(f, "thread {}", thread.tid)?,
        }
        if thread.woken {
            return writeln!(f, " [runnable]:");
        }
        writeln!(f, " [{}]:", reason(&thread.wait))?;
        self.wait(f, Who::Thread(thread.tid), &thread.wait)
    }

    fn goroutine(&self, f: &mut Formatter<'_>, goroutine: &Goroutine) -> fmt::Result {
        write!(f, "goroutine {} ", goroutine.id)?;
        if let Some(name) = &goroutine.name {
            write!(f, "{name:?} ")?;
        }
        f.write_str("[")?;
        if goroutine.own_thread.is_some() {
            f.write_str("own thread, ")?;
        }
        match &goroutine.wait {
            Some(wait) => writeln!(f, "{}]:", reason(wait))?,
            None => writeln!(f, "{}]:", goroutine.state.text())?,
        }
        if let Some(wait) = &goroutine.wait {
            self.wait(f, Who::Goroutine(goroutine.id), wait)?;
        }
        frames(f, &goroutine.frames)?;
        write!(f, "\tspawned at {}", goroutine.spawned_at)?;
        match goroutine.spawned_by {
            Some(parent) => writeln!(f, " by goroutine {parent}"),
            None => writeln!(f),
        }
    }

    /// Where and on what somebody waits, a line each.
    fn wait(&self, f: &mut Formatter<'_>, who: Who, wait: &Wait) -> fmt::Result {
        write!(f, "\tblocked at {}", wait.at)?;
        if let Target::Goroutine(id) = wait.on {
            write!(f, ", waiting for goroutine {id} to finish")?;
        }
        writeln!(f)?;
        if let Target::Object(object) = wait.on {
            let (who, permits) = (Some(who), wait.permits);
            self.object(f, "on", Asks { who, permits }, object)?;
        }
        self.arms(f, wait)?;
        if let Some(context) = wait.until {
            write!(f, "\tor until {context} ends")?;
            self.made(f, context)?;
        }
        Ok(())
    }

    /// The channels of a select, a line each.
    fn arms(&self, f: &mut Formatter<'_>, wait: &Wait) -> fmt::Result {
        for arm in &wait.arms {
            let way = if arm.sends {
                "to send to"
            } else {
                "to receive from"
            };
            self.object(f, way, Asks::default(), arm.object)?;
        }
        match wait.more_arms {
            0 => Ok(()),
            1 => writeln!(f, "\tand 1 arm more"),
            n => writeln!(f, "\tand {n} arms more"),
        }
    }

    fn who(&self, f: &mut Formatter<'_>, who: Who) -> fmt::Result {
        f.write_str(&who.text(self.snapshot.process))
    }
}

/// `chan receive, 1.2 s`.
fn reason(wait: &Wait) -> String {
    format!("{}, {}", wait.reason, seconds(wait.waited_ns))
}

pub(crate) fn seconds(nanoseconds: u64) -> String {
    format!("{:.1} s", Duration::from_nanos(nanoseconds).as_secs_f64())
}

fn frames(f: &mut Formatter<'_>, frames: &[Frame]) -> fmt::Result {
    for frame in frames {
        match &frame.function {
            Some(function) => write!(f, "\t  {function}")?,
            None => write!(f, "\t  {:#x}", frame.address)?,
        }
        match &frame.at {
            Some(site) => writeln!(f, "\n\t      at {site}")?,
            None => writeln!(f)?,
        }
    }
    Ok(())
}
