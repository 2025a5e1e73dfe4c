//! Go's `test/chan/select5.go`: every shape of a select with one arm that can go. There a program prints the programs;
//! here a macro writes one select for each subset of the arms that cannot go, with the default before, after or absent.

#![forbid(unsafe_code)]
// Messages that are never made are the point of some tests.
#![allow(unreachable_code, clippy::diverging_sub_expression)]

use std::cell::Cell;
use std::collections::HashMap;

use waterway::chan::never;
use waterway::{Receiver, Sender, chan, select};
use waterway_conformance::bound;

/// `subsets!(then(fixed) [arms so far] [optional arms])` calls `then!` once for each subset of the optional arms.
macro_rules! subsets {
    ($then:ident $fixed:tt [$($arms:tt)*] []) => {
        $then!($fixed $($arms)*);
    };
    ($then:ident $fixed:tt [$($arms:tt)*] [{ $($arm:tt)* } $($rest:tt)*]) => {
        subsets!($then $fixed [$($arms)*] [$($rest)*]);
        subsets!($then $fixed [$($arms)* $($arm)*] [$($rest)*]);
    };
}

/// What the generated selects use: a buffered channel, so that one goroutine can send and receive, and others that are
/// never ready.
struct Ends {
    tx: Sender<usize>,
    rx: Receiver<usize>,
    dummy_tx: Sender<usize>,
    dummy: Receiver<usize>,
    nil: Receiver<usize>,
    /// The number of the last step.
    order: Cell<usize>,
    selects: Cell<usize>,
}

impl Ends {
    fn new() -> Ends {
        let (tx, rx) = chan(1);
        let (dummy_tx, dummy) = chan(0);
        Ends {
            tx,
            rx,
            dummy_tx,
            dummy,
            nil: never(),
            order: Cell::new(0),
            selects: Cell::new(0),
        }
    }

    /// Gives `value`, and checks that steps are taken in the order of their numbers.
    fn step<T>(&self, number: usize, value: T) -> T {
        assert!(
            number > self.order.get(),
            "step {number} after {}",
            self.order.get()
        );
        self.order.set(number);
        value
    }

    fn next(&self) -> usize {
        self.order.set(0);
        self.selects.set(self.selects.get() + 1);
        self.selects.get()
    }
}

/// Go: test/chan/select5.go, template recv. The value goes where the arm says, whatever else is in the select.
#[waterway::test]
fn receives_in_every_shape() {
    let _bound = bound();
    let e = Ends::new();
    let mut map = HashMap::new();
    macro_rules! shape {
        (($n:ident $x:ident, $($receive:tt)*) $($rest:tt)*) => {{
            let $n = e.next();
            let $x = Cell::new(0);
            e.tx.send($n).unwrap();
            select! { $($receive)* $($rest)* }
            assert_eq!($x.take(), $n);
            e.tx.send($n).unwrap();
            select! { default => panic!("it is ready"), $($receive)* $($rest)* }
            e.tx.send($n).unwrap();
            select! { $($receive)* default => panic!("it is ready"), $($rest)* }
            assert_eq!($x.take(), $n);
        }};
    }
    macro_rules! all {
        ($n:ident $x:ident, $($receive:tt)*) => {
            subsets!(shape ($n $x, $($receive)*) [] [
                { send(e.dummy_tx, 1) -> _ => panic!("dummy send"), }
                { recv(e.dummy) -> _ => panic!("dummy receive"), }
                { recv(e.nil) -> _ => panic!("nil receive"), }
            ]);
        };
    }
    all!(n x, recv(e.rx) -> v => x.set(v.unwrap()),);
    all!(n x, recv(e.rx) -> v => { let to = &x; to.set(v.unwrap()); });
    all!(n x, recv(e.rx) -> v => { map.insert(13, v.unwrap()); x.set(map[&13]) });
    all!(n x, recv(&e.rx) -> v => if let Ok(v) = v { x.set(v) },);
    assert_eq!(e.selects.get(), 4 * 8);
}

/// Go: test/chan/select5.go, template send.
#[waterway::test]
fn sends_in_every_shape() {
    let _bound = bound();
    let e = Ends::new();
    macro_rules! shape {
        (() $($rest:tt)*) => {{
            let n = e.next();
            macro_rules! check { () => { assert_eq!(e.rx.try_recv(), Ok(n)) }; }
            select! { send(e.tx, n) -> r => r.unwrap(), $($rest)* }
            check!();
            select! { default => panic!("there is room"), send(e.tx, n) -> r => r.unwrap(), $($rest)* }
            check!();
            select! { send(e.tx, n) -> r => r.unwrap(), default => panic!("there is room"), $($rest)* }
            check!();
        }};
    }
    subsets!(shape () [] [
        { send(e.dummy_tx, 1) -> _ => panic!("dummy send"), }
        { recv(e.dummy) -> _ => panic!("dummy receive"), }
        { recv(e.nil) -> _ => panic!("nil receive"), }
    ]);
    assert_eq!(e.selects.get(), 8);
}

/// Go: test/chan/select5.go, template recvOrder. All channels are evaluated first, in the order of the text; what the chosen
/// arm does comes last.
#[waterway::test]
fn operands_of_receives_are_evaluated_in_order() {
    let _bound = bound();
    let e = Ends::new();
    macro_rules! shape {
        (() $($rest:tt)*) => {{
            let n = e.next();
            e.tx.send(n).unwrap();
            let mut x = 0;
            select! { recv(e.step(1, &e.rx)) -> v => *e.step(100, &mut x) = v.unwrap(), $($rest)* }
            assert_eq!((x, e.order.get()), (n, 100));
        }};
    }
    subsets!(shape () [] [
        { default => panic!("it is ready"), }
        { send(e.step(2, &e.dummy_tx), e.step(3, 1)) -> _ => panic!("dummy send"), }
        { recv(e.step(4, &e.dummy)) -> _ => panic!("dummy receive"), }
        { recv(e.step(7, &e.nil)) -> _ => panic!("nil receive"), }
    ]);
    assert_eq!(e.selects.get(), 16);
}

/// Go: test/chan/select5.go, template sendOrder. Go evaluates every message with its channel; `select!` makes a message
/// only when its arm is chosen, after all channels, as its documentation says.
#[waterway::test]
fn operands_of_sends_are_evaluated_in_order() {
    let _bound = bound();
    let e = Ends::new();
    macro_rules! shape {
        (() $($rest:tt)*) => {{
            let n = e.next();
            select! {
                send(e.step(1, &e.tx), e.step(50, n)) -> r => e.step(100, r).unwrap(),
                $($rest)*
            }
            assert_eq!((e.rx.try_recv(), e.order.get()), (Ok(n), 100));
        }};
    }
    subsets!(shape () [] [
        { default => panic!("there is room"), }
        { send(e.step(3, &e.dummy_tx), unreachable!("not chosen")) -> _ => panic!("dummy send"), }
        { recv(e.step(5, &e.dummy)) -> _ => panic!("dummy receive"), }
        { recv(e.step(8, &e.nil)) -> _ => panic!("nil receive"), }
    ]);
    assert_eq!(e.selects.get(), 16);
}

/// Go: test/chan/select5.go, template nonblock. Without an arm that can go the default goes, and nothing else happens.
#[waterway::test]
fn defaults_in_every_shape() {
    let _bound = bound();
    let e = Ends::new();
    let untouched = 7;
    macro_rules! shape {
        (() $($rest:tt)*) => {{
            e.next();
            let mut went = 0;
            select! { default => went += 1, $($rest)* }
            select! { $($rest)* default => went += 1 }
            assert_eq!((went, untouched), (2, 7));
        }};
    }
    subsets!(shape () [] [
        { send(e.dummy_tx, unreachable!("not chosen")) -> _ => panic!("dummy send"), }
        { recv(e.dummy) -> _ => panic!("dummy receive"), }
        { recv(e.dummy) -> v => { let _: usize = v.unwrap(); } }
        { recv(e.nil) -> _ => panic!("nil receive"), }
        { recv(e.nil) -> v => { let _: usize = v.unwrap(); } }
    ]);
    assert_eq!(e.selects.get(), 32);
}
