//! Why a set of operations has chosen none.

use std::error::Error;
use std::fmt;

/// No operation of the set could be done at once.
///
/// ```
/// use waterway::{Select, TrySelectError, chan};
/// let (_tx, rx) = chan::<u32>(0);
/// let mut select = Select::new();
/// select.recv(&rx);
/// assert_eq!(select.try_select().err(), Some(TrySelectError));
/// ```
///
/// Go: the `default` of a `select`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrySelectError;

/// No operation of the set could be done in time.
///
/// ```
/// use std::time::Duration;
///
/// use waterway::{Select, SelectTimeoutError, chan};
/// let (_tx, rx) = chan::<u32>(0);
/// let mut select = Select::new();
/// select.recv(&rx);
/// let brief = Duration::from_millis(1);
/// assert_eq!(select.select_timeout(brief).err(), Some(SelectTimeoutError));
/// ```
///
/// Go: a case of `time.After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelectTimeoutError;

/// No operation of the set was ready.
///
/// ```
/// use waterway::{Select, TryReadyError};
/// assert_eq!(Select::new().try_ready(), Err(TryReadyError));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryReadyError;

/// No operation of the set became ready in time.
///
/// ```
/// use std::time::Duration;
///
/// use waterway::{ReadyTimeoutError, Select};
/// let brief = Duration::from_millis(1);
/// assert_eq!(Select::new().ready_timeout(brief), Err(ReadyTimeoutError));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadyTimeoutError;

macro_rules! error {
    ($($name:ident: $text:literal)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($text)
            }
        }

        impl Error for $name {}
    )*};
}

error! {
    TrySelectError: "all operations in select would block"
    SelectTimeoutError: "timed out waiting on select"
    TryReadyError: "no operation is ready"
    ReadyTimeoutError: "timed out waiting for an operation to become ready"
}
