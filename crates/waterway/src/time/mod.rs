//! Sleeping, timers and tickers, and functions that are called later.

mod after_func;
mod alarm;
mod sleep;
mod sleep_async;
mod timer;

pub use after_func::{AfterFunc, after_func};
pub use sleep::sleep;
pub(crate) use sleep::{deadline, sleep_within};
pub use sleep_async::{SleepFuture, sleep_async};
pub use timer::{Ticker, Timer, after, tick};
