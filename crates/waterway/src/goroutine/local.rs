//! Values that each goroutine has its own of.

mod cells;

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use super::current::{self, Who};
use super::packet::drop_quietly;
use crate::primitives::{AtomicUsize, Ordering};
use crate::rt::locals::{Bequeath, Found, Heir, Locals};

/// A value of which each goroutine has its own, made by its first use: declared by [`local!`](crate::local).
///
/// It is dropped at the goroutine's end, on its own stack, before anybody is told of the end: a destructor may park, and
/// use other values. The initialiser may park too. (Values of `thread_local!` are shared by all goroutines of a thread, and
/// their initialisers must not park.)
///
/// A plain thread has its own value as well, which is dropped when the thread ends; a destructor finds no other values
/// there. That includes the thread on which [`blocking`](crate::blocking) runs its closure, for as long as that runs.
///
/// ```
/// use std::cell::Cell;
/// waterway::local! { static DEPTH: Cell<u32> = Cell::new(0); }
/// DEPTH.with(|depth| depth.set(1));
/// let of_another = waterway::go(|| DEPTH.with(Cell::get)).join().unwrap();
/// assert_eq!((of_another, DEPTH.with(Cell::get)), (0, 1));
/// ```
///
/// Go: none; a `context.Context` carries values.
pub struct LocalKey<T: 'static> {
    /// The number of its slot, from 1 on; 0 before its first use.
    number: AtomicUsize,
    init: fn() -> T,
    bequeath: Option<Bequeath>,
    site: &'static Location<'static>,
}

/// The goroutine, or thread, is at its end, and its value has been dropped.
///
/// ```
/// use std::cell::Cell;
/// use waterway::{AccessError, Sender, chan, go, local};
///
/// /// Asks for the value that it is part of, while that is dropped.
/// struct Last(Sender<Result<(), AccessError>>);
///
/// local! { static LAST: Cell<Option<Last>> = Cell::new(None); }
///
/// impl Drop for Last {
///     fn drop(&mut self) {
///         self.0.send(LAST.try_with(|_| ())).unwrap();
///     }
/// }
///
/// let (tx, rx) = chan(1);
/// go(move || LAST.set(Some(Last(tx)))).join().unwrap();
/// let error: AccessError = rx.recv().unwrap().unwrap_err();
/// assert!(error.to_string().contains("after it had been dropped"));
/// ```
///
/// Go: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessError(());

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of a goroutine-local was used after it had been dropped")
    }
}

impl std::error::Error for AccessError {}

/// The number of the next key that is used for the first time.
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// True as long as no key has been used: a program without goroutine-locals pays for this look alone. Who has used one does
/// not see true: it has read its number after `NEXT` was moved.
#[inline]
fn unused() -> bool {
    NEXT.load(Ordering::Relaxed) == 1
}

/// Ends the making of a value, if it unwinds.
struct Making(usize);

impl Drop for Making {
    fn drop(&mut self) {
        with_own(|own| own.put(self.0, None));
    }
}

thread_local! {
    static OF_THREAD: OfThread = const { OfThread(Locals::new()) };
}

/// The values of a plain thread.
struct OfThread(Locals);

impl Drop for OfThread {
    fn drop(&mut self) {
        drop_all(&self.0);
    }
}

/// Calls `f` with the caller's values; `None` on a thread at its end. `f` calls no user code.
fn with_own<R>(f: impl FnOnce(&Locals) -> R) -> Option<R> {
    current::with(|who| match who {
        Who::Goroutine(identity) => Some(f(identity.locals.get_or_init(Box::default))),
        Who::Thread => OF_THREAD.try_with(|own| f(&own.0)).ok(),
    })
}

/// Drops all values, also those that are made meanwhile.
fn drop_all(own: &Locals) {
    while let Some(value) = own.take() {
        drop_quietly(value);
    }
}

/// The calling goroutine has run, and drops its values.
pub(super) fn end() {
    if unused() {
        return;
    }
    current::with(|who| {
        if let Who::Goroutine(identity) = who
            && let Some(own) = identity.locals.get()
        {
            drop_all(own);
        }
    });
}

/// Drops the calling thread's values. Others may follow.
pub(super) fn reset_thread() {
    // At the thread's end there is nothing left to drop.
    let _ = OF_THREAD.try_with(|own| {
        drop_all(&own.0);
        own.0.reset();
    });
}

/// What a goroutine that the caller spawns now inherits.
pub(super) fn inherited() -> Option<Box<Locals>> {
    if unused() {
        return None;
    }
    let bequests = current::with(|who| match who {
        Who::Goroutine(identity) => identity.locals.get().map(|own| own.bequests()),
        Who::Thread => OF_THREAD.try_with(|own| own.0.bequests()).ok(),
    })?;
    if bequests.is_empty() {
        return None;
    }
    let heir =
        |(at, value, bequeath): (usize, Rc<dyn Any>, Bequeath)| (at, bequeath(&*value), bequeath);
    let heirs = bequests.into_iter().map(heir).collect();
    Some(Box::new(Locals::of_heirs(heirs)))
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    #[track_caller]
    pub const fn new(init: fn() -> T) -> LocalKey<T> {
        LocalKey {
            number: AtomicUsize::new(0),
            init,
            bequeath: None,
            site: Location::caller(),
        }
    }

    fn at(&self) -> usize {
        let number = match self.number.load(Ordering::Acquire) {
            0 => {
                let new = NEXT.fetch_add(1, Ordering::Relaxed);
                let set = self
                    .number
                    .compare_exchange(0, new, Ordering::AcqRel, Ordering::Acquire);
                set.map_or_else(|first| first, |_| new)
            }
            number => number,
        };
        number - 1
    }

    /// The caller's value; if there is none, `make` makes it.
    fn get_or(&self, make: impl FnOnce() -> T) -> Result<Rc<T>, AccessError> {
        let at = self.at();
        match with_own(|own| own.find(at)).unwrap_or(Found::Gone) {
            Found::Value(value) => Ok(value.downcast().expect("the value of a key is of its type")),
            Found::Gone => Err(AccessError(())),
            Found::Making => panic!(
                "the initialiser of a goroutine-local, declared at {}, uses it itself",
                self.site
            ),
            Found::Make => {
                let making = Making(at);
                let value = Rc::new(make());
                std::mem::forget(making);
                with_own(|own| own.put(at, Some((value.clone(), self.bequeath))));
                Ok(value)
            }
        }
    }

    /// Calls `f` with the caller's value, which is made now if it has not been.
    ///
    /// # Panics
    ///
    /// As `f` and the initialiser do; if the initialiser uses the value itself; and if the value has been dropped
    /// ([`try_with`](Self::try_with)).
    ///
    /// # Blocking
    ///
    /// Only if `f` or the initialiser does.
    ///
    /// ```
    /// waterway::local! { static WORDS: Vec<&'static str> = vec!["each", "has", "its", "own"]; }
    /// assert_eq!(WORDS.with(|words| words.len()), 4);
    /// ```
    #[track_caller]
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        match self.try_with(f) {
            Ok(result) => result,
            Err(error) => panic!("{error}; it was declared at {}", self.site),
        }
    }

    /// As [`with`](Self::with), unless the value has been dropped: in destructors.
    ///
    /// # Errors
    ///
    /// If the goroutine, or thread, is at its end and its value has been dropped.
    ///
    /// ```
    /// waterway::local! { static DEPTH: u32 = 1; }
    /// assert_eq!(DEPTH.try_with(|depth| *depth), Ok(1));
    /// ```
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        self.get_or(self.init).map(|value| f(&value))
    }
}

impl<T: Clone + Send + 'static> LocalKey<T> {
    #[doc(hidden)]
    #[track_caller]
    pub const fn inherited(init: fn() -> T) -> LocalKey<T> {
        let mut key = LocalKey::new(init);
        key.bequeath = Some(copy::<T>);
        key
    }
}

/// Copies a value on the spawner's side.
fn copy<T: Clone + Send + 'static>(value: &dyn Any) -> Heir {
    let value = value
        .downcast_ref::<T>()
        .expect("the value of a key is of its type");
    let own = value.clone();
    Box::new(move || Rc::new(own))
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// Declares values that each goroutine has its own of, as `thread_local!` does for threads: see [`LocalKey`].
///
/// A value that is declared with `inherit` is copied for each goroutine that its owner spawns, as it is at that moment; it must be
/// [`Clone`] and [`Send`]. Spawners that have never used it pass on nothing, and neither do the clock and the end of a context to the
/// functions that they call ([`time::after_func`](crate::time::after_func), [`Context::after_func`](crate::Context::after_func)).
///
/// ```
/// use std::cell::Cell;
///
/// waterway::local! {
///     static STEPS: Cell<u32> = Cell::new(0);
///     /// Of whom we work for.
///     pub inherit static REQUEST: Cell<u64> = Cell::new(0);
/// }
///
/// STEPS.set(5);
/// REQUEST.set(17);
/// let child = waterway::go(|| (STEPS.get(), REQUEST.get()));
/// assert_eq!(child.join().unwrap(), (0, 17));
/// ```
///
/// What is not `Send` cannot be inherited:
///
/// ```compile_fail,E0277
/// waterway::local! { inherit static SHARED: std::rc::Rc<u32> = std::rc::Rc::new(1); }
/// ```
///
/// Go: none; a `context.Context` carries values.
#[macro_export]
macro_rules! local {
    () => {};
    ($(#[$meta:meta])* $vis:vis inherit static $name:ident: $type:ty = $init:expr $(; $($rest:tt)*)?) => {
        $(#[$meta])*
        $vis static $name: $crate::LocalKey<$type> = $crate::LocalKey::inherited(|| $init);
        $($crate::local! { $($rest)* })?
    };
    ($(#[$meta:meta])* $vis:vis static $name:ident: $type:ty = $init:expr $(; $($rest:tt)*)?) => {
        $(#[$meta])*
        $vis static $name: $crate::LocalKey<$type> = $crate::LocalKey::new(|| $init);
        $($crate::local! { $($rest)* })?
    };
}
