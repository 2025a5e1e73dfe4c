//! S6: a global deadlock is an error. Two values are sent, main receives three times: every goroutine is asleep, the
//! process says so, names who waits for what, and ends with status 2.

use waterway::{chan, go};

/// Never returns.
pub fn main() {
    // tour:begin
    let (tx, rx) = chan(0);
    for i in 0..2 {
        let tx = tx.clone();
        go(move || tx.send(i).unwrap());
    }
    rx.recv().unwrap();
    rx.recv().unwrap();
    println!("two values received");
    rx.recv().unwrap(); // main itself still holds `tx`, so this waits for ever
    // tour:end
    drop(tx);
}
