//! S13: a reader that cannot keep up, and shedding.
//!
//! A thousand items a second come in, a hundred a second go out. With a goroutine for each item that waits for its turn,
//! goroutines and memory grow without end. With a buffer, and refusing what does not fit, both stay flat. Today the
//! program counts for itself; nothing monitors the channel for it yet.

use std::time::{Duration, Instant};
use waterway::{Receiver, Sender, chan, go, num_goroutines, time};
use waterway_examples::resident_bytes;

const SHOW: Duration = Duration::from_secs(2);

/// Two seconds with a goroutine for each item, then two with shedding.
#[waterway::main]
pub fn main() {
    let before = num_goroutines();
    let (tx, rx) = chan(0);
    produce("growing", rx, |item| {
        let tx = tx.clone();
        go(move || tx.send(item));
        true
    });
    tx.close(); // those that still wait are refused, too
    while num_goroutines() > before {
        time::sleep(Duration::from_millis(10));
    }

    let (tx, rx) = chan(50);
    produce("shed", rx, |item| offer(&tx, item));
    println!("main ends");
}

// tour:begin
/// Makes a goroutine for the item only if there is room.
fn offer(tx: &Sender<u32>, item: u32) -> bool {
    if tx.is_full() {
        return false; // refused
    }
    let tx = tx.clone();
    go(move || tx.send(item));
    true
}

/// A hundred items a second go out.
fn consume(rx: &Receiver<u32>) {
    for _item in rx {
        time::sleep(Duration::from_millis(10));
    }
}
// tour:end

/// A thousand items a second come in; prints, four times, how many goroutines there are and how much memory is held.
fn produce(name: &str, rx: Receiver<u32>, mut take: impl FnMut(u32) -> bool) {
    let (start, memory) = (Instant::now(), resident_bytes());
    go(move || consume(&rx));
    let before = num_goroutines();
    let (mut item, mut refused) = (0, 0);
    for quarter in 1..=4 {
        while start.elapsed() < SHOW * quarter / 4 {
            item += 1;
            let due = start + item * Duration::from_millis(1);
            time::sleep(due.saturating_duration_since(Instant::now()));
            refused += u32::from(!take(item));
        }
        println!("{name}_goroutines_{quarter}={}", num_goroutines() - before);
    }
    println!("{name}_items={item}");
    println!("{name}_refused={refused}");
    println!(
        "{name}_kib={}",
        resident_bytes().saturating_sub(memory) / 1024
    );
}
