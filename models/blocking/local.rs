//! Thread-locals of the model's threads, under std's name: `thread_local!` in the modules of the library means this one.

use std::cell::Cell;

/// As `std::thread::LocalKey`, as far as the library uses it.
pub(crate) struct Local<T: 'static>(pub(crate) &'static shuttle::thread::LocalKey<T>);

impl<T: 'static> Local<T> {
    pub(crate) fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        self.0.with(f)
    }
}

impl<T: Copy + 'static> Local<Cell<T>> {
    pub(crate) fn get(&self) -> T {
        self.0.with(Cell::get)
    }

    pub(crate) fn set(&self, value: T) {
        self.0.with(|cell| cell.set(value));
    }

    pub(crate) fn replace(&self, value: T) -> T {
        self.0.with(|cell| cell.replace(value))
    }
}

macro_rules! thread_local {
    ($($(#[$meta:meta])* $vis:vis static $name:ident: $type:ty = const { $init:expr };)*) => {$(
        $(#[$meta])*
        $vis static $name: crate::local::Local<$type> = {
            shuttle::thread_local! { static KEY: $type = $init; }
            crate::local::Local(&KEY)
        };
    )*};
}
