//! Goroutines that start and end, as events of the `tracing` crate.

use std::panic::Location;
use std::sync::Arc;
use std::thread::Result;

use tracing::Level;

use crate::rt::events::{GOROUTINES, send, wanted};

/// Who starts or ends.
pub(super) struct Who<'a> {
    pub(super) id: u64,
    pub(super) name: Option<&'a Arc<str>>,
    pub(super) site: &'static Location<'static>,
}

impl Who<'_> {
    /// What an event takes along: number, name, spawn site.
    fn kept(&self) -> (u64, Option<Arc<str>>, &'static Location<'static>) {
        (self.id, self.name.cloned(), self.site)
    }
}

/// Before it can run, so that its end comes after.
#[inline]
pub(super) fn spawned(who: Who<'_>, parent: u64) {
    if GOROUTINES.wanted() {
        let (goroutine, name, spawned_at) = who.kept();
        send(move || {
            tracing::trace!(
                target: "waterway",
                goroutine,
                name = name.as_deref(),
                %spawned_at,
                parent = (parent != 0).then_some(parent),
                "goroutine spawned"
            );
        });
    }
}

#[inline]
pub(super) fn ended<T>(who: Who<'_>, result: &Result<T>) {
    match result {
        Ok(_) if GOROUTINES.wanted() => {
            let (goroutine, name, spawned_at) = who.kept();
            send(move || {
                tracing::trace!(
                    target: "waterway",
                    goroutine,
                    name = name.as_deref(),
                    %spawned_at,
                    "goroutine ended"
                );
            });
        }
        Err(payload) if wanted(Level::ERROR) => {
            let (goroutine, name, spawned_at) = who.kept();
            let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
            let panic = text.or_else(|| payload.downcast_ref::<String>().cloned());
            send(move || {
                tracing::error!(
                    target: "waterway",
                    goroutine,
                    name = name.as_deref(),
                    %spawned_at,
                    panic = panic.as_deref(),
                    "goroutine panicked"
                );
            });
        }
        _ => {}
    }
}
