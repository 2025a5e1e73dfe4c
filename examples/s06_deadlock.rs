//! S6: a deadlock of the whole program is an error.
//!
//! Two values are sent, main wants three. Nobody is left who could send, so the runtime says so, says where each
//! goroutine waits and where it was started, and ends the process with status 2.

use std::time::Duration;
use waterway::{RecvError, chan, go, time};

/// Receives once too often.
#[waterway::main]
pub fn main() -> Result<(), RecvError> {
    // tour:begin
    let (tx, rx) = chan(0);
    for number in [1, 2] {
        let tx = tx.clone();
        go(move || {
            time::sleep(Duration::from_millis(100));
            tx.send(number)
        });
    }
    println!("received {}", rx.recv()?);
    println!("received {}", rx.recv()?);
    println!("received {}", rx.recv()?); // `tx` is still here, but nobody sends
    // tour:end
    drop(tx);
    println!("never printed");
    Ok(())
}
