//! Goroutines that have not started: programs.

use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};

use super::task::Task;

/// What a goroutine does after one of its steps.
pub(crate) enum Next {
    /// It is suspended: somebody has been told to wake it, or it gave way.
    Suspend,
    End,
}

/// One step of a goroutine, from its start or wake to its next suspension.
pub(crate) type Step = Box<dyn FnMut(&'static Task, usize) -> Next>;

/// What runs of a goroutine that has started.
pub(crate) type StartedCell = Step;

pub(crate) struct Program {
    step: Step,
    site: &'static Location<'static>,
    pinned: bool,
    started: AtomicBool,
}

/// What a queue may compare.
pub(crate) type CellHeader = Program;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Unstarted(*mut Program);

// SAFETY: who takes it out of a queue is the only one to use it, which `start` checks. Programs of models are Send.
unsafe impl Send for Unstarted {}

pub(crate) struct Identity {
    pub(crate) id: u64,
    pub(crate) site: &'static Location<'static>,
    pub(crate) name: Option<std::sync::Arc<str>>,
    pub(crate) main: bool,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "goroutine {}", self.id)
    }
}

impl Unstarted {
    /// A goroutine with this program, which is called with the number of the step.
    #[track_caller]
    pub(crate) fn new(
        step: impl FnMut(&'static Task, usize) -> Next + Send + 'static,
    ) -> Unstarted {
        Unstarted::at(Location::caller(), step)
    }

    /// The same, from this line.
    pub(crate) fn at(
        site: &'static Location<'static>,
        step: impl FnMut(&'static Task, usize) -> Next + Send + 'static,
    ) -> Unstarted {
        Unstarted(Box::into_raw(Box::new(Program {
            step: Box::new(step),
            site,
            pinned: false,
            started: AtomicBool::new(false),
        })))
    }

    fn program(&self) -> &Program {
        // SAFETY: programs of models live for ever.
        unsafe { &*self.0 }
    }

    pub(crate) fn header(&self) -> *const CellHeader {
        self.0
    }

    pub(crate) fn is(&self, header: *const CellHeader) -> bool {
        self.header() == header
    }

    pub(crate) fn stack_size(&self) -> usize {
        0
    }

    pub(crate) fn is_pinned(&self) -> bool {
        self.program().pinned
    }

    pub(crate) fn set_worker(&self, _index: usize) {}

    pub(crate) fn fetch(&self) {}

    pub(crate) fn site(&self) -> &'static Location<'static> {
        self.program().site
    }

    pub(crate) fn start(self) -> (Identity, StartedCell) {
        let again = self.program().started.swap(true, Ordering::Relaxed);
        assert!(!again, "a goroutine is started once");
        let identity = Identity {
            id: 1,
            site: self.site(),
            name: None,
            main: false,
        };
        // SAFETY: it is started once.
        let step = unsafe { std::mem::replace(&mut (*self.0).step, Box::new(|_, _| Next::End)) };
        (identity, step)
    }
}
