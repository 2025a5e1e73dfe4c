//! A snapshot in words, as dumps print it.

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use crate::{
    Channel, Frame, Goroutine, Holder, Lock, ObjectId, ObjectKind, Party, Semaphore, Site,
    Snapshot, State, Target, Thread, Wait, Who,
};

/// From so many on, goroutines that are alike are told of together.
const ALIKE: usize = 10;
/// So many of them are named.
const NAMED: usize = 5;

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

/// Goroutines of equal likeness are told of together.
#[derive(PartialEq, Eq, Hash)]
struct Likeness<'a> {
    state: State,
    name: Option<&'a str>,
    spawned_at: &'a Site,
    wait: Option<(&'a str, &'a Site, bool, What<'a>)>,
    arms: Vec<(bool, What<'a>)>,
    frames: Vec<u64>,
}

/// Who waits, if it is one, and how many permits are wanted of a semaphore.
#[derive(Clone, Copy, Default)]
struct Asks {
    who: Option<Who>,
    permits: Option<usize>,
}

/// What is waited on, but for its number.
#[derive(PartialEq, Eq, Hash)]
enum What<'a> {
    Nothing,
    Goroutine,
    Object(ObjectKind, Option<&'a Site>),
}

impl<'a> Text<'a> {
    fn likeness(&self, goroutine: &'a Goroutine) -> Likeness<'a> {
        let of = |object: ObjectId| What::Object(object.kind, self.snapshot.made_at(object));
        let wait = goroutine.wait.as_ref().map(|wait| {
            let what = match wait.on {
                Target::Nothing => What::Nothing,
                Target::Goroutine(_) => What::Goroutine,
                Target::Object(object) => of(object),
            };
            (&*wait.reason, &wait.at, wait.until.is_some(), what)
        });
        let arms = goroutine.wait.iter().flat_map(|wait| &wait.arms);
        Likeness {
            state: goroutine.state,
            name: goroutine.name.as_deref(),
            spawned_at: &goroutine.spawned_at,
            wait,
            arms: arms.map(|arm| (arm.sends, of(arm.object))).collect(),
            frames: goroutine.frames.iter().map(|f| f.address).collect(),
        }
    }

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

    /// Many that are alike.
    fn crowd(&self, f: &mut Formatter<'_>, like: &[&Goroutine]) -> fmt::Result {
        let first = like[0];
        write!(f, "{} goroutines ", like.len())?;
        if let Some(name) = &first.name {
            write!(f, "{name:?} ")?;
        }
        match &first.wait {
            Some(wait) => {
                let times = || like.iter().filter_map(|g| Some(g.wait.as_ref()?.waited_ns));
                let (least, most) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
                let (least, most) = (seconds(least), seconds(most));
                writeln!(f, "[{}, {least} to {most}]:", wait.reason)?;
                writeln!(f, "\tblocked at {}", wait.at)?;
                self.crowd_target(f, like, wait)?;
            }
            None => writeln!(f, "[{}]:", first.state.text())?,
        }
        frames(f, &first.frames)?;
        writeln!(f, "\tspawned at {}", first.spawned_at)?;
        let named: Vec<String> = like.iter().take(NAMED).map(|g| g.id.to_string()).collect();
        let (named, more) = (named.join(", "), like.len() - NAMED);
        writeln!(f, "\tthey are goroutines {named} and {more} more")
    }

    fn crowd_target(&self, f: &mut Formatter<'_>, like: &[&Goroutine], wait: &Wait) -> fmt::Result {
        let same = |other: &&Goroutine| {
            let other = other.wait.as_ref();
            other.is_some_and(|w| w.on == wait.on && w.arms == wait.arms)
        };
        match wait.on {
            Target::Nothing if like.iter().all(same) => self.arms(f, wait),
            Target::Nothing => {
                for arm in &wait.arms {
                    let way = if arm.sends { "send to" } else { "receive from" };
                    write!(f, "\teach to {way} a {}", arm.object.kind.text())?;
                    self.made(f, arm.object)?;
                }
                Ok(())
            }
            Target::Object(object) if like.iter().all(same) => {
                let permits = |g: &&Goroutine| g.wait.as_ref().and_then(|w| w.permits);
                let alike = like.iter().all(|g| permits(g) == wait.permits);
                let permits = wait.permits.filter(|_| alike);
                self.object(f, "on", Asks { who: None, permits }, object)
            }
            Target::Object(object) => {
                write!(f, "\teach on a {}", object.kind.text())?;
                self.made(f, object)
            }
            Target::Goroutine(id) if like.iter().all(same) => {
                writeln!(f, "\tall wait for goroutine {id} to finish")
            }
            Target::Goroutine(_) => writeln!(f, "\teach waits for a goroutine to finish"),
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

    /// Where an object was made, at the end of a line.
    fn made(&self, f: &mut Formatter<'_>, object: ObjectId) -> fmt::Result {
        match self.snapshot.made_at(object) {
            Some(site) => writeln!(f, ", made at {site}"),
            None => writeln!(f),
        }
    }

    /// A line on what is waited for, in which way, and by whom.
    fn object(
        &self,
        f: &mut Formatter<'_>,
        way: &str,
        asks: Asks,
        object: ObjectId,
    ) -> fmt::Result {
        let snapshot = self.snapshot;
        match object.kind {
            ObjectKind::Context => write!(f, "\tuntil {object} ends")?,
            _ => write!(f, "\t{way} {object}")?,
        }
        match object.kind {
            ObjectKind::Channel => {
                if let Some(channel) = find(&snapshot.channels, object.id, |c| c.id) {
                    ends(f, channel)?;
                }
            }
            ObjectKind::Mutex | ObjectKind::RwLock => {
                if let Some(lock) = find(&snapshot.locks, object.id, |l| l.id) {
                    self.holder(f, asks.who, lock)?;
                }
            }
            ObjectKind::WaitGroup => {
                if let Some(group) = find(&snapshot.wait_groups, object.id, |g| g.id) {
                    write!(f, " (count {})", group.count)?;
                }
            }
            ObjectKind::Semaphore | ObjectKind::Gate => {
                if let Some(semaphore) = find(&snapshot.semaphores, object.id, |s| s.id) {
                    permits(f, asks.permits, semaphore)?;
                }
            }
            _ => {}
        }
        self.made(f, object)
    }

    fn holder(&self, f: &mut Formatter<'_>, asks: Option<Who>, lock: &Lock) -> fmt::Result {
        match lock.holder {
            Holder::Nobody => return f.write_str(", free"),
            Holder::Readers(1) => f.write_str(", held by a reader")?,
            Holder::Readers(n) => write!(f, ", held by {n} readers")?,
            Holder::Writer => f.write_str(", held by a writer")?,
            Holder::One(who) if asks == Some(who) => f.write_str(", held by itself")?,
            Holder::One(who) => {
                f.write_str(", held by ")?;
                self.who(f, who)?;
            }
        }
        // The last reader may have gone before another.
        let last = match lock.holder {
            Holder::Readers(_) => "last ",
            _ => "",
        };
        match &lock.locked_at {
            Some(site) => write!(f, " ({last}locked at {site})"),
            None => Ok(()),
        }
    }

    fn who(&self, f: &mut Formatter<'_>, who: Who) -> fmt::Result {
        f.write_str(&who.text(self.snapshot.process))
    }

    /// Workers that are held, and jobs that may block.
    fn workers(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let snapshot = self.snapshot;
        let held = || {
            snapshot
                .workers
                .iter()
                .filter_map(|w| Some((w, w.held_ns?)))
        };
        if held().next().is_some() || snapshot.blocking.running > 0 {
            writeln!(f)?;
        }
        for (worker, held_ns) in held() {
            write!(
                f,
                "worker {} has been held for {} by ",
                worker.index,
                seconds(held_ns)
            )?;
            match worker.running {
                Some(id) => writeln!(f, "goroutine {id}")?,
                None => writeln!(f, "one goroutine")?,
            }
        }
        match snapshot.blocking.running {
            0 => Ok(()),
            1 => writeln!(f, "1 blocking job runs"),
            n => writeln!(f, "{n} blocking jobs run"),
        }
    }

    /// What was found wrong.
    fn findings(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for verdict in &self.snapshot.verdicts {
            writeln!(f, "\nproved: {}", verdict.kind.text())?;
            self.parties(f, &verdict.parties)?;
        }
        for suspect in &self.snapshot.suspects {
            writeln!(f, "\nsuspected: {}", suspect.kind.text())?;
            self.parties(f, &suspect.parties)?;
            if let Some(site) = &suspect.site {
                writeln!(f, "  spawned at {site}")?;
            }
            for fact in &suspect.facts {
                writeln!(f, "\t{fact}")?;
            }
            if !suspect.unproved.is_empty() {
                writeln!(f, "\tnot proved: {}", suspect.unproved)?;
            }
        }
        Ok(())
    }

    fn parties(&self, f: &mut Formatter<'_>, parties: &[Party]) -> fmt::Result {
        for party in parties {
            f.write_str("  ")?;
            self.who(f, party.who)?;
            if let Some(name) = &party.name {
                write!(f, " {name:?}")?;
            }
            writeln!(f)?;
            for held in &party.holds {
                write!(f, "\tholds {}", held.object)?;
                match &held.at {
                    Some(site) => writeln!(f, ", locked at {site}")?,
                    None => writeln!(f)?,
                }
            }
            if let Some(wait) = &party.waits {
                write!(f, "\twaits [{}]", reason(wait))?;
                match wait.on {
                    Target::Object(object) => write!(f, " for {object}")?,
                    Target::Goroutine(id) => write!(f, " for goroutine {id}")?,
                    Target::Nothing => {}
                }
                writeln!(f, " at {}", wait.at)?;
            }
            if let Some(site) = &party.spawned_at {
                writeln!(f, "\tspawned at {site}")?;
            }
        }
        Ok(())
    }
}

impl Snapshot {
    /// Where an object was made, if it is in the snapshot.
    pub fn made_at(&self, object: ObjectId) -> Option<&Site> {
        let id = object.id;
        match object.kind {
            ObjectKind::Channel => find(&self.channels, id, |c| c.id).map(|c| &c.made_at),
            ObjectKind::Mutex | ObjectKind::RwLock => {
                find(&self.locks, id, |l| l.id).map(|l| &l.made_at)
            }
            ObjectKind::WaitGroup => find(&self.wait_groups, id, |g| g.id).map(|g| &g.made_at),
            ObjectKind::Semaphore | ObjectKind::Gate => {
                find(&self.semaphores, id, |s| s.id).map(|s| &s.made_at)
            }
            _ => find(&self.others, id, |o| o.object.id).map(|o| &o.made_at),
        }
    }
}

/// The one of that number, in a list that is sorted by it.
fn find<T>(all: &[T], id: u64, id_of: impl Fn(&T) -> u64) -> Option<&T> {
    let at = all.binary_search_by_key(&id, id_of).ok()?;
    all.get(at)
}

/// `chan receive, 1.2 s`.
fn reason(wait: &Wait) -> String {
    format!("{}, {}", wait.reason, seconds(wait.waited_ns))
}

pub(crate) fn seconds(nanoseconds: u64) -> String {
    format!("{:.1} s", Duration::from_nanos(nanoseconds).as_secs_f64())
}

/// A channel's name, capacity and ends.
fn ends(f: &mut Formatter<'_>, channel: &Channel) -> fmt::Result {
    if let Some(name) = &channel.name {
        write!(f, " {name:?}")?;
    }
    match (channel.len, channel.capacity) {
        (_, Some(0)) => f.write_str(" (capacity 0")?,
        (Some(len), Some(capacity)) => write!(f, " (capacity {capacity}, {len} in it")?,
        (None, Some(capacity)) => write!(f, " (capacity {capacity}")?,
        (Some(len), None) => write!(f, " (unbounded, {len} in it")?,
        (None, None) => f.write_str(" (unbounded")?,
    }
    let (senders, receivers) = (channel.senders, channel.receivers);
    write!(
        f,
        ", senders alive: {senders}, receivers alive: {receivers})"
    )
}

/// How many permits are wanted, and how many are free.
fn permits(f: &mut Formatter<'_>, wanted: Option<usize>, of: &Semaphore) -> fmt::Result {
    if let Some(name) = &of.name {
        write!(f, " {name:?}")?;
    }
    f.write_str(" (")?;
    if let Some(wanted) = wanted.filter(|_| !of.gate) {
        write!(f, "wants {wanted}; ")?;
    }
    let what = if of.gate { "places" } else { "permits" };
    write!(f, "{} of {} {what} free)", of.free, of.total)
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
