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
    ///
    /// ```
    /// let (tx, rx) = waterway::chan::<()>(0);
    /// waterway::Builder::new().name("waits").go(move || rx.recv());
    /// while tx.statistics().waiting_receivers == 0 {
    ///     waterway::yield_now();
    /// }
    /// let mut text = Vec::new();
    /// waterway::watch::Dump::new().write(&mut text).unwrap();
    /// assert!(String::from_utf8(text).unwrap().contains("waits"));
    /// ```
    ///
    /// Go: none; `runtime.Stack` has one form.
    pub fn new() -> Dump {
        Dump {
            backtraces: false,
            grouped: true,
        }
    }

    /// Whether the frames of each goroutine that waits are told. Their stacks are read without running them. The first such dump of a
    /// program loads its debug information, which may take a second.
    ///
    /// ```
    /// use waterway::{Receiver, chan, go, watch::Dump, yield_now};
    ///
    /// #[inline(never)]
    /// fn attend(rx: Receiver<()>) {
    ///     let _ = rx.recv();
    /// }
    ///
    /// let (_tx, rx) = chan(0);
    /// go(|| attend(rx));
    /// let told = || {
    ///     let mut text = Vec::new();
    ///     Dump::new().backtraces(true).write(&mut text).unwrap();
    ///     String::from_utf8(text).unwrap().contains("attend")
    /// };
    /// // Until it waits.
    /// while !told() {
    ///     yield_now();
    /// }
    /// ```
    ///
    /// Go: `debug=2` of `net/http/pprof`, and `runtime.Stack`.
    pub fn backtraces(mut self, on: bool) -> Dump {
        self.backtraces = on;
        self
    }

    /// Whether goroutines that are alike are told of together.
    ///
    /// ```
    /// use waterway::{chan, go, watch::Dump, yield_now};
    /// let (tx, rx) = chan::<()>(0);
    /// let all: Vec<_> = (0..20).map(|_| rx.clone()).map(|rx| go(move || rx.recv())).collect();
    /// while tx.statistics().waiting_receivers < all.len() {
    ///     yield_now();
    /// }
    /// let lines = |grouped: bool| {
    ///     let mut text = Vec::new();
    ///     Dump::new().grouped(grouped).write(&mut text).unwrap();
    ///     String::from_utf8(text).unwrap().lines().count()
    /// };
    /// assert!(lines(true) < lines(false));
    /// ```
    ///
    /// Go: `debug=1` and `debug=2` of `net/http/pprof`.
    pub fn grouped(mut self, on: bool) -> Dump {
        self.grouped = on;
        self
    }

    /// Writes it.
    ///
    /// ```
    /// let (tx, rx) = waterway::chan::<()>(0);
    /// waterway::Builder::new().name("waits").go(move || rx.recv());
    /// while tx.statistics().waiting_receivers == 0 {
    ///     waterway::yield_now();
    /// }
    /// let mut text = Vec::new();
    /// waterway::watch::Dump::new().write(&mut text).unwrap();
    /// assert!(String::from_utf8(text).unwrap().contains("waits"));
    /// ```
    ///
    /// # Errors
    ///
    /// As `out` gives them.
    ///
    /// # Blocking
    ///
    /// Never parks, unless `out` does.
    ///
    /// Go: `pprof.Lookup("goroutine").WriteTo`.
    pub fn write(self, out: &mut dyn io::Write) -> io::Result<()> {
        let snapshot = super::snapshot::take(started(), self.backtraces);
        write!(out, "{}", snapshot.text().grouped(self.grouped))
    }
}

/// The whole dump.
pub(super) fn text(rt: &Runtime) -> String {
    super::snapshot::take(Some(rt), false).to_string()
}
