//! The library's `primitives`, of loom's atoms. Constructors are `const` there and loom's are not; so an atom is one of
//! loom's from a stock, made before the threads of the model, when it is first looked at.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

pub(crate) use loom::sync::MutexGuard as LockGuard;
pub(crate) use loom::sync::atomic::{Ordering, fence};

/// Loom's accesses are those of the source, in its order.
pub(crate) fn compiler_fence(_order: Ordering) {}

/// Another thread has to go on.
pub(crate) struct Spin(());

impl Spin {
    pub(crate) const fn new() -> Spin {
        Spin(())
    }

    pub(crate) fn once(&mut self) {
        loom::thread::yield_now();
    }
}

use crate::rt::membarrier;

type Word = loom::sync::atomic::AtomicU64;

thread_local! {
    /// Loom's threads are one thread of the system's.
    static ALL: Cell<*const Word> = const { Cell::new(std::ptr::null()) };
    static STOCK: RefCell<Vec<*const Word>> = const { RefCell::new(Vec::new()) };
    /// The number of this run: atoms in statics are made anew in each.
    static RUN: Cell<u64> = const { Cell::new(0) };
}

/// More than any model uses.
const ATOMS: usize = 48;

/// One access: who, where in the source, what, and the values that it saw or left.
struct Step {
    thread: loom::thread::ThreadId,
    at: &'static Location<'static>,
    what: &'static str,
    values: (u64, u64),
    order: Ordering,
}

thread_local! {
    /// The accesses of this run, to be printed if it fails.
    static STEPS: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) };
}

#[track_caller]
fn note(what: &'static str, values: (u64, u64), order: Ordering) {
    let (thread, at) = (loom::thread::current().id(), Location::caller());
    let step = Step {
        thread,
        at,
        what,
        values,
        order,
    };
    STEPS.with_borrow_mut(|steps| steps.push(step));
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.at.file().rsplit("../").next().unwrap_or_default();
        let place = format!("{file}:{}", self.at.line());
        let (values, order) = (self.values, self.order);
        write!(
            f,
            "{:?} {place:40} {:10} {:x} {:x} ({order:?})",
            self.thread, self.what, values.0, values.1
        )
    }
}

/// Prints the accesses of the last run.
pub(crate) fn tell() {
    println!("thread, place, access, what it saw, what it left:");
    STEPS.with_borrow(|steps| steps.iter().for_each(|step| println!("  {step}")));
}

/// Makes the atoms of one run of a model.
pub(crate) fn prepare() {
    let atom = || Box::into_raw(Box::new(Word::new(0))).cast_const();
    STEPS.with_borrow_mut(Vec::clear);
    membarrier::prepare();
    ALL.set(atom());
    RUN.set(RUN.get() + 1);
    STOCK.set((0..ATOMS).map(|_| atom()).collect());
}

/// A place where another thread may go on. Loom by itself tries both orders of two accesses only if one of them is the last
/// access to its atom before the other: a load before a thread's own compare-and-swap hides those of others. So every access
/// comes after one to an atom of all, which orders nothing.
fn switch() {
    let all = ALL.get();
    // SAFETY: from `prepare`, as the others.
    unsafe { &*all }.fetch_add(1, Ordering::Relaxed);
    membarrier::pass();
}

/// What an atom holds.
pub(crate) trait Held: Copy {
    fn word(self) -> u64;
    fn of(word: u64) -> Self;
}

macro_rules! numbers {
    ($($type:ty: $name:ident),*) => {$(
        impl Held for $type {
            fn word(self) -> u64 {
                self as u64
            }
            fn of(word: u64) -> $type {
                word as $type
            }
        }
        pub(crate) type $name = Atom<$type>;
        impl $name {
            pub(crate) const fn new(value: $type) -> $name {
                Atom::first(value as u64)
            }
        }
    )*};
}

numbers!(u8: AtomicU8, u32: AtomicU32, u64: AtomicU64, usize: AtomicUsize);

impl Held for bool {
    fn word(self) -> u64 {
        self as u64
    }
    fn of(word: u64) -> bool {
        word != 0
    }
}

pub(crate) type AtomicBool = Atom<bool>;

impl AtomicBool {
    pub(crate) const fn new(value: bool) -> AtomicBool {
        Atom::first(value as u64)
    }
}

impl<T> Held for *mut T {
    fn word(self) -> u64 {
        self as u64
    }
    fn of(word: u64) -> *mut T {
        word as *mut T
    }
}

pub(crate) type AtomicPtr<T> = Atom<*mut T>;

impl<T> AtomicPtr<T> {
    pub(crate) const fn new(null: *mut T) -> AtomicPtr<T> {
        assert!(null.is_null());
        Atom::first(0)
    }
}

impl<T> Default for AtomicPtr<T> {
    fn default() -> AtomicPtr<T> {
        Atom::first(0)
    }
}

pub(crate) struct Atom<T> {
    /// What it holds at first. All values are kept as what differs from it, so that an atom of the stock holds it.
    first: u64,
    made: Cell<*const Word>,
    /// In which run.
    run: Cell<u64>,
    /// What was stored last, and that it was so in the order of sequentially consistent accesses.
    last: Cell<u64>,
    seq_cst: Cell<bool>,
    holds: PhantomData<Cell<T>>,
}

// SAFETY: loom runs one thread at a time, and does not switch between the look at `made` and its change.
unsafe impl<T> Sync for Atom<T> {}
// SAFETY: as above.
unsafe impl<T> Send for Atom<T> {}

impl<T> std::fmt::Debug for Atom<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Atom")
    }
}

impl<T> Atom<T> {
    const fn first(value: u64) -> Atom<T> {
        Atom {
            first: value,
            made: Cell::new(std::ptr::null()),
            run: Cell::new(0),
            last: Cell::new(0),
            seq_cst: Cell::new(false),
            holds: PhantomData,
        }
    }

    fn atom(&self) -> &Word {
        if self.run.replace(RUN.get()) != RUN.get() {
            let atom = STOCK.with_borrow_mut(Vec::pop);
            self.made
                .set(atom.expect("as many atoms as the model needs"));
            self.last.set(0);
            self.seq_cst.set(false);
        }
        switch();
        // SAFETY: from `prepare`, and never freed: a model is short.
        unsafe { &*self.made.get() }
    }
}

impl<T: Held> Atom<T> {
    fn kept(&self, value: T) -> u64 {
        value.word() ^ self.first
    }

    fn seen(&self, word: u64) -> T {
        T::of(word ^ self.first)
    }

    #[track_caller]
    pub(crate) fn load(&self, order: Ordering) -> T {
        let atom = self.atom();
        let now = match order {
            // One sequentially consistent access sees the last one before it. Loom lets it miss that, in favour of an older
            // store that is not of the kind; an access that writes misses nothing.
            Ordering::SeqCst if self.seq_cst.get() => atom.fetch_add(0, Ordering::Acquire),
            _ => atom.load(order),
        };
        note("load", (now, now), order);
        self.seen(now)
    }

    /// What the kernel sees, who is told of nothing else by it.
    #[track_caller]
    pub(crate) fn newest(&self) -> T {
        self.atom();
        let now = self.last.get();
        note("kernel", (now, now), Ordering::Relaxed);
        self.seen(now)
    }

    fn stored(&self, now: u64, order: Ordering) {
        self.last.set(now);
        self.seq_cst.set(order == Ordering::SeqCst);
    }

    #[track_caller]
    pub(crate) fn store(&self, value: T, order: Ordering) {
        let atom = self.atom();
        match order {
            // Loom leaves the order of a plain store and another thread's exchange open, even where the exchange took what the
            // storing thread had left before. Sequentially consistent stores stand where they happened, as exchanges do.
            Ordering::SeqCst => drop(atom.swap(self.kept(value), order)),
            _ => atom.store(self.kept(value), order),
        }
        self.stored(self.kept(value), order);
        note("store", (0, self.kept(value)), order);
    }

    #[track_caller]
    pub(crate) fn swap(&self, value: T, order: Ordering) -> T {
        let before = self.atom().swap(self.kept(value), order);
        self.stored(self.kept(value), order);
        note("swap", (before, self.kept(value)), order);
        self.seen(before)
    }

    #[track_caller]
    pub(crate) fn fetch_add(&self, value: T, order: Ordering) -> T {
        assert_eq!(self.first, 0, "a number that is counted from 0");
        let before = self.atom().fetch_add(self.kept(value), order);
        self.stored(before.wrapping_add(self.kept(value)), order);
        note(
            "add",
            (before, before.wrapping_add(self.kept(value))),
            order,
        );
        self.seen(before)
    }

    #[track_caller]
    pub(crate) fn fetch_or(&self, value: T, order: Ordering) -> T {
        assert_eq!(self.first, 0, "flags that are set from 0 on");
        let before = self.atom().fetch_or(self.kept(value), order);
        self.stored(before | self.kept(value), order);
        note("or", (before, before | self.kept(value)), order);
        self.seen(before)
    }

    #[track_caller]
    pub(crate) fn fetch_sub(&self, value: T, order: Ordering) -> T {
        assert_eq!(self.first, 0, "a number that is counted from 0");
        let before = self.atom().fetch_sub(self.kept(value), order);
        self.stored(before.wrapping_sub(self.kept(value)), order);
        note(
            "sub",
            (before, before.wrapping_sub(self.kept(value))),
            order,
        );
        self.seen(before)
    }

    #[track_caller]
    pub(crate) fn compare_exchange(
        &self,
        now: T,
        next: T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<T, T> {
        let (now, next) = (self.kept(now), self.kept(next));
        let done = self.atom().compare_exchange(now, next, success, failure);
        match done {
            Ok(before) => {
                self.stored(next, success);
                note("exchange", (before, next), success);
            }
            Err(other) => note("no exchange", (other, other), failure),
        }
        done.map(|n| self.seen(n)).map_err(|n| self.seen(n))
    }

    /// Never fails by itself here: that would be one schedule more for each try, and the callers look again anyway.
    #[track_caller]
    pub(crate) fn compare_exchange_weak(
        &self,
        now: T,
        next: T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<T, T> {
        self.compare_exchange(now, next, success, failure)
    }
}

pub(crate) struct Lock<T>(loom::sync::Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Lock<T> {
        Lock(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> LockGuard<'_, T> {
        switch();
        let locked = membarrier::asleep(|| self.0.lock());
        locked.expect("a model that panics has failed")
    }
}
