//! What was found, as events of the `tracing` crate.

use std::fmt::Write;

use tracing::Level;
use waterway_snapshot::{Party, Suspect, Verdict, Who};

use crate::rt::events::{send, wanted};

pub(super) fn deadlock(report: &str) {
    if wanted(Level::ERROR) {
        let report = report.to_string();
        send(move || {
            tracing::error!(
                target: "waterway::watch",
                report,
                "all goroutines are asleep - deadlock!"
            );
        });
    }
}

pub(super) fn proved(verdict: &Verdict) {
    if wanted(Level::ERROR) {
        let (kind, parties, text) = (
            verdict.kind.text(),
            parties(&verdict.parties),
            verdict.to_string(),
        );
        send(
            move || tracing::error!(target: "waterway::watch", kind, parties, report = text, "proved"),
        );
    }
}

pub(super) fn suspected(suspect: &Suspect) {
    if wanted(Level::WARN) {
        let (kind, parties, text) = (
            suspect.kind.text(),
            parties(&suspect.parties),
            suspect.to_string(),
        );
        let unproved = suspect.unproved.to_string();
        send(move || {
            tracing::warn!(
                target: "waterway::watch",
                kind,
                parties,
                unproved,
                report = text,
                "suspected"
            );
        });
    }
}

/// Numbers, names and spawn sites.
fn parties(parties: &[Party]) -> String {
    let mut text = String::new();
    for party in parties {
        if !text.is_empty() {
            text.push_str(", ");
        }
        let _ = match party.who {
            Who::Goroutine(id) => write!(text, "goroutine {id}"),
            Who::Thread(tid) => write!(text, "thread {tid}"),
            _ => write!(text, "task"),
        };
        if let Some(name) = &party.name {
            let _ = write!(text, " {name:?}");
        }
        if let Some(site) = &party.spawned_at {
            let _ = write!(text, " spawned at {site}");
        }
    }
    text
}
