//! All goroutines as a profile that `go tool pprof` reads: the messages of `profile.proto` that it needs, packed by gzip.

use std::collections::HashMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;
use waterway_snapshot::{Frame, Goroutine, Site, Snapshot};

#[derive(Clone, PartialEq, Message)]
struct Profile {
    #[prost(message, repeated, tag = "1")]
    sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    sample: Vec<Sample>,
    #[prost(message, repeated, tag = "4")]
    location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    function: Vec<Function>,
    #[prost(string, repeated, tag = "6")]
    string_table: Vec<String>,
    #[prost(int64, tag = "9")]
    time_nanos: i64,
    #[prost(message, optional, tag = "11")]
    period_type: Option<ValueType>,
    #[prost(int64, tag = "12")]
    period: i64,
}

/// Kind and unit, as numbers of strings.
#[derive(Clone, PartialEq, Message)]
struct ValueType {
    #[prost(int64, tag = "1")]
    kind: i64,
    #[prost(int64, tag = "2")]
    unit: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    /// Innermost first.
    #[prost(uint64, repeated, tag = "1")]
    location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    value: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    label: Vec<Label>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(int64, tag = "1")]
    key: i64,
    #[prost(int64, tag = "2")]
    text: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Location {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(message, repeated, tag = "4")]
    line: Vec<Line>,
}

#[derive(Clone, PartialEq, Message)]
struct Line {
    #[prost(uint64, tag = "1")]
    function_id: u64,
    #[prost(int64, tag = "2")]
    line: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Function {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(int64, tag = "2")]
    name: i64,
    #[prost(int64, tag = "3")]
    system_name: i64,
    #[prost(int64, tag = "4")]
    filename: i64,
}

/// The profile, packed: how many goroutines stand at each stack. What has no frames is shown by its state; the outermost line of each stack is the one that
/// spawned the goroutine. The labels `state` and `name` tell them apart.
pub(super) fn profile(snapshot: &Snapshot) -> Vec<u8> {
    let mut tables = Tables::default();
    tables.text("");
    let of = ValueType {
        kind: tables.text("goroutine"),
        unit: tables.text("count"),
    };
    let mut counts: HashMap<(Vec<u64>, i64, i64), i64> = HashMap::new();
    for goroutine in &snapshot.goroutines {
        let key = (
            tables.stack(goroutine),
            tables.text(state(goroutine)),
            tables.text(goroutine.name.as_deref().unwrap_or_default()),
        );
        *counts.entry(key).or_default() += 1;
    }
    let (state, name) = (tables.text("state"), tables.text("name"));
    let mut samples: Vec<Sample> = counts
        .into_iter()
        .map(|((location_id, of_state, of_name), count)| {
            let named = (of_name != 0).then_some((name, of_name));
            let labels = [Some((state, of_state)), named].into_iter().flatten();
            Sample {
                location_id,
                value: vec![count],
                label: labels.map(|(key, text)| Label { key, text }).collect(),
            }
        })
        .collect();
    samples.sort_by(|a, b| {
        b.value
            .cmp(&a.value)
            .then(a.location_id.cmp(&b.location_id))
    });
    let profile = Profile {
        sample_type: vec![of.clone()],
        sample: samples,
        location: tables.locations,
        function: tables.functions,
        string_table: tables.strings,
        time_nanos: i64::try_from(snapshot.unix_ms.saturating_mul(1_000_000)).unwrap_or(0),
        period_type: Some(of),
        period: 1,
    };
    packed(&profile.encode_to_vec())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let done = gzip.write_all(bytes).and_then(|()| gzip.finish());
    done.expect("a vector takes all that is written")
}

fn state(goroutine: &Goroutine) -> &str {
    match &goroutine.wait {
        Some(wait) => &wait.reason,
        None => goroutine.state.text(),
    }
}

/// Strings, functions and locations, each once.
#[derive(Default)]
struct Tables {
    strings: Vec<String>,
    numbers: HashMap<String, i64>,
    functions: Vec<Function>,
    locations: Vec<Location>,
    known: HashMap<(i64, i64, u32), u64>,
}

impl Tables {
    /// The number of a string.
    fn text(&mut self, text: &str) -> i64 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.strings.len() as i64;
        self.strings.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }

    /// The locations of a goroutine's stack, innermost first.
    fn stack(&mut self, goroutine: &Goroutine) -> Vec<u64> {
        let mut stack: Vec<u64> = goroutine.frames.iter().map(|f| self.frame(f)).collect();
        if stack.is_empty() {
            let name = format!("[{}]", state(goroutine));
            let at = goroutine.wait.as_ref().map(|wait| &wait.at);
            stack.push(self.location(&name, at));
        }
        let at = &goroutine.spawned_at;
        stack.push(self.location(&format!("go at {at}"), Some(at)));
        stack
    }

    fn frame(&mut self, frame: &Frame) -> u64 {
        match &frame.function {
            Some(function) => self.location(function, frame.at.as_ref()),
            None => self.location(&format!("{:#x}", frame.address), frame.at.as_ref()),
        }
    }

    fn location(&mut self, function: &str, at: Option<&Site>) -> u64 {
        let (name, line) = (self.text(function), at.map_or(0, |at| at.line));
        let filename = self.text(at.map_or("", |at| &at.file));
        if let Some(id) = self.known.get(&(name, filename, line)) {
            return *id;
        }
        let function_id = self.functions.len() as u64 + 1;
        self.functions.push(Function {
            id: function_id,
            name,
            system_name: name,
            filename,
        });
        let id = self.locations.len() as u64 + 1;
        let line_of = Line {
            function_id,
            line: i64::from(line),
        };
        self.locations.push(Location {
            id,
            line: vec![line_of],
        });
        self.known.insert((name, filename, line), id);
        id
    }
}
