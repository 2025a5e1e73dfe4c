//! Flow control: what to do where readers are slower than writers.
//!
//! An [`Overflow`] policy says what a full channel does: see [`chan::builder`](crate::chan::builder()). A [`Gate`] admits so much
//! work at a time, and refuses or holds back the rest before a goroutine exists for it.

mod gate;
mod limit;
mod place;

pub use crate::chan::{ByCause, BySender, Cause, Overflow, Shed, Statistics};
pub use gate::{Gate, GateBuilder, GateStatistics, Refused};
pub use limit::{Departure, Fixed, Limit};
pub use place::{EnterFuture, Place};
