//! S15: safe concurrent writes.
//!
//! A hundred goroutines add to one number, a hundred times each, in two ways: they send to the one who owns it, or they
//! lock it. Both give 10,000. Writing to it without either does not compile.

use std::sync::Arc;
use waterway::sync::Mutex;
use waterway::{chan, go};

/// Counts to 10,000, twice.
pub fn main() {
    // tour:begin
    let (tx, rx) = chan(100);
    for _ in 0..100 {
        let tx = tx.clone();
        go(move || (0..100).try_for_each(|_| tx.send(1)));
    }
    drop(tx);
    println!("by a channel: {}", rx.iter().sum::<i32>());

    let count = Arc::new(Mutex::new(0));
    let adders = (0..100).map(|_| {
        let count = Arc::clone(&count);
        go(move || (0..100).for_each(|_| *count.lock() += 1))
    });
    for adder in adders.collect::<Vec<_>>() {
        adder.join().expect("no panic");
    }
    println!("by a lock: {}", *count.lock());
    // tour:end
}
