//! `defer!`: code that runs when its scope ends.

/// Runs its body when the enclosing scope ends: at its end, on `return`, `?`, `break`, and when a panic unwinds through it.
/// Several run in reverse order of their `defer!`.
///
/// The body sees the variables around it by reference, as a closure does, and as they are at the end: clone before, if the
/// value of now is wanted. It belongs to the scope, not the function: in a loop's body it runs at the end of each turn.
///
/// Go: `defer f()`.
///
/// # Blocking
///
/// The body may park, even while a panic unwinds.
///
/// # Panics
///
/// A body that panics while a panic already unwinds ends the process, as any destructor does.
///
/// # Examples
///
/// ```
/// use std::cell::RefCell;
/// use waterway::defer;
///
/// fn parse(text: &str, log: &RefCell<Vec<&str>>) -> Result<i32, std::num::ParseIntError> {
///     defer! { log.borrow_mut().push("first in, last out") }
///     defer! { log.borrow_mut().push("last in, first out") }
///     let number = text.parse()?;
///     log.borrow_mut().push("parsed");
///     Ok(number)
/// }
///
/// let log = RefCell::default();
/// assert!(parse("x", &log).is_err());
/// assert_eq!(log.take(), ["last in, first out", "first in, last out"]);
///
/// assert_eq!(parse("7", &log), Ok(7));
/// assert_eq!(log.take(), ["parsed", "last in, first out", "first in, last out"]);
/// ```
#[macro_export]
macro_rules! defer {
    ($($body:tt)*) => {
        let _deferred = $crate::__private::Deferred::new(|| {
            $($body)*
        });
    };
}

/// The scope's end, seen by its drop.
#[derive(Debug)]
pub struct Deferred<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Deferred<F> {
    /// Calls `f` when dropped.
    pub fn new(f: F) -> Deferred<F> {
        Deferred(Some(f))
    }
}

impl<F: FnOnce()> Drop for Deferred<F> {
    fn drop(&mut self) {
        if let Some(f) = self.0.take() {
            f();
        }
    }
}
