//! The text form of Prometheus (version 0.0.4).

use std::fmt::{Display, Write};

/// So many series of a family are told, the largest first.
pub(crate) const MOST_SERIES: usize = 1000;

/// Families of series, each with its head.
pub(crate) struct Families(String);

impl Families {
    pub(crate) fn new() -> Families {
        Families(String::new())
    }

    pub(crate) fn text(self) -> String {
        self.0
    }

    pub(crate) fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    pub(crate) fn series(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (nth, (label, text)) in labels.iter().enumerate() {
            self.0.push_str(if nth == 0 { "{" } else { "," });
            let _ = write!(self.0, "{label}=\"{}\"", escaped(text));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }

    /// A family of one series without labels.
    pub(crate) fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help);
        self.series(name, &[], value);
    }
}

/// The text of a label's value.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out
}

/// One line of the text.
#[cfg(test)]
#[derive(Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
}

#[cfg(test)]
pub(crate) use reader::parsed;

#[cfg(test)]
mod reader;
