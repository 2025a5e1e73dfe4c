//! Handles of goroutines.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::Result;

use super::packet::Handle;
use crate::wait::{Limit, TaskWait};

/// Waits for one goroutine, from a goroutine, a thread or (as a future) an async task.
///
/// Dropping it detaches the goroutine, which goes on.
///
/// ```
/// let handle = waterway::go(|| 6 * 7);
/// assert_eq!(handle.join().unwrap(), 42);
/// let handle = waterway::go(|| panic!("it ends here"));
/// assert!(handle.join().map(|_: ()| ()).is_err());
/// ```
///
/// Go: none; a channel that the goroutine sends its result on.
pub struct JoinHandle<T> {
    wait: TaskWait<Handle<T>>,
}

impl<T> JoinHandle<T> {
    pub(super) fn new(handle: Handle<T>) -> JoinHandle<T> {
        JoinHandle {
            wait: TaskWait::new(handle),
        }
    }

    /// Waits until the goroutine has finished and gives its result.
    ///
    /// # Errors
    ///
    /// The payload, if the goroutine panicked.
    ///
    /// # Blocking
    ///
    /// Parks the calling goroutine or thread.
    ///
    /// ```
    /// let answer = waterway::go(|| 6 * 7);
    /// assert_eq!(answer.join().unwrap(), 42);
    /// ```
    ///
    /// Go: none; a `sync.WaitGroup` and a variable.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        self.wait.at().join(Location::caller())
    }

    /// As `join`; `None` if the limit came first.
    pub(crate) fn join_within(
        &mut self,
        limit: Limit<'_>,
        site: &'static Location<'static>,
    ) -> Option<Result<T>> {
        let handle = self.wait.at();
        handle.wait_within(limit, site).then(|| handle.take())
    }

    /// True once the goroutine has finished. Never blocks.
    ///
    /// ```
    /// let (tx, rx) = waterway::chan::<()>(0);
    /// let handle = waterway::go(move || rx.recv());
    /// assert!(!handle.is_finished());
    /// # drop(tx);
    /// ```
    pub fn is_finished(&self) -> bool {
        self.wait.at().is_finished()
    }

    /// The goroutine's number, unique in the process.
    ///
    /// ```
    /// let handle = waterway::go(|| waterway::current().id());
    /// let id = handle.id();
    /// assert_eq!(handle.join().unwrap(), Some(id));
    /// ```
    pub fn id(&self) -> u64 {
        self.wait.at().id()
    }

    pub(super) fn worker(&self) -> usize {
        self.wait.at().worker()
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T>;

    /// Ready once the goroutine has finished. Dropping the handle instead detaches the goroutine.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let this = &mut *self;
        this.wait.poll(cx).map(|()| this.wait.at().take())
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.id())
            .field("finished", &self.is_finished())
            .finish()
    }
}

/// The handle of a goroutine that [`go_local`](crate::go_local) started. It stays on its thread, as the goroutine does.
///
/// ```
/// let length = waterway::go(|| {
///     let handle: waterway::LocalJoinHandle<usize> = waterway::go_local(|| "four".len());
///     handle.join().unwrap()
/// });
/// assert_eq!(length.join().unwrap(), 4);
/// ```
///
/// Go: none; a channel that the goroutine sends its result on.
pub struct LocalJoinHandle<T> {
    handle: Handle<T>,
    here: PhantomData<*mut ()>,
}

impl<T> LocalJoinHandle<T> {
    pub(super) fn new(handle: Handle<T>) -> LocalJoinHandle<T> {
        LocalJoinHandle {
            handle,
            here: PhantomData,
        }
    }

    /// As [`JoinHandle::join`].
    ///
    /// ```
    /// use std::rc::Rc;
    /// let length = waterway::go(|| {
    ///     let text = Rc::new(String::from("shared by neighbours"));
    ///     let own = text.clone();
    ///     waterway::go_local(move || own.len()).join().unwrap()
    /// });
    /// assert_eq!(length.join().unwrap(), 20);
    /// ```
    ///
    /// # Errors
    ///
    /// The payload, if the goroutine panicked.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        self.handle.join(Location::caller())
    }

    /// True once the goroutine has finished. Never blocks.
    ///
    /// ```
    /// waterway::go(|| {
    ///     let handle = waterway::go_local(|| ());
    ///     // Nobody else has this thread.
    ///     assert!(!handle.is_finished());
    ///     handle.join().unwrap();
    /// })
    /// .join()
    /// .unwrap();
    /// ```
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// The goroutine's number, unique in the process.
    ///
    /// ```
    /// waterway::go(|| {
    ///     let handle = waterway::go_local(|| waterway::current().id());
    ///     let id = handle.id();
    ///     assert_eq!(handle.join().unwrap(), Some(id));
    /// })
    /// .join()
    /// .unwrap();
    /// ```
    pub fn id(&self) -> u64 {
        self.handle.id()
    }
}

impl<T> fmt::Debug for LocalJoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalJoinHandle")
            .field("id", &self.id())
            .field("finished", &self.is_finished())
            .finish()
    }
}
