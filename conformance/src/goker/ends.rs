//! Somebody waits at a channel for one who has gone. In Rust the end that went closes the channel, and the wait ends.

mod literal;

use waterway::{Context, Receiver, Sender, chan, select};

use super::Outcome::{Ends, Waits};
use super::{Crew, Kernel, fixed, idiomatic, literal};

const G2: &[&str] = &["G2"];

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        id: "grpc1275",
        class: "channel",
        forms: &[
            idiomatic(Ends, grpc1275),
            literal(Waits(G2), literal::grpc1275),
            fixed(grpc1275),
        ],
    },
    Kernel {
        id: "grpc1424",
        class: "channel",
        forms: &[
            idiomatic(Ends, grpc1424),
            literal(Waits(G2), literal::grpc1424),
            fixed(grpc1424),
        ],
    },
    Kernel {
        id: "grpc660",
        class: "channel",
        forms: &[
            idiomatic(Ends, grpc660),
            literal(Waits(G2), literal::grpc660),
            fixed(grpc660_fixed),
        ],
    },
    Kernel {
        id: "etcd6857",
        class: "channel",
        forms: &[
            idiomatic(Ends, etcd6857),
            literal(Waits(G2), literal::etcd6857),
            fixed(etcd6857_fixed),
        ],
    },
    Kernel {
        id: "istio17860",
        class: "channel",
        forms: &[
            idiomatic(Ends, istio17860),
            literal(Waits(&["G2", "G2"]), literal::istio17860),
            fixed(istio17860_fixed),
        ],
    },
    Kernel {
        id: "kubernetes38669",
        class: "channel",
        forms: &[
            idiomatic(Ends, kubernetes38669),
            literal(Waits(G2), literal::kubernetes38669),
            fixed(kubernetes38669_fixed),
        ],
    },
    Kernel {
        id: "kubernetes5316",
        class: "channel",
        forms: &[
            idiomatic(Ends, kubernetes5316),
            literal(Waits(G2), literal::kubernetes5316),
            fixed(kubernetes5316_fixed),
        ],
    },
    Kernel {
        id: "moby21233",
        class: "channel",
        forms: &[
            idiomatic(Ends, moby21233),
            literal(Waits(G2), literal::moby21233),
            fixed(moby21233_fixed),
        ],
    },
    Kernel {
        id: "moby4395",
        class: "channel",
        forms: &[
            idiomatic(Ends, moby4395),
            literal(Waits(G2), literal::moby4395),
            fixed(moby4395_fixed),
        ],
    },
];

// grpc1275: closing a stream does not end the read of it. Here the stream's sender goes with it. (So was it repaired.)
fn grpc1275(crew: &Crew) {
    let (client, stream) = chan::<u8>(0);
    crew.go("G2", move || assert!(stream.recv().is_err()));
    crew.go("G1", move || drop(client));
}

// grpc1424: the watcher of a balancer ends and does not say so. Here what it would say it with goes. (So was it repaired.)
fn grpc1424(crew: &Crew) {
    let (addresses, notified) = chan::<bool>(0);
    let (done, waits) = chan::<()>(0);
    crew.go("G3", move || {
        let _done = done;
        for _address in &notified {}
    });
    crew.go("G2", move || assert!(waits.recv().is_err()));
    crew.go("G1", move || drop(addresses));
}

// grpc660: a loop stops while its worker sends.
fn grpc660(crew: &Crew) {
    grpc660_with(crew, 0);
}

fn grpc660_fixed(crew: &Crew) {
    // Room for what nobody takes.
    grpc660_with(crew, 1);
}

fn grpc660_with(crew: &Crew, capacity: usize) {
    let (stop, stopped) = chan::<()>(0);
    let workers = crew.clone();
    crew.go("G1", move || {
        loop {
            let (done, is_done) = chan(capacity);
            workers.go("G2", move || {
                let _ = done.send(true);
            });
            select! {
                recv(stopped) -> _ => return,
                recv(is_done) -> _ => {},
            }
        }
    });
    crew.go("G3", move || drop(stop));
}

// etcd6857: a node is asked for its status when it has stopped.
type Asks = Sender<Sender<u32>>;

fn node(status: Receiver<Sender<u32>>, stop: Receiver<()>) {
    loop {
        select! {
            recv(status) -> ask => match ask {
                Ok(ask) => drop(ask.send(7)),
                Err(_) => return,
            },
            recv(stop) -> _ => return,
        }
    }
}

fn etcd6857(crew: &Crew) {
    let ((asks, status), (stop, stops)): ((Asks, _), _) = (chan(0), chan::<()>(0));
    crew.go("G1", move || node(status, stops));
    crew.go("G3", move || drop(stop));
    crew.go("G2", move || {
        let (answer, answers) = chan(0);
        // It may have stopped before, or stop now.
        if asks.send(answer).is_ok() {
            let _ = answers.recv();
        }
    });
}

fn etcd6857_fixed(crew: &Crew) {
    let ((asks, status), (stop, stops)): ((Asks, _), _) = (chan(0), chan::<()>(0));
    let (done, is_done) = chan::<()>(0);
    crew.go("G1", move || {
        let _done = done;
        node(status, stops);
    });
    crew.go("G3", move || drop(stop));
    crew.go("G2", move || {
        let (answer, answers) = chan(1);
        select! {
            send(asks, answer) -> _ => {
                let _ = answers.recv();
            },
            recv(is_done) -> _ => {},
        }
    });
}

// istio17860: processes tell an agent that has ended how they ended.
fn istio17860(crew: &Crew) {
    istio17860_with(crew, 0);
}

fn istio17860_fixed(crew: &Crew) {
    istio17860_with(crew, 2);
}

fn istio17860_with(crew: &Crew, capacity: usize) {
    let (status, statuses) = chan(capacity);
    let (context, cancel) = Context::background().with_cancel();
    crew.go("G1", move || {
        select! {
            recv(statuses) -> _ => {},
            recv(context.done()) -> _ => {},
        }
    });
    for epoch in 0..2 {
        let status = status.clone();
        crew.go("G2", move || {
            let _ = status.send(epoch);
        });
    }
    crew.go("G3", move || drop(cancel));
}

// kubernetes38669: a watcher that is stopped sends its first events to nobody.
fn kubernetes38669(crew: &Crew) {
    let (result, results) = chan(0);
    let (input, inputs) = chan::<u32>(0);
    crew.go("G2", move || {
        for event in [1, 2] {
            if result.send(event).is_err() {
                return;
            }
        }
        for _event in &inputs {}
    });
    // Nobody reads: the watcher is stopped, with both of its ends.
    crew.go("G1", move || drop((input, results)));
}

fn kubernetes38669_fixed(crew: &Crew) {
    let (result, results) = chan(0);
    let (done, is_done) = chan::<()>(0);
    crew.go("G2", move || {
        for event in [1, 2] {
            select! {
                send(result, event) -> _ => {},
                recv(is_done) -> _ => return,
            }
        }
    });
    crew.go("G1", move || {
        drop(done);
        drop(results);
    });
}

// kubernetes5316: a request that took too long sends its result to nobody.
fn kubernetes5316(crew: &Crew) {
    kubernetes5316_with(crew, 0);
}

fn kubernetes5316_fixed(crew: &Crew) {
    kubernetes5316_with(crew, 1);
}

fn kubernetes5316_with(crew: &Crew, capacity: usize) {
    let (done, is_done) = chan(capacity);
    let (gone, is_gone) = chan::<()>(0);
    crew.go("G2", move || {
        let _ = is_gone.recv();
        let _ = done.send(true);
    });
    crew.go("G1", move || {
        let timeout = waterway::time::after(std::time::Duration::from_micros(1));
        select! {
            recv(is_done) -> _ => {},
            recv(timeout) -> _ => {},
        }
        drop((is_done, gone));
    });
}

// moby21233: progress is told to a reader who has seen enough.
fn moby21233(crew: &Crew) {
    let (progress, told) = chan(0);
    let (release, released) = chan::<()>(0);
    crew.go("G2", move || {
        while progress.send("some") == Ok(()) {}
        assert!(released.recv().is_err());
    });
    crew.go("G1", move || {
        let _ = told.recv();
        drop((told, release));
    });
}

fn moby21233_fixed(crew: &Crew) {
    let (progress, told) = chan(0);
    let (release, released) = chan::<()>(0);
    crew.go("G2", move || {
        loop {
            select! {
                send(progress, "some") -> _ => {},
                recv(released) -> _ => return,
            }
        }
    });
    crew.go("G1", move || {
        let _ = told.recv();
        drop(release);
        // Read to the end.
        for _some in &told {}
    });
}

// moby4395: nobody takes the result of a promise.
fn moby4395(crew: &Crew) {
    moby4395_with(crew, 0);
}

fn moby4395_fixed(crew: &Crew) {
    moby4395_with(crew, 1);
}

fn moby4395_with(crew: &Crew, capacity: usize) {
    fn promise(crew: &Crew, capacity: usize) -> Receiver<Result<(), &'static str>> {
        let (result, promised) = chan(capacity);
        crew.go("G2", move || {
            let _ = result.send(Err("some junk happened"));
        });
        promised
    }
    let starts = crew.clone();
    crew.go("G1", move || drop(promise(&starts, capacity)));
}
