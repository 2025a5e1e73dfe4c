//! S8: goroutines that leak on a channel.
//!
//! Two sends, three receives, a thousand times. Ends of a channel are owned, so the last sender's end closes it and the
//! third receive fails instead of waiting for ever: nothing leaks. Where a goroutine keeps a sender of its own channel,
//! the leak is forced; today `num_goroutines()` shows it, and nothing proves yet which goroutines are lost.

use std::time::Duration;
use waterway::{Receiver, Sender, chan, go, num_goroutines, time};

const TIMES: usize = 1_000;

/// Runs the leaking program twice: as anyone would write it, and with the leak forced.
#[waterway::main]
pub fn main() {
    let before = num_goroutines();
    // tour:begin
    for _ in 0..TIMES {
        let (tx, rx) = chan(0);
        go(move || two_sends(&tx)); // drops `tx`: the channel closes
        go(move || three_receives(&rx));
    }
    wait_for(before);
    println!("goroutines_left={}", num_goroutines() - before);

    for _ in 0..TIMES {
        let (tx, rx) = chan(0);
        let kept = tx.clone();
        go(move || two_sends(&tx));
        go(move || {
            three_receives(&rx);
            drop(kept); // a sender, held by the one who waits for it
        });
    }
    wait_for(before + TIMES);
    println!("goroutines_leaked={}", num_goroutines() - before);
    // tour:end
    println!("where forced, every third receive waits for ever");
}

fn two_sends(tx: &Sender<i32>) {
    let _ = tx.send(0);
    let _ = tx.send(1);
}

fn three_receives(rx: &Receiver<i32>) {
    let _ = rx.recv();
    let _ = rx.recv();
    let _ = rx.recv();
}

/// Waits until no more than `count` goroutines are left, and a while longer: those are there to stay.
fn wait_for(count: usize) {
    while num_goroutines() > count {
        time::sleep(Duration::from_millis(10));
    }
    time::sleep(Duration::from_millis(200));
}
