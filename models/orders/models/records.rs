//! Records: who reads one while it moves reads one wait, whole, or nothing.

use std::panic::Location;

use loom::thread;

use super::Model;
use crate::rt::record::{Record, WaitKey, WaitReason};

pub(super) const MODELS: &[Model] = &[
    ("record_is_read_whole", 3, whole),
    ("record_counts_its_waits", 1, counts),
];

#[track_caller]
fn here() -> &'static Location<'static> {
    Location::caller()
}

/// The wait of that number: everything in it tells which it is.
fn key(n: usize) -> (WaitKey, bool, u64) {
    let (reason, site) = match n {
        1 => (WaitReason::Mutex, here()),
        _ => (WaitReason::Sleep, here()),
    };
    let object = n;
    (
        WaitKey {
            reason,
            object,
            site,
        },
        n == 2,
        n as u64,
    )
}

fn waits(record: &Record, n: usize) {
    let (key, timed, since) = key(n);
    record.begin(&key, timed, since);
}

fn whole() {
    let record: &'static Record = Box::leak(Box::new(Record::new()));
    let owner = thread::spawn(move || {
        waits(record, 1);
        record.end();
        waits(record, 2);
    });
    if let Some(seen) = record.read() {
        let (wanted, timed, since) = key(seen.key.object);
        assert_eq!(seen.key.reason, wanted.reason);
        assert_eq!(seen.key.site, wanted.site);
        assert_eq!((seen.timed, seen.since), (timed, since));
    }
    owner.join().unwrap();
    let last = record.read().expect("it waits");
    assert_eq!(last.key.object, 2);
}

/// Two looks that see the same epoch, odd, have seen one wait.
fn counts() {
    let record: &'static Record = Box::leak(Box::new(Record::new()));
    let owner = thread::spawn(move || {
        waits(record, 1);
        record.end();
        waits(record, 2);
        record.end();
    });
    let before = record.epoch();
    let (first, second) = (record.read(), record.read());
    let after = record.epoch();
    assert!(before <= after && after <= 4);
    if before == after
        && let (Some(first), Some(second)) = (first, second)
    {
        assert_eq!(first.key.object, second.key.object);
        assert_eq!(first.key.object as u64 * 2 - 1, before);
    }
    owner.join().unwrap();
    assert_eq!(record.epoch(), 4);
}
