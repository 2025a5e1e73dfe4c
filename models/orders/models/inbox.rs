//! The inbox: who is woken comes out once, and sees what its waker left.

use std::ptr::NonNull;

use loom::thread;

use super::Model;
use crate::rt::inbox::Inbox;
use crate::rt::run_queue::RunQueue;
use crate::rt::task::{Handed, Task};

pub(super) const MODELS: &[Model] = &[
    ("inbox_two_wakers", 3, two_wakers),
    ("inbox_oldest_first", 3, oldest_first),
    ("inbox_again", 3, again),
];

type Shared = &'static Inbox;

fn shared() -> Shared {
    Box::leak(Box::default())
}

fn wake(inbox: &Inbox, task: Handed, n: usize) {
    task.0.leave(n);
    // SAFETY: each task of a model is woken once at a time.
    unsafe { inbox.push(NonNull::from(task.0)) };
}

/// What was left with those that come out.
pub(super) fn drain(inbox: &Inbox, to: &mut Vec<usize>) {
    let mut queue = RunQueue::default();
    inbox.take_all(&mut queue);
    while let Some(task) = queue.pop_front() {
        // SAFETY: tasks of models live for ever.
        to.push(unsafe { task.as_ref() }.left());
    }
}

/// Two wake while the owner looks: nobody is lost or doubled.
fn two_wakers() {
    let inbox = shared();
    let wakers = [1, 2].map(|n| {
        let task = Handed(Task::new());
        thread::spawn(move || wake(inbox, task, n))
    });
    let mut got = Vec::new();
    drain(inbox, &mut got);
    for waker in wakers {
        waker.join().unwrap();
    }
    drain(inbox, &mut got);
    assert!(inbox.is_empty());
    got.sort_unstable();
    assert_eq!(got, [1, 2]);
}

/// One wakes one after the other while the owner looks.
fn oldest_first() {
    let inbox = shared();
    let tasks = [1, 2, 3].map(|n| (Handed(Task::new()), n));
    let waker = thread::spawn(move || {
        for (task, n) in tasks {
            wake(inbox, task, n);
        }
    });
    let mut got = Vec::new();
    drain(inbox, &mut got);
    waker.join().unwrap();
    drain(inbox, &mut got);
    assert_eq!(got, [1, 2, 3]);
}

/// A goroutine that came out waits again, and is woken again: its link goes back and forth.
fn again() {
    let inbox = shared();
    let (first, second) = (Handed(Task::new()), Handed(Task::new()));
    let waker = thread::spawn(move || wake(inbox, first, 1));
    let other = thread::spawn(move || wake(inbox, second, 2));
    let mut got = Vec::new();
    drain(inbox, &mut got);
    if got.contains(&1) {
        wake(inbox, first, 3);
    }
    let expected: &[usize] = if got.contains(&1) {
        &[1, 2, 3]
    } else {
        &[1, 2]
    };
    waker.join().unwrap();
    other.join().unwrap();
    drain(inbox, &mut got);
    got.sort_unstable();
    assert_eq!(got, expected);
}
