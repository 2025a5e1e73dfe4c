//! A place for a value, with what makes it: its first use does.

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::Deref;

use super::once::{Making, Once, OnceLock};

/// A value that is made by its first use.
///
/// ```
/// use waterway::sync::LazyLock;
/// static SQUARES: LazyLock<Vec<u32>> = LazyLock::new(|| (0..10).map(|n| n * n).collect());
/// assert_eq!(SQUARES[3], 9);
/// ```
///
/// Go: `sync.OnceValue`.
pub struct LazyLock<T, F = fn() -> T> {
    value: OnceLock<T>,
    make: UnsafeCell<Option<F>>,
}

// SAFETY: as `OnceLock`; the maker is taken out and called by one, within the one call.
unsafe impl<T: Send + Sync, F: Send> Sync for LazyLock<T, F> {}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value that `make` makes when it is first used.
    ///
    /// ```
    /// let sum = waterway::sync::LazyLock::new(|| (1..=10).sum::<u32>());
    /// assert_eq!(*sum, 55);
    /// ```
    ///
    /// Go: `sync.OnceValue`.
    #[track_caller]
    pub const fn new(make: F) -> LazyLock<T, F> {
        LazyLock {
            value: OnceLock::new(),
            make: UnsafeCell::new(Some(make)),
        }
    }

    /// The value, made now if it has not been.
    ///
    /// ```
    /// use waterway::sync::LazyLock;
    /// let sum = LazyLock::new(|| (1..=10).sum::<u32>());
    /// assert_eq!(LazyLock::force(&sum), &55);
    /// ```
    ///
    /// # Blocking
    ///
    /// Parks the caller while another makes the value.
    ///
    /// # Panics
    ///
    /// If `make` panics, now or before: a value that could not be made is never there.
    ///
    /// Go: a call of what `sync.OnceValue` gave.
    #[track_caller]
    pub fn force(this: &Self) -> &T {
        if let Some(making) = this.value.once().turn() {
            LazyLock::make(this, making);
        }
        LazyLock::made(this)
    }

    pub(super) fn once(this: &Self) -> &Once {
        this.value.once()
    }

    /// Makes the value, unless that was tried before.
    pub(super) fn make(this: &Self, making: Making<'_>) {
        this.value.fill(making, || {
            // SAFETY: within the one call, so nobody else has the maker.
            let make = unsafe { (*this.make.get()).take() };
            make.map(|make| make())
        });
    }

    /// The value, once it is clear that nobody makes it.
    ///
    /// # Panics
    ///
    /// If it could not be made.
    #[track_caller]
    pub(super) fn made(this: &Self) -> &T {
        match this.value.get() {
            Some(value) => value,
            None => panic!(
                "the value of a LazyLock is not there: making it panicked before. The LazyLock is at {}",
                this.value.once().made_at()
            ),
        }
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LazyLock").field(&self.value.get()).finish()
    }
}
