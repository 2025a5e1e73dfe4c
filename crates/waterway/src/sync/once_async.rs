//! Calls that are made once, for async tasks.
//!
//! The call itself is a plain one: the task whose turn it is makes it within one poll. So no future of the user's holds up the others,
//! and a task that goes was only waiting.
//!
//! Models (`models/`): `once_of_tasks..` in `blocking`.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::lazy_lock::LazyLock;
use super::once::{Making, Once, OnceLock};
use crate::primitives::Lock;
use crate::wait::{Claimed, Stand, TaskWait, WaitQueue, WaitsAt};

/// A task that waits for its turn. All are told of the end of a call at once, so nobody need be told when one leaves.
struct Turn<'a>(&'a Once);

impl WaitsAt for Turn<'_> {
    type State = WaitQueue;
    type Slot = ();

    fn lock(&self) -> &Lock<WaitQueue> {
        self.0.line()
    }

    fn slot(&self) {}

    fn take(&self, _: &mut WaitQueue, _: &Stand<'_>, _: &mut Vec<Claimed>) -> bool {
        self.0.take_turn()
    }

    fn left(&self, _: &mut WaitQueue, _told: bool) -> Vec<Claimed> {
        Vec::new()
    }
}

/// A task's way to its turn, with what it needs for the call.
struct Call<'a, W> {
    wait: TaskWait<Turn<'a>>,
    site: &'static Location<'static>,
    with: Option<W>,
}

// What the call needs is never pinned.
impl<W> Unpin for Call<'_, W> {}

impl<'a, W> Call<'a, W> {
    fn new(once: &'a Once, site: &'static Location<'static>, with: W) -> Call<'a, W> {
        Call {
            wait: TaskWait::new(Turn(once)),
            site,
            with: Some(with),
        }
    }

    /// Ready when the task makes the call now, or another has made it.
    ///
    /// # Panics
    ///
    /// If it was ready before, or is polled from within the call.
    fn poll(&mut self, cx: &Context<'_>) -> Poll<(W, Option<Making<'a>>)> {
        assert!(
            self.with.is_some(),
            "a future was polled after it was ready"
        );
        let once = self.wait.at().0;
        once.refuse_maker(self.site);
        if !(self.wait.is_new() && at_once(once)) {
            ready!(self.wait.poll(cx));
        }
        let making = once.taken_turn();
        Poll::Ready((self.with.take().expect("seen above"), making))
    }
}

/// As [`Once::take_turn`], for who does not stand in the line.
fn at_once(once: &Once) -> bool {
    if once.is_completed() {
        return true;
    }
    let _line = once.line().lock();
    once.take_turn()
}

impl Once {
    /// Calls `f` in an async task, unless the call has been made. Goroutines, threads and tasks may share one `Once`.
    ///
    /// `f` is called within one poll, on the thread that polls: it keeps that thread for as long as it takes. Dropping the future
    /// while another makes the call gives up waiting, and nothing else.
    ///
    /// # Blocking
    ///
    /// Never, but for `f` itself; while another makes the call, the future is pending.
    ///
    /// # Panics
    ///
    /// The future, when it is polled: if `f` panics; and if it is polled from within the call, which would wait for itself for ever. If
    /// another's call panics, it has not been made: one of those who wait makes it.
    ///
    /// ```
    /// use waterway::{block_on, sync::Once};
    /// static START: Once = Once::new();
    /// block_on(async {
    ///     START.call_once_async(|| println!("printed once")).await;
    ///     START.call_once_async(|| println!("never printed")).await;
    /// });
    /// assert!(START.is_completed());
    /// ```
    ///
    /// Go: none; Go has no tasks.
    #[track_caller]
    pub fn call_once_async<F: FnOnce()>(&self, f: F) -> CallFuture<'_, F> {
        CallFuture(Call::new(self, Location::caller(), f))
    }
}

/// A call that is made once: from [`Once::call_once_async`].
///
/// ```
/// use waterway::{block_on, sync::Once};
/// let once = Once::new();
/// let future = once.call_once_async(|| println!("printed once")); // not called yet
/// assert!(!once.is_completed());
/// block_on(future);
/// assert!(once.is_completed());
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct CallFuture<'a, F>(Call<'a, F>);

impl<F: FnOnce()> Future for CallFuture<'_, F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (f, making) = ready!(self.0.poll(cx));
        if let Some(making) = making {
            making.run(|| {
                f();
                true
            });
        }
        Poll::Ready(())
    }
}

impl<T> OnceLock<T> {
    /// The value, in an async task; if there is none, `f` makes it. See [`Once::call_once_async`] for where `f` is called, and for
    /// the drop of the future.
    ///
    /// # Blocking
    ///
    /// Never, but for `f` itself; while another makes the value, the future is pending.
    ///
    /// # Panics
    ///
    /// As [`Once::call_once_async`].
    ///
    /// ```
    /// use waterway::{block_on, sync::OnceLock};
    /// static HOST: OnceLock<String> = OnceLock::new();
    /// block_on(async {
    ///     assert_eq!(HOST.get_or_init_async(|| "localhost".into()).await, "localhost");
    /// });
    /// assert_eq!(HOST.get_or_init(|| "elsewhere".into()), "localhost");
    /// ```
    ///
    /// Go: none; Go has no tasks.
    #[track_caller]
    pub fn get_or_init_async<F: FnOnce() -> T>(&self, f: F) -> InitFuture<'_, T, F> {
        InitFuture {
            place: self,
            call: Call::new(self.once(), Location::caller(), f),
        }
    }

    /// Sets the value in an async task.
    ///
    /// # Errors
    ///
    /// The value comes back if there is one already.
    ///
    /// # Blocking
    ///
    /// Never; while another sets the value, the future is pending.
    ///
    /// # Panics
    ///
    /// The future, if it is polled from within the call that makes the value.
    ///
    /// ```
    /// use waterway::{block_on, sync::OnceLock};
    /// let place = OnceLock::new();
    /// block_on(async {
    ///     assert_eq!(place.set_async(1).await, Ok(()));
    ///     assert_eq!(place.set_async(2).await, Err(2));
    /// });
    /// ```
    ///
    /// Go: none; Go has no tasks.
    #[track_caller]
    pub fn set_async(&self, value: T) -> SetFuture<'_, T> {
        SetFuture {
            place: self,
            call: Call::new(self.once(), Location::caller(), value),
        }
    }
}

/// A value that is there, or is made: from [`OnceLock::get_or_init_async`].
///
/// ```
/// use waterway::{block_on, sync::OnceLock};
/// let place = OnceLock::new();
/// let future = place.get_or_init_async(|| 1);
/// assert_eq!(place.get(), None); // not made yet
/// assert_eq!(block_on(future), &1);
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct InitFuture<'a, T, F> {
    place: &'a OnceLock<T>,
    call: Call<'a, F>,
}

impl<'a, T, F: FnOnce() -> T> Future for InitFuture<'a, T, F> {
    type Output = &'a T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<&'a T> {
        let (f, making) = ready!(self.call.poll(cx));
        if let Some(making) = making {
            self.place.fill(making, || Some(f()));
        }
        Poll::Ready(self.place.get().expect("the call has been made"))
    }
}

/// A value that is being set: from [`OnceLock::set_async`].
///
/// ```
/// use waterway::{block_on, sync::OnceLock};
/// let place = OnceLock::new();
/// let future = place.set_async(1); // not set yet
/// assert_eq!(place.set(2), Ok(()));
/// assert_eq!(block_on(future), Err(1));
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct SetFuture<'a, T> {
    place: &'a OnceLock<T>,
    call: Call<'a, T>,
}

impl<T> Future for SetFuture<'_, T> {
    type Output = Result<(), T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), T>> {
        let (value, making) = ready!(self.call.poll(cx));
        Poll::Ready(match making {
            Some(making) => {
                self.place.fill(making, || Some(value));
                Ok(())
            }
            None => Err(value),
        })
    }
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// The value, in an async task; made now if it has not been. See [`Once::call_once_async`] for where its maker is called, and for the
    /// drop of the future.
    ///
    /// # Blocking
    ///
    /// Never, but for the maker itself; while another makes the value, the future is pending.
    ///
    /// # Panics
    ///
    /// The future, when it is polled: if the maker panics, now or before; and if it is polled from within the maker. A value that could
    /// not be made is never there, so those who wait for it panic, too.
    ///
    /// ```
    /// use waterway::{block_on, sync::LazyLock};
    /// static SUM: LazyLock<u32> = LazyLock::new(|| (1..=10).sum());
    /// assert_eq!(block_on(LazyLock::force_async(&SUM)), &55);
    /// ```
    ///
    /// Go: none; Go has no tasks.
    #[track_caller]
    pub fn force_async(this: &Self) -> ForceFuture<'_, T, F> {
        ForceFuture {
            lazy: this,
            call: Call::new(LazyLock::once(this), Location::caller(), ()),
        }
    }
}

/// A value that is made by its first use: from [`LazyLock::force_async`].
///
/// ```
/// use waterway::{block_on, sync::LazyLock};
/// let sum = LazyLock::new(|| (1..=10).sum::<u32>());
/// let future = LazyLock::force_async(&sum); // not made yet
/// assert_eq!(block_on(future), &55);
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct ForceFuture<'a, T, F = fn() -> T> {
    lazy: &'a LazyLock<T, F>,
    call: Call<'a, ()>,
}

impl<'a, T, F: FnOnce() -> T> Future for ForceFuture<'a, T, F> {
    type Output = &'a T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<&'a T> {
        let ((), making) = ready!(self.call.poll(cx));
        if let Some(making) = making {
            LazyLock::make(self.lazy, making);
        }
        Poll::Ready(LazyLock::made(self.lazy))
    }
}

impl<F> fmt::Debug for CallFuture<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFuture").finish_non_exhaustive()
    }
}

impl<T, F> fmt::Debug for InitFuture<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InitFuture").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for SetFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetFuture").finish_non_exhaustive()
    }
}

impl<T, F> fmt::Debug for ForceFuture<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForceFuture").finish_non_exhaustive()
    }
}
