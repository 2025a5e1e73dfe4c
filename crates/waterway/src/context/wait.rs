//! Blocking calls that a context limits.

use std::panic::Location;
use std::time::Duration;

use super::Context;
use super::error::{ContextError, RecvContextError, SendContextError};
use crate::chan::{Receiver, RecvTimeoutError, Sender, Unsent};
use crate::flow::{Gate, Place};
use crate::goroutine::JoinHandle;
use crate::sync::{
    Condvar, Mutex, MutexGuard, Permit, RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore,
    WaitGroup,
};
use crate::time::sleep_within;
use crate::wait::Limit;

impl Context {
    /// As [`Sender::send`], until the context ends.
    ///
    /// # Errors
    ///
    /// The value comes back if the context has ended, the channel is closed, or it is full and refuses.
    ///
    /// # Blocking
    ///
    /// As `send`.
    ///
    /// ```
    /// use waterway::{Context, ContextError, chan};
    /// let (ctx, guard) = Context::background().with_cancel();
    /// let (tx, _rx) = chan(0);
    /// waterway::go(move || guard.cancel());
    /// let error = ctx.send(&tx, "value").unwrap_err();
    /// assert_eq!(error.ended(), Some(ContextError::Canceled));
    /// assert_eq!(error.into_inner(), "value");
    /// ```
    ///
    /// Go: `select { case ch <- value: case <-ctx.Done(): }`.
    #[track_caller]
    pub fn send<T>(&self, to: &Sender<T>, value: T) -> Result<(), SendContextError<T>> {
        if let Some(error) = self.err() {
            return Err(SendContextError::Ended(value, error));
        }
        let sent = to.send_within(value, self.limit(), Location::caller());
        sent.map_err(|unsent| match unsent {
            Unsent::Limit(value) => SendContextError::Ended(value, self.has_ended()),
            Unsent::Refused(value) => SendContextError::Refused(value),
            Unsent::Closed(value) => SendContextError::Disconnected(value),
        })
    }

    /// As [`Receiver::recv`], until the context ends.
    ///
    /// # Errors
    ///
    /// If the context has ended, or the channel is closed and empty.
    ///
    /// # Blocking
    ///
    /// As `recv`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::{Context, ContextError, chan};
    /// let (ctx, _guard) = Context::background().with_timeout(Duration::from_millis(1));
    /// let (_tx, rx) = chan::<u8>(0);
    /// assert_eq!(ctx.recv(&rx).unwrap_err().ended(), Some(ContextError::DeadlineExceeded));
    /// ```
    ///
    /// Go: `select { case value, ok := <-ch: case <-ctx.Done(): }`.
    #[track_caller]
    pub fn recv<T>(&self, from: &Receiver<T>) -> Result<T, RecvContextError> {
        self.live()?;
        let received = from.recv_within(self.limit(), Location::caller());
        received.map_err(|error| match error {
            RecvTimeoutError::Timeout => RecvContextError::Ended(self.has_ended()),
            RecvTimeoutError::Disconnected => RecvContextError::Disconnected,
        })
    }

    /// As [`sleep`](crate::time::sleep), until the context ends.
    ///
    /// # Errors
    ///
    /// If the context has ended before the time was over.
    ///
    /// # Blocking
    ///
    /// As `sleep`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::Context;
    /// let (ctx, _guard) = Context::background().with_timeout(Duration::from_millis(1));
    /// assert!(ctx.sleep(Duration::from_secs(3600)).is_err());
    /// ```
    ///
    /// Go: `select { case <-time.After(d): case <-ctx.Done(): }`.
    #[track_caller]
    pub fn sleep(&self, duration: Duration) -> Result<(), ContextError> {
        self.live()?;
        self.unless_ended(sleep_within(duration, self.limit(), Location::caller()).then_some(()))
    }

    /// As [`Mutex::lock`], until the context ends.
    ///
    /// # Errors
    ///
    /// If the context has ended before the lock was free.
    ///
    /// # Blocking
    ///
    /// As `lock`.
    ///
    /// ```
    /// use waterway::{Context, sync::Mutex};
    /// let (ctx, guard) = Context::background().with_cancel();
    /// let lock = Mutex::new(1);
    /// *ctx.lock(&lock).unwrap() += 1;
    /// guard.cancel();
    /// assert!(ctx.lock(&lock).is_err());
    /// ```
    ///
    /// Go: none.
    #[track_caller]
    pub fn lock<'a, T: ?Sized>(
        &self,
        mutex: &'a Mutex<T>,
    ) -> Result<MutexGuard<'a, T>, ContextError> {
        self.live()?;
        self.unless_ended(mutex.lock_within(self.limit(), Location::caller()))
    }

    /// As [`RwLock::read`], until the context ends.
    ///
    /// # Errors
    ///
    /// If the context has ended before the lock could be had.
    ///
    /// # Blocking
    ///
    /// As `read`.
    ///
    /// ```
    /// use waterway::{Context, sync::RwLock};
    /// let lock = RwLock::new(1);
    /// assert_eq!(*Context::background().read(&lock).unwrap(), 1);
    /// ```
    ///
    /// Go: none.
    #[track_caller]
    pub fn read<'a, T: ?Sized>(
        &self,
        lock: &'a RwLock<T>,
    ) -> Result<RwLockReadGuard<'a, T>, ContextError> {
        self.live()?;
        self.unless_ended(lock.read_within(self.limit(), Location::caller()))
    }

    /// As [`RwLock::write`], until the context ends.
    ///
    /// # Errors
    ///
    /// If the context has ended before the lock could be had.
    ///
    /// # Blocking
    ///
    /// As `write`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::{Context, sync::RwLock};
    /// let lock = RwLock::new(1);
    /// let reader = lock.read();
    /// let (ctx, _guard) = Context::background().with_timeout(Duration::from_millis(1));
    /// assert!(ctx.write(&lock).is_err());
    /// # drop(reader);
    /// ```
    ///
    /// Go: none.
    #[track_caller]
    pub fn write<'a, T: ?Sized>(
        &self,
        lock: &'a RwLock<T>,
    ) -> Result<RwLockWriteGuard<'a, T>, ContextError> {
        self.live()?;
        self.unless_ended(lock.write_within(self.limit(), Location::caller()))
    }

    /// As [`Semaphore::acquire`], until the context ends.
    ///
    /// # Errors
    ///
    /// If the context has ended before the permits were free.
    ///
    /// # Blocking
    ///
    /// As `acquire`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::{Context, sync::Semaphore};
    /// let slots = Semaphore::new(1);
    /// let (ctx, _guard) = Context::background().with_timeout(Duration::from_millis(1));
    /// let permit = ctx.acquire(&slots, 1).unwrap();
    /// assert!(ctx.acquire(&slots, 1).is_err());
    /// # drop(permit);
    /// ```
    ///
    /// Go: `Weighted.Acquire` of `golang.org/x/sync/semaphore`.
    #[track_caller]
    pub fn acquire(&self, semaphore: &Semaphore, n: usize) -> Result<Permit, ContextError> {
        self.live()?;
        self.unless_ended(semaphore.acquire_within(n, self.limit(), Location::caller()))
    }

    /// As [`Gate::enter`], until the context ends.
    ///
    /// # Errors
    ///
    /// If the context has ended before there was a place.
    ///
    /// # Blocking
    ///
    /// As `enter`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::{Context, flow::Gate};
    /// let gate = Gate::new(1);
    /// let (ctx, _guard) = Context::background().with_timeout(Duration::from_millis(1));
    /// let place = ctx.enter(&gate).unwrap();
    /// assert!(ctx.enter(&gate).is_err());
    /// place.go(|| ()).join().unwrap();
    /// ```
    ///
    /// Go: none.
    #[track_caller]
    pub fn enter(&self, gate: &Gate) -> Result<Place, ContextError> {
        self.live()?;
        self.unless_ended(gate.enter_within(self.limit(), Location::caller()))
    }

    /// As [`WaitGroup::wait`], until the context ends.
    ///
    /// # Errors
    ///
    /// If the context has ended before the count was zero.
    ///
    /// # Blocking
    ///
    /// As `wait`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::{Context, sync::WaitGroup};
    /// let group = WaitGroup::new();
    /// group.add(1);
    /// let (ctx, _guard) = Context::background().with_timeout(Duration::from_millis(1));
    /// assert!(ctx.wait(&group).is_err());
    /// ```
    ///
    /// Go: none.
    #[track_caller]
    pub fn wait(&self, group: &WaitGroup) -> Result<(), ContextError> {
        self.live()?;
        self.unless_ended(
            group
                .wait_within(self.limit(), Location::caller())
                .then_some(()),
        )
    }

    /// As [`Condvar::wait_while`], until the context ends. The mutex is locked again in any case.
    ///
    /// # Errors
    ///
    /// If the context has ended while the condition still held.
    ///
    /// # Blocking
    ///
    /// As `wait_while`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::{Context, sync::{Condvar, Mutex}};
    /// let (ready, changed) = (Mutex::new(false), Condvar::new());
    /// let (ctx, _guard) = Context::background().with_timeout(Duration::from_millis(1));
    /// let mut guard = ready.lock();
    /// assert!(ctx.wait_while(&changed, &mut guard, |ready| !*ready).is_err());
    /// assert!(!*guard);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Condvar::wait`].
    ///
    /// Go: `Cond.Wait` in a loop, with a `context.AfterFunc` that calls `Cond.Broadcast`.
    #[track_caller]
    pub fn wait_while<T: ?Sized>(
        &self,
        condvar: &Condvar,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> Result<(), ContextError> {
        let site = Location::caller();
        while condition(guard) {
            self.live()?;
            // Notified or not, the condition decides.
            condvar.wait_within(guard, self.limit(), site);
        }
        Ok(())
    }

    /// As [`JoinHandle::join`], until the context ends. The handle is left to the caller: it gives its result once.
    ///
    /// # Errors
    ///
    /// If the context has ended before the goroutine has finished.
    ///
    /// # Panics
    ///
    /// If the handle has given its result before.
    ///
    /// # Blocking
    ///
    /// As `join`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::{Context, chan, go};
    /// let (tx, rx) = chan(0);
    /// let mut worker = go(move || rx.recv());
    /// let (ctx, _guard) = Context::background().with_timeout(Duration::from_millis(1));
    /// assert!(ctx.join(&mut worker).is_err(), "it waits");
    /// tx.send(7).unwrap();
    /// assert_eq!(worker.join().unwrap(), Ok(7));
    /// ```
    ///
    /// Go: none.
    #[track_caller]
    pub fn join<T>(
        &self,
        handle: &mut JoinHandle<T>,
    ) -> Result<std::thread::Result<T>, ContextError> {
        self.live()?;
        self.unless_ended(handle.join_within(self.limit(), Location::caller()))
    }

    fn limit(&self) -> Limit<'_> {
        Limit::end_of(self.node.as_ref().map(|node| &node.ending))
    }

    fn live(&self) -> Result<(), ContextError> {
        self.err().map_or(Ok(()), Err)
    }

    /// What a limited call gave; nothing only if the context has ended.
    fn unless_ended<R>(&self, served: Option<R>) -> Result<R, ContextError> {
        served.ok_or_else(|| self.has_ended())
    }

    /// How the context ended, after a wait that its end has ended.
    fn has_ended(&self) -> ContextError {
        self.err()
            .expect("the error is there before the end is told")
    }
}
