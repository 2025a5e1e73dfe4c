//! Many goroutines that are alike, told of together.

use std::fmt::{self, Formatter};

use super::object::Asks;
use super::{Text, frames, seconds};
use crate::{Goroutine, ObjectId, ObjectKind, Site, State, Target, Wait};

/// So many of them are named.
const NAMED: usize = 5;

/// Goroutines of equal likeness are told of together.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Likeness<'a> {
    state: State,
    name: Option<&'a str>,
    spawned_at: &'a Site,
    wait: Option<(&'a str, &'a Site, bool, What<'a>)>,
    arms: Vec<(bool, What<'a>)>,
    frames: Vec<u64>,
}

/// What is waited on, but for its number.
#[derive(PartialEq, Eq, Hash)]
enum What<'a> {
    Nothing,
    Goroutine,
    Object(ObjectKind, Option<&'a Site>),
}

impl<'a> Text<'a> {
    pub(super) fn likeness(&self, goroutine: &'a Goroutine) -> Likeness<'a> {
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

    /// Many that are alike.
    pub(super) fn crowd(&self, f: &mut Formatter<'_>, like: &[&Goroutine]) -> fmt::Result {
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
}
