//! What monitors measure and gates refuse, as events of the `tracing` crate.

use std::panic::Location;

use tracing::Level;

use super::flowing::Flow;
use super::site::SiteFlow;
use super::state::FlowState;
use super::track::ChannelFlow;
use crate::rt::events::{send, wanted};

/// A state has changed. `matters`: to or from one that says that more comes than goes.
pub(super) fn changed(before: FlowState, flow: &Flow, matters: bool) {
    let level = match (flow.state().is_bad(), matters) {
        (true, _) => Level::WARN,
        (false, true) => Level::INFO,
        (false, false) => Level::DEBUG,
    };
    if !wanted(level) {
        return;
    }
    match flow.clone() {
        Flow::Channel(flow) => channel(before, flow, level),
        Flow::Site(flow) => site(before, flow, level),
    }
}

fn site(before: FlowState, flow: SiteFlow, level: Level) {
    macro_rules! tell {
        ($level:expr) => {
            tracing::event!(
                target: "waterway::flow",
                $level,
                spawned_at = %flow.spawned_at,
                before = before.words(),
                state = flow.state.words(),
                live = flow.live,
                most_live = flow.most_live,
                blocked = flow.blocked,
                rate_spawned = flow.rate_spawned,
                rate_ended = flow.rate_ended,
                factor = flow.factor,
                waits_at = flow.waits_at.map(tracing::field::display),
                waits_for = flow.waits_for,
                "spawn site changed its state"
            )
        };
    }
    send(move || match level {
        Level::WARN => tell!(Level::WARN),
        _ => tell!(Level::INFO),
    });
}

fn channel(before: FlowState, flow: ChannelFlow, level: Level) {
    macro_rules! tell {
        ($level:expr) => {
            tracing::event!(
                target: "waterway::flow",
                $level,
                channel = flow.channel,
                name = flow.name.as_deref(),
                made_at = %flow.made_at,
                before = before.words(),
                state = flow.state.words(),
                capacity = flow.capacity,
                len = flow.len,
                high_water = flow.high_water,
                rate_in = flow.rate_in,
                rate_out = flow.rate_out,
                rate_shed = flow.rate_shed,
                waiting_senders = flow.waiting_senders,
                waiting_receivers = flow.waiting_receivers,
                factor = flow.factor,
                spawned_at = flow.spawned_at.map(tracing::field::display),
                "channel changed its state"
            )
        };
    }
    send(move || match level {
        Level::WARN => tell!(Level::WARN),
        Level::INFO => tell!(Level::INFO),
        _ => tell!(Level::DEBUG),
    });
}

pub(super) fn not_let_in(
    gate: u64,
    name: Option<&str>,
    made_at: &'static Location<'static>,
    limit: usize,
    how: &'static str,
) {
    let name = name.map(String::from);
    send(move || {
        tracing::debug!(
            target: "waterway::flow",
            gate,
            name = name.as_deref(),
            %made_at,
            limit,
            how,
            "gate did not let a caller in"
        );
    });
}
