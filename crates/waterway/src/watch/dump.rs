//! Every goroutine, in words.

use std::io;

use crate::rt::sched::{Runtime, started};

/// Writes every goroutine, and every plain thread that waits, to `out`: number, name, state and wait reason, for how long, where it
/// blocks, what it waits on and who holds that, and where it was spawned. Ten or more that are alike are told of together. Runs on
/// without stopping anyone, so goroutines that run are shown as of a moment.
///
/// # Errors
///
/// As `out` gives them.
///
/// ```
/// let mut text = Vec::new();
/// waterway::watch::dump(&mut text).unwrap();
/// ```
///
/// Go: `pprof.Lookup("goroutine").WriteTo(w, 1)`.
pub fn dump(out: &mut dyn io::Write) -> io::Result<()> {
    Dump::new().write(out)
}

/// A dump with more or less in it.
///
/// ```
/// let mut text = Vec::new();
/// waterway::watch::Dump::new().backtraces(true).grouped(false).write(&mut text).unwrap();
/// ```
///
/// Go: `pprof.Lookup("goroutine").WriteTo(w, 2)`.
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is written before `write`"]
pub struct Dump {
    backtraces: bool,
    grouped: bool,
}

impl Default for Dump {
    fn default() -> Dump {
        Dump::new()
    }
}

impl Dump {
    /// As [`dump`] writes it.
    pub fn new() -> Dump {
        Dump {
            backtraces: false,
            grouped: true,
        }
    }

    /// Whether the frames of each goroutine that waits are told. Their stacks are read without running them. The first such dump of a
    /// program loads its debug information, which may take a second.
    pub fn backtraces(mut self, on: bool) -> Dump {
        self.backtraces = on;
        self
    }

    /// Whether goroutines that are alike are told of together.
    pub fn grouped(mut self, on: bool) -> Dump {
        self.grouped = on;
        self
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// As `out` gives them.
    ///
    /// # Blocking
    ///
    /// Never parks, unless `out` does.
    pub fn write(self, out: &mut dyn io::Write) -> io::Result<()> {
        let snapshot = super::snapshot::take(started(), self.backtraces);
        write!(out, "{}", snapshot.text().grouped(self.grouped))
    }
}

/// The whole dump.
pub(super) fn text(rt: &Runtime) -> String {
    super::snapshot::take(Some(rt), false).to_string()
}
