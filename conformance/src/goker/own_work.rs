//! Somebody waits for what nobody but himself could do. Here too only a look at who reaches what is waited for could tell: beside
//! others these are seen as waiting, and there is no verdict yet. As the whole program they are reported.

mod literal;

use std::sync::Arc;

use waterway::chan;
use waterway::sync::{Condvar, Mutex, Once, WaitGroup};

use super::Outcome::Waits;
use super::{Crew, Kernel, fixed, idiomatic, literal};

const BOTH: &[&str] = &["G1", "G2"];
const G1: &[&str] = &["G1"];

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        id: "syncthing5795",
        class: "channel",
        forms: &[
            idiomatic(Waits(BOTH), syncthing5795),
            literal(Waits(BOTH), literal::syncthing5795),
            fixed(syncthing5795_fixed),
        ],
    },
    Kernel {
        id: "cockroach35931",
        class: "channel",
        forms: &[
            literal(Waits(G1), cockroach35931),
            fixed(cockroach35931_fixed),
        ],
    },
    Kernel {
        id: "cockroach25456",
        class: "channel",
        forms: &[
            literal(Waits(G1), cockroach25456),
            fixed(cockroach25456_fixed),
        ],
    },
    Kernel {
        id: "cockroach24808",
        class: "channel",
        forms: &[
            literal(Waits(G1), cockroach24808),
            fixed(cockroach24808_fixed),
        ],
    },
    Kernel {
        id: "moby30408",
        class: "cond",
        forms: &[
            idiomatic(Waits(BOTH), moby30408),
            literal(Waits(BOTH), literal::moby30408),
            fixed(moby30408_fixed),
        ],
    },
    Kernel {
        id: "moby25384",
        class: "misuse waitgroup",
        forms: &[idiomatic(Waits(G1), moby25384), fixed(moby25384_fixed)],
    },
];

// syncthing5795: a message has the dispatcher close its connection, which waits for the end of the dispatcher.

fn syncthing5795(crew: &Crew) {
    let (inbox, messages) = chan::<()>(0);
    let (stopped, has_stopped) = chan::<()>(0);
    let (close, waits) = (Arc::new(Once::new()), has_stopped.clone());
    crew.go("G2", move || {
        let _stopped = stopped;
        while messages.recv().is_ok() {
            close.call_once(|| {
                let _ = waits.recv();
            });
        }
    });
    crew.go("G1", move || {
        let _ = inbox.send(());
        let _ = has_stopped.recv();
    });
}

fn syncthing5795_fixed(crew: &Crew) {
    let (inbox, messages) = chan::<()>(0);
    let (stopped, has_stopped) = chan::<()>(0);
    let (close, waits, closes) = (Arc::new(Once::new()), has_stopped.clone(), crew.clone());
    crew.go("G2", move || {
        let _stopped = stopped;
        while messages.recv().is_ok() {
            // Closed by another.
            let (close, waits) = (close.clone(), waits.clone());
            closes.go("G3", move || {
                close.call_once(|| {
                    let _ = waits.recv();
                });
            });
        }
    });
    crew.go("G1", move || {
        let _ = inbox.send(());
        drop(inbox);
        let _ = has_stopped.recv();
    });
}

// cockroach35931: a flow is cancelled by a push to each stream, of which one is full.

fn cockroach35931(crew: &Crew) {
    let streams = [chan::<()>(1), chan::<()>(1)];
    crew.go("G1", move || {
        let _ = streams[0].0.send(());
        for (push, _) in &streams {
            let _ = push.send(());
        }
    });
}

fn cockroach35931_fixed(crew: &Crew) {
    let streams = [chan::<()>(1), chan::<()>(1)];
    crew.go("G1", move || {
        let _ = streams[0].0.send(());
        let others = push_to_each(&streams);
        for (_, stream) in &streams {
            let _ = stream.recv();
        }
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// A push to each stream, by a goroutine of its own.
fn push_to_each(
    streams: &[(waterway::Sender<()>, waterway::Receiver<()>)],
) -> Vec<waterway::JoinHandle<()>> {
    let push = |(push, _): &(waterway::Sender<()>, _)| {
        let push = push.clone();
        waterway::go(move || {
            let _ = push.send(());
        })
    };
    streams.iter().map(push).collect()
}

// cockroach25456: a check waits for the stopper that its own test would stop.

fn cockroach25456(crew: &Crew) {
    let stopper = chan::<()>(0);
    crew.go("G1", move || {
        let _ = stopper.1.recv();
        drop(stopper);
    });
}

fn cockroach25456_fixed(crew: &Crew) {
    let (stop, quiesces) = chan::<()>(0);
    crew.go("G1", move || {
        drop(stop);
        let _ = quiesces.recv();
    });
}

// cockroach24808: a compactor is told of work before the worker runs that would take it, and has been told before.

fn cockroach24808(crew: &Crew) {
    let work = chan::<()>(1);
    let workers = crew.clone();
    crew.go("G1", move || {
        let _ = work.0.send(());
        let _ = work.0.send(());
        let (_work, works) = work;
        workers.go("G2", move || {
            let _ = works.recv();
        });
    });
}

fn cockroach24808_fixed(crew: &Crew) {
    let (work, works) = chan::<()>(1);
    let workers = crew.clone();
    crew.go("G1", move || {
        let _ = work.send(());
        // What is known need not be told again.
        let _ = work.try_send(());
        workers.go("G2", move || for _work in &works {});
    });
}

// moby30408: who waits for a plugin is not told that it has failed.

fn moby30408(crew: &Crew) {
    let (active, changed) = (Mutex::new(None::<()>), Condvar::new());
    let (done, is_done) = chan::<()>(0);
    crew.go("G2", move || {
        let _done = done;
        changed.wait_while(&mut active.lock(), |active| active.is_none());
    });
    crew.go("G1", move || {
        let _ = is_done.recv();
    });
}

fn moby30408_fixed(crew: &Crew) {
    let plugin = Arc::new((Mutex::new(None), Condvar::new()));
    let (done, is_done) = chan::<()>(0);
    let other = plugin.clone();
    crew.go("G2", move || {
        let _done = done;
        let mut active = other.0.lock();
        other.1.wait_while(&mut active, |active| active.is_none());
    });
    crew.go("G1", move || {
        *plugin.0.lock() = Some(Err::<(), _>("some junk happened"));
        plugin.1.notify_all();
        let _ = is_done.recv();
    });
}

// moby25384: each of two plugins is waited for before the second has been started.

fn moby25384(crew: &Crew) {
    let plugins = crew.clone();
    crew.go("G1", move || {
        let group = WaitGroup::new();
        group.add(2);
        for name in ["G2", "G3"] {
            let done = group.clone();
            plugins.go(name, move || done.done());
            group.wait();
        }
    });
}

fn moby25384_fixed(crew: &Crew) {
    let plugins = crew.clone();
    crew.go("G1", move || {
        let group = WaitGroup::new();
        for name in ["G2", "G3"] {
            let token = group.token();
            plugins.go(name, move || drop(token));
        }
        group.wait();
    });
}
