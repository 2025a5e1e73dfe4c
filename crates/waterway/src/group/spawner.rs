//! What starts goroutines of a group from anywhere.

use std::fmt;
use std::sync::Arc;

use super::member::{Member, Shared};
use crate::goroutine::go;
use crate::primitives::Ordering;
use crate::sync::Permit;

/// Starts goroutines of an [`ErrGroup`](super::ErrGroup), from wherever it is moved or cloned to: also from the group's own. See
/// [`ErrGroup::spawner`](super::ErrGroup::spawner).
///
/// ```
/// use waterway::group::{ErrGroup, Spawner};
///
/// /// A goroutine for each node of a tree of that depth.
/// fn walk(spawner: Spawner<u32>, depth: u32) -> Result<(), u32> {
///     if depth == 0 {
///         return Err(7);
///     }
///     for _ in 0..2 {
///         let below = spawner.clone();
///         spawner.go(move || walk(below, depth - 1));
///     }
///     Ok(())
/// }
///
/// let group = ErrGroup::new();
/// let root = group.spawner();
/// group.go(move || walk(root, 3));
/// assert_eq!(group.wait(), Err(7));
/// ```
///
/// Go: a pointer to the `errgroup.Group`.
pub struct Spawner<E> {
    pub(super) shared: Arc<Shared<E>>,
}

impl<E: Send + 'static> Spawner<E> {
    /// As [`ErrGroup::go`](super::ErrGroup::go).
    ///
    /// ```
    /// let group = waterway::group::ErrGroup::new();
    /// group.spawner().go(|| Err("of the group"));
    /// assert_eq!(group.wait(), Err("of the group"));
    /// ```
    ///
    /// # Blocking
    ///
    /// As there.
    ///
    /// Go: `Group.Go`.
    #[track_caller]
    pub fn go(&self, f: impl FnOnce() -> Result<(), E> + Send + 'static) {
        let limit = self.shared.limit.lock().clone();
        let permit = limit.map(|limit| limit.acquire(1));
        self.start(permit, f);
    }

    /// As [`ErrGroup::try_go`](super::ErrGroup::try_go).
    ///
    /// ```
    /// let group = waterway::group::ErrGroup::<()>::new();
    /// group.set_limit(Some(1));
    /// let (tx, rx) = waterway::chan::<()>(0);
    /// let spawner = group.spawner();
    /// let waits = move || rx.recv().or(Ok(()));
    /// assert!(spawner.try_go(waits).is_ok());
    /// assert!(spawner.try_go(|| Ok(())).is_err(), "one runs");
    /// drop(tx);
    /// group.wait().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// Go: `Group.TryGo`.
    #[track_caller]
    pub fn try_go<F>(&self, f: F) -> Result<(), F>
    where
        F: FnOnce() -> Result<(), E> + Send + 'static,
    {
        let limit = self.shared.limit.lock().clone();
        let permit = match limit.map(|limit| limit.try_acquire(1)) {
            Some(None) => return Err(f),
            permit => permit.flatten(),
        };
        self.start(permit, f);
        Ok(())
    }

    #[track_caller]
    fn start(&self, permit: Option<Permit>, f: impl FnOnce() -> Result<(), E> + Send + 'static) {
        let member = Member::new(&self.shared, permit);
        drop(go(move || member.run(f)));
    }
}

impl<E> Clone for Spawner<E> {
    fn clone(&self) -> Self {
        Spawner {
            shared: self.shared.clone(),
        }
    }
}

impl<E> fmt::Debug for Spawner<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner")
            .field("active", &self.shared.active.load(Ordering::Relaxed))
            .finish()
    }
}
