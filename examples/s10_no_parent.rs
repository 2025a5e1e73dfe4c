//! S10: goroutines have no parent and no child.
//!
//! A goroutine ends, the one that it started goes on. Only the end of main ends all the others, however busy they are.

use std::time::Duration;
use waterway::{RecvError, chan, go, time};

/// Lets a goroutine outlive its starter, and another not outlive main.
#[waterway::main]
pub fn main() {
    // tour:begin
    let (go_on, may_go_on) = chan::<()>(0);
    let outer = go(move || {
        let inner = go(move || -> Result<(), RecvError> {
            may_go_on.recv()?;
            println!("the inner goroutine goes on");
            Ok(())
        });
        println!("the outer goroutine ends");
        inner
    });
    let inner = outer.join().expect("no panic"); // the outer one is gone
    go_on.send(()).expect("the inner one still waits");
    inner.join().expect("no panic").expect("one value was sent");

    go(|| {
        time::sleep(Duration::from_secs(3_600));
        println!("never printed");
    });
    println!("main ends");
    // tour:end
}
