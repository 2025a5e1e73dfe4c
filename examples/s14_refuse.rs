//! S14: refuse when full.
//!
//! A full channel refuses an item at once: `is_full()` tells, and `try_send` tries and hands the item back. What is
//! refused is counted, and no goroutine is made for it. Once there is room again, items are taken again.

use waterway::{RecvError, TrySendError, chan, num_goroutines};

/// Offers ten items to a channel with room for three.
#[waterway::main]
pub fn main() -> Result<(), RecvError> {
    let before = num_goroutines();
    // tour:begin
    let (tx, rx) = chan(3);
    let mut refused = 0;
    for item in 1..=10 {
        match tx.try_send(item) {
            Ok(()) => println!("item {item}: taken"),
            Err(TrySendError::Full(item)) => {
                println!("item {item}: refused");
                refused += 1;
            }
            Err(TrySendError::Disconnected(_)) => unreachable!("the receiver is here"),
        }
    }
    println!("full: {}, refused: {refused}", tx.is_full());
    println!("goroutines made: {}", num_goroutines() - before);
    println!("received {}: full: {}", rx.recv()?, tx.is_full());
    // tour:end
    Ok(())
}
