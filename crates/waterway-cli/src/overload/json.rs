//! The series as JSON. `docs/overload.md` says what each field means.

use std::fs;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::race::Series;
use super::settings::OverloadArgs;
use super::summary::Summary;
use super::wire::IN_TIME;

/// Writes the series where they are wanted, if they are.
pub fn write(args: &OverloadArgs, all: &[Series]) -> Result<(), String> {
    let Some(file) = &args.json else {
        return Ok(());
    };
    let text = format!("{}\n", document(args, all));
    let written = match args.json_on_stdout() {
        true => io::stdout().write_all(text.as_bytes()),
        false => fs::write(file, text),
    };
    written.map_err(|error| format!("--json {}: {error}", file.display()))
}

fn document(args: &OverloadArgs, all: &[Series]) -> Value {
    let load = args.load;
    let designs = all.iter().map(|one| {
        let summary = Summary::of(one, load).map(|(summary, _)| summary);
        json!({
            "id": one.design.id,
            "title": one.design.title,
            "how": (one.design.how)(load),
            "samples": one.samples,
            "end": one.end,
            "summary": summary,
            "failed": one.failed,
        })
    });
    json!({
        "rate_in": load.rate_in,
        "rate_out": load.rate_out,
        "seconds": load.seconds,
        "in_time_ms": IN_TIME.as_millis() as u64,
        "designs": designs.collect::<Vec<_>>(),
    })
}
