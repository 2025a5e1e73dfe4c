//! Somebody waits for what a context, or the end of another, should end. In Rust whoever goes takes his ends and his cancel along.

mod literal;

use waterway::sync::WaitGroup;
use waterway::{Context, chan, select, yield_now};

use super::Outcome::{Ends, Waits};
use super::{Crew, Kernel, fixed, idiomatic, literal};

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        id: "grpc862",
        class: "channel&context",
        forms: &[
            idiomatic(Ends, grpc862),
            literal(Waits(&["G2"]), literal::grpc862),
            fixed(grpc862),
        ],
    },
    Kernel {
        id: "cockroach18101",
        class: "channel&context",
        forms: &[
            idiomatic(Ends, cockroach18101),
            literal(Waits(&["G2"]), literal::cockroach18101),
            fixed(cockroach18101_fixed),
        ],
    },
    Kernel {
        id: "cockroach13197",
        class: "channel&context",
        forms: &[
            idiomatic(Ends, cockroach13197),
            literal(Waits(&["G2"]), literal::cockroach13197),
            fixed(cockroach13197),
        ],
    },
    Kernel {
        id: "cockroach10790",
        class: "channel&context",
        forms: &[
            idiomatic(Ends, cockroach10790),
            literal(Waits(&["G3", "G3"]), literal::cockroach10790),
            fixed(cockroach10790_fixed),
        ],
    },
    Kernel {
        id: "kubernetes25331",
        class: "channel&context",
        forms: &[
            idiomatic(Ends, kubernetes25331),
            literal(Waits(&["G1"]), literal::kubernetes25331),
            fixed(kubernetes25331_fixed),
        ],
    },
    Kernel {
        id: "moby33781",
        class: "channel&context",
        forms: &[
            idiomatic(Ends, moby33781),
            literal(Waits(&["G3"]), literal::moby33781),
            fixed(moby33781_fixed),
        ],
    },
    Kernel {
        id: "cockroach1462",
        class: "channel&waitgroup",
        forms: &[
            idiomatic(Ends, cockroach1462),
            literal(Waits(&["G1", "G2"]), literal::cockroach1462),
            fixed(cockroach1462_fixed),
        ],
    },
];

// grpc862: a dial that was cancelled leaves a connection that waits for its own context. The cancel goes with the client.
fn grpc862(crew: &Crew) {
    let (dial, hang_up) = Context::background().with_cancel();
    let (client, close) = Context::background().with_cancel();
    crew.go("G2", move || {
        let (own, _tear_down) = client.with_cancel();
        assert!(own.done().recv().is_err());
    });
    crew.go("G1", move || {
        let _close = close;
        assert!(dial.done().recv().is_err());
    });
    crew.go("helper", move || drop(hang_up));
}

// cockroach18101: a restore is cancelled while another splits and tells it.
const SPANS: usize = 6;

fn cockroach18101(crew: &Crew) {
    let (ready, is_ready) = chan(SPANS);
    let (ctx, cancel) = Context::background().with_cancel();
    crew.go("G2", move || {
        for span in 0..SPANS + 2 {
            if ready.send(span).is_err() {
                return;
            }
        }
    });
    crew.go("G1", move || {
        if is_ready.recv().is_ok() {
            let _ = ctx.done().recv();
        }
    });
    crew.go("helper", move || drop(cancel));
}

fn cockroach18101_fixed(crew: &Crew) {
    let (ready, is_ready) = chan(SPANS);
    let (ctx, cancel) = Context::background().with_cancel();
    let split = ctx.clone();
    crew.go("G2", move || {
        for span in 0..SPANS + 2 {
            select! {
                send(ready, span) -> _ => {},
                recv(split.done()) -> _ => return,
            }
        }
    });
    crew.go("G1", move || {
        if is_ready.recv().is_ok() {
            let _ = ctx.done().recv();
        }
    });
    crew.go("helper", move || drop(cancel));
}

// cockroach13197: a transaction that is neither committed nor rolled back. Here it is rolled back as it goes. (So was it repaired.)
fn cockroach13197(crew: &Crew) {
    let (ctx, transaction) = Context::background().with_cancel();
    crew.go("G2", move || assert!(ctx.done().recv().is_err()));
    crew.go("G1", move || drop(transaction));
}

// cockroach10790: who is cancelled has another drain channels to which nobody sends any more.
fn cockroach10790(crew: &Crew) {
    let ((one, is_one), (two, is_two)) = (chan::<bool>(0), chan::<bool>(0));
    let (ctx, cancel) = Context::background().with_cancel();
    let (sender, drains) = (ctx.clone(), crew.clone());
    crew.go("helper", move || {
        for end in [one, two] {
            select! {
                send(end, true) -> _ => {},
                recv(sender.done()) -> _ => return,
            }
        }
    });
    crew.go("G1", move || {
        for end in [is_one.clone(), is_two.clone()] {
            select! {
                recv(end) -> _ => {},
                recv(ctx.done()) -> _ => {
                    let all = [is_one.clone(), is_two.clone()];
                    // The sender has gone, and closed what it did not send to.
                    drains.go("G3", move || {
                        for end in all {
                            let _ = end.recv();
                        }
                    });
                },
            }
        }
    });
    crew.go("G2", move || drop(cancel));
}

fn cockroach10790_fixed(crew: &Crew) {
    // Room for each: nobody needs to drain.
    let ((one, is_one), (two, is_two)) = (chan(1), chan(1));
    let (ctx, cancel) = Context::background().with_cancel();
    crew.go("helper", move || {
        for end in [one, two] {
            let _ = end.send(true);
        }
    });
    crew.go("G1", move || {
        for end in [is_one, is_two] {
            select! {
                recv(end) -> _ => {},
                recv(ctx.done()) -> _ => {},
            }
        }
    });
    crew.go("G2", move || drop(cancel));
}

// kubernetes25331: a watch that has failed sends its result to one who does not read.
fn kubernetes25331(crew: &Crew) {
    let ((result, results), (error, errors)) = (chan(0), chan::<&str>(0));
    let (ctx, cancel) = Context::background().with_cancel();
    crew.go("G1", move || {
        select! {
            recv(errors) -> error => {
                let _ = result.send(error.is_ok());
            },
            recv(ctx.done()) -> _ => {},
        }
    });
    crew.go("G2", move || {
        let _ = error.send("error");
        drop((cancel, results));
    });
}

fn kubernetes25331_fixed(crew: &Crew) {
    let ((result, results), (error, errors)) = (chan(0), chan::<&str>(0));
    let (ctx, cancel) = Context::background().with_cancel();
    crew.go("G1", move || {
        select! {
            recv(errors) -> error => select! {
                send(result, error.is_ok()) -> _ => {},
                recv(ctx.done()) -> _ => {},
            },
            recv(ctx.done()) -> _ => {},
        }
    });
    crew.go("G2", move || {
        let _ = error.send("error");
        drop(cancel);
        drop(results);
    });
}

// moby33781: a monitor that is stopped does not take the result of the probe that runs.
fn moby33781(crew: &Crew) {
    moby33781_with(crew, 0);
}

fn moby33781_fixed(crew: &Crew) {
    moby33781_with(crew, 1);
}

fn moby33781_with(crew: &Crew, capacity: usize) {
    let (stop, stops) = chan::<()>(0);
    let (result, results) = chan(capacity);
    let (gone, is_gone) = chan::<()>(0);
    crew.go("G3", move || {
        // Not before the monitor was stopped.
        let _ = is_gone.recv();
        let _ = result.send(true);
    });
    crew.go("G1", move || {
        let _gone = gone;
        select! {
            recv(stops) -> _ => {},
            recv(results) -> _ => {},
        }
        drop(results);
    });
    crew.go("G2", move || drop(stop));
}

// cockroach1462: a transport sends events to a reader who has been stopped.
fn cockroach1462(crew: &Crew) {
    let (event, events) = chan::<u32>(0);
    let (stopper, stopped) = chan::<()>(0);
    let (workers, stops) = (WaitGroup::new(), stopped.clone());
    let (sending, reading) = (workers.token(), workers.token());
    crew.go("G2", move || {
        let _sending = sending;
        while stops.try_recv() == Err(waterway::TryRecvError::Empty) {
            if event.send(0).is_err() {
                return;
            }
        }
    });
    crew.go("G3", move || {
        let _reading = reading;
        let _ = stopped.recv();
        drop(events);
    });
    crew.go("G1", move || {
        drop(stopper);
        workers.wait();
    });
}

fn cockroach1462_fixed(crew: &Crew) {
    let (event, events) = chan::<u32>(0);
    let (stopper, stopped) = chan::<()>(0);
    let (workers, stops) = (WaitGroup::new(), stopped.clone());
    let (sending, reading) = (workers.token(), workers.token());
    crew.go("G2", move || {
        let _sending = sending;
        select! {
            send(event, 0) -> _ => {},
            recv(stops) -> _ => {},
        }
    });
    crew.go("G3", move || {
        let _reading = reading;
        let _ = stopped.recv();
        yield_now();
        drop(events);
    });
    crew.go("G1", move || {
        drop(stopper);
        workers.wait();
    });
}
