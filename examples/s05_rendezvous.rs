//! S5: an unbuffered channel synchronises. Two goroutines sleep a second at once; main has both results after one second,
//! not two.

use std::time::{Duration, Instant};

use waterway::time::sleep;
use waterway::{chan, go};

/// Prints both results and the time.
pub fn main() {
    let begin = Instant::now();
    // tour:begin
    let (tx, rx) = chan(0);
    for i in 1..=2 {
        let tx = tx.clone();
        go(move || {
            sleep(Duration::from_secs(1));
            tx.send(i).unwrap(); // waits until main receives
        });
    }
    let sum = rx.recv().unwrap() + rx.recv().unwrap();
    // tour:end
    println!("sum={sum}");
    println!("ms={}", begin.elapsed().as_millis());
}
