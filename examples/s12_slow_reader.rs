//! S12: the reader is slower than the writers. Ten senders at once, one receiver that takes a second for each value: one
//! value a second, and nothing is lost.

use std::time::Duration;

use waterway::time::sleep;
use waterway::{chan, go};

/// Prints each value as it is received, and what came in all.
pub fn main() {
    // tour:begin
    let (tx, rx) = chan(0);
    for i in 0..10 {
        let tx = tx.clone();
        go(move || tx.send(i).unwrap());
    }
    drop(tx);
    let mut received = Vec::new();
    for value in &rx {
        println!("value {value}");
        received.push(value);
        sleep(Duration::from_secs(1));
    }
    // tour:end
    received.sort();
    println!("received={received:?}");
}
