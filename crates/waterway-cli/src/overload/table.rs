//! The table at the end: Markdown that is aligned, so it reads well on a terminal too.

use super::race::Series;
use super::settings::Load;
use super::summary::Summary;
use super::units::{count, mib, percent, wait};
use super::wire::End;

/// Memory that drifts no further is flat.
const FLAT: f64 = 0.05;

/// A row of the table: its name, and what it says of a design.
type Row = (&'static str, fn(&Summary, &End) -> String);

const ROWS: [Row; 17] = [
    ("memory at the end", |s, _| mib(s.memory as f64)),
    ("growth since the warm-up", |s, _| mib(s.grown as f64)),
    ("growth a second", |s, _| {
        format!("{:.1} KiB", s.growth / 1024.0)
    }),
    ("as a straight line, r²", |s, _| match s.drift <= FLAT {
        true => "flat".into(),
        false => format!("{:.3}", s.straight),
    }),
    ("drift in the last half, at most", |s, _| percent(s.drift)),
    ("goroutines at the end", |s, _| count(s.goroutines)),
    ("wait, median", |_, e| wait(e.p50_ms)),
    ("wait, p99", |_, e| wait(e.p99_ms)),
    ("wait, median at the end", |s, _| wait(s.last_p50_ms)),
    ("goodput of capacity", |s, _| percent(s.goodput)),
    ("sent", |_, e| count(e.sent)),
    ("= received", |_, e| count(e.received)),
    ("+ in queue", |_, e| count(e.queue)),
    ("+ shed: full", |_, e| count(e.shed.full)),
    ("+ shed: late", |_, e| count(e.shed.late)),
    ("+ returned: refused", |_, e| count(e.returned.refused)),
    ("+ returned: closed", |_, e| count(e.returned.closed)),
];

/// The table, and below it what each design is and what went wrong.
pub fn text(all: &[Series], load: Load) -> String {
    let summaries: Vec<_> = all
        .iter()
        .filter_map(|one| Some((one.design, Summary::of(one, load)?)))
        .collect();
    let mut text = String::new();
    if !summaries.is_empty() {
        let mut rows = vec![vec![String::new()]];
        rows[0].extend(summaries.iter().map(|(design, _)| design.title.to_string()));
        rows.extend(ROWS.iter().map(|(name, says)| {
            let mut row = vec![name.to_string()];
            row.extend(
                summaries
                    .iter()
                    .map(|(_, (summary, end))| says(summary, end)),
            );
            row
        }));
        text += &aligned(&rows);
        text += "\n";
    }
    for one in all {
        text += &format!("{}: {}.\n", one.design.title, (one.design.how)(load));
        if let Some(why) = &one.failed {
            text += &format!("{}: FAILED: {why}\n", one.design.title);
        }
        text += &short(one, load);
    }
    text
}

/// Says so where fewer items came in than were asked for.
fn short(series: &Series, load: Load) -> String {
    let wanted = u64::from(load.rate_in) * u64::from(load.seconds);
    match &series.end {
        Some(end) if end.sent < wanted / 100 * 99 => format!(
            "{}: only {} of {} items came in: this machine is too slow for that rate.\n",
            series.design.title,
            count(end.sent),
            count(wanted)
        ),
        _ => String::new(),
    }
}

/// The first column to the left, figures to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..rows[0].len())
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            text += &match column {
                0 => format!("| {cell:<width$} |"),
                _ => format!(" {cell:>width$} |"),
            };
        }
        text.push('\n');
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                text += &match column {
                    0 => format!("| {} |", "-".repeat(*width)),
                    _ => format!(" {}: |", "-".repeat(width - 1)),
                };
            }
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [["", "one"], ["name µ", "1,234"]].map(|row| row.map(String::from).to_vec());
        assert_eq!(
            aligned(&rows),
            "|        |   one |\n| ------ | ----: |\n| name µ | 1,234 |\n"
        );
    }
}
