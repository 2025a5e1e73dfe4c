use std::panic::Location;

use waterway_snapshot::{Lock, Worker};

use super::*;
use crate::watch::growth::History;

fn waiting(id: u64, at: &'static Location<'static>, waited_ns: u64) -> Goroutine {
    Goroutine {
        id,
        state: State::Waiting,
        spawned_at: at.into(),
        wait: Some(Wait {
            reason: "chan receive".into(),
            waited_ns,
            ..Wait::default()
        }),
        ..Goroutine::default()
    }
}

/// Five goroutines of one line; `longest` has waited for so long, the others for 10 ms at most.
fn crew(longest: u64) -> (Snapshot, Histories) {
    let here = Location::caller();
    let mut goroutines: Vec<Goroutine> = (1..=4)
        .map(|id| waiting(id, here, id * 2_500_000))
        .collect();
    goroutines.push(waiting(5, here, longest));
    let all = Snapshot {
        goroutines,
        ..Snapshot::default()
    };
    let history = History::of_waits(ENDED, 30_000_000);
    (all, Histories::from([(here, history)]))
}

fn found(all: &Snapshot, histories: &Histories) -> Vec<Suspect> {
    let mut all = all.clone();
    add(&mut all, histories, 0);
    all.suspects
}

#[test]
fn who_waits_for_far_longer_than_its_siblings_is_told() {
    let (all, histories) = crew(6_000_000_000);
    let suspects = found(&all, &histories);
    let [suspect] = suspects.as_slice() else {
        panic!("{suspects:#?}");
    };
    assert_eq!(suspect.kind, SuspectKind::LongWait);
    assert_eq!(suspect.parties[0].who, Who::Goroutine(5));
    let fact = "no other of its line was seen to wait for longer than 30 ms; 8 such waits were seen to end";
    assert_eq!(suspect.facts, [fact]);
}

#[test]
fn who_waits_as_long_as_others_is_not() {
    let (all, histories) = crew(4_000_000_000);
    assert_eq!(found(&all, &histories), []);
    // Two of them: then it is usual there.
    let (mut all, histories) = crew(6_000_000_000);
    all.goroutines[3].wait.as_mut().unwrap().waited_ns = 5_000_000_000;
    assert_eq!(found(&all, &histories), []);
    // One did before.
    let (all, mut histories) = crew(6_000_000_000);
    let before = History::of_waits(ENDED, 1_000_000_000);
    histories.values_mut().for_each(|h| *h = before);
    assert_eq!(found(&all, &histories), []);
    // A sleep ends by itself.
    let (mut all, histories) = crew(6_000_000_000);
    all.goroutines[4].wait.as_mut().unwrap().timed = true;
    assert_eq!(found(&all, &histories), []);
}

/// Goroutine 5 holds mutex 7, for which 1 waits.
fn locked(waited: u64) -> Snapshot {
    let (mut all, _) = crew(waited);
    all.locks.push(Lock {
        id: 7,
        holder: Holder::One(Who::Goroutine(5)),
        waiters: vec![Who::Goroutine(1)],
        ..Lock::default()
    });
    all
}

#[test]
fn a_lock_across_a_long_wait_is_told() {
    let suspects = found(&locked(6_000_000_000), &Histories::new());
    let [suspect] = suspects.as_slice() else {
        panic!("{suspects:#?}");
    };
    assert_eq!(suspect.kind, SuspectKind::LockAcrossWait);
    assert_eq!(suspect.parties[0].holds[0].object.to_string(), "mutex 7");
    assert_eq!(suspect.facts, ["1 wait for mutex 7, the longest for 2 ms"]);
}

#[test]
fn a_lock_that_nobody_wants_or_that_was_just_taken_is_not() {
    assert_eq!(found(&locked(1_000_000), &Histories::new()), []);
    let mut all = locked(6_000_000_000);
    all.locks[0].waiters.clear();
    assert_eq!(found(&all, &Histories::new()), []);
    // It runs.
    let mut all = locked(6_000_000_000);
    (all.goroutines[4].state, all.goroutines[4].wait) = (State::Running, None);
    assert_eq!(found(&all, &Histories::new()), []);
}

#[test]
fn who_is_proved_to_be_stuck_is_not_suspected() {
    let mut all = locked(6_000_000_000);
    all.verdicts.push(waterway_snapshot::Verdict {
        parties: vec![party(&all.goroutines[4], Vec::new())],
        ..Default::default()
    });
    assert_eq!(found(&all, &Histories::new()), []);
}

#[test]
fn a_worker_that_is_held_is_told() {
    let (mut all, histories) = crew(0);
    (all.goroutines[4].state, all.goroutines[4].wait) = (State::Running, None);
    all.goroutines[0].state = State::Runnable;
    all.goroutines[0].worker = Some(3);
    let held = |held_ns| Worker {
        index: 3,
        running: Some(5),
        held_ns,
        ..Worker::default()
    };
    all.workers.push(held(Some(200_000_000)));
    assert_eq!(found(&all, &histories), []);
    all.workers[0] = held(Some(2_500_000_000));
    let told = |all: &Snapshot| found(all, &histories)[0].facts[0].clone();
    all.goroutines[0].worker = Some(2);
    assert_eq!(told(&all), "worker 3, for 2.5 s, computing");
    all.goroutines[0].worker = Some(3);
    all.goroutines[1].state = State::Runnable;
    all.goroutines[1].worker = Some(3);
    assert_eq!(
        told(&all),
        "worker 3, for 2.5 s, computing; 2 that could go on wait behind it"
    );
    all.goroutines[1].worker = Some(2);
    let suspects = found(&all, &histories);
    let [suspect] = suspects.as_slice() else {
        panic!("{suspects:#?}");
    };
    assert_eq!(suspect.kind, SuspectKind::HeldWorker);
    assert_eq!(
        suspect.facts,
        ["worker 3, for 2.5 s, computing; 1 that could go on waits behind it"]
    );
}
