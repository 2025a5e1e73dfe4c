//! The text against the grammar of the exposition format, and figures that were put in.

use std::panic::Location;

use super::*;
use crate::chan::ByCause;
use crate::flow::look::SeenSite;
use crate::flow::prometheus::parsed;
use crate::flow::site::SiteTrack;
use crate::flow::track::Track;

#[test]
fn what_is_told_is_what_a_parser_reads() {
    let odd = "say \"hi\"\n\\";
    let seen = Seen {
        id: 7,
        name: Some(odd.into()),
        made_at: Location::caller(),
        capacity: Some(4),
        put: 9,
        taken: 5,
        counts: ByCause {
            oldest: 2,
            refused: 3,
            ..ByCause::default()
        },
        waits: Default::default(),
    };
    let mut track = Track::new(&seen);
    for second in 0..4 {
        track.add(second * 1_000_000_000, &seen, 1_000_000_000);
    }
    let gate = Gate::new(5);
    let doors = labels("gate", Some("doors"), gate.location(), 3);
    let here = Location::caller();
    let site = |lives| SeenSite {
        ids: (0..lives).collect(),
        blocked: 2,
        waits: None,
    };
    let mut grows = SiteTrack::new(here, None);
    for second in 0..4 {
        grows.add(second * 1_000_000_000, site(1 + second * 6), 1_000_000_000);
    }
    let mut out = Families::new();
    of_channels(&mut out, &[seen], &[track.report().unwrap()]);
    of_sites(
        &mut out,
        Sites::from([(here, site(19))]),
        &[grows.report().unwrap()],
    );
    of_gates(&mut out, &[(doors, gate.statistics())]);
    let text = out.text();
    let here = here.to_string();
    let series = parsed(&text);
    let value = |name: &str, label: (&str, &str)| {
        let mut found = series.iter().filter(|series| {
            series.name == name && series.labels.iter().any(|(l, v)| (&**l, &**v) == label)
        });
        let value = found
            .next()
            .unwrap_or_else(|| panic!("no {name} in {text}"));
        assert!(found.next().is_none(), "{name} {label:?} in {text}");
        value.value
    };
    for (name, label, expected) in [
        ("waterway_channel_put_total", ("channel", odd), 9.0),
        ("waterway_channel_taken_total", ("id", "7"), 5.0),
        ("waterway_channel_shed_total", ("cause", "oldest"), 2.0),
        ("waterway_channel_refused_total", ("channel", odd), 3.0),
        ("waterway_channel_state", ("state", "stalled"), 1.0),
        ("waterway_site_live", ("spawned_at", &here), 19.0),
        ("waterway_site_blocked", ("spawned_at", &here), 2.0),
        ("waterway_site_most_live", ("spawned_at", &here), 19.0),
        (
            "waterway_site_spawned_per_second",
            ("spawned_at", &here),
            6.0,
        ),
        ("waterway_site_ended_per_second", ("spawned_at", &here), 0.0),
        ("waterway_site_state", ("state", "growing"), 1.0),
        ("waterway_gate_limit", ("gate", "doors"), 5.0),
        ("waterway_gate_live", ("id", "3"), 0.0),
    ] {
        assert_eq!(value(name, label), expected, "{name} in {text}");
    }
    assert_eq!(
        series.iter().filter(|s| s.name == "waterway_gates").count(),
        1
    );
}
