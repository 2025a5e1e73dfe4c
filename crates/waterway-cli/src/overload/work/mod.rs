//! The process of one design: items come in at fixed times, whether or not earlier ones were taken; a server takes one
//! at a time. Tells how things stand, a line of JSON at a time.

mod seen;
mod ways;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use waterway::{Receiver, chan, go, num_goroutines, time};
use waterway_examples::resident_bytes;

pub use super::settings::Load;
use super::wire::{End, Line, Returned, Sample};
use seen::Seen;
pub use ways::{BUFFER, LARGE, Way, gated, per_item, policed};

/// What comes in: a request of a kibibyte. It is born when it is due, so a producer that wakes late makes no wait look
/// shorter.
pub struct Item {
    due: Instant,
    _body: Box<[u8; 1024]>,
}

impl Item {
    fn new(due: Instant) -> Item {
        // Written, so that its memory is there.
        Item {
            due,
            _body: Box::new([1; 1024]),
        }
    }
}

/// Runs a design to its end. Starts when a line is read from standard input, so that all designs start at once.
pub fn run(way: Box<dyn Way>, load: Load) -> ExitCode {
    go(|| ()).join().expect("it does nothing"); // the runtime is there, and its memory
    let mut line = String::new();
    match io::stdin().read_line(&mut line) {
        Ok(1..) => {}
        // Whoever wanted the figures has gone.
        _ => return ExitCode::FAILURE,
    }
    let (way, seen): (Arc<dyn Way>, _) = (Arc::from(way), Arc::new(Seen::default()));
    let start = Instant::now();
    let end = start + Duration::from_secs(load.seconds.into());
    // Both live until the last sample is taken: they count among the goroutines.
    let (told_all, told) = chan::<()>(0);
    let producer = {
        let (way, seen, told) = (Arc::clone(&way), Arc::clone(&seen), told.clone());
        go(move || {
            produce(&*way, start, end, load.rate_in, &seen);
            told.recv().unwrap_err()
        })
    };
    let server = {
        let (rx, seen) = (way.receiver().clone(), Arc::clone(&seen));
        go(move || {
            serve(&rx, start, end, load.rate_out, &seen);
            told.recv().unwrap_err()
        })
    };
    let told = tell(&*way, start, load.seconds, &seen);
    told_all.close();
    producer.join().expect("the producer does not panic");
    server.join().expect("the server does not panic");
    let told = told.and_then(|()| write(&Line::End(settle(&*way, &seen))));
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// A producer that is late at the end still brings what was due; one that is later than this will never make up.
const GRACE: Duration = Duration::from_millis(250);

/// Items come in at fixed times. After a late wake, all that are due come at once.
fn produce(way: &dyn Way, start: Instant, end: Instant, rate: u32, seen: &Seen) {
    for number in 1.. {
        let due = start + nth(number, rate);
        if due > end || Instant::now() > end + GRACE {
            break;
        }
        time::sleep(due.saturating_duration_since(Instant::now()));
        seen.sent();
        way.offer(Item::new(due));
    }
}

/// Takes one item for each slot of time. A server that woke late makes up for it; one that had nothing to do does not.
fn serve(rx: &Receiver<Item>, start: Instant, end: Instant, rate: u32, seen: &Seen) {
    let slot = nth(1, rate);
    let mut free = start;
    while free < end {
        time::sleep(free.saturating_duration_since(Instant::now()));
        let item = match rx.try_recv() {
            Ok(item) => item,
            Err(_) => match rx.recv_deadline(end) {
                Ok(item) => {
                    free = free.max(Instant::now());
                    item
                }
                Err(_) => break,
            },
        };
        seen.received(item.due.elapsed());
        free += slot;
    }
}

/// When the item of this number comes, at so many a second.
fn nth(number: u64, rate: u32) -> Duration {
    Duration::from_nanos(number * 1_000_000_000 / u64::from(rate))
}

/// Tells how things stand, five times a second; more often in a short run.
fn tell(way: &dyn Way, start: Instant, seconds: u32, seen: &Seen) -> io::Result<()> {
    let all = Duration::from_secs(seconds.into());
    let count = (seconds * 5).max(20);
    for number in 0..=count {
        let due = start + all * number / count;
        time::sleep(due.saturating_duration_since(Instant::now()));
        let [p50_ms, p99_ms] = seen.window();
        let (sent, received) = seen.counts();
        write(&Line::Sample(Sample {
            time: start.elapsed().as_secs_f64(),
            memory: resident_bytes() as u64,
            goroutines: num_goroutines() as u64,
            queue: way.waiting(),
            p50_ms,
            p99_ms,
            sent,
            received,
            shed: way.shed(),
            returned: Returned {
                refused: way.refused(),
                closed: 0,
            },
        }))?;
    }
    Ok(())
}

/// Ends it, and counts what became of every item.
fn settle(way: &dyn Way, seen: &Seen) -> End {
    let closed = way.close();
    let queue = way.receiver().try_iter().count() as u64;
    let [p50_ms, p99_ms] = seen.all();
    let (sent, received) = seen.counts();
    End {
        sent,
        received,
        in_time: seen.in_time(),
        queue,
        shed: way.shed(),
        returned: Returned {
            refused: way.refused(),
            closed,
        },
        p50_ms,
        p99_ms,
    }
}

fn write(line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    io::stdout().write_all(text.as_bytes())?;
    io::stdout().flush()
}
