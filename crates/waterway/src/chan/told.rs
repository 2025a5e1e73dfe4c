//! What channels shed, and policies that change, as events of the `tracing` crate.

use std::panic::Location;

use tracing::Level;

use super::core::Core;
use super::overflow::{Cause, Overflow};
use crate::rt::events::{SHED, send, wanted};
use crate::rt::objects;

/// With no lock held.
#[inline]
pub(super) fn shed(channel: usize, cause: Cause, sender: Option<&'static Location<'static>>) {
    if SHED.wanted() {
        send(move || {
            // There is none if the channel is gone by now.
            let name = objects::name_of(channel);
            tracing::debug!(
                target: "waterway::flow",
                channel,
                name = name.as_deref(),
                cause = cause.word(),
                sent_at = sender.map(tracing::field::display),
                "value shed"
            );
        });
    }
}

#[track_caller]
pub(super) fn policy<T>(core: &Core<T>, overflow: Overflow) {
    if wanted(Level::INFO) {
        let (channel, name) = (core.header().id(), core.name().map(String::from));
        let changed_at = Location::caller();
        send(move || {
            tracing::info!(
                target: "waterway::flow",
                channel,
                name = name.as_deref(),
                %changed_at,
                ?overflow,
                "overflow policy changed"
            );
        });
    }
}
