//! Making a gate.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::Gate;
use super::shared::{Shared, register};
use crate::flow::limit::{Fixed, Limit};
use crate::primitives::{AtomicU64, AtomicUsize};
use crate::rt::objects;
use crate::sync::Semaphore;

/// The properties of a gate to be: see [`Gate::builder`].
///
/// ```
/// use waterway::flow::{Fixed, Gate};
/// let gate = Gate::builder().name("disk").limit(Fixed(4)).make();
/// assert_eq!((gate.name(), gate.statistics().limit), (Some("disk"), 4));
/// ```
///
/// Go: none.
#[must_use = "a builder makes nothing before `make`"]
pub struct GateBuilder {
    name: Option<String>,
    limit: Box<dyn Limit>,
}

impl GateBuilder {
    pub(super) fn new() -> GateBuilder {
        GateBuilder {
            name: None,
            limit: Box::new(Fixed(1)),
        }
    }

    /// The name that reports and metrics call the gate by.
    ///
    /// ```
    /// let gate = waterway::flow::Gate::builder().name("disk").make();
    /// assert!(format!("{gate:?}").contains("disk"));
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How many are let in at a time.
    ///
    /// ```
    /// use waterway::flow::{Fixed, Gate};
    /// let gate = Gate::builder().limit(Fixed(2)).make();
    /// let _inside = (gate.enter(), gate.enter());
    /// assert!(gate.try_enter().is_none());
    /// ```
    pub fn limit(mut self, limit: impl Limit) -> Self {
        self.limit = Box::new(limit);
        self
    }

    /// Makes the gate.
    ///
    /// ```
    /// let gate = waterway::flow::Gate::builder().make();
    /// let _inside = gate.enter();
    /// assert!(gate.try_enter().is_none(), "for one, if nothing else is said");
    /// ```
    #[track_caller]
    pub fn make(self) -> Gate {
        let total = self.limit.limit();
        let permits = Semaphore::of_gate(total);
        if let Some(name) = &self.name {
            objects::name(permits.id(), name);
        }
        let shared = Shared {
            name: self.name.map(String::into_boxed_str),
            site: Location::caller(),
            permits,
            limit: self.limit,
            live: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            admitted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            gave_up: AtomicU64::new(0),
        };
        let shared = Arc::new(shared);
        register(&shared);
        Gate { shared }
    }
}

impl fmt::Debug for GateBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateBuilder")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
