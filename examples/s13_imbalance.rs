//! S13: a reader that cannot keep up, and shedding.
//!
//! A thousand items a second come in, a hundred a second go out. With a goroutine for each item that waits for its turn,
//! goroutines and memory grow without end; a monitor says which end of the channel is slower, and where who waits was
//! spawned. A channel that sheds what has waited for too long keeps both flat, and counts. (`waterway overload` runs more
//! designs, for longer, and draws them.)

use std::time::{Duration, Instant};
use waterway::chan::Statistics;
use waterway::flow::{Monitor, Overflow};
use waterway::{Receiver, chan, go, num_goroutines, time};
use waterway_examples::resident_bytes;

const SHOW: Duration = Duration::from_secs(2);

/// Two seconds with a goroutine for each item, then two with shedding.
#[waterway::main]
pub fn main() {
    let before = num_goroutines();
    // tour:begin
    let window = Duration::from_millis(500);
    let _monitor = Monitor::builder().window(window).start();
    let (tx, rx) = chan::builder().name("items").make();
    produce("growing", rx, |item| {
        let tx = tx.clone();
        go(move || tx.send(item));
    });
    tx.close(); // those that still wait are refused, too
    while num_goroutines() > before {
        time::sleep(Duration::from_millis(10));
    }

    let builder = chan::builder().capacity(1_000);
    // Sheds what has waited for too long: nobody wants it any more.
    let (tx, rx) = builder.overflow(Overflow::codel()).make();
    produce("shed", rx, |item| {
        // No goroutine. The thousand places are room for a second.
        let _ = tx.try_send(item);
    });
    tell(&tx.statistics());
    // tour:end
    println!("main ends");
}

/// What went through the channel.
fn tell(seen: &Statistics) {
    println!("shed_sent={}", seen.sent);
    println!("shed_received={}", seen.received);
    println!("shed_in_queue={}", seen.in_queue);
    println!("shed_late={}", seen.by_cause().late);
    println!("shed_returned={}", seen.returned);
}

/// A hundred items a second go out.
fn consume(rx: &Receiver<u32>) {
    for _item in rx {
        time::sleep(Duration::from_millis(10));
    }
}

/// A thousand items a second come in; prints, four times, how many goroutines there are and how much memory is held.
fn produce(name: &str, rx: Receiver<u32>, mut take: impl FnMut(u32)) {
    let (start, memory) = (Instant::now(), resident_bytes());
    go(move || consume(&rx));
    let before = num_goroutines();
    let mut item = 0;
    for quarter in 1..=4 {
        while start.elapsed() < SHOW * quarter / 4 {
            item += 1;
            let due = start + item * Duration::from_millis(1);
            time::sleep(due.saturating_duration_since(Instant::now()));
            take(item);
        }
        println!("{name}_goroutines_{quarter}={}", num_goroutines() - before);
    }
    println!("{name}_items={item}");
    println!(
        "{name}_kib={}",
        resident_bytes().saturating_sub(memory) / 1024
    );
}
