//! S12: a reader slower than its writers.
//!
//! Ten goroutines send at once, one receives a value each second. The senders wait as long as it takes: one value each
//! second, in no order that you could rely on, and none is lost.

use std::time::Duration;
use waterway::{chan, go, time};

/// Receives ten values, one a second.
#[waterway::main]
pub fn main() {
    // tour:begin
    let (tx, rx) = chan(0);
    for number in 0..10 {
        let tx = tx.clone();
        go(move || tx.send(number));
    }
    drop(tx); // the ten hold the only senders: after the last, the loop ends
    let reader = go(move || {
        for number in &rx {
            println!("received {number}");
            time::sleep(Duration::from_secs(1));
        }
    });
    reader.join().expect("no panic");
    // tour:end
    println!("main ends");
}
