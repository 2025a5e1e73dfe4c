//! Threads for goroutines that have one to themselves.

use std::sync::mpsc::{SyncSender, sync_channel};

use super::cell::Unstarted;

/// A thread that waits for the goroutine that it is to run: what can fail comes before there is one. It ends if none comes.
pub(crate) struct Seat(SyncSender<Unstarted>);

impl Seat {
    /// A thread with that much stack, 0 for the usual, that will call `run`.
    ///
    /// # Panics
    ///
    /// If no thread can be started.
    #[track_caller]
    pub(crate) fn start(stack_size: usize, run: fn(Unstarted)) -> Seat {
        let (give, take) = sync_channel(1);
        let mut thread = std::thread::Builder::new().name("waterway-dedicated".into());
        if stack_size > 0 {
            thread = thread.stack_size(stack_size);
        }
        match thread.spawn(move || take.recv().into_iter().for_each(run)) {
            Ok(_) => Seat(give),
            Err(error) => panic!(
                "no thread can be started for a dedicated goroutine: {error}. Raise the limit on threads (ulimit -u)"
            ),
        }
    }

    pub(crate) fn take(self, cell: Unstarted) {
        self.0.send(cell).expect("the thread waits for it");
    }
}
