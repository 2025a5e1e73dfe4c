//! Go's `test/chan/select3.go`: which operations block, which never do.
//!
//! A nil channel is `chan::never()` to receive from. There is no nil sender; one on which nobody receives stands for it.
//! Sending on a closed channel gives an error where Go panics.

#![forbid(unsafe_code)]

use waterway::chan::never;
use waterway::{Receiver, RecvError, SendError, Sender, chan, go, select};
use waterway_conformance::{blocked, bound};

/// A channel that is closed.
fn closed() -> (Sender<i32>, Receiver<i32>) {
    let ends = chan(0);
    ends.0.close();
    ends
}

/// Go: test/chan/select3.go, "sending/receiving from a nil channel blocks", "receiving from a non-ready channel always
/// blocks".
#[waterway::test]
fn operations_that_block() {
    let _bound = bound();
    let (tx, _rx) = chan(0);
    drop(blocked("chan send", move || tx.send(7)));
    drop(blocked("chan receive (never)", || never::<i32>().recv()));
    let (_tx, rx) = chan::<i32>(0);
    drop(blocked("chan receive", move || rx.recv()));
}

/// Go: test/chan/select3.go, "a nil channel inside a select is never selected", "selects with default cases don't block".
#[waterway::test]
fn selects_with_default_do_not_block() {
    let _bound = bound();
    let (tx, _rx) = chan(0);
    let nil = never::<i32>();
    for _ in 0..10 {
        select! { default => {} }
        select! { recv(nil) -> _ => unreachable!(), default => {} }
        select! { send(tx, 7) -> _ => unreachable!(), default => {} }
        select! { send(tx, 7) -> _ => unreachable!(), recv(nil) -> _ => unreachable!(), default => {} }
    }
}

/// Go: test/chan/select3.go, "sending to an async channel with free buffer space never blocks".
#[waterway::test]
fn a_send_with_room_does_not_block() {
    let _bound = bound();
    let (tx, _rx) = chan(1);
    assert_eq!(tx.send(7), Ok(()));
}

/// Go: test/chan/select3.go, "receiving from a closed channel never blocks", "sending to a closed channel panics" (an error
/// here, as `Sender::send` documents).
#[waterway::test]
fn operations_on_a_closed_channel_do_not_block() {
    let _bound = bound();
    let (tx, rx) = closed();
    for _ in 0..10 {
        assert_eq!(rx.recv(), Err(RecvError));
        assert_eq!(tx.send(7), Err(SendError(7)));
    }
}

/// Go: test/chan/select3.go, "empty selects always block".
#[waterway::test]
fn an_empty_select_blocks() {
    let _bound = bound();
    drop(blocked("select (no cases)", || select! {}));
}

/// Go: test/chan/select3.go, "selects with only nil channels always block", "selects with non-ready non-nil channels always
/// block".
#[waterway::test]
fn selects_without_a_ready_arm_block() {
    let _bound = bound();
    let unready = || chan::<i32>(0);
    drop(blocked(
        "select",
        || select! { recv(never::<i32>()) -> _ => unreachable!() },
    ));
    let (tx, _rx) = unready();
    drop(blocked(
        "select",
        move || select! { send(tx, 7) -> _ => unreachable!() },
    ));
    let (tx, _rx) = unready();
    drop(blocked("select", move || {
        select! { recv(never::<i32>()) -> _ => unreachable!(), send(tx, 7) -> _ => unreachable!() }
    }));
    let (_tx, rx) = unready();
    drop(blocked(
        "select",
        move || select! { recv(rx) -> _ => unreachable!() },
    ));
}

/// Go: test/chan/select3.go, "selects with ready channels don't block".
#[waterway::test]
fn a_ready_arm_goes_before_default() {
    let _bound = bound();
    let (tx, rx) = chan(1);
    for _ in 0..100 {
        select! { send(tx, 7) -> r => r.unwrap(), default => unreachable!() }
        select! { recv(rx) -> v => assert_eq!(v, Ok(7)), default => unreachable!() }
    }
}

/// Go: test/chan/select3.go, "selects with closed channels behave like ordinary operations".
#[waterway::test]
fn selects_on_closed_channels_do_not_block() {
    let _bound = bound();
    let (tx, rx) = closed();
    select! { recv(rx) -> _ => {} }
    select! { recv(rx) -> v => assert_eq!(v, Err(RecvError)) }
    select! { recv(rx) -> v => assert_eq!(v, Err(RecvError)), default => unreachable!() }
    select! { send(tx, 7) -> r => assert_eq!(r, Err(SendError(7))) }
    select! { send(tx, 7) -> r => assert_eq!(r, Err(SendError(7))), default => unreachable!() }
}

/// Go: test/chan/select3.go, "select should not get confused if it sees itself".
#[waterway::test]
fn a_select_that_sees_itself_blocks() {
    let _bound = bound();
    let (tx, rx) = chan(0);
    let (other_tx, other_rx) = (tx.clone(), rx.clone());
    let select = blocked("select", move || {
        select! { send(tx, 1) -> r => r.map(|()| 0).ok(), recv(rx) -> v => v.ok() }
    });
    // And it is whole: a second one meets it.
    let partner = go(move || {
        select! { send(other_tx, 2) -> r => r.map(|()| 0).ok(), recv(other_rx) -> v => v.ok() }
    });
    let got = (select.join().unwrap(), partner.join().unwrap());
    assert!(
        got == (Some(0), Some(1)) || got == (Some(2), Some(0)),
        "{got:?}"
    );
}
