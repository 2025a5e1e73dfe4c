//! Sleeping, timers and tickers.

mod sleep;
mod sleep_async;
mod timer;

pub use sleep::sleep;
pub use sleep_async::{SleepFuture, sleep_async};
pub use timer::{Ticker, Timer, after, tick};
