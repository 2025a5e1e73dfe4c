//! Looks that are made up.

use super::*;
use crate::rt::record::WaitReason;

const MS: u64 = 1_000_000;
const WINDOW: u64 = 1_000 * MS;

/// Those numbered from `first` on; all wait.
fn seen(first: u64, live: u64) -> SeenSite {
    SeenSite {
        ids: (first..first + live).collect(),
        blocked: live as usize,
        waits: Some(WaitsAt {
            reason: WaitReason::ChanSend,
            at: Location::caller(),
        }),
    }
}

fn track() -> SiteTrack {
    SiteTrack::new(Location::caller(), None)
}

/// Looks every 10 ms, for so many milliseconds, at those that live then. The states that it changed to.
fn run(
    track: &mut SiteTrack,
    from: u64,
    lasting: u64,
    look: impl Fn(u64) -> SeenSite,
) -> Vec<FlowState> {
    let mut states = Vec::new();
    for ms in (from..from + lasting).step_by(10) {
        if track.add(ms * MS, look(ms), WINDOW) {
            states.push(track.state);
        }
    }
    states
}

#[test]
fn more_that_are_spawned_than_end_are_growth() {
    // 1,000 a second are spawned, 100 a second end, the oldest first.
    let look = |ms: u64| seen(ms / 10, 1 + ms - ms / 10);
    let mut track = track();
    assert_eq!(run(&mut track, 0, 2000, look), [FlowState::Growing]);
    let report = track.report().unwrap();
    assert!((report.rate_spawned - 1000.0).abs() < 20.0, "{report:?}");
    assert!((report.rate_ended - 100.0).abs() < 2.0, "{report:?}");
    assert_eq!((report.live, report.blocked), (1792, 1792));
    let text = report.to_string();
    for part in [
        " is growing: over 1.0 s ",
        "; 1792 live, 1792 of them wait, one of them [chan send] at ",
        "; they would have to end 10.0 times as fast",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn twenty_a_second_that_stay_are_growth() {
    let look = |ms: u64| seen(0, 1 + ms / 50);
    let mut track = track();
    assert_eq!(run(&mut track, 0, 3000, look), [FlowState::Growing]);
    let report = track.report().unwrap();
    assert_eq!((report.factor, report.rate_ended), (None, 0.0));
}

#[test]
fn what_comes_and_goes_is_none() {
    // All are others at each look, and as many.
    let mut steady = track();
    let look = |ms: u64| seen(ms * 100, 50);
    assert_eq!(run(&mut steady, 0, 5000, look), []);
    let report = steady.report().unwrap();
    assert_eq!(report.rate_spawned, report.rate_ended);
    assert_eq!(report.rate_spawned, 5000.0);
    // More and fewer, by chance, and in waves.
    let mut noisy = track();
    let look = |ms: u64| seen(0, 100 + ms.wrapping_mul(2_654_435_761) % 4_294_967_296 % 40);
    assert_eq!(run(&mut noisy, 0, 30_000, look), []);
    let mut waves = track();
    let look = |ms: u64| seen(0, 10 + ms % 500);
    assert_eq!(run(&mut waves, 0, 30_000, look), []);
}

#[test]
fn a_crowd_that_stands_is_no_growth_any_more() {
    let grows = |ms: u64| seen(0, ms.min(3000));
    let mut one = track();
    let states = run(&mut one, 0, 6000, grows);
    assert_eq!(states, [FlowState::Growing, FlowState::Balanced]);
    // Nor is one that then goes up and down.
    let noisy = |ms: u64| match ms {
        ..3000 => seen(0, ms),
        _ => seen(0, 3000 - ms / 10 % 2),
    };
    let mut other = track();
    let states = run(&mut other, 0, 6000, noisy);
    assert_eq!(states, [FlowState::Growing, FlowState::Balanced]);
}

#[test]
fn it_is_followed_until_nobody_was_there_for_a_window() {
    let mut track = track();
    run(&mut track, 0, 2000, |ms| seen(0, ms));
    assert_eq!(track.state, FlowState::Growing);
    let gone = |_| SeenSite::default();
    assert_eq!(run(&mut track, 2000, 950, gone), [FlowState::Balanced]);
    assert!(!track.is_over());
    run(&mut track, 2950, 100, gone);
    assert!(track.is_over());
    assert_eq!(track.report().unwrap().most_live, 1990);
}

#[test]
fn a_site_that_was_not_there_has_spawned_all_that_live() {
    let mut track = SiteTrack::new(Location::caller(), Some(0));
    track.add(10 * MS, seen(5, 3), WINDOW);
    assert_eq!(track.report().unwrap().rate_spawned, 300.0);
}

#[test]
fn numbers_in_both_lists_are_counted() {
    for (one, other, both) in [
        (&[][..], &[][..], 0),
        (&[1, 2, 3], &[], 0),
        (&[1, 3, 5], &[2, 4, 6], 0),
        (&[1, 3, 5, 9], &[0, 3, 4, 9], 2),
        (&[7], &[7], 1),
    ] {
        assert_eq!((in_both(one, other), in_both(other, one)), (both, both));
    }
}
