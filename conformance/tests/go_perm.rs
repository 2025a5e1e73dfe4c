//! Go's `test/chan/perm.go`: what may be done with which end of a channel is known to the compiler. Arms of a select that are
//! refused are in the documentation of `waterway_conformance::directions`.

#![forbid(unsafe_code)]

use std::any::TypeId;

use waterway::{Receiver, Sender, chan, select};
use waterway_conformance::bound;

/// Go: test/chan/perm.go, the lines marked ok. A `Sender` is Go's `chan<-`, a `Receiver` its `<-chan`; both are made at once.
#[waterway::test]
fn what_is_permitted() {
    let _bound = bound();
    let (tx, rx): (Sender<i32>, Receiver<i32>) = chan(2);
    tx.send(0).unwrap();
    assert_eq!(rx.recv(), Ok(0));
    select! { send(tx, 1) -> sent => sent.unwrap() }
    select! { recv(rx) -> value => assert_eq!(value, Ok(1)) }
    tx.close();
    assert_eq!(rx.iter().count(), 0);
    // Only this differs: Go refuses to close what can only be received from.
    rx.close();
}

/// What the methods below give. An end's own method of that name would go before, and give something else.
#[derive(Debug, PartialEq)]
struct Refused;

trait OnlySenders: Sized {
    fn send(&self, _: i32) -> Refused {
        Refused
    }
    fn try_send(&self, _: i32) -> Refused {
        Refused
    }
}

trait OnlyReceivers: Sized {
    fn recv(&self) -> Refused {
        Refused
    }
    fn try_recv(&self) -> Refused {
        Refused
    }
    fn iter(&self) -> Refused {
        Refused
    }
}

impl OnlySenders for Receiver<i32> {}
impl OnlyReceivers for Sender<i32> {}

/// Go: test/chan/perm.go, the lines marked ERROR, but for closing a receiver, which is allowed here (`Receiver::close`). This
/// compiles because a receiver has no method that sends, a sender none that receives, and they are two types.
#[test]
fn what_is_not_permitted() {
    let _bound = bound();
    let (tx, rx) = chan::<i32>(1);
    assert_eq!((rx.send(0), rx.try_send(0)), (Refused, Refused));
    assert_eq!(
        (tx.recv(), tx.try_recv(), tx.iter()),
        (Refused, Refused, Refused)
    );
    assert_ne!(TypeId::of::<Sender<i32>>(), TypeId::of::<Receiver<i32>>());
}
