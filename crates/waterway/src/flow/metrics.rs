//! All of it as counts for Prometheus.

use std::collections::HashMap;
use std::fmt::Display;
use std::panic::Location;

use super::gate::{self, Gate, GateStatistics};
use super::look::{Seen, Sites, look};
use super::monitor::measured;
use super::prometheus::{Families, MOST_SERIES};
use super::site::SiteFlow;
use super::state::FlowState;
use super::track::ChannelFlow;
use crate::chan::Cause;

/// Channels, gates, spawn sites, and what monitors have measured, in the text form of Prometheus (version 0.0.4).
///
/// | family | of what |
/// | --- | --- |
/// | `waterway_channel_put_total`, `_taken_total` | values that came into each channel, and that went out of it, shed ones included |
/// | `waterway_channel_shed_total{cause}`, `_refused_total` | what its policy shed, and gave back |
/// | `waterway_channel_high_water`, `_until_full_seconds`, `_time_in_queue_seconds{quantile}`, `_senders_waited_ratio`, `_receivers_waited_ratio`, `_state{state}` | what a [`Monitor`](super::Monitor) that runs has measured in its window |
/// | `waterway_site_live`, `_blocked` | goroutines that each line has spawned and that live, and those of them that wait |
/// | `waterway_site_most_live`, `_spawned_per_second`, `_ended_per_second`, `_state{state}` | what a `Monitor` that runs has measured of them |
/// | `waterway_gates` | how many gates there are |
/// | `waterway_gate_limit`, `_live`, `_most_live`, `_waiting`, `_admitted_total`, `_refused_total`, `_gave_up_total` | each [`Gate`] |
///
/// Channels and gates have their name (`channel`, `gate`), the line that made them (`made_at`) and their number (`id`) as labels, spawn
/// sites their line (`spawned_at`). A series ends when its channel or gate goes, or the last goroutine of its line. Of more than 1,000
/// channels those are told through which most values went, of more spawn sites those of which most goroutines live.
///
/// `/metrics` of `watch::serve` (feature `serve`) has these as well.
///
/// # Blocking
///
/// Never parks. Takes some microseconds a channel, and some milliseconds for 10,000 goroutines.
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
    let look = look();
    let mut seen = look.channels;
    seen.sort_by_key(|channel| (std::cmp::Reverse(channel.put), channel.id));
    seen.truncate(MOST_SERIES);
    seen.sort_by_key(|channel| channel.id);
    let (channels, sites) = measured();
    let mut out = Families::new();
    of_channels(&mut out, &seen, &channels);
    of_sites(&mut out, look.sites, &sites);
    of_gates(&mut out, &gates());
    out.text()
}

/// What tells a thing from others of its kind.
type Labels = Vec<(&'static str, String)>;

fn labels(
    kind: &'static str,
    name: Option<&str>,
    made_at: &Location<'_>,
    id: impl Display,
) -> Labels {
    vec![
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

fn of_channels(out: &mut Families, seen: &[Seen], measured: &[ChannelFlow]) {
    let labelled = |channel: &Seen| {
        let (name, id) = (channel.name.as_deref(), channel.id);
        (id, labels("channel", name, channel.made_at, id))
    };
    let labels: HashMap<usize, Labels> = seen.iter().map(labelled).collect();
    let seen: Vec<_> = seen.iter().map(|seen| (&labels[&seen.id], seen)).collect();
    // A monitor may have seen channels that are gone, or more than are told.
    let measured = (measured.iter()).filter_map(|flow| Some((labels.get(&flow.channel)?, flow)));
    channels(out, &seen);
    monitors(out, &Vec::from_iter(measured));
}

fn of_gates(out: &mut Families, gates: &[(Labels, GateStatistics)]) {
    let gates: Vec<_> = gates.iter().map(|(labels, now)| (labels, now)).collect();
    out.one(
        "waterway_gates",
        "gauge",
        "Gates that there are.",
        gates.len(),
    );
    families(out, GATES, &gates);
}

/// How many goroutines of a line live, and how many of them wait.
type Lives = (usize, usize);

fn of_sites(out: &mut Families, seen: Sites, measured: &[SiteFlow]) {
    let mut seen: Vec<_> = seen.into_iter().collect();
    seen.sort_by_key(|(site, seen)| (std::cmp::Reverse(seen.ids.len()), *site));
    seen.truncate(MOST_SERIES);
    seen.sort_by_key(|(site, _)| *site);
    let labelled = |site: &Location<'_>| vec![("spawned_at", site.to_string())];
    let lives: Vec<(Labels, Lives)> = seen
        .iter()
        .map(|(site, seen)| (labelled(site), (seen.ids.len(), seen.blocked)))
        .collect();
    let lives: Vec<_> = lives
        .iter()
        .map(|(labels, lives)| (labels, lives))
        .collect();
    families(out, SITES, &lives);
    let measured: Vec<_> = measured
        .iter()
        .map(|flow| (labelled(flow.spawned_at), flow))
        .collect();
    let measured: Vec<_> = measured
        .iter()
        .map(|(labels, flow)| (labels, *flow))
        .collect();
    families(out, MEASURED_SITES, &measured);
    let states: Vec<_> = measured
        .iter()
        .map(|(labels, flow)| (*labels, flow.state))
        .collect();
    let name = "waterway_site_state";
    out.head(name, "gauge", "1 for the state that the spawn site is in.");
    state_series(out, name, FlowState::OF_SITES, &states);
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

const SITES: &[Family<Lives>] = &[
    (
        "waterway_site_live",
        "Goroutines that were spawned at the line, and live.",
        |(live, _)| Some(*live as f64),
    ),
    (
        "waterway_site_blocked",
        "Those of them that wait for something.",
        |(_, blocked)| Some(*blocked as f64),
    ),
];

const MEASURED_SITES: &[Family<SiteFlow>] = &[
    (
        "waterway_site_most_live",
        "The most that lived at any look.",
        |flow| Some(flow.most_live as f64),
    ),
    (
        "waterway_site_spawned_per_second",
        "Goroutines that were spawned in the window, a second.",
        |flow| Some(flow.rate_spawned),
    ),
    (
        "waterway_site_ended_per_second",
        "Goroutines that ended in the window, a second.",
        |flow| Some(flow.rate_ended),
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
    let states: Vec<_> = measured
        .iter()
        .map(|(labels, flow)| (*labels, flow.state))
        .collect();
    state_series(out, name, FlowState::OF_CHANNELS, &states);
}

/// For each thing one series for each state that it may be in.
fn state_series(out: &mut Families, name: &str, of: &[FlowState], things: &[(&Labels, FlowState)]) {
    for (labels, now) in things {
        for state in of {
            let is = u8::from(now == state);
            series(out, name, labels, Some(("state", state.words())), is);
        }
    }
}

#[cfg(test)]
mod tests;
