//! S8: goroutine leak by a channel: two sends, three receives, in a loop. Owned ends prevent it: the last sender is dropped,
//! so the third receive ends with an error. Where somebody keeps a sender alive, the goroutines stay; their number shows.

use waterway::{chan, go, num_goroutines};

/// Prints how many goroutines are left, in both forms.
pub fn main() {
    for _ in 0..1000 {
        // tour:begin
        let (tx, rx) = chan(0);
        go(move || {
            tx.send(0).unwrap();
            tx.send(1).unwrap();
        }); // `tx` ends here
        go(move || {
            assert_eq!(rx.recv(), Ok(0));
            assert_eq!(rx.recv(), Ok(1));
            assert!(rx.recv().is_err()); // Go would wait for ever
        });
        // tour:end
    }
    while num_goroutines() > 0 {
        std::thread::yield_now();
    }
    println!("prevented: left={}", num_goroutines());

    let mut kept = Vec::new();
    for _ in 0..1000 {
        let (tx, rx) = chan::<i32>(0);
        go(move || {
            let _ = rx.recv();
        });
        kept.push(tx);
    }
    std::mem::forget(kept);
    println!("forced: left={}", num_goroutines());
}
