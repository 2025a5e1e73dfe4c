//! Plain OS threads as waiters: a futex word each, kept for ever and used again by later threads, so that a late wake
//! never touches freed memory.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::time::Instant;

use super::clock::clock;
use super::foreign;
use super::record::{Record, WaitKey};
use crate::primitives::{AtomicBool, AtomicU32, AtomicUsize, Lock, Ordering, fence};

const EMPTY: u32 = 0;
const WOKEN: u32 = 1;

/// The sleeping place of one thread, and the record of what it waits for.
#[derive(Debug)]
pub(crate) struct ThreadParker {
    word: AtomicU32,
    /// The kernel's thread id; 0 while no thread uses this parker.
    tid: AtomicU32,
    record: Record,
    in_use: AtomicBool,
    /// The addresses of the thread's stack.
    stack: [AtomicUsize; 2],
}

static PARKERS: Lock<Vec<&'static ThreadParker>> = Lock::new(Vec::new());

struct Lease(&'static ThreadParker);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.tid.store(0, Ordering::Relaxed);
        self.0.in_use.store(false, Ordering::Release);
    }
}

thread_local! {
    static LEASE: Lease = Lease(ThreadParker::lease());
    /// For waits inside wakers, one for each depth (`foreign` F2).
    static INNER: RefCell<Vec<Lease>> = const { RefCell::new(Vec::new()) };
    /// The parker of a thread whose locals are being destroyed: it is never given back, and there is one at most.
    static LATE: Cell<Option<&'static ThreadParker>> = const { Cell::new(None) };
}

impl ThreadParker {
    /// The parker of the calling thread: one for each wait that can be under way at a time.
    pub(crate) fn current() -> &'static ThreadParker {
        let leased = match foreign::depth() {
            0 => LEASE.try_with(|lease| lease.0),
            depth => INNER.try_with(|inner| {
                let mut inner = inner.borrow_mut();
                while inner.len() < depth {
                    inner.push(Lease(ThreadParker::lease()));
                }
                inner[depth - 1].0
            }),
        };
        leased.unwrap_or_else(|_| Self::late())
    }

    /// The parker of a thread whose locals are being destroyed. Inside a waker there it is one that nobody gives back.
    #[cold]
    fn late() -> &'static ThreadParker {
        if foreign::depth() > 0 {
            return ThreadParker::lease().without_stack();
        }
        let parker = LATE.get().unwrap_or_else(ThreadParker::lease);
        LATE.set(Some(parker));
        parker.without_stack()
    }

    /// Soon another thread has that stack, and nobody is told.
    fn without_stack(&'static self) -> &'static ThreadParker {
        self.stack[1].store(0, Ordering::Relaxed);
        self.stack[0].store(0, Ordering::Relaxed);
        self
    }

    fn lease() -> &'static ThreadParker {
        let mut all = PARKERS.lock();
        let parker = match all.iter().find(|p| !p.in_use.load(Ordering::Acquire)) {
            Some(free) => *free,
            None => {
                let new: &'static ThreadParker = Box::leak(Box::new(ThreadParker {
                    word: AtomicU32::new(EMPTY),
                    tid: AtomicU32::new(0),
                    record: Record::new(),
                    in_use: AtomicBool::new(true),
                    stack: [const { AtomicUsize::new(0) }; 2],
                }));
                all.push(new);
                new
            }
        };
        parker.in_use.store(true, Ordering::Relaxed);
        parker.word.store(EMPTY, Ordering::Relaxed);
        parker.tid.store(tid(), Ordering::Relaxed);
        let stack = own_stack();
        parker.stack[0].store(stack.start, Ordering::Relaxed);
        parker.stack[1].store(stack.end, Ordering::Relaxed);
        parker
    }

    pub(crate) fn tid(&self) -> u32 {
        self.tid.load(Ordering::Relaxed)
    }

    /// The addresses of the thread's stack, with its thread-locals where it has them there; empty if that cannot be told.
    pub(crate) fn stack(&self) -> Range<usize> {
        self.stack[0].load(Ordering::Relaxed)..self.stack[1].load(Ordering::Relaxed)
    }

    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// True if it has been woken, and its record does not say yet that the wait is over: to others a thread that is woken
    /// never looks as if it slept on.
    pub(crate) fn woken(&self) -> bool {
        self.word.load(Ordering::SeqCst) == WOKEN
    }

    pub(super) fn begin(&self, key: &WaitKey, timed: bool) {
        self.record.begin(key, timed, clock());
    }

    /// The wait is over. The wake that ended it is forgotten after the record has told (see `woken`).
    pub(super) fn end(&self) {
        pass_gate();
        self.record.end();
        self.word.store(EMPTY, Ordering::SeqCst);
    }

    /// Sleeps until woken (true) or until the deadline (false). The wake stays visible until `end`.
    pub(super) fn sleep(&self, deadline: Option<Instant>) -> bool {
        while self.word.load(Ordering::Acquire) != WOKEN {
            let timeout = match deadline {
                None => None,
                Some(at) => match at
                    .checked_duration_since(Instant::now())
                    .filter(|left| !left.is_zero())
                {
                    Some(left) => Some(left),
                    None => return self.word.load(Ordering::Acquire) == WOKEN,
                },
            };
            futex_wait(&self.word, EMPTY, timeout);
        }
        true
    }

    #[inline(never)]
    pub(super) fn unpark(&self) {
        self.word.store(WOKEN, Ordering::Release);
        futex_wake(&self.word);
    }
}

/// 1 while no thread may end its wait.
static GATE: AtomicU32 = AtomicU32::new(0);

/// While it is there, a thread that waits in the runtime, and was not woken when it was looked at, stays in its wait.
pub(super) struct ClosedGate(());

pub(super) fn close_gate() -> ClosedGate {
    GATE.store(1, Ordering::SeqCst);
    fence(Ordering::SeqCst);
    ClosedGate(())
}

impl Drop for ClosedGate {
    fn drop(&mut self) {
        GATE.store(0, Ordering::SeqCst);
        futex_wake_all(&GATE);
    }
}

/// The calling thread was woken, or its time is over. It has seen that, then it looks at the gate: who closed it before he found
/// that the thread was not woken is seen here.
fn pass_gate() {
    fence(Ordering::SeqCst);
    while GATE.load(Ordering::SeqCst) == 1 {
        futex_wait(&GATE, 1, None);
    }
}

/// The addresses of the calling thread's stack; empty if that cannot be told.
pub(crate) fn own_stack() -> Range<usize> {
    // SAFETY: plain calls with valid pointers, the attributes made by the first, taken apart by the last.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attributes) != 0 {
            return 0..0;
        }
        let (mut low, mut size) = (std::ptr::null_mut(), 0);
        let told = libc::pthread_attr_getstack(&attributes, &mut low, &mut size) == 0;
        libc::pthread_attr_destroy(&mut attributes);
        match told {
            true => low as usize..low as usize + size,
            false => 0..0,
        }
    }
}

/// The kernel's id of the calling thread.
pub(crate) fn tid() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get() as u32
}

/// The number of the CPU on which the calling thread runs, or just ran.
pub(super) fn cpu() -> u32 {
    rustix::thread::sched_getcpu() as u32
}

/// How long a thread of this process has had a CPU, in nanoseconds; 0 where that can not be told.
pub(crate) fn cpu_time(tid: u32) -> u64 {
    // The kernel's number for the CPU clock of one thread: `MAKE_THREAD_CPUCLOCK(tid, CPUCLOCK_SCHED)`.
    const THREAD: i32 = 4;
    const SCHED: i32 = 2;
    let clock = !(tid as i32) << 3 | THREAD | SCHED;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes one `timespec`. A number that is no clock is refused.
    match unsafe { libc::clock_gettime(clock, &mut time) } {
        0 => time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64,
        _ => 0,
    }
}

/// Whether a thread of the process sleeps in the kernel. `None` where that cannot be read: it may have ended.
pub(crate) fn asleep_in_kernel(tid: u32) -> Option<bool> {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{tid}/stat")).ok()?;
    // The state follows the name, which stands in parentheses and may itself hold some.
    match stat.rsplit_once(')')?.1.trim_start().chars().next()? {
        'R' => Some(false),
        'S' | 'D' => Some(true),
        _ => None,
    }
}

/// Threads of the runtime that are neither workers nor of the pool.
static INTERNAL: Lock<Vec<u32>> = Lock::new(Vec::new());

thread_local! {
    static IS_INTERNAL: Cell<bool> = const { Cell::new(false) };
}

/// The calling thread belongs to the runtime for ever: it never ends, and wakes nobody.
pub(crate) fn mark_internal() {
    IS_INTERNAL.set(true);
    INTERNAL.lock().push(tid());
}

/// True on a thread that was marked so.
pub(super) fn is_internal() -> bool {
    IS_INTERNAL.get()
}

/// Appends the threads marked so.
pub(crate) fn internal(tids: &mut Vec<u32>) {
    tids.extend_from_slice(&INTERNAL.lock());
}

/// Sleeps while `word` holds `value`, at most for `timeout`; may return early.
pub(super) fn futex_wait(word: &AtomicU32, value: u32, timeout: Option<std::time::Duration>) {
    use rustix::thread::futex;
    let timeout = timeout.and_then(|t| rustix::thread::Timespec::try_from(t).ok());
    // Every outcome (woken, value changed, timed out, interrupted) is one where the caller looks again.
    let _ = futex::wait(word, futex::Flags::PRIVATE, value, timeout.as_ref());
}

/// Wakes one sleeper of `word`.
pub(super) fn futex_wake(word: &AtomicU32) {
    use rustix::thread::futex;
    let _ = futex::wake(word, futex::Flags::PRIVATE, 1);
}

fn futex_wake_all(word: &AtomicU32) {
    use rustix::thread::futex;
    let _ = futex::wake(word, futex::Flags::PRIVATE, i32::MAX as u32);
}

/// How often threads began or ended a wait, those that have ended included: the sum only grows.
pub(crate) fn epochs() -> u64 {
    PARKERS.lock().iter().map(|p| p.record.epoch()).sum()
}

/// Calls `f` with the parker of each live thread that has ever waited.
pub(crate) fn for_each(mut f: impl FnMut(&'static ThreadParker)) {
    for parker in PARKERS
        .lock()
        .iter()
        .filter(|p| p.in_use.load(Ordering::Acquire))
    {
        f(parker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt::record::WaitReason;

    /// To the deadlock judge a thread either shows that it was woken, or that it does not wait: there is no moment between.
    #[test]
    fn a_woken_thread_shows_it_until_its_wait_is_over() {
        let parker = ThreadParker::current();
        let site = std::panic::Location::caller();
        let (reason, object) = (WaitReason::Join, 0);
        parker.begin(
            &WaitKey {
                reason,
                object,
                site,
            },
            false,
        );
        assert!(!parker.woken());
        parker.unpark();
        assert!(parker.sleep(None));
        assert!(parker.woken() && parker.record().read().is_some());
        parker.end();
        assert!(!parker.woken() && parker.record().read().is_none());
    }
}
