//! What a snapshot reads like, and that it survives JSON.

use waterway_snapshot::{
    Channel, Goroutine, Held, Holder, Lock, LockKind, ObjectId, ObjectKind, Outsider, Party, Site,
    Snapshot, Source, Standstill, State, Suspect, SuspectKind, Target, Thread, Verdict,
    VerdictKind, Wait, Who, Worker,
};

fn at(line: u32) -> Site {
    Site {
        file: "src/main.rs".into(),
        line,
        column: 5,
    }
}

fn object(kind: ObjectKind, id: u64) -> ObjectId {
    ObjectId { kind, id }
}

fn wait(reason: &'static str, line: u32, on: Target) -> Option<Wait> {
    Some(Wait {
        reason: reason.into(),
        waited_ns: 1_250_000_000,
        at: at(line),
        on,
        ..Wait::default()
    })
}

fn stuck() -> Snapshot {
    let mutex = |id| Target::Object(object(ObjectKind::Mutex, id));
    let goroutine = |id, lock, line| Goroutine {
        id,
        state: State::Waiting,
        wait: wait("sync.Mutex.Lock", line, mutex(lock)),
        spawned_at: at(3),
        ..Goroutine::default()
    };
    let lock = |id, holder, line| Lock {
        id,
        kind: LockKind::Mutex,
        made_at: at(1),
        holder: Holder::One(holder),
        locked_at: Some(at(line)),
        waiters: vec![],
    };
    let party = |id, holds, line, waits| Party {
        who: Who::Goroutine(id),
        name: None,
        spawned_at: Some(at(3)),
        holds: vec![Held {
            object: object(ObjectKind::Mutex, holds),
            at: Some(at(line)),
        }],
        waits,
    };
    let goroutines = vec![
        goroutine(7, 2, 12),
        goroutine(8, 1, 22),
        goroutine(9, 3, 31),
    ];
    let parties = vec![
        party(7, 1, 11, goroutines[0].wait.clone()),
        party(8, 2, 21, goroutines[1].wait.clone()),
    ];
    Snapshot {
        process: 100,
        goroutines,
        locks: vec![
            lock(1, Who::Goroutine(7), 11),
            lock(2, Who::Goroutine(8), 21),
            lock(3, Who::Goroutine(9), 30),
        ],
        verdicts: vec![Verdict {
            kind: VerdictKind::LockCycle,
            parties,
        }],
        ..Snapshot::default()
    }
}

#[test]
fn a_cycle_of_locks_reads_well() {
    let text = stuck().to_string();
    assert_eq!(
        text,
        "
goroutine 7 [sync.Mutex.Lock, 1.2 s]:
\tblocked at src/main.rs:12:5
\ton mutex 2, held by goroutine 8 (locked at src/main.rs:21:5), made at src/main.rs:1:5
\tspawned at src/main.rs:3:5

goroutine 8 [sync.Mutex.Lock, 1.2 s]:
\tblocked at src/main.rs:22:5
\ton mutex 1, held by goroutine 7 (locked at src/main.rs:11:5), made at src/main.rs:1:5
\tspawned at src/main.rs:3:5

goroutine 9 [sync.Mutex.Lock, 1.2 s]:
\tblocked at src/main.rs:31:5
\ton mutex 3, held by itself (locked at src/main.rs:30:5), made at src/main.rs:1:5
\tspawned at src/main.rs:3:5

proved: each waits for a lock that the next one holds
  goroutine 7
\tholds mutex 1, locked at src/main.rs:11:5
\twaits [sync.Mutex.Lock, 1.2 s] for mutex 2 at src/main.rs:12:5
\tspawned at src/main.rs:3:5
  goroutine 8
\tholds mutex 2, locked at src/main.rs:21:5
\twaits [sync.Mutex.Lock, 1.2 s] for mutex 1 at src/main.rs:22:5
\tspawned at src/main.rs:3:5
"
    );
}

/// Ten of one kind are told of together; one that has a name of its own stands alone.
#[test]
fn a_crowd_is_told_of_together() {
    let channel = |id| Channel {
        id,
        made_at: at(1),
        capacity: Some(0),
        senders: 1,
        receivers: 1,
        ..Channel::default()
    };
    let on = |id| Target::Object(object(ObjectKind::Channel, id));
    let mut snapshot = Snapshot {
        goroutines: (1..=11)
            .map(|id| Goroutine {
                id,
                name: (id == 4).then(|| "odd".to_string()),
                state: State::Waiting,
                wait: wait("chan receive", 9, on(id)),
                spawned_at: at(3),
                ..Goroutine::default()
            })
            .collect(),
        channels: (1..=11).map(channel).collect(),
        ..Snapshot::default()
    };
    let text = snapshot.to_string();
    assert_eq!(
        text,
        "
10 goroutines [chan receive, 1.2 s to 1.2 s]:
\tblocked at src/main.rs:9:5
\teach on a channel, made at src/main.rs:1:5
\tspawned at src/main.rs:3:5
\tthey are goroutines 1, 2, 3, 5, 6 and 5 more

goroutine 4 \"odd\" [chan receive, 1.2 s]:
\tblocked at src/main.rs:9:5
\ton channel 4 (capacity 0, senders alive: 1, receivers alive: 1), made at src/main.rs:1:5
\tspawned at src/main.rs:3:5
"
    );
    let alone = snapshot.text().grouped(false).to_string();
    assert_eq!(alone.matches("\ngoroutine ").count(), 11, "{alone}");
    snapshot.goroutines.truncate(10);
    let few = snapshot.to_string();
    assert_eq!(few.matches("\ngoroutine ").count(), 10, "nine are no crowd");
}

#[test]
fn threads_and_held_workers_are_named() {
    let mut thread = Thread {
        tid: 100,
        main: true,
        wait: wait("join", 40, Target::Goroutine(7)).unwrap(),
        ..Thread::default()
    };
    thread.wait.until = Some(object(ObjectKind::Context, 5));
    let snapshot = Snapshot {
        process: 100,
        threads: vec![thread],
        workers: vec![Worker {
            index: 1,
            running: Some(7),
            held_ns: Some(300_000_000),
            ..Worker::default()
        }],
        ..Snapshot::default()
    };
    assert_eq!(
        snapshot.to_string(),
        "
main thread [join, 1.2 s]:
\tblocked at src/main.rs:40:5, waiting for goroutine 7 to finish
\tor until context 5 ends

worker 1 has been held for 0.3 s by goroutine 7
"
    );
}

fn outside() -> Standstill {
    let thread = Outsider {
        tid: 12,
        name: "poller".into(),
        call: Some("epoll_wait".into()),
        on: vec!["eventfd 4".into(), "pipe 0".into()],
        ..Outsider::default()
    };
    let main = Outsider {
        main: true,
        ..Outsider::default()
    };
    let clock = Source::Clock {
        timers: 2,
        first_ns: 1_500_000_000,
    };
    let sources = vec![
        Source::Thread(thread),
        Source::Thread(main),
        Source::Handler("SIGHUP".into()),
        clock,
    ];
    Standstill {
        sources,
        ..Standstill::default()
    }
}

#[test]
fn a_standstill_stands_before_what_was_found() {
    let mut snapshot = stuck();
    let findings = snapshot.to_string();
    snapshot.standstill = Some(outside());
    let told = "
no goroutine can make progress by itself. What could still wake one:
\tthread 12 \"poller\", in epoll_wait (eventfd 4, pipe 0)
\tthe main thread, which runs
\tthe handler of SIGHUP
\tthe clock: 2 timers, the first in 1.5 s
";
    let at = findings.find("\nproved").unwrap();
    let (lines, findings) = findings.split_at(at);
    assert_eq!(snapshot.to_string(), format!("{lines}{told}{findings}"));
    let nothing = Standstill::default().to_string();
    assert!(nothing.ends_with("and nothing is seen that could wake one\n"));
    let mut asked = outside();
    asked.asker = Some(Outsider {
        tid: 13,
        name: "asks".into(),
        ..Outsider::default()
    });
    let told = asked.to_string();
    assert!(told.contains(
        ". What could still wake one, but for thread 13 \"asks\", which asks:\n\tthread 12"
    ));
    asked.sources.clear();
    let told = asked.to_string();
    assert!(told.ends_with(
        ", and but for thread 13 \"asks\", which asks, nothing is seen that could wake one\n"
    ));
}

#[test]
fn json_brings_it_back() {
    let mut snapshot = stuck();
    snapshot.standstill = Some(outside());
    let json = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), snapshot);
    assert!(
        json.contains(r#""on":{"object":{"kind":"mutex","id":2}}"#),
        "{json}"
    );
    let empty: Snapshot = serde_json::from_str("{}").unwrap();
    assert_eq!(
        empty,
        Snapshot::default(),
        "what is missing is as by default"
    );
}

#[test]
fn findings_print_alone_as_in_a_dump() {
    let party = Party {
        who: Who::Goroutine(4),
        name: Some("auditor".into()),
        spawned_at: None,
        holds: Vec::new(),
        waits: None,
    };
    let suspect = Suspect {
        kind: SuspectKind::HeldWorker,
        parties: vec![party.clone()],
        facts: vec!["for 3 s".into()],
        ..Suspect::default()
    };
    let verdict = Verdict {
        kind: VerdictKind::NeverWoken,
        parties: vec![party],
    };
    assert_eq!(
        verdict.to_string(),
        "proved: it waits for what can never happen\n  goroutine 4 \"auditor\""
    );
    let snapshot = Snapshot {
        verdicts: vec![verdict.clone()],
        suspects: vec![suspect.clone()],
        ..Snapshot::default()
    };
    assert_eq!(snapshot.to_string(), format!("\n{verdict}\n\n{suspect}\n"));
}
