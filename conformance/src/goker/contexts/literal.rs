//! As Go has them: both ends of a channel, and the cancel of a context, lie in what everybody shares, and nothing ends by itself.

use std::sync::Arc;

use waterway::sync::WaitGroup;
use waterway::{CancelGuard, Context, chan, select, select_biased};

use super::super::{Both, Crew};
use super::SPANS;

/// A context, and what cancels it.
type Cancel = (Context, CancelGuard);

fn context() -> Cancel {
    Context::background().with_cancel()
}

// grpc862: the dial is cancelled, and the connection waits for its own context.
pub(super) fn grpc862(crew: &Crew) {
    struct Client {
        own: Cancel,
    }
    impl Client {
        fn reset_transport(&self) {
            let _ = self.own.0.done().recv();
        }
        fn close(&self) {
            self.own.1.cancel();
        }
    }
    let (dial, hang_up) = context();
    let client = Arc::new(Client { own: context() });
    let connection = client.clone();
    crew.go("G2", move || connection.reset_transport());
    crew.go("G1", move || {
        let dialled = dial.done().recv().is_ok();
        // Left to who gets a client, and nobody does.
        if dialled {
            client.close();
        }
    });
    crew.go("helper", move || hang_up.cancel());
}

// cockroach18101: the restore is cancelled while another splits and tells it.
pub(super) fn cockroach18101(crew: &Crew) {
    let ready = Arc::new(chan(SPANS));
    let is_ready = ready.clone();
    let (ctx, cancel) = context();
    crew.go("G2", move || {
        for span in 0..SPANS + 2 {
            let _ = ready.0.send(span);
        }
    });
    crew.go("G1", move || {
        if is_ready.1.recv().is_ok() {
            let _ = ctx.done().recv();
        }
    });
    crew.go("helper", move || cancel.cancel());
}

// cockroach13197: the transaction is neither committed nor rolled back.
pub(super) fn cockroach13197(crew: &Crew) {
    struct Transaction {
        context: Cancel,
    }
    impl Transaction {
        fn await_done(&self) {
            let _ = self.context.0.done().recv();
        }
    }
    let begun = Arc::new(Transaction { context: context() });
    let waits = begun.clone();
    crew.go("G2", move || waits.await_done());
    crew.go("G1", move || drop(begun));
}

// cockroach10790: who is cancelled has another drain each channel, to which nobody sends any more.
pub(super) fn cockroach10790(crew: &Crew) {
    struct Replica {
        chans: [Both<bool>; 2],
        sent: Both<()>,
    }
    let replica = Arc::new(Replica {
        chans: [chan(0), chan(0)],
        sent: chan(0),
    });
    let (ctx, cancel) = context();
    let (sender, sends, drains) = (ctx.clone(), replica.clone(), crew.clone());
    crew.go("helper", move || {
        // Cancelled before anybody sends.
        let _ = sender.done().recv();
        for end in &sends.chans {
            select_biased! {
                recv(sender.done()) -> _ => break,
                send(end.0, true) -> _ => {},
            }
        }
        sends.sent.0.close();
    });
    crew.go("G1", move || {
        let _ = replica.sent.1.recv();
        for end in &replica.chans {
            select! {
                recv(end.1) -> _ => {},
                recv(ctx.done()) -> _ => {
                    let all = replica.clone();
                    drains.go("G3", move || {
                        for end in &all.chans {
                            let _ = end.1.recv();
                        }
                    });
                },
            }
        }
    });
    crew.go("G2", move || cancel.cancel());
}

// kubernetes25331: the error of a watch is sent as its result, and who stops the watch does not read.
pub(super) fn kubernetes25331(crew: &Crew) {
    struct Watch {
        result: Both<bool>,
        error: Both<&'static str>,
        context: Cancel,
    }
    impl Watch {
        fn run(&self) {
            select! {
                recv(self.error.1) -> error => {
                    let _ = self.result.0.send(error.is_ok());
                },
                recv(self.context.0.done()) -> _ => {},
            }
        }
        fn stop(&self) {
            self.context.1.cancel();
        }
    }
    let watch = Arc::new(Watch {
        result: chan(0),
        error: chan(0),
        context: context(),
    });
    let stops = watch.clone();
    crew.go("G1", move || watch.run());
    crew.go("G2", move || {
        let _ = stops.error.0.send("error");
        stops.stop();
    });
}

// moby33781: the monitor has been stopped when the probe has its result.
pub(super) fn moby33781(crew: &Crew) {
    struct Monitor {
        stop: Both<()>,
        result: Both<bool>,
        gone: Both<()>,
    }
    let monitor = Arc::new(Monitor {
        stop: chan(0),
        result: chan(0),
        gone: chan(0),
    });
    let (probe, stops) = (monitor.clone(), monitor.clone());
    crew.go("G3", move || {
        let _ = probe.gone.1.recv();
        let _ = probe.result.0.send(true);
    });
    crew.go("G1", move || {
        select! {
            recv(monitor.stop.1) -> _ => {},
            recv(monitor.result.1) -> _ => {},
        }
        monitor.gone.0.close();
    });
    crew.go("G2", move || stops.stop.0.close());
}

// cockroach1462: events are sent to a reader who has been stopped.
pub(super) fn cockroach1462(crew: &Crew) {
    let (event, events) = chan::<u32>(0);
    let (stopper, stopped) = chan::<()>(0);
    let workers = WaitGroup::new();
    workers.add(2);
    let (sent, read) = (workers.clone(), workers.clone());
    let both_ends = events.clone();
    crew.go("G2", move || {
        let _both_ends = both_ends;
        let _ = event.send(0);
        sent.done();
    });
    crew.go("G3", move || {
        let _ = stopped.recv();
        drop(events);
        read.done();
    });
    crew.go("G1", move || {
        drop(stopper);
        workers.wait();
    });
}
