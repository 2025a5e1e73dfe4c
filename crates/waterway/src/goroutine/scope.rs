//! Goroutines that borrow from their spawner, which waits for all of them.

use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread::Result;

use super::builder::Builder;
use super::packet::{After, Handle};
use crate::primitives::{AtomicBool, AtomicUsize, Lock, Ordering};
use crate::wait::{Node, WaitKey, WaitQueue, WaitReason, Waiter};

/// Where [`scope`]'s closure starts goroutines.
///
/// ```
/// let words = ["one", "two"];
/// let lengths: usize = waterway::scope(|s| {
///     let handles = words.map(|word| s.go(move || word.len()));
///     handles.into_iter().map(|h| h.join().unwrap()).sum()
/// });
/// assert_eq!(lengths, 6);
/// ```
pub struct Scope<'scope, 'env: 'scope> {
    children: Arc<Children>,
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

#[derive(Default)]
struct Children {
    running: AtomicUsize,
    panicked: AtomicBool,
    owner: Lock<WaitQueue>,
}

impl Children {
    fn note_panic(&self) {
        self.panicked.store(true, Ordering::Relaxed);
    }

    /// Parks until the last child has given up all that it borrowed.
    fn wait(&self, site: &'static Location<'static>) {
        let waiter = Waiter::current();
        let node = Node::new(&waiter, 1, std::ptr::null_mut());
        {
            let mut owner = self.owner.lock();
            if self.running.load(Ordering::Acquire) == 0 {
                return;
            }
            // SAFETY: the node stays until it is popped: nothing else ends this park.
            unsafe { owner.push_back(&node) };
        }
        waiter.park(
            &WaitKey {
                reason: WaitReason::Scope,
                object: 0,
                site,
            },
            None,
        );
    }
}

/// A child's part in the scope. It ends when its closure, result and handle's share are gone, or if it could not be started.
struct Child(Arc<Children>);

impl Child {
    fn enter(children: &Arc<Children>) -> Child {
        children.running.fetch_add(1, Ordering::Relaxed);
        Child(children.clone())
    }
}

impl After for Child {
    const TELLS: bool = true;

    fn after(self, panicked: bool) {
        if panicked {
            self.0.note_panic();
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let claimed = {
            let mut owner = self.0.owner.lock();
            let last = self.0.running.fetch_sub(1, Ordering::AcqRel) == 1;
            if last { owner.pop_claim() } else { None }
        };
        if let Some((_, claimed)) = claimed {
            claimed.wake();
        }
    }
}

/// Runs `f`, which may start goroutines that borrow from the caller, and waits for all of them.
///
/// Works on a goroutine and on a plain thread.
///
/// # Panics
///
/// If `f` panics, with its payload; else if a goroutine panicked whose handle was not joined. In both cases only after all
/// of them have ended.
///
/// # Blocking
///
/// Parks the caller until the last goroutine has ended.
///
/// ```
/// let mut halves = [0, 0];
/// let (left, right) = halves.split_at_mut(1);
/// waterway::scope(|s| {
///     s.go(|| left[0] = 1);
///     s.go(|| right[0] = 2);
/// });
/// assert_eq!(halves, [1, 2]);
/// ```
///
/// Go: none; `sync.WaitGroup`, without the borrow checker.
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let scope = Scope {
        children: Arc::default(),
        scope: PhantomData,
        env: PhantomData,
    };
    let result = catch_unwind(AssertUnwindSafe(|| f(&scope)));
    scope.children.wait(Location::caller());
    match result {
        Err(panic) => resume_unwind(panic),
        Ok(_) if scope.children.panicked.load(Ordering::Relaxed) => {
            panic!("a goroutine of the scope panicked")
        }
        Ok(value) => value,
    }
}

impl<'scope, 'env> Scope<'scope, 'env> {
    /// Starts a goroutine that may borrow what outlives the scope. See [`go`](crate::go).
    ///
    /// ```
    /// let words = vec!["one", "two"];
    /// let length = waterway::scope(|s| s.go(|| words.len()).join().unwrap());
    /// assert_eq!(length, 2);
    /// ```
    ///
    /// Go: `WaitGroup.Go`; the scope is the group.
    #[track_caller]
    pub fn go<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.go_with(Builder::new(), f)
    }

    /// The same with a [`Builder`]'s name, size and place.
    ///
    /// ```
    /// let words = vec!["one", "two"];
    /// let builder = waterway::Builder::new().name("counts");
    /// assert_eq!(waterway::scope(|s| s.go_with(builder, || words.len()).join().unwrap()), 2);
    /// ```
    #[track_caller]
    pub fn go_with<F, T>(&'scope self, builder: Builder, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let site = Location::caller();
        // SAFETY: everything is Send. `scope` does not return before `Child` is dropped, which comes after closure and result
        // are gone, or the result has passed to the handle, which does not outlive 'scope.
        let handle = unsafe { builder.start(site, f, Child::enter(&self.children)) };
        ScopedJoinHandle {
            handle: Some(handle),
            children: &self.children,
            scope: PhantomData,
        }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("running", &self.children.running.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}

/// Waits for a goroutine of a [`scope`]. Dropping it leaves the waiting to the scope's end.
///
/// ```
/// let number = 20;
/// let double = waterway::scope(|s| s.go(|| number * 2).join().unwrap());
/// assert_eq!(double, 40);
/// ```
pub struct ScopedJoinHandle<'scope, T> {
    /// There until joined or dropped.
    handle: Option<Handle<T>>,
    children: &'scope Children,
    scope: PhantomData<&'scope ()>,
}

impl<T> ScopedJoinHandle<'_, T> {
    fn handle(&self) -> &Handle<T> {
        self.handle
            .as_ref()
            .expect("the handle is there until it is joined or dropped")
    }

    /// As [`JoinHandle::join`](crate::JoinHandle::join).
    ///
    /// ```
    /// let panicked = waterway::scope(|s| s.go(|| panic!("seen")).join().is_err());
    /// assert!(panicked);
    /// ```
    ///
    /// # Errors
    ///
    /// The payload, if the goroutine panicked; the scope's end does not panic for it then.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        self.handle().join(Location::caller())
    }

    /// True once the goroutine has finished. Never blocks.
    ///
    /// ```
    /// let (tx, rx) = waterway::chan::<()>(0);
    /// waterway::scope(|s| {
    ///     let handle = s.go(|| rx.recv());
    ///     assert!(!handle.is_finished());
    ///     drop(tx);
    ///     handle.join().unwrap().unwrap_err();
    /// });
    /// ```
    pub fn is_finished(&self) -> bool {
        self.handle().is_finished()
    }

    /// The goroutine's number, unique in the process.
    ///
    /// ```
    /// waterway::scope(|s| {
    ///     let handle = s.go(|| waterway::current().id());
    ///     let id = handle.id();
    ///     assert_eq!(handle.join().unwrap(), Some(id));
    /// });
    /// ```
    pub fn id(&self) -> u64 {
        self.handle().id()
    }
}

impl<T> Drop for ScopedJoinHandle<'_, T> {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take()
            && handle.detach()
        {
            self.children.note_panic();
        }
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}
