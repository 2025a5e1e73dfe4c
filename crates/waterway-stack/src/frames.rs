//! The debug check of a park: is there a frame below that must not be parked in?
//!
//! Two kinds of frames are looked for: the initialiser of a `thread_local!`, and functions that set a scoped
//! thread-local for the time of a call. A sibling goroutine on the same thread would see the one half made, the other
//! wrongly set. Names are looked up once for each return address.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// What is wrong with parking in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// It initialises a thread-local.
    TlsInitialiser,
    /// It has set a scoped thread-local, and will set it back.
    ScopedTls,
}

/// A frame that must not be parked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFrame {
    /// The function's name.
    pub function: String,
    /// What is wrong with it.
    pub kind: FrameKind,
}

impl fmt::Display for BadFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            FrameKind::TlsInitialiser => "the initialiser of a thread-local",
            FrameKind::ScopedTls => "a scope that has set a thread-local",
        };
        write!(f, "{kind} ({})", self.function)
    }
}

/// Parts of function names, all of which must be there, by crate.
const KNOWN: &[(&[&str], FrameKind)] = &[
    (
        &["std::sys::thread_local", "Storage<", "initialize"],
        FrameKind::TlsInitialiser,
    ),
    (
        &["std::sys::thread_local", "Storage<", "get_or_init"],
        FrameKind::TlsInitialiser,
    ),
    (&["scoped_tls::ScopedKey<", "::set"], FrameKind::ScopedTls),
    (&["scoped_tls_hkt::", "::set"], FrameKind::ScopedTls),
    (&["better_scoped_tls::", "::set"], FrameKind::ScopedTls),
    (
        &["tokio::runtime::context::scoped::Scoped<", "::set"],
        FrameKind::ScopedTls,
    ),
    (
        &["tokio::runtime::context::runtime::enter_runtime"],
        FrameKind::ScopedTls,
    ),
    (
        &["rayon_core::registry::WorkerThread", "set_current"],
        FrameKind::ScopedTls,
    ),
];

type Verdict = Option<BadFrame>;

static SEEN: Mutex<Option<HashMap<usize, Verdict>>> = Mutex::new(None);

/// Looks through the frames of the calling stack, which lies in `stack`, down to its first one.
pub fn check_frames(stack: Range<usize>) -> Option<BadFrame> {
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let seen = seen.get_or_insert_with(HashMap::new);
    let mut bad = None;
    let mut walk = |frame: &backtrace::Frame| {
        if !stack.contains(&(frame.sp() as usize)) {
            return false;
        }
        let ip = frame.ip() as usize;
        bad = seen.entry(ip).or_insert_with(|| judge(ip)).clone();
        bad.is_none()
    };
    // SAFETY: only frames are read; the unwinder itself may be used from several threads.
    unsafe { backtrace::trace_unsynchronized(&mut walk) };
    bad
}

/// Loads what names are looked up in, which takes a tenth of a second in a debug build: not in the first park, where it would
/// hold a worker.
pub fn load_names() {
    judge(load_names as *const () as usize + 1);
}

/// What the function at a return address is, inlined ones included.
fn judge(ip: usize) -> Verdict {
    let mut bad = None;
    // The call is what counts, not where it returns to.
    backtrace::resolve(ip.saturating_sub(1) as *mut _, |symbol| {
        let Some(name) = symbol.name() else { return };
        let function = format!("{name:#}");
        let known = KNOWN
            .iter()
            .find(|(parts, _)| parts.iter().all(|part| function.contains(part)));
        if let Some((_, kind)) = known {
            bad = Some(BadFrame {
                function,
                kind: *kind,
            });
        }
    });
    bad
}
