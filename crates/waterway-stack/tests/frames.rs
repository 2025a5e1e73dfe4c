//! The check of frames, with real thread-locals.

use std::cell::Cell;

use waterway_stack::{BadFrame, FrameKind, check_frames};

/// The whole address space below the caller's caller counts as the stack here.
fn check() -> Option<BadFrame> {
    let here = 0u8;
    let here = &raw const here as usize;
    check_frames(here - 16384..here + 500_000)
}

/// Calls itself `depth` times, then checks.
#[inline(never)]
fn check_below(depth: usize) -> Option<BadFrame> {
    if depth == 0 {
        return check();
    }
    let found = check_below(depth - 1);
    std::hint::black_box(depth);
    found
}

#[test]
fn an_initialiser_of_a_thread_local_is_found() {
    thread_local!(static MADE: Option<BadFrame> = check());
    thread_local!(static WITH_DROP: (Option<BadFrame>, String) = (check(), String::new()));
    for found in [MADE.with(|m| m.clone()), WITH_DROP.with(|w| w.0.clone())] {
        assert_eq!(found.expect("found").kind, FrameKind::TlsInitialiser);
    }
}

#[test]
fn a_scoped_thread_local_is_found() {
    scoped_tls::scoped_thread_local!(static SCOPED: u32);
    let found = SCOPED.set(&1, check).expect("found");
    assert_eq!(found.kind, FrameKind::ScopedTls);
    assert!(
        found.to_string().contains("scoped_tls::ScopedKey"),
        "{found}"
    );
}

#[test]
fn a_scope_far_down_the_stack_is_found() {
    scoped_tls::scoped_thread_local!(static SCOPED: u32);
    let found = SCOPED.set(&1, || check_below(400)).expect("found");
    assert_eq!(found.kind, FrameKind::ScopedTls);
}

#[test]
fn using_a_thread_local_that_is_there_is_fine() {
    thread_local!(static LAZY: Cell<u32> = Cell::new(std::process::id()));
    thread_local!(static CONST: Cell<u32> = const { Cell::new(0) });
    LAZY.with(|l| l.get());
    assert_eq!(LAZY.with(|_| check()), None);
    assert_eq!(CONST.with(|_| check()), None);
    assert_eq!(check(), None);
}
