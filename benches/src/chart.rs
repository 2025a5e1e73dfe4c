//! The picture: each rival's ratio to Go in each workload, on a scale of doublings.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::field;
use crate::race::Series;
use crate::report;
use crate::stats::Spread;

const LEFT: i32 = 190;
const WIDTH: i32 = 960;
const TOP: i32 = 70;
const ROW: i32 = 24;
/// Doublings to either side of Go.
const SIDE: f64 = 5.0;
/// Waterway, and then its rivals but for Go, who is what they are held against.
pub const COLOURS: [(&str, RGBColor); 4] = [
    ("waterway", RGBColor(0, 95, 175)),
    ("tokio", RGBColor(200, 80, 0)),
    ("may", RGBColor(0, 135, 90)),
    ("threads", RGBColor(130, 130, 130)),
];

/// A rival's best variant in a workload.
struct Dot {
    peer: &'static str,
    ratio: Spread,
}

/// Draws the first metric of each workload that has a ratio to Go.
pub fn draw(path: &Path, results: &[Series]) -> Result<(), Box<dyn Error>> {
    let rows = rows(results);
    let height = TOP + ROW * rows.len() as i32 + 40;
    let root = SVGBackend::new(path, (WIDTH as u32, height as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    let text = |size: f64, h: HPos| {
        let style = ("sans-serif", size).into_font().color(&BLACK);
        style.pos(Pos::new(h, VPos::Center))
    };
    let title = "Time against Go, best variant of each: left is faster";
    root.draw(&Text::new(title, (20, 20), text(16.0, HPos::Left)))?;
    for (i, (peer, colour)) in COLOURS.iter().enumerate() {
        let x = LEFT + 140 * i as i32;
        root.draw(&Circle::new((x, 45), 5, colour.filled()))?;
        let name = field::find(peer).map_or(*peer, |p| p.title);
        root.draw(&Text::new(name, (x + 12, 45), text(13.0, HPos::Left)))?;
    }
    for power in -SIDE as i32..=SIDE as i32 {
        let x = place(2_f64.powi(power));
        let colour = if power == 0 {
            BLACK
        } else {
            RGBColor(220, 220, 220)
        };
        root.draw(&PathElement::new(vec![(x, TOP), (x, height - 35)], colour))?;
        let label = match power {
            0.. => format!("{}x", 1 << power),
            _ => format!("1/{}", 1 << -power),
        };
        root.draw(&Text::new(
            label,
            (x, height - 20),
            text(12.0, HPos::Center),
        ))?;
    }
    for (i, (workload, dots)) in rows.iter().enumerate() {
        let y = TOP + ROW * i as i32 + ROW / 2;
        root.draw(&Text::new(
            *workload,
            (LEFT - 15, y),
            text(13.0, HPos::Right),
        ))?;
        for dot in dots {
            let colour = COLOURS.iter().find(|(peer, _)| *peer == dot.peer);
            let colour = colour.map_or(BLACK, |(_, colour)| *colour);
            let range = vec![(place(dot.ratio.min), y), (place(dot.ratio.max), y)];
            root.draw(&PathElement::new(range, colour))?;
            root.draw(&Circle::new(
                (place(dot.ratio.median), y),
                5,
                colour.filled(),
            ))?;
        }
    }
    root.present()?;
    Ok(())
}

fn rows(results: &[Series]) -> Vec<(&'static str, Vec<Dot>)> {
    let mut rows: Vec<(&str, Vec<Dot>)> = Vec::new();
    for go in results
        .iter()
        .filter(|s| s.peer == "go" && !s.more_is_better())
    {
        if rows.iter().any(|(name, _)| *name == go.workload.name) {
            continue; // the first metric only
        }
        let dots = COLOURS.iter().filter_map(|(peer, _)| {
            let of_it = results.iter().filter(|s| {
                s.peer == *peer && s.workload.name == go.workload.name && s.metric == go.metric
            });
            let ratios = of_it.filter_map(|s| report::ratio(results, s));
            let ratio = ratios.min_by(|a, b| a.median.total_cmp(&b.median))?;
            Some(Dot { peer, ratio })
        });
        let dots: Vec<_> = dots.collect();
        if !dots.is_empty() {
            rows.push((go.workload.name, dots));
        }
    }
    rows
}

/// Where a ratio stands; what is beyond the scale stands at its end.
fn place(ratio: f64) -> i32 {
    let doublings = ratio.log2().clamp(-SIDE, SIDE);
    let half = f64::from(WIDTH - LEFT - 30) / 2.0;
    LEFT + (half + doublings / SIDE * half) as i32
}
