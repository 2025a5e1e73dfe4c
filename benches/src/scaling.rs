//! The picture of cost against size: what one operation takes with ten, a thousand, a million of them. Flat is good.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::chart;
use crate::field::FLOOR;
use crate::race::Series;
use crate::report;
use crate::stats::Spread;

const WIDTH: u32 = 960;
const PANEL: u32 = 300;
const GO: RGBColor = RGBColor(20, 20, 20);

/// The costs of one variant of one rival, by size.
struct Line {
    name: String,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// A workload in several sizes.
struct Panel {
    title: String,
    lines: Vec<Line>,
}

/// Draws the workloads that are measured by size; nothing, and false, if there is none.
pub fn draw(path: &Path, results: &[Series]) -> Result<bool, Box<dyn Error>> {
    let panels = panels(results);
    if panels.is_empty() {
        return Ok(false);
    }
    let rows = panels.len().div_ceil(2);
    let size = (WIDTH, PANEL * rows as u32);
    let root = SVGBackend::new(path, size).into_drawing_area();
    root.fill(&WHITE)?;
    for (panel, area) in panels.iter().zip(root.split_evenly((rows, 2))) {
        draw_panel(panel, &area)?;
    }
    root.present()?;
    Ok(true)
}

fn draw_panel(
    panel: &Panel,
    area: &DrawingArea<SVGBackend<'_>, Shift>,
) -> Result<(), Box<dyn Error>> {
    let points = || panel.lines.iter().flat_map(|line| &line.points);
    let ends = |of: fn(&(f64, f64)) -> f64| {
        let fold = points()
            .map(of)
            .fold((f64::MAX, 0.0), |(a, b): (f64, f64), x| {
                (a.min(x), b.max(x))
            });
        (fold.0 * 0.8)..(fold.1 * 1.25)
    };
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, ("sans-serif", 13))
        .margin(10)
        .x_label_area_size(25)
        .y_label_area_size(60)
        .build_cartesian_2d(ends(|p| p.0).log_scale(), ends(|p| p.1).log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(RGBColor(225, 225, 225))
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .draw()?;
    for line in &panel.lines {
        let colour = line.colour;
        chart
            .draw_series(LineSeries::new(line.points.clone(), colour.stroke_width(2)))?
            .label(&line.name)
            .legend(move |(x, y)| {
                PathElement::new(vec![(x, y), (x + 15, y)], colour.stroke_width(2))
            });
        let dots = line.points.iter();
        chart.draw_series(dots.map(|&point| Circle::new(point, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(RGBColor(225, 225, 225))
        .draw()?;
    Ok(())
}

fn panels(results: &[Series]) -> Vec<Panel> {
    let mut panels: Vec<(&str, Panel)> = Vec::new();
    for series in results {
        let workload = series.workload;
        if series.peer == FLOOR
            || size(series).is_none()
            || panels.iter().any(|(name, _)| *name == workload.name)
        {
            continue;
        }
        let [ours, others @ ..] = chart::COLOURS;
        let lines = [ours, ("go", GO)]
            .into_iter()
            .chain(others)
            .filter_map(|(peer, colour)| best(results, series, peer, colour));
        let panel = Panel {
            title: format!("{} ({})", workload.title, series.unit),
            lines: lines.collect(),
        };
        panels.push((workload.name, panel));
    }
    panels.into_iter().map(|(_, panel)| panel).collect()
}

/// The variant of a rival that costs least where the most are at work.
fn best(results: &[Series], like: &Series, peer: &str, colour: RGBColor) -> Option<Line> {
    let of_it = || {
        let same = |s: &&Series| s.peer == peer && s.workload.name == like.workload.name;
        results.iter().filter(same)
    };
    let cost = |s: &Series| Spread::of(&s.values).map(|v| v.median);
    let largest = of_it()
        .filter_map(|s| Some((size(s)?, s)))
        .max_by(|(a, s), (b, t)| {
            a.total_cmp(b).then(
                cost(t)
                    .partial_cmp(&cost(s))
                    .unwrap_or(std::cmp::Ordering::Equal),
            )
        });
    let (_, chosen) = largest?;
    let points = of_it()
        .filter(|s| s.variant == chosen.variant)
        .filter_map(|s| Some((size(s)?, cost(s)?)));
    Some(Line {
        name: report::name(chosen),
        colour,
        points: points.collect(),
    })
}

/// The size in a metric that is called "with 1,000", "with 64 arms".
fn size(series: &Series) -> Option<f64> {
    let size = series.metric.strip_prefix("with ")?;
    size.split(' ').next()?.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::series;

    fn sized(peer: &'static str, variant: &str, size: usize, value: f64) -> Series {
        Series {
            metric: format!("with {} arms", crate::stats::figure(size as f64)),
            ..series("scaling_select", peer, variant, &[value])
        }
    }

    #[test]
    fn a_rival_shows_the_variant_that_is_best_at_the_largest_size() {
        let results = [
            sized("go", "", 2, 5.0),
            sized("go", "", 1000, 50.0),
            sized("tokio", "a", 2, 1.0),
            sized("tokio", "a", 1000, 90.0),
            sized("tokio", "b", 2, 2.0),
            sized("tokio", "b", 1000, 80.0),
            series("spsc", "go", "", &[1.0]),
        ];
        let panels = panels(&results);
        assert_eq!(panels.len(), 1, "workloads without sizes have none");
        let lines: Vec<_> = panels[0]
            .lines
            .iter()
            .map(|l| (l.name.as_str(), &l.points[..]))
            .collect();
        let go = ("Go", &[(2.0, 5.0), (1000.0, 50.0)][..]);
        assert_eq!(lines, [go, ("tokio b", &[(2.0, 2.0), (1000.0, 80.0)][..])]);
    }

    #[test]
    fn nothing_is_drawn_where_nothing_has_sizes() {
        let results = [series("spsc", "go", "", &[1.0])];
        assert!(!draw(Path::new("/nonexistent/x.svg"), &results).unwrap());
    }
}
