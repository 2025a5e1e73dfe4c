//! The designs that run side by side.

use plotters::style::RGBColor;

use waterway::flow::Overflow;

use super::settings::Load;
use super::wire::IN_TIME;
use super::work::{self, Way};

/// One way to bring what comes in to a server that is too slow for it.
pub struct Design {
    /// What `--only` calls it.
    pub id: &'static str,
    /// What tables and pictures call it.
    pub title: &'static str,
    /// What it does, with its limit.
    pub how: fn(Load) -> String,
    /// Those who wait take memory without a limit.
    pub unbounded: bool,
    pub colour: RGBColor,
    pub runs: Runs,
}

/// Who runs it.
pub enum Runs {
    /// This program, with the way that this makes.
    Here(fn(Load) -> Box<dyn Way>),
    /// The Go program, told to run the design of this name.
    Go(&'static str),
}

impl std::fmt::Debug for Design {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

#[rustfmt::skip]
pub static DESIGNS: [Design; 7] = [
    Design {
        id: "goroutines",
        title: "goroutine per item",
        how: |_| "a goroutine per item on an unbuffered channel".into(),
        unbounded: true,
        colour: RGBColor(213, 94, 0),
        runs: Runs::Here(|_| work::per_item(0)),
    },
    Design {
        id: "buffer",
        title: "large buffer",
        how: |_| "a goroutine per item on a channel of capacity 100,000".into(),
        unbounded: true,
        colour: RGBColor(230, 159, 0),
        runs: Runs::Here(|_| work::per_item(work::LARGE)),
    },
    Design {
        id: "reject",
        title: "Reject",
        how: |_| "a channel of capacity 1,000 that refuses what does not fit; no goroutine per item".into(),
        unbounded: false,
        colour: RGBColor(204, 121, 167),
        runs: Runs::Here(|_| work::policed(work::BUFFER, Overflow::Reject)),
    },
    Design {
        id: "codel",
        title: "CoDel",
        how: |_| {
            "a channel of capacity 1,000 that sheds what has waited for too long (target 5 ms, interval 100 ms); no goroutine \
             per item"
                .into()
        },
        unbounded: false,
        colour: RGBColor(0, 114, 178),
        runs: Runs::Here(|_| work::policed(work::BUFFER, Overflow::codel())),
    },
    Design {
        id: "gate",
        title: "Gate",
        how: |load| format!("a goroutine per item that a gate admits, {} at a time, on an unbuffered channel", places(load)),
        unbounded: false,
        colour: RGBColor(0, 158, 115),
        runs: Runs::Here(|load| work::gated(places(load))),
    },
    Design {
        id: "go-goroutines",
        title: "Go: goroutine per item",
        how: |_| "the same in Go".into(),
        unbounded: true,
        colour: RGBColor(120, 120, 120),
        runs: Runs::Go("goroutines"),
    },
    Design {
        id: "go-buffer",
        title: "Go: large buffer",
        how: |_| "the same in Go: capacity 100,000, dropped where len(ch) == cap(ch)".into(),
        unbounded: true,
        colour: RGBColor(180, 180, 180),
        runs: Runs::Go("buffer"),
    },
];

/// As many as the server takes in half of the time in which it is of use to be served.
fn places(load: Load) -> usize {
    (load.rate_out as usize * IN_TIME.as_millis() as usize / 2_000).max(1)
}

/// The design with this name.
pub fn find(id: &str) -> Result<&'static Design, String> {
    let found = DESIGNS
        .iter()
        .find(|design| design.id.eq_ignore_ascii_case(id.trim()));
    found.ok_or_else(|| {
        let all: Vec<_> = DESIGNS.iter().map(|design| design.id).collect();
        format!("there is no such design: there are {}", all.join(", "))
    })
}
