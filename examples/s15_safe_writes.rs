//! S15: safe concurrent writes, by a channel or by a lock. An unprotected write does not compile.

use std::sync::Arc;

use waterway::sync::Mutex;
use waterway::{chan, scope};

/// Counts to ten thousand in both ways.
pub fn main() {
    // tour:begin
    let count = Arc::new(Mutex::new(0));
    scope(|s| {
        for _ in 0..100 {
            s.go(|| (0..100).for_each(|_| *count.lock() += 1));
        }
    });
    println!("by_lock={}", count.lock());

    let (tx, rx) = chan(16);
    scope(|s| {
        for _ in 0..100 {
            let tx = tx.clone();
            s.go(move || (0..100).for_each(|_| tx.send(1).unwrap()));
        }
        drop(tx);
        println!("by_channel={}", rx.iter().sum::<i32>());
    });
    // tour:end
}
