//! All of it as counts for Prometheus.

use std::collections::HashMap;
use std::fmt::Display;
use std::panic::Location;

use super::gate::{self, Gate, GateStatistics};
use super::look::{Seen, look};
use super::monitor::measured;
use super::prometheus::{Families, MOST_SERIES};
use super::track::{ChannelFlow, FlowState};
use crate::chan::Cause;

/// Channels, gates, and what monitors have measured, in the text form of Prometheus (version 0.0.4).
///
/// | family | of what |
/// | --- | --- |
/// | `waterway_channel_put_total`, `_taken_total` | values that came into each channel, and that went out of it, shed ones included |
/// | `waterway_channel_shed_total{cause}`, `_refused_total` | what its policy shed, and gave back |
/// | `waterway_channel_high_water`, `_until_full_seconds`, `_time_in_queue_seconds{quantile}`, `_senders_waited_ratio`, `_receivers_waited_ratio`, `_state{state}` | what a [`Monitor`](super::Monitor) that runs has measured in its window |
/// | `waterway_gates` | how many gates there are |
/// | `waterway_gate_limit`, `_live`, `_most_live`, `_waiting`, `_admitted_total`, `_refused_total`, `_gave_up_total` | each [`Gate`] |
///
/// Channels and gates have their name (`channel`, `gate`), the line that made them (`made_at`) and their number (`id`) as labels. A
/// series ends when its channel or gate goes. Of more than 1,000 channels those are told through which most values went.
///
/// `/metrics` of `watch::serve` (feature `serve`) has these as well.
///
/// # Blocking
///
/// Never parks. Takes some microseconds a channel.
///
/// ```
/// let (tx, rx) = waterway::chan::builder::<u8>().name("jobs").capacity(4).make();
/// tx.send(1).unwrap();
/// let text = waterway::flow::metrics();
/// assert!(text.contains("waterway_channel_put_total{channel=\"jobs\","));
/// # drop(rx);
/// ```
///
/// Go: none.
pub fn metrics() -> String {
    let (_, mut seen) = look();
    seen.sort_by_key(|channel| (std::cmp::Reverse(channel.put), channel.id));
    seen.truncate(MOST_SERIES);
    seen.sort_by_key(|channel| channel.id);
    text(&seen, &measured(), &gates())
}

/// What tells a channel or a gate from others.
type Labels = [(&'static str, String); 3];

fn labels(
    kind: &'static str,
    name: Option<&str>,
    made_at: &Location<'_>,
    id: impl Display,
) -> Labels {
    [
        (kind, name.unwrap_or_default().to_owned()),
        ("made_at", made_at.to_string()),
        ("id", id.to_string()),
    ]
}

fn gates() -> Vec<(Labels, GateStatistics)> {
    let facts = |gate: &Gate| {
        let labels = labels("gate", gate.name(), gate.location(), gate.id());
        (labels, gate.statistics())
    };
    gate::all().iter().map(facts).collect()
}

fn text(seen: &[Seen], measured: &[ChannelFlow], gates: &[(Labels, GateStatistics)]) -> String {
    let mut out = Families::new();
    let labelled = |channel: &Seen| {
        let (name, id) = (channel.name.as_deref(), channel.id);
        (id, labels("channel", name, channel.made_at, id))
    };
    let labels: HashMap<usize, Labels> = seen.iter().map(labelled).collect();
    let seen: Vec<_> = seen.iter().map(|seen| (&labels[&seen.id], seen)).collect();
    // A monitor may have seen channels that are gone, or more than are told.
    let measured = (measured.iter()).filter_map(|flow| Some((labels.get(&flow.channel)?, flow)));
    let gates: Vec<_> = gates.iter().map(|(labels, now)| (labels, now)).collect();
    channels(&mut out, &seen);
    monitors(&mut out, &Vec::from_iter(measured));
    out.one(
        "waterway_gates",
        "gauge",
        "Gates that there are.",
        gates.len(),
    );
    families(&mut out, GATES, &gates);
    out.text()
}

/// A family with one series for each thing that has a figure: name, help, figure.
type Family<T> = (&'static str, &'static str, fn(&T) -> Option<f64>);

const CHANNELS: &[Family<Seen>] = &[
    (
        "waterway_channel_put_total",
        "Values that came into the channel.",
        |c| Some(c.put as f64),
    ),
    (
        "waterway_channel_taken_total",
        "Values that went out of the channel: to receivers, or shed.",
        |c| Some(c.taken as f64),
    ),
    (
        "waterway_channel_refused_total",
        "Values that the channel was too full for, and gave back.",
        |c| Some(c.counts.refused as f64),
    ),
];

const MEASURED: &[Family<ChannelFlow>] = &[
    (
        "waterway_channel_high_water",
        "The most values that were in the channel at any look.",
        |flow| Some(flow.high_water as f64),
    ),
    (
        "waterway_channel_until_full_seconds",
        "When the channel is full, if all goes on as in the window.",
        |flow| Some(flow.until_full?.as_secs_f64()),
    ),
    (
        "waterway_channel_senders_waited_ratio",
        "Share of the looks in which somebody waited to send.",
        |flow| Some(flow.senders_waited),
    ),
    (
        "waterway_channel_receivers_waited_ratio",
        "Share of the looks in which somebody waited to receive.",
        |flow| Some(flow.receivers_waited),
    ),
];

const GATES: &[Family<GateStatistics>] = &[
    ("waterway_gate_limit", "How many may be inside.", |g| {
        Some(g.limit as f64)
    }),
    ("waterway_gate_live", "How many are inside.", |g| {
        Some(g.live as f64)
    }),
    (
        "waterway_gate_most_live",
        "The most that were ever inside at once.",
        |g| Some(g.most_live as f64),
    ),
    ("waterway_gate_waiting", "How many wait.", |g| {
        Some(g.waiting as f64)
    }),
    (
        "waterway_gate_admitted_total",
        "How many were let in.",
        |g| Some(g.admitted as f64),
    ),
    (
        "waterway_gate_refused_total",
        "How many were turned away at once.",
        |g| Some(g.refused as f64),
    ),
    (
        "waterway_gate_gave_up_total",
        "How many waited, and left before they were let in.",
        |g| Some(g.gave_up as f64),
    ),
];

fn families<T>(out: &mut Families, families: &[Family<T>], things: &[(&Labels, &T)]) {
    for (name, help, figure) in families {
        let kind = match name.ends_with("_total") {
            true => "counter",
            false => "gauge",
        };
        out.head(name, kind, help);
        for (labels, thing) in things {
            if let Some(figure) = figure(thing) {
                series(out, name, labels, None, figure);
            }
        }
    }
}

fn series(
    out: &mut Families,
    name: &str,
    labels: &Labels,
    more: Option<(&str, &str)>,
    value: impl Display,
) {
    let own = labels.iter().map(|(label, text)| (*label, &**text));
    out.series(name, &Vec::from_iter(own.chain(more)), value);
}

fn channels(out: &mut Families, seen: &[(&Labels, &Seen)]) {
    families(out, CHANNELS, seen);
    let name = "waterway_channel_shed_total";
    out.head(name, "counter", "Values that the channel shed, by cause.");
    for (labels, channel) in seen {
        let by = &channel.counts;
        for (cause, count) in [
            (Cause::Newest, by.newest),
            (Cause::Oldest, by.oldest),
            (Cause::Superseded, by.superseded),
            (Cause::Late, by.late),
        ] {
            series(out, name, labels, Some(("cause", cause.word())), count);
        }
    }
}

fn monitors(out: &mut Families, measured: &[(&Labels, &ChannelFlow)]) {
    families(out, MEASURED, measured);
    let name = "waterway_channel_time_in_queue_seconds";
    out.head(
        name,
        "gauge",
        "How long values of the window waited in the channel.",
    );
    for (labels, flow) in measured {
        let Some(time) = flow.time_in_queue else {
            continue;
        };
        for (quantile, time) in [("0", time.min), ("0.5", time.p50), ("0.99", time.p99)] {
            let quantile = Some(("quantile", quantile));
            series(out, name, labels, quantile, time.as_secs_f64());
        }
    }
    let name = "waterway_channel_state";
    out.head(name, "gauge", "1 for the state that the channel is in.");
    for (labels, flow) in measured {
        for state in FlowState::ALL {
            let is = u8::from(flow.state == state);
            series(out, name, labels, Some(("state", state.words())), is);
        }
    }
}

#[cfg(test)]
mod tests;
