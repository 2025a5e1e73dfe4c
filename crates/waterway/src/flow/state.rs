//! How what is watched stands, in a word, and when the word changes.

/// How the ends of a channel stand to each other, or starts and ends of the goroutines of a line, by what was measured in a window.
///
/// ```
/// use std::time::Duration;
/// use waterway::{chan, flow::{FlowState, Monitor}};
///
/// let builder = Monitor::builder().every(Duration::from_millis(1)).window(Duration::from_millis(20));
/// let monitor = builder.log(false).start();
/// let (states, state) = chan::unbounded();
/// monitor.on_change(move |flow| {
///     let _ = states.send(flow.state());
/// });
/// // A sender, and nobody who receives.
/// let (tx, rx) = chan(0);
/// waterway::go(move || tx.send("held up"));
/// assert!(state.iter().any(|state| state == FlowState::Stalled));
/// # drop(rx);
/// ```
///
/// Go: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlowState {
    /// Neither end held the other up for most of the window. Of a spawn site: its goroutines did not become more all the time.
    #[default]
    Balanced,
    /// In most looks senders waited, values were shed or refused, the buffer was nearly full, or a backlog without limit grew.
    ReaderBound,
    /// In most looks receivers waited, and nothing was there for them; now and then something came.
    WriterBound,
    /// Nothing moved for a whole window, though values or senders wait.
    Stalled,
    /// Of a spawn site: in most looks more of its goroutines lived than ever before in the window.
    Growing,
}

impl FlowState {
    /// Those that a channel may be in.
    pub(super) const OF_CHANNELS: &[FlowState] = &[
        FlowState::Balanced,
        FlowState::ReaderBound,
        FlowState::WriterBound,
        FlowState::Stalled,
    ];
    /// Those of a spawn site.
    pub(super) const OF_SITES: &[FlowState] = &[FlowState::Balanced, FlowState::Growing];

    /// The state in a word or two, as the log has it.
    pub(super) fn words(self) -> &'static str {
        match self {
            FlowState::Balanced => "balanced",
            FlowState::ReaderBound => "reader-bound",
            FlowState::WriterBound => "writer-bound",
            FlowState::Stalled => "stalled",
            FlowState::Growing => "growing",
        }
    }

    /// True if it says that what comes is more than what goes.
    pub(super) fn is_bad(self) -> bool {
        matches!(
            self,
            FlowState::ReaderBound | FlowState::Stalled | FlowState::Growing
        )
    }
}

/// A state is entered when it was so in this share of the looks, and left when it is so in no more than the other.
const ENTER: f64 = 0.8;
const LEAVE: f64 = 0.2;

/// True if a state holds that was so in this share of the looks; `entered` if it is the one until now.
pub(super) fn holds(share: f64, entered: bool) -> bool {
    share >= ENTER || entered && share > LEAVE
}
