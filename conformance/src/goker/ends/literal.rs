//! As Go has them: both ends lie in what everybody shares, so nothing closes when somebody goes.

use std::sync::Arc;

use waterway::{Context, chan, select, select_biased};

use super::super::{Both, Crew};

// grpc1275: the stream is closed, but not what its reader reads.
pub(super) fn grpc1275(crew: &Crew) {
    struct Stream {
        received: Both<u8>,
        closed: Both<()>,
    }
    let stream = Arc::new(Stream {
        received: chan(0),
        closed: chan(0),
    });
    let client = stream.clone();
    crew.go("G2", move || {
        let _ = stream.received.1.recv();
    });
    crew.go("G1", move || client.closed.0.close());
}

// grpc1424: the watcher returns where it should have closed `done`.
pub(super) fn grpc1424(crew: &Crew) {
    struct Balancer {
        addresses: Both<bool>,
        done: Both<()>,
    }
    let balancer = Arc::new(Balancer {
        addresses: chan(0),
        done: chan(0),
    });
    let (dials, closes) = (balancer.clone(), balancer.clone());
    crew.go("G3", move || for _address in &balancer.addresses.1 {});
    crew.go("G2", move || {
        let _ = dials.done.1.recv();
    });
    crew.go("G1", move || closes.addresses.0.close());
}

// grpc660: the loop has been told to stop when it starts its last call.
pub(super) fn grpc660(crew: &Crew) {
    let stop = Arc::new(chan::<()>(0));
    let (stops, workers) = (stop.clone(), crew.clone());
    crew.go("G1", move || {
        while !stop.0.is_closed() {
            waterway::yield_now();
        }
        loop {
            let done = Arc::new(chan(0));
            let is_done = done.clone();
            workers.go("G2", move || {
                let _ = done.0.send(true);
            });
            select_biased! {
                recv(stop.1) -> _ => return,
                recv(is_done.1) -> _ => {},
            }
        }
    });
    crew.go("G3", move || stops.0.close());
}

// etcd6857: the node has stopped before it is asked.
pub(super) fn etcd6857(crew: &Crew) {
    struct Node {
        status: Both<Both<u32>>,
        stop: Both<()>,
        done: Both<()>,
    }
    impl Node {
        fn run(&self) {
            loop {
                select! {
                    recv(self.status.1) -> ask => {
                        let _ = ask.map(|(answer, _)| answer.send(7));
                    },
                    recv(self.stop.1) -> _ => {
                        self.done.0.close();
                        return;
                    },
                }
            }
        }
        fn status(&self) {
            let _ = self.done.1.recv();
            let answer = chan(0);
            let _ = self.status.0.send(answer.clone());
            let _ = answer.1.recv();
        }
    }
    let node = Arc::new(Node {
        status: chan(0),
        stop: chan(0),
        done: chan(0),
    });
    let (asks, stops) = (node.clone(), node.clone());
    crew.go("G1", move || node.run());
    crew.go("G2", move || asks.status());
    crew.go("G3", move || stops.stop.0.close());
}

// istio17860: the processes end after the agent.
pub(super) fn istio17860(crew: &Crew) {
    struct Agent {
        statuses: Both<u32>,
        ended: Both<()>,
    }
    let agent = Arc::new(Agent {
        statuses: chan(0),
        ended: chan(0),
    });
    let (context, cancel) = Context::background().with_cancel();
    for epoch in 0..2 {
        let process = agent.clone();
        crew.go("G2", move || {
            let _ = process.ended.1.recv();
            let _ = process.statuses.0.send(epoch);
        });
    }
    crew.go("G1", move || {
        select! {
            recv(agent.statuses.1) -> _ => {},
            recv(context.done()) -> _ => {},
        }
        agent.ended.0.close();
    });
    crew.go("G3", move || cancel.cancel());
}

// kubernetes38669: the input is closed, and the first events are still to be taken.
pub(super) fn kubernetes38669(crew: &Crew) {
    struct Watcher {
        input: Both<u32>,
        result: Both<u32>,
    }
    let watcher = Arc::new(Watcher {
        input: chan(0),
        result: chan(0),
    });
    let stops = watcher.clone();
    crew.go("G2", move || {
        for event in [1, 2] {
            let _ = watcher.result.0.send(event);
        }
        for event in &watcher.input.1 {
            let _ = watcher.result.0.send(event);
        }
    });
    crew.go("G1", move || stops.input.0.close());
}

// kubernetes5316: whoever waited has gone.
pub(super) fn kubernetes5316(crew: &Crew) {
    struct Request {
        done: Both<bool>,
        gone: Both<()>,
    }
    let request = Arc::new(Request {
        done: chan(0),
        gone: chan(0),
    });
    let serves = request.clone();
    crew.go("G2", move || {
        let _ = serves.gone.1.recv();
        let _ = serves.done.0.send(true);
    });
    crew.go("G1", move || {
        let timeout = waterway::time::after(std::time::Duration::from_micros(1));
        select! {
            recv(request.done.1) -> _ => {},
            recv(timeout) -> _ => {},
        }
        request.gone.0.close();
    });
}

// moby21233: the watcher is released, and progress goes on to nobody.
pub(super) fn moby21233(crew: &Crew) {
    struct Transfer {
        progress: Both<&'static str>,
        released: Both<()>,
    }
    let transfer = Arc::new(Transfer {
        progress: chan(0),
        released: chan(0),
    });
    let watcher = transfer.clone();
    crew.go("G2", move || {
        for _ in 0..3 {
            let _ = transfer.progress.0.send("some");
        }
    });
    crew.go("G1", move || {
        let _ = watcher.progress.1.recv();
        watcher.released.0.close();
    });
}

// moby4395: nobody takes the result of a promise.
pub(super) fn moby4395(crew: &Crew) {
    fn promise(crew: &Crew) -> Arc<Both<Result<(), &'static str>>> {
        let result = Arc::new(chan(0));
        let own = result.clone();
        crew.go("G2", move || {
            let _ = own.0.send(Err("some junk happened"));
        });
        result
    }
    let starts = crew.clone();
    crew.go("G1", move || drop(promise(&starts)));
}
