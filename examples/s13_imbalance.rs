//! S13: a thousand items a second come in, a hundred go out. With a goroutine for each item they pile up without bound;
//! with a bounded channel that sheds what cannot be served, the number stays flat.

use std::time::{Duration, Instant};

use waterway::time::{sleep, tick};
use waterway::{Receiver, chan, go, num_goroutines};

fn serve(rx: Receiver<usize>) {
    while rx.recv().is_ok() {
        sleep(Duration::from_millis(10));
    }
}

/// Two seconds of each, a line every half second.
pub fn main() {
    let (tx, rx) = chan(0);
    go(move || serve(rx));
    arrivals("goroutine_per_item", |i| {
        let tx = tx.clone();
        go(move || {
            let _ = tx.send(i);
        });
    });

    // tour:begin
    let (tx, rx) = chan(128);
    go(move || serve(rx));
    let (before, mut shed) = (num_goroutines(), 0);
    arrivals("shedding", |i| {
        if tx.try_send(i).is_err() {
            shed += 1; // full: refused at once
        }
    });
    // tour:end
    println!("shed={shed} more_goroutines={}", num_goroutines().saturating_sub(before));
}

fn arrivals(name: &str, mut item: impl FnMut(usize)) {
    let ticks = tick(Duration::from_millis(1));
    let begin = Instant::now();
    for i in 0.. {
        let _ = ticks.recv();
        item(i);
        if i % 500 == 499 {
            println!("{name}: items={} goroutines={}", i + 1, num_goroutines());
        }
        if begin.elapsed() > Duration::from_secs(2) && i >= 1000 {
            break;
        }
    }
}
