//! Sleeping, timers and tickers.

mod sleep;

pub use sleep::sleep;
