//! What holds up others, and what was found wrong.

use std::fmt::{self, Formatter};

use super::{Text, reason, seconds};
use crate::{Party, Target};

impl Text<'_> {
    /// Workers that are held, and jobs that may block.
    pub(super) fn workers(&self, f: &mut Formatter<'_>) -> fmt::Result {
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
    pub(super) fn findings(&self, f: &mut Formatter<'_>) -> fmt::Result {
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
