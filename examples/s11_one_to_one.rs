//! S11: sends and receives pair one to one. A surplus send waits for the next receive.

use waterway::time::sleep;
use waterway::{chan, go};

/// The second send is done only after the second receive.
pub fn main() {
    // tour:begin
    let (tx, rx) = chan(0);
    let sender = go(move || {
        tx.send(1).unwrap();
        tx.send(2).unwrap();
    });
    println!("received {}", rx.recv().unwrap());
    sleep(std::time::Duration::from_millis(100));
    println!("the second send waits: {}", !sender.is_finished());
    println!("received {}", rx.recv().unwrap());
    sender.join().unwrap();
    println!("the second send is done");
    // tour:end
}
