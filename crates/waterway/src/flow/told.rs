//! What monitors measure and gates refuse, as events of the `tracing` crate.

use std::panic::Location;

use tracing::Level;

use super::track::{ChannelFlow, FlowState};
use crate::rt::events::{send, wanted};

/// A channel's state has changed. `matters`: to or from one that says that readers do not keep up.
pub(super) fn changed(before: FlowState, flow: &ChannelFlow, matters: bool) {
    let bad = matches!(flow.state, FlowState::ReaderBound | FlowState::Stalled);
    let level = match (bad, matters) {
        (true, _) => Level::WARN,
        (false, true) => Level::INFO,
        (false, false) => Level::DEBUG,
    };
    if !wanted(level) {
        return;
    }
    let flow = flow.clone();
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
