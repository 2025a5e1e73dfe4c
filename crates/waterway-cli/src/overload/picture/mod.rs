//! The picture: memory, goroutines, and time in the queue, over time; a line for each design.

mod pixels;

use std::error::Error;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::design::Runs;
use super::race::Series;
use super::settings::Load;
use super::units::count;
use super::wire::Sample;
use pixels::Pixels;

const HEAD: u32 = 96;
const PANEL: u32 = 270;
const SIZE: (u32, u32) = (960, HEAD + 3 * PANEL + 10);
/// Entries of the legend in a row.
const ACROSS: usize = 4;

/// What a panel shows of each sample, and how.
struct Panel {
    title: &'static str,
    of: fn(&Sample) -> Option<f64>,
    /// Steps are powers of ten.
    log: bool,
    label: fn(f64) -> String,
}

const PANELS: [Panel; 3] = [
    Panel {
        title: "memory (MiB)",
        of: |sample| Some(sample.memory as f64 / f64::from(1 << 20)),
        log: false,
        label: |mib| format!("{mib:.0}"),
    },
    Panel {
        title: "live goroutines (logarithmic)",
        of: |sample| Some((sample.goroutines as f64).max(1.0)),
        log: true,
        label: |number| count(number as u64),
    },
    Panel {
        title: "time in queue of what was just served, median (logarithmic)",
        of: |sample| sample.p50_ms,
        log: true,
        label: |ms| match ms {
            1_000.0.. => format!("{} s", count((ms / 1e3).round() as u64)),
            1.0.. => format!("{ms:.0} ms"),
            _ => format!("{} µs", (ms * 1e3).round()),
        },
    },
];

/// Writes `overload.svg` and `overload.png` into the folder, and says so.
pub fn write(folder: &Path, all: &[Series], load: Load) -> Result<String, String> {
    let (lines, dots) = (folder.join("overload.svg"), folder.join("overload.png"));
    let written = both(all, load).and_then(|(svg, png)| {
        fs::write(&lines, svg)?;
        Ok(fs::write(&dots, png)?)
    });
    let told = |error| {
        format!(
            "the picture cannot be written to {}: {error}",
            folder.display()
        )
    };
    written.map_err(told)?;
    Ok(format!("drawn: {} and {}", lines.display(), dots.display()))
}

/// The picture in lines, and in pixels.
fn both(all: &[Series], load: Load) -> Result<(String, Vec<u8>), Box<dyn Error>> {
    let mut svg = String::new();
    draw(SVGBackend::with_string(&mut svg, SIZE), all, load).map_err(io::Error::other)?;
    let mut buffer = Pixels::buffer(SIZE);
    draw(Pixels::on(&mut buffer, SIZE), all, load).map_err(io::Error::other)?;
    Ok((svg, pixels::png(&buffer, SIZE)?))
}

/// The same on any backend.
fn draw<B: DrawingBackend>(backend: B, all: &[Series], load: Load) -> Result<(), String> {
    let root = backend.into_drawing_area();
    let drawn = || -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        root.fill(&WHITE)?;
        let (head, body) = root.split_vertically(HEAD);
        legend(&head, all, load)?;
        for (area, panel) in body
            .margin(0, 10, 0, 0)
            .split_evenly((3, 1))
            .iter()
            .zip(&PANELS)
        {
            show(area, panel, all, load)?;
        }
        root.present()
    };
    drawn().map_err(|error| error.to_string())
}

fn text(size: f64) -> TextStyle<'static> {
    let style = ("sans-serif", size).into_font().color(&BLACK);
    style.pos(Pos::new(HPos::Left, VPos::Center))
}

fn width(design: &super::Design) -> u32 {
    // Go's lines stand behind: they are thinner.
    if matches!(design.runs, Runs::Go(_)) {
        1
    } else {
        2
    }
}

/// What this is, and which line is which.
fn legend<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    all: &[Series],
    load: Load,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let title = format!(
        "{} items a second come in, {} a second go out",
        count(load.rate_in.into()),
        count(load.rate_out.into())
    );
    area.draw(&Text::new(title, (20, 22), text(20.0)))?;
    for (number, one) in all.iter().enumerate() {
        let column = (SIZE.0 as usize - 30) / ACROSS * (number % ACROSS);
        let (x, y) = (20 + column as i32, 52 + 24 * (number / ACROSS) as i32);
        let style = one.design.colour.stroke_width(2 * width(one.design));
        area.draw(&PathElement::new(vec![(x, y), (x + 24, y)], style))?;
        area.draw(&Text::new(one.design.title, (x + 31, y), text(15.0)))?;
    }
    Ok(())
}

/// One panel. Both axes count in steps that are chosen here, so that each has a round label.
fn show<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    panel: &Panel,
    all: &[Series],
    load: Load,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let height = |value: f64| {
        if panel.log {
            value.max(1e-3).log10()
        } else {
            value
        }
    };
    let values = all
        .iter()
        .flat_map(|one| one.samples.iter().filter_map(panel.of));
    let (least, most) = values
        .map(height)
        .fold((f64::MAX, f64::MIN), |(least, most), value| {
            (least.min(value), most.max(value))
        });
    let steps = match (least > most, panel.log) {
        (true, _) => vec![0.0, 1.0], // there is nothing to show
        (false, true) => {
            let (from, to) = (least.floor() as i32, most.ceil() as i32);
            (from..=to.max(from + 1)).map(f64::from).collect()
        }
        (false, false) => even(most),
    };
    let label = |step: &f64| (panel.label)(if panel.log { 10_f64.powf(*step) } else { *step });

    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(24)
        .set_label_area_size(LabelAreaPosition::Left, 64)
        .set_label_area_size(LabelAreaPosition::Bottom, 26)
        .caption(panel.title, text(16.0))
        .build_cartesian_2d(Steps(even(load.seconds.into())), Steps(steps))?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(225, 225, 225))
        .axis_style(RGBColor(150, 150, 150))
        .label_style(text(14.0))
        .x_label_formatter(&|time| format!("{} s", (time * 10.0).round() / 10.0))
        .y_label_formatter(&label)
        .draw()?;
    // Those of the first designs lie on top.
    for one in all.iter().rev() {
        let points = one
            .samples
            .iter()
            .filter_map(|s| Some((s.time, height((panel.of)(s)?))));
        let style = one.design.colour.stroke_width(width(one.design));
        chart.draw_series(LineSeries::new(points, style))?;
    }
    Ok(())
}

/// An axis from the first to the last of its steps, with a label at each.
struct Steps(Vec<f64>);

impl Ranged for Steps {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let Range { start, end } = self.range();
        from + (f64::from(to - from) * (value - start) / (end - start)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.0.clone()
    }

    fn range(&self) -> Range<f64> {
        self.0[0]..self.0[self.0.len() - 1]
    }
}

/// From nothing to at least `most`, in five to ten steps of 1, 2 or 5 times a power of ten.
fn even(most: f64) -> Vec<f64> {
    let power = 10_f64.powf((most / 10.0).log10().ceil());
    let step = [power / 5.0, power / 2.0, power]
        .into_iter()
        .find(|step| most / step <= 10.0);
    let step = step.unwrap_or(power);
    let count = (most / step - 1e-9).ceil() as u32;
    (0..=count).map(|n| f64::from(n) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        assert_eq!(
            even(20.0),
            [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0]
        );
        assert_eq!(
            even(95.6),
            (0..=10).map(|n| f64::from(n) * 10.0).collect::<Vec<_>>()
        );
        assert_eq!(
            even(4.1),
            (0..=9).map(|n| f64::from(n) * 0.5).collect::<Vec<_>>()
        );
        assert_eq!(even(1.0).len(), 11);
    }
}
