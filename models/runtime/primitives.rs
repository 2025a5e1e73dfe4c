//! The library's `primitives`, of shuttle's atoms. What is static there is made anew for each run here.

use shuttle::sync::atomic as shared;
use std::sync::atomic::AtomicU64 as StdU64;
use std::sync::{LockResult, Mutex as StdMutex, PoisonError};
use std::time::Duration;

pub(crate) use shared::{AtomicPtr, Ordering, fence};
use shuttle::sync::MutexGuard;

/// Threads that sleep at the end of a run are unwound: shuttle's mutex lets go of itself then.
pub(crate) struct Lock<T>(shuttle::sync::Mutex<T>);

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Lock<T> {
        Lock(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

static RUN: StdU64 = StdU64::new(0);

/// A new run begins.
pub(crate) fn begin_run() {
    RUN.fetch_add(1, Ordering::Relaxed);
    THREADS_LEFT.store(usize::MAX, Ordering::Relaxed);
}

fn run() -> u64 {
    RUN.load(Ordering::Relaxed)
}

/// Atoms as in the library. One that is static is another in each run: shuttle's do not outlive a run, whose clocks they keep.
macro_rules! atoms {
    ($($name:ident of $value:ty: $($op:ident)*;)*) => {$(
        #[derive(Debug)]
        pub(crate) struct $name {
            word: shared::$name,
            first: $value,
            /// The run that `word` is of.
            run: StdU64,
            later: OnceLock<shared::$name>,
        }

        impl $name {
            pub(crate) const fn new(first: $value) -> $name {
                $name {
                    word: shared::$name::new(first),
                    first,
                    run: StdU64::new(0),
                    later: OnceLock::new(),
                }
            }

            fn word(&self) -> &shared::$name {
                let now = run();
                let of = self
                    .run
                    .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
                if of == Ok(0) || of == Err(now) {
                    return &self.word;
                }
                self.later.get_or_init(|| shared::$name::new(self.first))
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                self.word().load(order)
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                self.word().store(value, order);
            }

            pub(crate) fn compare_exchange(
                &self,
                now: $value,
                next: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.word().compare_exchange(now, next, success, failure)
            }

            $(pub(crate) fn $op(&self, value: $value, order: Ordering) -> $value {
                self.word().$op(value, order)
            })*
        }
    )*};
}

atoms! {
    AtomicBool of bool: swap;
    AtomicU8 of u8: fetch_or;
    AtomicU32 of u32: fetch_add swap;
    AtomicU64 of u64: fetch_add fetch_or swap;
    AtomicUsize of usize: fetch_add fetch_sub;
}

/// As std's, empty again in each run. Models make things on one thread first.
#[derive(Debug)]
pub(crate) struct OnceLock<T: 'static>(StdMutex<Option<(u64, &'static T)>>);

impl<T> OnceLock<T> {
    pub(crate) const fn new() -> OnceLock<T> {
        OnceLock(StdMutex::new(None))
    }

    pub(crate) fn get(&self) -> Option<&'static T> {
        let made = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        made.filter(|(when, _)| *when == run()).map(|(_, it)| it)
    }

    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &'static T {
        if let Some(made) = self.get() {
            return made;
        }
        let made: &'static T = Box::leak(Box::new(make()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((run(), made));
        made
    }
}

/// Threads that can still be started.
static THREADS_LEFT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// From now on so many threads can be started.
pub(crate) fn limit_threads(to: usize) {
    THREADS_LEFT.store(to, Ordering::Relaxed);
}

pub(crate) fn start_thread(
    _name: impl Into<String>,
    run: impl FnOnce() + Send + 'static,
) -> std::io::Result<()> {
    match THREADS_LEFT.load(Ordering::Relaxed) {
        0 => return Err(std::io::ErrorKind::WouldBlock.into()),
        n => THREADS_LEFT.store(n - 1, Ordering::Relaxed),
    }
    // A future of shuttle's is a thread that may sleep for ever when the others have ended.
    drop(shuttle::future::spawn(async move { run() }));
    Ok(())
}

/// A mutex with a condition that can time out.
#[derive(Default)]
pub(crate) struct SleepingMutex<T>(shuttle::sync::Mutex<T>);

pub(crate) struct SleepingGuard<'a, T> {
    mutex: &'a SleepingMutex<T>,
    guard: MutexGuard<'a, T>,
}

impl<T> SleepingMutex<T> {
    pub(crate) fn lock(&self) -> LockResult<SleepingGuard<'_, T>> {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(SleepingGuard { mutex: self, guard })
    }
}

impl<T> std::ops::Deref for SleepingGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> std::ops::DerefMut for SleepingGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

pub(crate) struct SleepingCondvar(shuttle::sync::Condvar);

pub(crate) struct TimedOut(bool);

impl TimedOut {
    pub(crate) fn timed_out(&self) -> bool {
        self.0
    }
}

impl SleepingCondvar {
    pub(crate) fn new() -> SleepingCondvar {
        SleepingCondvar(shuttle::sync::Condvar::new())
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    /// The time is over, before anybody has notified, as chance wants it.
    pub(crate) fn wait_timeout_while<'a, T>(
        &self,
        mut guarded: SleepingGuard<'a, T>,
        _time: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(SleepingGuard<'a, T>, TimedOut)> {
        while condition(&mut guarded) {
            let SleepingGuard { mutex, guard } = guarded;
            let in_time = crate::rt::thread::chance();
            let guard = if in_time {
                self.0.wait(guard)
            } else {
                drop(guard);
                shuttle::thread::yield_now();
                mutex.0.lock()
            };
            let guard = guard.unwrap_or_else(PoisonError::into_inner);
            guarded = SleepingGuard { mutex, guard };
            if !in_time {
                let over = condition(&mut guarded);
                return Ok((guarded, TimedOut(over)));
            }
        }
        Ok((guarded, TimedOut(false)))
    }
}

/// Waits for another thread's next few steps.
pub(crate) struct Spin(());

impl Spin {
    pub(crate) const fn new() -> Spin {
        Spin(())
    }

    pub(crate) fn once(&mut self) {
        shuttle::thread::yield_now();
    }
}
