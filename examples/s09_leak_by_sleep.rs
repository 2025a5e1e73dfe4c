//! S9: goroutines that leak by an endless sleep.
//!
//! Each sleeps for 10,000,000 seconds, and a loop starts more and more of them at one place in the program. The runtime counts
//! goroutines by the place that spawned them, and names the place where they only become more.

use std::time::Duration;
use waterway::watch::{SuspectKind, suspects};
use waterway::{go, num_goroutines, time};

/// Starts goroutines that never end, until the place is named.
#[waterway::main]
pub fn main() {
    let before = num_goroutines();
    let mut named = None;
    // tour:begin
    for round in 1..=600 {
        for _ in 0..100 {
            go(|| time::sleep(Duration::from_secs(10_000_000)));
        }
        time::sleep(Duration::from_millis(100));
        if round <= 5 {
            println!(
                "round {round}: {} more than at first",
                num_goroutines() - before
            );
        }
        let mut suspects = suspects().into_iter();
        named = suspects.find(|s| s.kind == SuspectKind::GrowingSite);
        if named.is_some() {
            break;
        }
    }
    // tour:end
    if let Some(suspect) = named {
        println!("# suspected: {}", suspect.kind.text());
        if let Some(site) = &suspect.site {
            println!("growing_site={site}");
        }
        println!("# {}", suspect.facts.join("; "));
    }
    println!("goroutines_leaked={}", num_goroutines() - before);
}
