//! Calls that block in the kernel, away from the workers.

use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::thread::Result;

use crate::rt::blocking::Work;
use crate::rt::sched::runtime;
use crate::rt::worker;
use crate::wait::{WaitKey, WaitReason, Waiter, checkpoint};

/// Runs `f` on a thread that may block, and gives its result. The goroutine is parked meanwhile, so `f` may borrow from
/// it; its worker runs others.
///
/// On a plain thread or a dedicated goroutine `f` is simply called. The same where no thread can be started.
///
/// # Panics
///
/// As `f` does, with its payload.
///
/// # Blocking
///
/// Parks the caller until `f` has returned.
///
/// ```
/// let text = String::from("Cargo.toml");
/// let size = waterway::blocking(|| std::fs::metadata(&text).map_or(0, |m| m.len()));
/// # let _ = size;
/// ```
///
/// Go: any system call; Go's scheduler hands the processor on by itself.
#[track_caller]
pub fn blocking<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    if worker::current().is_none() {
        return f();
    }
    checkpoint();
    let site = Location::caller();
    let waiter = Waiter::current();
    let mut result: Option<Result<T>> = None;
    let job = Job {
        f,
        result: &raw mut result,
        waiter: &raw const waiter,
    };
    let work: Box<dyn FnOnce() + Send + '_> = Box::new(move || job.run());
    // SAFETY: only the lifetime changes. Nothing of the caller's is used after this function returns: the closure is
    // consumed and its result written before the job's last act, the claim of the waiter, until which the caller stays
    // parked (`park` I2). No job is dropped without a call: `submit` keeps it, or gives it back and it is called right
    // here.
    let work: Work = unsafe { std::mem::transmute(work) };
    if let Err((work, _)) = runtime().blocking.submit(work) {
        work();
    }
    waiter.park(
        &WaitKey {
            reason: WaitReason::Blocking,
            object: 0,
            site,
        },
        None,
    );
    match result {
        Some(Ok(value)) => value,
        Some(Err(panic)) => resume_unwind(panic),
        None => unreachable!("the job writes its result before it wakes"),
    }
}

struct Job<F, T> {
    f: F,
    result: *mut Option<Result<T>>,
    waiter: *const Waiter,
}

// SAFETY: the pointers lead to the stack of the caller, who is parked until the job's last act; what is passed through
// them is Send.
unsafe impl<F: Send, T: Send> Send for Job<F, T> {}

impl<F: FnOnce() -> T, T> Job<F, T> {
    fn run(self) {
        let Job { f, result, waiter } = self;
        let outcome = catch_unwind(AssertUnwindSafe(f));
        // The next job of this thread begins without values.
        super::local::reset_thread();
        // SAFETY: the caller is parked until its waiter is claimed, which only the next statement does.
        unsafe { result.write(Some(outcome)) };
        // SAFETY: as above. Nobody else can claim it: it stands in no queue and has no deadline.
        if let Some(claimed) = unsafe { &*waiter }.claim(1) {
            claimed.wake();
        }
    }
}
