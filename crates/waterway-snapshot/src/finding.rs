//! What was found wrong: proved (verdicts), or likely (suspects).

use std::borrow::Cow;
use std::fmt;

use crate::{ObjectId, Site, Snapshot, Wait, Who};

/// A proof that some will never go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Verdict {
    /// What is proved.
    pub kind: VerdictKind,
    /// Those concerned. Of a cycle in its order: each waits for what the next one holds.
    pub parties: Vec<Party>,
}

/// As a dump has it and the runtime says it: several lines, without an end of the last. The main thread is called so if it is that of
/// this process; a [`Snapshot`] knows whose it is.
///
/// ```
/// let verdict = waterway_snapshot::Verdict::default();
/// assert_eq!(verdict.to_string(), "proved: each waits for a lock that the next one holds");
/// ```
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdicts = vec![self.clone()];
        alone(f, |all| all.verdicts = verdicts)
    }
}

/// So many parties are named in a line.
const NAMED: usize = 5;

impl Verdict {
    /// What is proved, and of whom, in one line.
    ///
    /// ```
    /// use waterway_snapshot::{Party, Verdict, VerdictKind, Who};
    ///
    /// let party = Party { who: Who::Goroutine(3), name: Some("careless".into()), spawned_at: None, holds: vec![], waits: None };
    /// let verdict = Verdict { kind: VerdictKind::OwnLock, parties: vec![party] };
    /// assert_eq!(verdict.headline(), "it waits for a lock that it holds itself: goroutine 3 \"careless\"");
    /// ```
    pub fn headline(&self) -> String {
        let mut text = self.kind.text().to_owned();
        for (at, party) in self.parties.iter().take(NAMED).enumerate() {
            text.push_str(if at == 0 { ": " } else { ", " });
            text.push_str(&party.who.text(std::process::id()));
            text.extend(party.name.as_ref().map(|name| format!(" {name:?}")));
        }
        match self.parties.len().saturating_sub(NAMED) {
            0 => text,
            more => format!("{text} and {more} more"),
        }
    }
}

/// Prints a snapshot that has nothing but one finding.
fn alone(f: &mut fmt::Formatter<'_>, add: impl FnOnce(&mut Snapshot)) -> fmt::Result {
    let mut all = Snapshot {
        process: std::process::id(),
        ..Snapshot::default()
    };
    add(&mut all);
    f.write_str(all.to_string().trim())
}

/// What is proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum VerdictKind {
    /// Each party waits for a lock that the next one holds.
    #[default]
    LockCycle,
    /// The party waits for a lock that it holds itself.
    OwnLock,
    /// The parties wait for a lock whose holder has ended without letting go.
    HolderGone,
    /// Parties wait for each other's end, or for the end of one that is stuck.
    JoinCycle,
    /// The party waits for what can never happen.
    NeverWoken,
    /// Nobody who runs can reach what the parties wait on.
    Leak,
    /// Every goroutine and thread waits, and nothing outside will wake one.
    AllAsleep,
}

impl VerdictKind {
    /// The words of a report.
    pub fn text(self) -> &'static str {
        match self {
            VerdictKind::LockCycle => "each waits for a lock that the next one holds",
            VerdictKind::OwnLock => "it waits for a lock that it holds itself",
            VerdictKind::HolderGone => {
                "whoever held the lock has ended without unlocking it: nobody will"
            }
            VerdictKind::JoinCycle => "each waits for the end of the next one",
            VerdictKind::NeverWoken => "it waits for what can never happen",
            VerdictKind::Leak => "nobody who runs can reach what they wait on",
            VerdictKind::AllAsleep => {
                "every goroutine and thread waits, and nothing outside will wake one"
            }
        }
    }
}

/// What looks wrong and is not proved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Suspect {
    /// What is suspected.
    pub kind: SuspectKind,
    /// Those concerned.
    pub parties: Vec<Party>,
    /// The spawn site that it is about, if it is about one.
    pub site: Option<Site>,
    /// What was seen, with figures: each a line of a dump.
    pub facts: Vec<Cow<'static, str>>,
    /// What is missing for a proof, in words; empty where nothing could be proved.
    pub unproved: Cow<'static, str>,
}

/// As a dump has it: several lines, without an end of the last. The main thread as in a [`Verdict`].
///
/// ```
/// let suspect = waterway_snapshot::Suspect::default();
/// assert!(suspect.to_string().starts_with("suspected: each seems to wait"));
/// ```
impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suspects = vec![self.clone()];
        alone(f, |all| all.suspects = suspects)
    }
}

/// What is suspected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SuspectKind {
    /// As a [`VerdictKind::LockCycle`], but a guard may be elsewhere.
    #[default]
    LockCycle,
    /// As [`VerdictKind::OwnLock`], but the guard may be elsewhere.
    OwnLock,
    /// As [`VerdictKind::HolderGone`], but the guard may be elsewhere.
    HolderGone,
    /// Waits for far longer than others of its spawn site ever did.
    LongWait,
    /// As [`VerdictKind::Leak`], but a handle was not found.
    Leak,
    /// Locks were taken in both orders.
    LockOrder,
    /// The goroutines of a spawn site only become more.
    GrowingSite,
    /// The party has waited for long, and holds a lock that others wait for.
    LockAcrossWait,
    /// The party has held its worker for long.
    HeldWorker,
}

impl SuspectKind {
    /// The words of a report.
    pub fn text(self) -> &'static str {
        match self {
            SuspectKind::LockCycle => "each seems to wait for a lock that the next one holds",
            SuspectKind::OwnLock => "it seems to wait for a lock that it holds itself",
            SuspectKind::HolderGone => "whoever held the lock seems to have ended",
            SuspectKind::LongWait => {
                "it waits for far longer than others that the same line spawned"
            }
            SuspectKind::Leak => "nobody who runs seems to reach what they wait on",
            SuspectKind::LockOrder => "these locks were taken in both orders",
            SuspectKind::GrowingSite => "the goroutines that one line spawns only become more",
            SuspectKind::LockAcrossWait => {
                "it has waited for long with a lock that others wait for"
            }
            SuspectKind::HeldWorker => "it has held its worker for long",
        }
    }
}

/// One of those concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Party {
    /// Who.
    pub who: Who,
    /// The goroutine's name.
    pub name: Option<String>,
    /// The line that spawned the goroutine; `None` for a plain thread.
    pub spawned_at: Option<Site>,
    /// What it holds, of that which counts here.
    pub holds: Vec<Held>,
    /// What it waits for.
    pub waits: Option<Wait>,
}

/// Something that is held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Held {
    /// What.
    pub object: ObjectId,
    /// The line that locked it, where known.
    pub at: Option<Site>,
}
