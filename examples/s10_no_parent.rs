//! S10: goroutines have no parent and child. A goroutine's end does not end those that it spawned; main's end ends all.

use waterway::time::sleep;
use waterway::{chan, go};

/// The grandchild speaks after its parent has ended, and is cut off by the end of main.
pub fn main() {
    let (tx, rx) = chan(0);
    // tour:begin
    let parent = go(move || {
        go(move || {
            tx.send("the child lives on").unwrap();
            sleep(std::time::Duration::from_secs(3600));
            println!("never printed");
        });
    });
    parent.join().unwrap();
    println!("the parent has ended");
    println!("{}", rx.recv().unwrap());
    println!("main ends, and the child with it");
    // tour:end
}
