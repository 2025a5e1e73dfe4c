//! Calls that are shared by all who want the same at the same time.

use std::any::Any;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use crate::chan::{Receiver, chan};
use crate::defer::Deferred;
use crate::goroutine::go;
use crate::primitives::{AtomicBool, Ordering};
use crate::sync::{Mutex, OnceLock, WaitGroup};

type Calls<K, V> = Mutex<HashMap<K, Arc<Call<V>>>>;

/// Calls by key: while one is under way, whoever wants the same waits for it and shares what it gives. Clones share the
/// calls.
///
/// ```
/// use waterway::group::SingleFlight;
///
/// let flights = SingleFlight::new();
/// let (page, shared) = flights.run("index", || "contents".to_string());
/// assert_eq!((page.as_str(), shared), ("contents", false));
/// ```
///
/// Go: `singleflight.Group` of `golang.org/x/sync`.
pub struct SingleFlight<K, V> {
    calls: Arc<Calls<K, V>>,
}

/// One call, under way or finished.
struct Call<V> {
    finished: WaitGroup,
    outcome: OnceLock<Outcome<V>>,
    /// Somebody waits for it besides the one who makes it.
    shared: AtomicBool,
}

enum Outcome<V> {
    Value(V),
    /// It gave none, and this is what is known of why.
    Lost(String),
}

/// What is to do for who wants a value.
enum Part<K: Eq + Hash, V> {
    Leads(Leader<K, V>),
    Follows(Arc<Call<V>>),
}

/// The one who makes a call. When it goes, the call is over, and whoever waits for it is told.
struct Leader<K: Eq + Hash, V> {
    calls: Arc<Calls<K, V>>,
    key: K,
    call: Arc<Call<V>>,
}

impl<K, V> SingleFlight<K, V> {
    /// No calls.
    ///
    /// ```
    /// let calls = waterway::group::SingleFlight::new();
    /// assert_eq!(calls.run("key", || 7), (7, false));
    /// ```
    ///
    /// Go: the zero `singleflight.Group`.
    #[track_caller]
    pub fn new() -> SingleFlight<K, V> {
        SingleFlight {
            calls: Arc::new(Mutex::new(HashMap::new())),
        }
    }
}

impl<K, V> SingleFlight<K, V>
where
    K: Eq + Hash + Clone,
    V: Clone + Send + Sync,
{
    /// Calls `f` and gives its value; or, if a call for `key` is under way, waits for that one and gives a clone of its
    /// value. True if others got the value too.
    ///
    /// `f` runs on the caller's own stack. If it wants the same key itself it waits for ever.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::{group::SingleFlight, scope, time::sleep};
    ///
    /// let flights = SingleFlight::new();
    /// scope(|s| {
    ///     for _ in 0..3 {
    ///         s.go(|| {
    ///             let (rows, _shared) = flights.run("users", || {
    ///                 sleep(Duration::from_millis(1)); // one query, for all who ask meanwhile
    ///                 vec!["Ada", "Grace"]
    ///             });
    ///             assert_eq!(rows.len(), 2);
    ///         });
    ///     }
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// With the panic of `f`; who waited for it panics too, and names it.
    ///
    /// # Blocking
    ///
    /// Parks the caller while another call for the key is under way.
    ///
    /// Go: `Group.Do`.
    #[track_caller]
    pub fn run(&self, key: K, f: impl FnOnce() -> V) -> (V, bool) {
        match self.part(key) {
            Part::Leads(leader) => leader.lead(f),
            Part::Follows(call) => {
                call.finished.wait();
                match call.outcome() {
                    Outcome::Value(value) => (value.clone(), true),
                    Outcome::Lost(why) => {
                        panic!("the call that SingleFlight::run waited for was lost: {why}")
                    }
                }
            }
        }
    }

    /// As [`run`](Self::run), in a goroutine: the value comes through a channel, which can be waited for in a
    /// [`select!`](crate::select!), or until a context ends. The channel is closed without a value if the call panics. Never
    /// blocks, but for another caller who is just looking for a key.
    ///
    /// ```
    /// use waterway::{Context, group::SingleFlight};
    /// let flights = SingleFlight::new();
    /// let answer = flights.run_chan("answer", || 42);
    /// assert_eq!(Context::background().recv(&answer), Ok((42, false)));
    /// ```
    ///
    /// Go: `Group.DoChan`.
    #[track_caller]
    pub fn run_chan(&self, key: K, f: impl FnOnce() -> V + Send + 'static) -> Receiver<(V, bool)>
    where
        K: Send + 'static,
        V: 'static,
    {
        let (tx, rx) = chan(1);
        let part = self.part(key);
        drop(go(move || {
            let given = match part {
                Part::Leads(leader) => leader.lead(f),
                Part::Follows(call) => {
                    call.finished.wait();
                    match call.outcome() {
                        Outcome::Value(value) => (value.clone(), true),
                        Outcome::Lost(_) => return,
                    }
                }
            };
            // Nobody need be there any more.
            let _ = tx.send(given);
        }));
        rx
    }

    /// The next one who wants `key` makes a call of his own, also while one is under way.
    ///
    /// ```
    /// use waterway::group::SingleFlight;
    /// let flights = SingleFlight::<String, u32>::new();
    /// flights.forget("index");
    /// ```
    ///
    /// # Blocking
    ///
    /// As another caller may just look for a key.
    ///
    /// Go: `Group.Forget`.
    #[track_caller]
    pub fn forget<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let forgotten = self.calls.lock().remove_entry(key);
        drop(forgotten);
    }

    #[track_caller]
    fn part(&self, key: K) -> Part<K, V> {
        let mut calls = self.calls.lock();
        if let Some(call) = calls.get(&key) {
            call.shared.store(true, Ordering::SeqCst);
            return Part::Follows(call.clone());
        }
        let call = Arc::new(Call {
            finished: WaitGroup::new(),
            outcome: OnceLock::new(),
            shared: AtomicBool::new(false),
        });
        call.finished.add(1);
        calls.insert(key.clone(), call.clone());
        drop(calls);
        Part::Leads(Leader {
            calls: self.calls.clone(),
            key,
            call,
        })
    }
}

impl<V> Call<V> {
    /// What the call gave, after it has finished.
    fn outcome(&self) -> &Outcome<V> {
        self.outcome
            .get()
            .expect("a call that is finished has an outcome")
    }
}

impl<K: Eq + Hash, V: Clone> Leader<K, V> {
    /// Makes the call.
    fn lead(self, f: impl FnOnce() -> V) -> (V, bool) {
        let call = self.call.clone();
        let (outcome, panic) = match catch_unwind(AssertUnwindSafe(f)) {
            Ok(value) => (Outcome::Value(value), None),
            Err(payload) => (Outcome::Lost(text(&*payload)), Some(payload)),
        };
        let _ = call.outcome.set(outcome);
        drop(self);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
        match call.outcome() {
            Outcome::Value(value) => (value.clone(), call.shared.load(Ordering::SeqCst)),
            Outcome::Lost(_) => unreachable!("its panic goes on above"),
        }
    }
}

impl<K: Eq + Hash, V> Drop for Leader<K, V> {
    fn drop(&mut self) {
        // Last, also if comparing keys panics.
        let _told = Deferred::new(|| self.call.finished.done());
        // Only a leader that was dropped before it began has no outcome.
        if self.call.outcome.get().is_none() {
            let _ = self
                .call
                .outcome
                .set(Outcome::Lost("it was not begun".into()));
        }
        let mut calls = self.calls.lock();
        // Another call may have taken the key after it was forgotten.
        let own = calls
            .get(&self.key)
            .is_some_and(|call| Arc::ptr_eq(call, &self.call));
        let entry = own.then(|| calls.remove_entry(&self.key));
        drop(calls);
        drop(entry);
    }
}

/// The words of a panic.
fn text(payload: &(dyn Any + Send)) -> String {
    let words = payload.downcast_ref::<&str>().copied();
    let words = words.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    format!("it panicked: {}", words.unwrap_or("Box<dyn Any>"))
}

impl<K, V> Clone for SingleFlight<K, V> {
    fn clone(&self) -> Self {
        SingleFlight {
            calls: self.calls.clone(),
        }
    }
}

impl<K, V> Default for SingleFlight<K, V> {
    #[track_caller]
    fn default() -> Self {
        SingleFlight::new()
    }
}

impl<K, V> fmt::Debug for SingleFlight<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = self.calls.try_lock().map(|calls| calls.len());
        f.debug_struct("SingleFlight")
            .field("calls", &calls)
            .finish()
    }
}
