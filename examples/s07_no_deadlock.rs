//! S7: no deadlock while main lives. The same surplus receive, in a goroutine, while main sleeps: a normal end.

use std::time::Duration;

use waterway::time::sleep;
use waterway::{chan, go};

/// Ends normally after five seconds.
pub fn main() {
    // tour:begin
    let (tx, rx) = chan(0);
    for i in 0..2 {
        let tx = tx.clone();
        go(move || tx.send(i).unwrap());
    }
    go(move || {
        rx.recv().unwrap();
        rx.recv().unwrap();
        println!("two values received");
        let _ = rx.recv(); // waits, as long as main holds `tx`
    });
    sleep(Duration::from_secs(5));
    println!("main ends");
    // tour:end
    drop(tx);
}
