//! Flow control: what to do where readers are slower than writers.
//!
//! An [`Overflow`] policy says what a full channel does: see [`chan::builder`](crate::chan::builder()). A [`Gate`] admits so much
//! work at a time, and refuses or holds back the rest before a goroutine exists for it. A [`Monitor`] watches every channel, and
//! says which end is slower, and by how much, and every line that spawns goroutines, and says where they become more;
//! [`metrics`] tells all of it in the text form of Prometheus.

mod flowing;
mod gate;
mod history;
mod limit;
mod look;
mod metrics;
mod monitor;
mod place;
pub(crate) mod prometheus;
mod site;
mod state;
#[cfg(feature = "tracing")]
mod told;
mod track;

pub use crate::chan::{ByCause, BySender, Cause, Overflow, Shed, Statistics};
pub use flowing::Flow;
pub use gate::{Gate, GateBuilder, GateStatistics, Refused};
pub use limit::{Departure, Fixed, Limit};
pub use metrics::metrics;
pub(crate) use monitor::is_caller;
pub use monitor::{Monitor, MonitorBuilder};
pub use place::{EnterFuture, Place};
pub use site::SiteFlow;
pub use state::FlowState;
pub use track::{ChannelFlow, TimeInQueue};
