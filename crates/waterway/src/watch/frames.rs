//! Frames of goroutines that wait: addresses first, read while a lock is held, and names later, once for each address.

use std::collections::HashMap;

use waterway_snapshot::{Frame, Goroutine, Site};
use waterway_stack::{Unwinder, lines_at};

use crate::rt::facts::StackCopy;

/// What addresses of code are called.
pub(super) struct Names {
    unwinder: Unwinder,
    known: HashMap<u64, Vec<Frame>>,
}

impl Names {
    pub(super) fn new() -> Names {
        Names {
            unwinder: Unwinder::new(),
            known: HashMap::new(),
        }
    }

    /// The frames of a stack, `most` at most, by address alone.
    pub(super) fn frames(&mut self, copy: &StackCopy, most: usize) -> Vec<Frame> {
        let ips = self.unwinder.frames(copy.sp, &copy.bytes, most);
        // An address that a call returns to is that of the line after it.
        let call = |ip: usize| Frame {
            address: ip as u64 - 1,
            ..Frame::default()
        };
        ips.into_iter().map(call).collect()
    }

    /// Replaces addresses by functions and lines, and leaves out what is the runtime's own: all but the blocking call itself, and what
    /// started the goroutine.
    pub(super) fn resolve(&mut self, goroutines: &mut [Goroutine]) {
        let raw = |frame: &Frame| frame.function.is_none() && frame.at.is_none();
        for goroutine in goroutines {
            if goroutine.frames.iter().all(raw) {
                let frames = std::mem::take(&mut goroutine.frames);
                let named = frames.iter().flat_map(|frame| self.names(frame.address));
                goroutine.frames = own_part(named.collect());
            }
        }
    }

    fn names(&mut self, address: u64) -> Vec<Frame> {
        let named = || {
            let lines = lines_at(address as usize).into_iter();
            let frames = lines.map(|line| Frame {
                address,
                function: line.function,
                at: line.file.map(|file| Site {
                    file: file.into(),
                    line: line.line,
                    column: 0,
                }),
            });
            frames.collect()
        };
        self.known.entry(address).or_insert_with(named).clone()
    }
}

/// The part of a stack that is the program's.
fn own_part(mut frames: Vec<Frame>) -> Vec<Frame> {
    let first = |frame: &Frame| named(frame, "__rust_begin_short_backtrace");
    if let Some(first) = frames.iter().position(first) {
        frames.truncate(first);
    }
    let inside = frames.iter().take_while(|frame| !is_users(frame)).count();
    let call = frames[..inside].iter().rposition(is_runtimes);
    frames.drain(..call.unwrap_or(0));
    frames
}

/// Where the source of this crate is, as debug information has it: where that is sparse, names are without paths.
const SOURCE: &str = match file!().as_bytes().split_last_chunk::<15>() {
    Some((source, b"watch/frames.rs")) => match str::from_utf8(source) {
        Ok(source) => source,
        Err(_) => panic!(),
    },
    _ => panic!(),
};

fn named(frame: &Frame, part: &str) -> bool {
    let name = frame.function.as_deref();
    name.is_some_and(|name| name.contains(part))
}

fn is_runtimes(frame: &Frame) -> bool {
    let name = frame.function.as_deref().unwrap_or_default();
    let (name, file) = (name.trim_start_matches('<'), frame.at.as_ref());
    name.starts_with("waterway::") || file.is_some_and(|at| at.file.contains(SOURCE))
}

fn is_users(frame: &Frame) -> bool {
    let below = |file: &str| {
        let mut parts = ["/rustc/", "waterway-stack", "corosensei"].iter();
        parts.any(|part| file.contains(part))
    };
    let file = frame.at.as_ref();
    !is_runtimes(frame)
        && !named(frame, "corosensei::")
        && !named(frame, "waterway_stack::")
        && !file.is_some_and(|at| below(&at.file))
}
