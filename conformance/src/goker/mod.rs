//! Bugs of real Go programs that block for ever, as small programs: the kernels of GoBench, of which Go has copies under
//! `runtime/testdata/testgoroutineleakprofile/goker`. The bug patterns are theirs; the code is ours.
//!
//! Each has up to three forms:
//!
//! - *idiomatic*: the bug, as somebody who writes Rust would have it: data inside its lock, guards, owned ends of channels;
//! - *literal*: the bug, as close to Go's text as Rust lets one write it: shared structs with bare locks and both ends of a channel;
//! - *fixed*: as the project has repaired it.
//!
//! The interleaving that shows the bug is forced, by barriers and yields: a run of a form that blocks always blocks.
//!
//! One of them does not compile. In kubernetes11298 somebody holds a lock and waits for a second goroutine, which waits at a condition
//! variable with the lock of the first. Here only who holds the guard can wait:
//!
//! ```
//! use waterway::sync::{Condvar, Mutex};
//! static LOCK: Mutex<()> = Mutex::new(());
//! static CHANGED: Condvar = Condvar::new();
//! let waits = waterway::go(|| {
//!     let mut held = LOCK.lock();
//!     CHANGED.wait_while(&mut held, |()| false)
//! });
//! waits.join().unwrap();
//! ```
//!
//! The lock taken one line earlier, outside of the one who waits:
//!
//! ```compile_fail,E0373
//! use waterway::sync::{Condvar, Mutex};
//! static LOCK: Mutex<()> = Mutex::new(());
//! static CHANGED: Condvar = Condvar::new();
//! let mut held = LOCK.lock();
//! let waits = waterway::go(|| {
//!     CHANGED.wait_while(&mut held, |()| false)
//! });
//! waits.join().unwrap();
//! ```
//!
//! To add one: a function for each form in the file of its class (the literal ones in a file of their own beside it), and a row in that
//! file's table.

mod ab_ba;
mod contexts;
mod double_locking;
mod ends;
mod mixed;
mod own_work;
mod rwr;

use std::sync::{Arc, Mutex as StdMutex};

use waterway::sync::RwLock;
use waterway::{Builder, JoinHandle, Receiver, Sender, yield_now};

/// One kernel.
pub struct Kernel {
    /// The project, and the number of the issue or pull request.
    pub id: &'static str,
    /// The class that GoBench gives it.
    pub class: &'static str,
    /// Its forms.
    pub forms: &'static [Form],
}

impl Kernel {
    /// The name of one of its forms: its own, and the form's.
    pub fn name(&self, form: &Form) -> String {
        format!("{} {}", self.id, form.name)
    }
}

/// One form of a kernel.
pub struct Form {
    /// `idiomatic`, `literal` or `fixed`.
    pub name: &'static str,
    /// What must come of it.
    pub outcome: Outcome,
    /// Starts its goroutines.
    pub start: fn(&Crew),
}

/// What must come of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// These goroutines block for ever, and no other does. That is proved.
    Stuck(&'static [&'static str]),
    /// These goroutines block for ever, and no other does. Beside others they are seen as waiting, and there is no verdict yet: only who
    /// can reach what they wait for could tell. As the whole program they are reported.
    Waits(&'static [&'static str]),
    /// All goroutines end.
    Ends,
}

/// The kernels that are there.
pub fn all() -> impl Iterator<Item = &'static Kernel> {
    let classes = [
        double_locking::KERNELS,
        ab_ba::KERNELS,
        rwr::KERNELS,
        ends::KERNELS,
        contexts::KERNELS,
        mixed::KERNELS,
        own_work::KERNELS,
    ];
    classes.into_iter().flatten()
}

/// The goroutines of a form.
#[derive(Clone, Default)]
pub struct Crew(Arc<StdMutex<Vec<JoinHandle<()>>>>);

impl Crew {
    /// Starts a goroutine of that name.
    pub fn go(&self, name: &str, f: impl FnOnce() + Send + 'static) {
        let handle = Builder::new().name(name).go(f);
        self.0.lock().expect("nobody panics").push(handle);
    }

    /// True if all that were started have ended.
    pub fn has_ended(&self) -> bool {
        let handles = self.0.lock().expect("nobody panics");
        handles.iter().all(JoinHandle::is_finished)
    }
}

/// Waits until a writer stands in line at a lock that the caller reads.
fn until_a_writer_waits<T>(lock: &RwLock<T>) {
    while lock.try_read().is_some() {
        yield_now();
    }
}

/// Both ends of a channel, in one place.
type Both<T> = (Sender<T>, Receiver<T>);

/// Shorthand for a table.
const fn idiomatic(outcome: Outcome, start: fn(&Crew)) -> Form {
    Form {
        name: "idiomatic",
        outcome,
        start,
    }
}

const fn literal(outcome: Outcome, start: fn(&Crew)) -> Form {
    Form {
        name: "literal",
        outcome,
        start,
    }
}

const fn fixed(start: fn(&Crew)) -> Form {
    Form {
        name: "fixed",
        outcome: Outcome::Ends,
        start,
    }
}
