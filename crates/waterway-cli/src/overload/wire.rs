//! What a design's process tells, a line of JSON at a time. Go's program writes the same lines.

use serde::{Deserialize, Serialize};

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    Sample(Sample),
    End(End),
}

/// How things stand at one moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds since the start.
    pub time: f64,
    /// Bytes: resident pages and the page tables that map them.
    pub memory: u64,
    /// Goroutines that live, those of producer and server among them.
    pub goroutines: u64,
    /// Items that were taken in and not served yet.
    pub queue: u64,
    /// The median time, in milliseconds, that the items served since the last sample had waited; none if none was.
    pub p50_ms: Option<f64>,
    /// The same for the 99th percentile.
    pub p99_ms: Option<f64>,
    /// Items that have come in.
    pub sent: u64,
    /// Items that were served.
    pub received: u64,
    /// Items that were given up.
    pub shed: Shed,
    /// Items that their senders have got back.
    pub returned: Returned,
}

/// Items that were given up, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shed {
    /// There was no room in the buffer.
    pub full: u64,
    /// It had waited for too long.
    pub late: u64,
}

impl Shed {
    pub fn total(self) -> u64 {
        self.full + self.late
    }
}

/// Items that their senders got back, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// The channel was full, or the gate was.
    pub refused: u64,
    /// They still waited when the channel closed.
    pub closed: u64,
}

impl Returned {
    pub fn total(self) -> u64 {
        self.refused + self.closed
    }
}

/// What became of all items, counted one by one after the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct End {
    /// Items that came in.
    pub sent: u64,
    /// Items that were served.
    pub received: u64,
    /// Those among them that had waited for less than [`IN_TIME`].
    pub in_time: u64,
    /// Items that were still in the buffer.
    pub queue: u64,
    /// Items that were given up.
    pub shed: Shed,
    /// Items that their senders got back.
    pub returned: Returned,
    /// The median and the 99th percentile, in milliseconds, of the time that served items had waited.
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
}

/// Who is served later than this has given up: it is no use.
pub const IN_TIME: std::time::Duration = std::time::Duration::from_millis(100);

impl End {
    /// Each item has one fate. As an error, the sum that does not come out.
    pub fn conserved(&self) -> Result<(), String> {
        let fates = self.received + self.queue + self.shed.total() + self.returned.total();
        if self.sent == fates {
            return Ok(());
        }
        Err(format!(
            "{} items were sent, and {fates} accounted for: {} received + {} in queue + {} shed + {} returned",
            self.sent,
            self.received,
            self.queue,
            self.shed.total(),
            self.returned.total()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_are_written() {
        let text = r#"{"end":{"sent":10,"received":1,"in_time":1,"queue":2,"shed":{"full":3,"late":0},"returned":{"refused":1,"closed":3},"p50_ms":1.5,"p99_ms":null}}"#;
        let Ok(Line::End(mut end)) = serde_json::from_str(text) else {
            panic!("no end in {text}");
        };
        assert_eq!(end.conserved(), Ok(()));
        assert_eq!(
            serde_json::to_string(&Line::End(end.clone())).unwrap(),
            text
        );
        end.returned.closed -= 1;
        let why = end.conserved().unwrap_err();
        assert!(
            why.starts_with("10 items were sent, and 9 accounted for"),
            "{why}"
        );
    }
}
