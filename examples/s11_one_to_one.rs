//! S11: sends and receives pair one to one.
//!
//! Three sends, and at first two receives: the third send waits, however long it takes, for the next receive.

use std::time::Duration;
use waterway::{RecvError, chan, go, time};

/// Sends once more than is received, until it is received.
#[waterway::main]
pub fn main() -> Result<(), RecvError> {
    // tour:begin
    let (tx, rx) = chan(0);
    let sender = go(move || {
        for number in 1..=3 {
            tx.send(number).expect("main receives");
        }
        println!("the third send is done");
    });
    println!("received {}", rx.recv()?);
    println!("received {}", rx.recv()?);
    time::sleep(Duration::from_secs(1));
    println!("main receives again");
    let third = rx.recv()?;
    sender.join().expect("no panic");
    println!("received {third}");
    // tour:end
    Ok(())
}
