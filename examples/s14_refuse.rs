//! S14: refuse when full.
//!
//! A full channel that refuses (`Overflow::Reject`) hands an item back at once, and counts it; no goroutine is made for it.
//! Once there is room again, items are taken again.

use waterway::flow::Overflow;
use waterway::{RecvError, SendError, chan, num_goroutines};

/// Offers ten items to a channel with room for three.
#[waterway::main]
pub fn main() -> Result<(), RecvError> {
    let before = num_goroutines();
    // tour:begin
    let builder = chan::builder().capacity(3).overflow(Overflow::Reject);
    let (tx, rx) = builder.make();
    for item in 1..=10 {
        match tx.send(item) {
            Ok(()) => println!("item {item}: taken"),
            Err(SendError(item)) => println!("item {item}: refused"),
        }
    }
    let refused = tx.statistics().by_cause().refused;
    println!("full: {}, refused: {refused}", tx.is_full());
    println!("goroutines made: {}", num_goroutines() - before);
    println!("received {}: full: {}", rx.recv()?, tx.is_full());
    // tour:end
    Ok(())
}
