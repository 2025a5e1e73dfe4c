//! S5: an unbuffered channel synchronises.
//!
//! Two goroutines sleep for a second at the same time and then send. Main waits for both results: one second, not two.

use std::time::{Duration, Instant};
use waterway::{RecvError, chan, go, time};

/// Adds up what two goroutines send after a second.
#[waterway::main]
pub fn main() -> Result<(), RecvError> {
    let start = Instant::now();
    // tour:begin
    let (tx, rx) = chan(0);
    for number in [1, 2] {
        let tx = tx.clone();
        go(move || {
            println!("goroutine falls asleep");
            time::sleep(Duration::from_secs(1));
            tx.send(number)
        });
    }
    let sum: i32 = rx.recv()? + rx.recv()?; // waits for both
    println!("the sum is {sum}");
    // tour:end
    println!("slept_ms=2000");
    println!("took_ms={}", start.elapsed().as_millis());
    Ok(())
}
