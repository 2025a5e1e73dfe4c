//! What crossbeam-channel's `select_macro.rs` checks of `select!` itself. What it checks under load is in
//! `crossbeam_select_stress.rs`.

#![forbid(unsafe_code)]

use std::ops::Deref;
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use waterway::chan::{never, unbounded};
use waterway::{Receiver, RecvError, SendError, Sender, TryRecvError, chan, go, scope, select};
use waterway_conformance::{LONG, blocked, bound};

const SHORT: Duration = Duration::from_millis(5);

/// crossbeam: smoke1, smoke2 (select_macro).
#[waterway::test]
fn smoke() {
    let _bound = bound();
    let (txs, rxs): (Vec<Sender<usize>>, Vec<Receiver<usize>>) =
        (0..5).map(|_| unbounded()).unzip();
    for n in [0, 1, 4, 2] {
        txs[n].send(n).unwrap();
        let got = select! {
            recv(rxs[0]) -> v => (0, v),
            recv(rxs[1]) -> v => (1, v),
            recv(rxs[2]) -> v => (2, v),
            recv(rxs[3]) -> v => (3, v),
            recv(rxs[4]) -> v => (4, v),
        };
        assert_eq!(got, (n, Ok(n)));
    }
}

/// crossbeam: disconnected, disconnect_wakes_sender, disconnect_wakes_receiver (select_macro).
#[waterway::test]
fn disconnected() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (unbounded::<i32>(), unbounded::<i32>());
    drop(tx1);
    select! {
        recv(rx1) -> v => assert_eq!(v, Err(RecvError)),
        recv(rx2) -> _ => unreachable!(),
        default(LONG) => unreachable!(),
    }
    let receiver = blocked("select", move || select! { recv(rx2) -> v => v });
    drop(tx2);
    assert_eq!(receiver.join().unwrap(), Err(RecvError));
    let (tx, rx) = chan(0);
    let sender = blocked("select", move || select! { send(tx, 7) -> sent => sent });
    drop(rx);
    assert_eq!(sender.join().unwrap(), Err(SendError(7)));
}

/// crossbeam: default, default_when_disconnected, default_only, timeout (select_macro).
#[waterway::test]
fn defaults() {
    let _bound = bound();
    let ((tx, rx), (_tx2, rx2)) = (unbounded::<i32>(), unbounded::<i32>());
    select! { recv(rx) -> _ => unreachable!(), recv(rx2) -> _ => unreachable!(), default => {} }
    let begin = Instant::now();
    select! { recv(rx) -> _ => unreachable!(), default(SHORT) => {} }
    select! { default(SHORT) => {} }
    assert!(begin.elapsed() >= 2 * SHORT);
    select! { default => {} }
    tx.send(2).unwrap();
    select! { recv(rx) -> v => assert_eq!(v, Ok(2)), default => unreachable!() }
    tx.send(3).unwrap();
    select! { recv(rx) -> v => assert_eq!(v, Ok(3)), default(LONG) => unreachable!() }
    drop(tx);
    select! { recv(rx) -> v => assert_eq!(v, Err(RecvError)), default => unreachable!() }
    select! { recv(rx) -> v => assert_eq!(v, Err(RecvError)), default(LONG) => unreachable!() }
}

/// crossbeam: unblocks, both_ready (select_macro).
#[waterway::test]
fn unblocks() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (chan(0), chan(0));
    let waits = blocked("select", move || {
        for _ in 0..2 {
            select! { recv(rx1) -> v => assert_eq!(v, Ok(1)), send(tx2, 2) -> sent => sent.unwrap() }
        }
    });
    tx1.send(1).unwrap();
    assert_eq!(rx2.recv(), Ok(2));
    waits.join().unwrap();
}

/// crossbeam: loop_try (select_macro). Two that select with a default, against one that waits.
#[waterway::test]
fn loop_try() {
    let _bound = bound();
    for _ in 0..20 {
        let ((tx1, rx1), (tx2, rx2), (end, ended)) = (chan(0), chan(0), chan::<()>(0));
        scope(|s| {
            s.go(|| {
                loop {
                    select! { send(tx1, 1) -> _ => break, default => waterway::yield_now() }
                    select! { recv(ended) -> _ => break, default => {} }
                }
            });
            s.go(|| {
                loop {
                    select! { recv(rx2) -> v => { assert_eq!(v, Ok(2)); break } default => waterway::yield_now() }
                    select! { recv(ended) -> _ => break, default => {} }
                }
            });
            s.go(|| {
                select! {
                    recv(rx1) -> v => assert_eq!(v, Ok(1)),
                    send(tx2, 2) -> sent => sent.unwrap(),
                    default(LONG) => panic!("both try"),
                }
                end.close();
            });
        });
    }
}

/// crossbeam: cloning1, cloning2, preflight1, preflight2, preflight3 (select_macro).
#[waterway::test]
fn clones_come_and_go() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (unbounded::<i32>(), unbounded());
    let (one, two) = (rx1.clone(), rx2.clone());
    let waits = blocked(
        "select",
        move || select! { recv(one) -> _ => unreachable!(), recv(two) -> v => v },
    );
    drop((tx1.clone(), rx1));
    assert!(!waits.is_finished());
    tx2.send(7).unwrap();
    assert_eq!(waits.join().unwrap(), Ok(7));
    tx2.send(8).unwrap();
    drop(tx2);
    select! { recv(rx2) -> v => assert_eq!(v, Ok(8)) }
    assert_eq!(rx2.try_recv(), Err(TryRecvError::Disconnected));
    select! { recv(rx2) -> v => assert_eq!(v, Err(RecvError)) }
}

/// crossbeam: duplicate_operations (select_macro).
#[waterway::test]
fn duplicate_operations() {
    let _bound = bound();
    let (tx, rx) = unbounded();
    let mut hit = [false; 4];
    while hit != [true; 4] {
        select! {
            recv(rx) -> _ => hit[0] = true,
            recv(rx) -> _ => hit[1] = true,
            send(tx, 0) -> _ => hit[2] = true,
            send(tx, 0) -> _ => hit[3] = true,
        }
    }
}

/// crossbeam: nesting, parse_nesting (select_macro).
#[waterway::test]
fn nesting() {
    let _bound = bound();
    let (tx, rx) = unbounded();
    select! {
        send(tx, 0) -> _ => {
            select! {
                recv(rx) -> v => {
                    assert_eq!(v, Ok(0));
                    select! {
                        send(tx, 1) -> _ => select! {
                            recv(rx) -> v => assert_eq!(v, Ok(1)),
                            default => unreachable!(),
                        },
                    }
                }
                recv(never::<i32>()) -> _ => unreachable!(),
            }
        }
    }
}

/// crossbeam: panic_sender, panic_receiver (select_macro). An operand that panics.
#[waterway::test]
#[allow(unreachable_code, clippy::diverging_sub_expression)]
fn operands_that_panic() {
    fn sender() -> Sender<i32> {
        panic!("no sender")
    }
    fn receiver() -> Receiver<i32> {
        panic!("no receiver")
    }
    let _bound = bound();
    let panic = catch_unwind(|| select! { send(sender(), panic!("no message")) -> _ => {} });
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"no sender"));
    let panic = catch_unwind(|| select! { recv(receiver()) -> _ => {} });
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"no receiver"));
}

/// crossbeam: send_recv_same_channel (select_macro).
#[waterway::test]
fn send_recv_same_channel() {
    let _bound = bound();
    let (tx, rx) = chan(0);
    select! { send(tx, 0) -> _ => unreachable!(), recv(rx) -> _ => unreachable!(), default(SHORT) => {} }
    let (tx, rx) = unbounded();
    select! { send(tx, 0) -> sent => sent.unwrap(), recv(rx) -> _ => unreachable!(), default(LONG) => unreachable!() }
}

/// crossbeam: matching, matching_with_leftover (select_macro).
#[waterway::test]
fn matching() {
    let _bound = bound();
    for selects in [44, 43] {
        let (tx, rx) = chan(0);
        scope(|s| {
            for own in 0..selects {
                let (tx, rx) = (&tx, &rx);
                s.go(move || select! { send(tx, own) -> r => r.unwrap(), recv(rx) -> v => assert_ne!(v, Ok(own)) });
            }
            if selects % 2 == 1 {
                tx.send(!0).unwrap();
            }
        });
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    }
}

/// crossbeam: channel_through_channel (select_macro).
#[waterway::test]
fn channel_through_channel() {
    struct Next(Receiver<Next>);
    let _bound = bound();
    for capacity in [0, 1, 3] {
        let (first, mut rx) = chan(capacity);
        let sender = go(move || {
            let mut tx: Sender<Next> = first;
            for _ in 0..300 {
                let (next, rx) = chan(capacity);
                select! { send(tx, Next(rx)) -> sent => assert!(sent.is_ok()) }
                tx = next;
            }
        });
        for _ in 0..300 {
            rx = select! { recv(rx) -> next => next.map(|Next(rx)| rx).unwrap() };
        }
        sender.join().unwrap();
    }
}

/// crossbeam: references, move_handles, handles_on_heap, deref (select_macro). Whatever leads to an end is one.
#[waterway::test]
#[allow(clippy::redundant_closure_call, clippy::unnecessary_literal_unwrap)]
fn operands_of_every_kind() {
    struct Own<T>(T);
    impl<T> Deref for Own<T> {
        type Target = T;
        fn deref(&self) -> &T {
            &self.0
        }
    }
    let _bound = bound();
    let (tx, rx) = unbounded();
    select! { send(&&&&tx, 0) -> _ => {}, recv(&&&&rx) -> _ => unreachable!() }
    select! { recv(Some(&rx).unwrap_or(&never())) -> v => assert_eq!(v, Ok(0)), default => unreachable!() }
    select! { recv(None.unwrap_or(&never::<i32>())) -> _ => unreachable!(), default => {} }
    let (boxed_tx, boxed_rx) = (Box::new(tx.clone()), Box::new(rx.clone()));
    select! { send(boxed_tx, 1) -> _ => {}, recv(*boxed_rx) -> _ => unreachable!() }
    let (own_tx, own_rx) = (Own(tx.clone()), Own(rx.clone()));
    select! { recv(own_rx) -> v => assert_eq!(v, Ok(1)), default => unreachable!() }
    select! { send(own_tx, 2) -> _ => {}, default => unreachable!() }
    select! { recv((move || rx)()) -> v => assert_eq!(v, Ok(2)), recv(never::<i32>()) -> _ => unreachable!() }
    select! { send((move || tx)(), 3) -> _ => {} }
}

/// crossbeam: once_blocks, once_receiver, once_sender (select_macro). Bodies and operands may give away what they hold.
#[waterway::test]
fn bodies_and_operands_that_give_away() {
    let _bound = bound();
    let (tx, rx) = unbounded();
    let once = Box::new(());
    select! { send(tx, 0) -> _ => drop(once) }
    let (first, second) = (Box::new(()), Box::new(()));
    select! { recv(rx) -> _ => drop(first), default => drop(second) }
    let (first, second) = (Box::new(()), Box::new(()));
    select! { recv(rx) -> _ => drop(first), send(tx, 0) -> _ => drop(second) }
    let once = Box::new(rx);
    select! { recv({ let rx = once; *rx }) -> v => assert_eq!(v, Ok(0)) }
    let once = Box::new(tx);
    select! { send({ let tx = once; *tx }, 5) -> sent => assert_eq!(sent, Err(SendError(5))) }
}

/// crossbeam: case_blocks, evaluate, infer_types, default_syntax, same_variable_name, trailing_comma (select_macro).
#[waterway::test]
#[allow(clippy::never_loop, clippy::match_single_binding)]
fn syntax() {
    let _bound = bound();
    let (tx, rx) = unbounded();
    let text = select! {
        recv(rx) -> _ => loop { unreachable!() },
        recv(rx) -> _ => match 7 + 3 { _ => unreachable!() },
        send(tx, ()) -> _ => "sent".to_owned(),
    };
    assert_eq!(text, "sent");
    let text: String =
        select! { recv(rx) -> _ => "received".into(), default => "nothing".to_string() };
    assert_eq!(text, "received");
    let number = select! { recv(rx) -> _ => 3.0, default() => 7. };
    assert_eq!(number, 7.0);
    select! { recv(rx) -> v => if v.is_ok() { unreachable!() }, default => () }
    drop(tx);
    select! { recv(rx) -> rx => assert!(rx.is_err()) }
    let (tx, rx) = unbounded();
    select! { send(tx, 1,) -> _ => {}, recv(rx,) -> _ => unreachable!(), default(LONG,) => unreachable!(), }
}

/// crossbeam: result_types, and try_recv, recv, recv_timeout, try_send, send, send_timeout (select_macro), which do with a
/// select of one arm what those calls do.
#[waterway::test]
fn results() {
    let _bound = bound();
    let (tx, rx) = chan(0);
    let got: Result<i32, RecvError> = select! { recv(rx) -> v => v, default(SHORT) => Ok(-1) };
    assert_eq!(got, Ok(-1));
    let sent: Result<(), SendError<i32>> =
        select! { send(tx, 1) -> r => r, default => Err(SendError(-1)) };
    assert_eq!(sent, Err(SendError(-1)));
    let receiver = rx.clone();
    let waits = blocked(
        "select",
        move || select! { recv(receiver) -> v => v, default(LONG) => Ok(-1) },
    );
    select! { send(tx, 7) -> r => assert_eq!(r, Ok(())), default => panic!("somebody waits") }
    assert_eq!(waits.join().unwrap(), Ok(7));
    let sender = tx.clone();
    let waits = blocked("chan send", move || sender.send(8));
    select! { recv(rx) -> v => assert_eq!(v, Ok(8)), default => panic!("somebody waits") }
    waits.join().unwrap().unwrap();
    // A select that waits to send has no value yet: who tries finds nothing, who waits meets it (module `chan`).
    let waits = blocked(
        "select",
        move || select! { send(tx, 9) -> r => r, default(LONG) => Err(SendError(-1)) },
    );
    assert_eq!(rx.recv(), Ok(9));
    waits.join().unwrap().unwrap();
}
