//! What a monitor tells of: a channel, or a line that spawns goroutines.

use std::fmt;

use super::site::SiteFlow;
use super::state::FlowState;
use super::track::ChannelFlow;

/// What a [`Monitor`](super::Monitor) measured of one thing in a window. Its `Display` is the line of the log.
///
/// ```
/// use waterway::flow::{Flow, Monitor};
///
/// let monitor = Monitor::builder().start();
/// monitor.on_change(|flow| match flow {
///     Flow::Channel(channel) => println!("{:?}, {} in it", channel.state, channel.len),
///     Flow::Site(site) => println!("{:?}, {} live", site.state, site.live),
///     other => println!("{other}"),
/// });
/// ```
///
/// Go: none.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Flow {
    /// Of a channel.
    Channel(ChannelFlow),
    /// Of the goroutines that were spawned at a line.
    Site(SiteFlow),
}

impl Flow {
    /// How it stands.
    ///
    /// ```
    /// use waterway::flow::{FlowState, Monitor};
    /// let monitor = Monitor::builder().log(false).start();
    /// let growing = |report: &[waterway::flow::Flow]| report.iter().any(|flow| flow.state() == FlowState::Growing);
    /// assert!(!growing(&monitor.report()));
    /// ```
    pub fn state(&self) -> FlowState {
        match self {
            Flow::Channel(flow) => flow.state,
            Flow::Site(flow) => flow.state,
        }
    }

    /// True if both are of the same channel, or of the same line.
    pub(super) fn is_of(&self, other: &Flow) -> bool {
        match (self, other) {
            (Flow::Channel(one), Flow::Channel(other)) => one.channel == other.channel,
            (Flow::Site(one), Flow::Site(other)) => one.spawned_at == other.spawned_at,
            _ => false,
        }
    }

    /// If it is of a channel: that.
    ///
    /// ```
    /// use waterway::flow::Monitor;
    /// let monitor = Monitor::builder().log(false).start();
    /// for channel in monitor.report().iter().filter_map(|flow| flow.channel()) {
    ///     println!("{} values/s come in", channel.rate_in);
    /// }
    /// ```
    pub fn channel(&self) -> Option<&ChannelFlow> {
        match self {
            Flow::Channel(flow) => Some(flow),
            Flow::Site(_) => None,
        }
    }

    /// If it is of a spawn site: that.
    ///
    /// ```
    /// use waterway::flow::Monitor;
    /// let monitor = Monitor::builder().log(false).start();
    /// for site in monitor.report().iter().filter_map(|flow| flow.site()) {
    ///     println!("{} goroutines/s are spawned at {}", site.rate_spawned, site.spawned_at);
    /// }
    /// ```
    pub fn site(&self) -> Option<&SiteFlow> {
        match self {
            Flow::Site(flow) => Some(flow),
            Flow::Channel(_) => None,
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flow::Channel(flow) => flow.fmt(f),
            Flow::Site(flow) => flow.fmt(f),
        }
    }
}
