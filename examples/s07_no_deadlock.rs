//! S7: no deadlock while main lives.
//!
//! The receive too many of S6, but in a goroutine, while main sleeps for five seconds: main can still act, so this is no
//! deadlock. The program ends normally, and the waiting goroutine with it.

use std::time::Duration;
use waterway::{chan, go, time};

/// Sleeps while a goroutine waits in vain.
#[waterway::main]
pub fn main() {
    // tour:begin
    let (tx, rx) = chan(0);
    for number in [1, 2] {
        let tx = tx.clone();
        go(move || tx.send(number));
    }
    go(move || {
        for number in &rx {
            println!("received {number}"); // twice; then it waits for a third
        }
    });
    time::sleep(Duration::from_secs(5));
    println!("main ends");
    // tour:end
    drop(tx);
}
