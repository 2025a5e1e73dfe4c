//! S14: refuse when full. The item is refused at once, counted, handed back, and no goroutine is made for it.

use waterway::{TrySendError, chan, num_goroutines};

/// Prints what was taken and what was refused.
pub fn main() {
    let before = num_goroutines();
    let (mut taken, mut refused) = (0, Vec::new());
    // tour:begin
    let (tx, rx) = chan(100);
    for item in 0..1000 {
        if tx.is_full() {
            refused.push(item);
            continue;
        }
        tx.send(item).unwrap();
        taken += 1;
    }
    let handed_back = tx.try_send(1000);
    // tour:end
    println!("taken={taken} refused={} queued={}", refused.len(), rx.len());
    println!("handed_back={}", handed_back == Err(TrySendError::Full(1000)));
    println!("more_goroutines={}", num_goroutines() - before);
}
