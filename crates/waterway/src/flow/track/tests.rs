//! Looks that are made up.

use super::*;

const MS: u64 = 1_000_000;
const WINDOW: u64 = 1_000 * MS;

fn seen(capacity: Option<usize>, put: u64, taken: u64, senders: usize, receivers: usize) -> Seen {
    Seen {
        id: 7,
        name: Some("jobs".into()),
        made_at: Location::caller(),
        capacity,
        put,
        taken,
        counts: ByCause::default(),
        waits: Waits {
            senders,
            receivers,
            ..Waits::default()
        },
    }
}

/// Looks every 10 ms, for so many milliseconds. The states that it changed to.
fn run(track: &mut Track, from: u64, lasting: u64, look: impl Fn(u64) -> Seen) -> Vec<FlowState> {
    let mut states = Vec::new();
    for ms in (from..from + lasting).step_by(10) {
        if track.add(ms * MS, &look(ms), WINDOW) {
            states.push(track.state);
        }
    }
    states
}

#[test]
fn rates_and_what_would_balance_them() {
    // 1,000 a second come, 100 go; the rest is refused once 100 are in.
    let look = |ms: u64| {
        let mut seen = seen(Some(100), 100 + ms / 10, ms / 10, 0, 0);
        seen.counts.refused = ms * 9 / 10;
        seen
    };
    let mut track = Track::new(&look(0));
    assert_eq!(run(&mut track, 0, 2000, look), [FlowState::ReaderBound]);
    let report = track.report().unwrap();
    assert!((report.rate_in - 100.0).abs() < 2.0 && (report.rate_out - 100.0).abs() < 2.0);
    assert!((report.rate_shed - 900.0).abs() < 20.0);
    assert!((report.factor.unwrap() - 10.0).abs() < 0.2);
    assert_eq!((report.len, report.high_water), (100, 100));
    let text = report.to_string();
    assert!(text.contains(r#"channel 7 "jobs", made at "#), "{text}");
    assert!(
        text.contains("readers would need 10.0 times the rate"),
        "{text}"
    );
    // Each value waits behind 100 others, which take a second; the window shows no longer.
    let time = report.time_in_queue.unwrap();
    assert!(time.p99 > Duration::from_millis(900), "{time:?}");
}

#[test]
fn senders_that_are_held_back_do_not_say_how_much_would_come() {
    // One more came in than went out, and the sender waits.
    let look = |ms: u64| seen(Some(100), 100 + ms / 10 + ms / 900, ms / 10, 12, 0);
    let mut track = Track::new(&look(0));
    assert_eq!(run(&mut track, 0, 2000, look), [FlowState::ReaderBound]);
    let report = track.report().unwrap();
    assert!(report.factor.unwrap() < 1.05, "{report:?}");
    let text = report.to_string();
    let end = "; senders are held back, so how much more would come is not known";
    assert!(text.ends_with(end), "{text}");
    assert!(!text.contains("would need"), "{text}");
}

#[test]
fn senders_that_pile_up_are_a_backlog() {
    // A goroutine for each item on an unbuffered channel.
    let look = |ms: u64| seen(Some(0), ms / 10, ms / 10, 1 + (ms - ms / 10) as usize, 0);
    let mut track = Track::new(&look(0));
    assert_eq!(run(&mut track, 0, 1500, look), [FlowState::ReaderBound]);
    let factor = track.report().unwrap().factor.unwrap();
    assert!((factor - 10.0).abs() < 0.3, "{factor}");
}

#[test]
fn a_backlog_without_limit_that_grows_is_seen() {
    let look = |ms: u64| seen(None, ms, ms / 2, 0, 0);
    let mut track = Track::new(&look(0));
    assert_eq!(run(&mut track, 0, 1500, look), [FlowState::ReaderBound]);
    assert_eq!(track.report().unwrap().until_full, None);
}

#[test]
fn a_backlog_without_limit_that_grows_slowly_is_seen() {
    // Twenty a second: in most looks no more than in the one before.
    let look = |ms: u64| seen(None, ms / 50, 0, 0, 0);
    let mut track = Track::new(&look(0));
    assert_eq!(run(&mut track, 0, 3000, look), [FlowState::ReaderBound]);
}

#[test]
fn a_backlog_that_goes_up_and_down_is_balanced_also_after_it_grew() {
    let look = |ms: u64| match ms {
        ..2000 => seen(None, ms, ms / 2, 0, 0),
        // As many come as go, and in every other look one more is there.
        _ => seen(None, ms, ms - 1000 - ms / 10 % 2, 0, 0),
    };
    let mut track = Track::new(&look(0));
    let states = run(&mut track, 0, 5000, look);
    assert_eq!(states, [FlowState::ReaderBound, FlowState::Balanced]);
}

#[test]
fn it_says_when_it_will_be_full() {
    let look = |ms: u64| seen(Some(1000), ms / 2, ms / 4, 0, 0);
    let mut track = Track::new(&look(0));
    run(&mut track, 0, 1200, look);
    let report = track.report().unwrap();
    // 250 a second, of the 700 places that are left.
    let until = report.until_full.unwrap().as_secs_f64();
    assert!((until - 2.8).abs() < 0.1, "{until}");
    assert_eq!(report.state, FlowState::Balanced);
}

#[test]
fn a_state_is_entered_late_and_left_late() {
    // Senders wait in half of the looks: neither entered nor, once it is there, left.
    let half = |ms: u64| seen(Some(0), ms, ms, (ms / 10 % 2) as usize, 0);
    let all = |ms: u64| seen(Some(0), ms, ms, 1, 0);
    let none = |ms: u64| seen(Some(0), ms, ms, 0, 0);
    let mut track = Track::new(&half(0));
    assert_eq!(run(&mut track, 0, 3000, half), []);
    assert_eq!(run(&mut track, 3000, 2000, all), [FlowState::ReaderBound]);
    assert_eq!(run(&mut track, 5000, 3000, half), []);
    assert_eq!(run(&mut track, 8000, 2000, none), [FlowState::Balanced]);
}

#[test]
fn readers_that_wait_are_idle_only_if_something_comes() {
    let idle = |_| seen(Some(4), 3, 3, 0, 1);
    let mut track = Track::new(&idle(0));
    assert_eq!(run(&mut track, 0, 2000, idle), []);
    let some = |ms: u64| seen(Some(4), 3 + ms / 100, 3 + ms / 100, 0, 1);
    assert_eq!(run(&mut track, 2000, 2000, some), [FlowState::WriterBound]);
}

#[test]
fn what_does_not_move_is_stalled_until_it_moves() {
    let stands = |_| seen(Some(4), 7, 3, 2, 0);
    let mut track = Track::new(&stands(0));
    assert_eq!(run(&mut track, 0, 2000, stands), [FlowState::Stalled]);
    let goes = |ms: u64| seen(Some(4), 7 + ms / 10, 3 + ms / 10, 2, 0);
    assert_eq!(run(&mut track, 2000, 100, goes), [FlowState::ReaderBound]);
    // A value that nobody wants, of a timer say, is no work.
    let left = |_| seen(Some(1), 1, 0, 0, 0);
    let mut track = Track::new(&left(0));
    assert_eq!(run(&mut track, 0, 5000, left), []);
}
