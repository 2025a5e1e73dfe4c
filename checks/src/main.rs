//! Makes one fault on purpose, in a goroutine that has been parked before. `.ci/run` fails if the tool under which it runs
//! does not report the fault: so a step that finds nothing has looked.

#![allow(missing_docs)]

use std::hint::black_box;

use waterway::{chan, go};

const FAULTS: [(&str, fn()); 4] = [
    ("none", || ()),
    ("use-after-free", use_after_free),
    ("leak", leak),
    ("uninitialised", uninitialised),
];

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let fault = FAULTS.iter().find(|(known, _)| *known == name);
    let Some((_, fault)) = fault else {
        let names = FAULTS.map(|(name, _)| name).join(", ");
        eprintln!("no fault {name:?}: there are {names}");
        std::process::exit(2);
    };
    let (tx, rx) = chan::<()>(0);
    let goroutine = go(move || {
        rx.recv().expect("main sends");
        fault();
    });
    tx.send(()).expect("the goroutine receives");
    goroutine.join().expect("it does not panic");
    println!("{name}: done");
}

fn use_after_free() {
    let value = Box::new(7);
    let at = black_box(&raw const *value);
    drop(value);
    // SAFETY: none. This is the fault.
    black_box(unsafe { at.read() });
}

fn leak() {
    std::mem::forget(black_box(Box::new([7u8; 1000])));
}

fn uninitialised() {
    let room = black_box(Vec::<u64>::with_capacity(1));
    // SAFETY: none. This is the fault: what is done depends on a value that nobody has written.
    if unsafe { room.as_ptr().read() } == 7 {
        println!("seven");
    }
}
