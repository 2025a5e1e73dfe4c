//! Sleeping, timers and tickers.

mod sleep;
mod timer;

pub use sleep::sleep;
pub use timer::{Ticker, Timer, after, tick};
