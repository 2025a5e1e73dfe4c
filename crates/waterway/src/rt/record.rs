//! What a waiter waits for: the one record that dumps and detection read.

use std::panic::Location;

use crate::primitives::{AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering};

/// Why a waiter waits. Do not re-use one for something new: add a new one, that keeps dumps readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum WaitReason {
    Running = 0,
    ChanSend,
    ChanRecv,
    ChanNever,
    Select,
    SelectEmpty,
    Sleep,
    Mutex,
    Relock,
    WaitGroup,
    RwLockRead,
    RwLockWrite,
    Condvar,
    Once,
    Barrier,
    Semaphore,
    Join,
    Scope,
    Blocking,
    BlockOn,
}

impl WaitReason {
    /// Every reason, in the order of its number.
    const ALL: [WaitReason; 20] = [
        WaitReason::Running,
        WaitReason::ChanSend,
        WaitReason::ChanRecv,
        WaitReason::ChanNever,
        WaitReason::Select,
        WaitReason::SelectEmpty,
        WaitReason::Sleep,
        WaitReason::Mutex,
        WaitReason::Relock,
        WaitReason::WaitGroup,
        WaitReason::RwLockRead,
        WaitReason::RwLockWrite,
        WaitReason::Condvar,
        WaitReason::Once,
        WaitReason::Barrier,
        WaitReason::Semaphore,
        WaitReason::Join,
        WaitReason::Scope,
        WaitReason::Blocking,
        WaitReason::BlockOn,
    ];

    /// The words of a dump, Go's where Go has them.
    pub(crate) fn text(self) -> &'static str {
        match self {
            WaitReason::Running => "running",
            WaitReason::ChanSend => "chan send",
            WaitReason::ChanRecv => "chan receive",
            WaitReason::ChanNever => "chan receive (never)",
            WaitReason::Select => "select",
            WaitReason::SelectEmpty => "select (no cases)",
            WaitReason::Sleep => "sleep",
            WaitReason::Mutex => "sync.Mutex.Lock",
            WaitReason::Relock => "sync.Cond.Wait (locking again)",
            WaitReason::WaitGroup => "sync.WaitGroup.Wait",
            WaitReason::RwLockRead => "sync.RWMutex.RLock",
            WaitReason::RwLockWrite => "sync.RWMutex.Lock",
            WaitReason::Condvar => "sync.Cond.Wait",
            WaitReason::Once => "sync.Once",
            WaitReason::Barrier => "barrier",
            WaitReason::Semaphore => "semaphore",
            WaitReason::Join => "join",
            WaitReason::Scope => "scope end",
            WaitReason::Blocking => "blocking call",
            WaitReason::BlockOn => "block_on",
        }
    }

    /// True if the call that waits may be unwound: it has lent nothing that lies on its stack, and owes nobody a lock.
    pub(super) fn unwinds(self) -> bool {
        !matches!(
            self,
            WaitReason::Scope | WaitReason::Blocking | WaitReason::Relock
        )
    }

    /// True of a wait for what another holds, or for another's end: it has an owner, and can be part of a cycle.
    pub(crate) fn has_owner(self) -> bool {
        use WaitReason::{Join, Mutex, Once, Relock, RwLockRead, RwLockWrite};
        matches!(
            self,
            Mutex | Relock | RwLockRead | RwLockWrite | Once | Join
        )
    }

    fn from_u8(n: u8) -> WaitReason {
        *WaitReason::ALL
            .get(n as usize)
            .unwrap_or(&WaitReason::Running)
    }
}

/// So many arms of a select are told.
const MOST_ARMS: usize = 8;

/// The channels that a select waits for. It lies on the stack of who waits, its address is the `object` of the record, and dumps read it
/// there as a debugger would.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Arms {
    count: usize,
    /// Addresses of cores, one more where the arm sends.
    words: [usize; MOST_ARMS],
}

impl Arms {
    /// The arms of a select: for each, the address of its channel's core, and whether it sends.
    #[inline]
    pub(crate) fn of(arms: impl ExactSizeIterator<Item = (usize, bool)>) -> Arms {
        let mut words = [0; MOST_ARMS];
        let count = arms.len();
        for (word, (core, sends)) in words.iter_mut().zip(arms) {
            *word = core | usize::from(sends);
        }
        Arms { count, words }
    }

    /// As the object of a record. It stays where it is until the wait is over.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(self).expose_provenance()
    }

    /// What was read where a record says that arms are: how many, and the first of them.
    pub(crate) fn read(bytes: &[u8; size_of::<Arms>()]) -> (usize, Vec<(usize, bool)>) {
        let mut words = bytes.as_chunks().0.iter().map(|w| usize::from_ne_bytes(*w));
        let count = words.next().unwrap_or(0);
        let arms = words.take(count).map(|word| (word & !1, word & 1 == 1));
        (count, arms.collect())
    }
}

/// What a semaphore is asked for. It lies where [`Arms`] do, and is read as they are.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Permits {
    core: usize,
    count: usize,
}

impl Permits {
    /// `count` permits of the semaphore whose core is at that address.
    pub(crate) fn of(core: usize, count: usize) -> Permits {
        Permits { core, count }
    }

    /// As the object of a record. It stays where it is until the wait is over.
    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(self).expose_provenance()
    }

    /// What was read where a record says that permits are asked for: the address of the core, and how many.
    pub(crate) fn read(bytes: &[u8; size_of::<Permits>()]) -> (usize, usize) {
        let [core, count] = *bytes.as_chunks().0 else {
            unreachable!("it has two words")
        };
        (usize::from_ne_bytes(core), usize::from_ne_bytes(count))
    }
}

/// What one blocking call waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitKey {
    pub(crate) reason: WaitReason,
    /// Address of the core of the object waited on, in the handle arena, or of a select's [`Arms`] or a semaphore's [`Permits`]; 0
    /// where there is none.
    pub(crate) object: usize,
    /// The user's line that called.
    pub(crate) site: &'static Location<'static>,
}

/// The record of one goroutine or thread. Written by its owner only, read by anyone.
///
/// `epoch` is odd while its owner waits: a reader that sees the same odd epoch before and after has read one wait. (All
/// fields are atomic, so a reader that comes between sees a mixture, not a race, and drops it.)
///
/// Why it is dropped: the reader has acquired an odd epoch, so it sees the fields of that wait or of later ones. If one is of a
/// later wait, it was stored after the release fence of the `end` between, and read before the reader's acquire fence: so the
/// second look at the epoch sees that `end` at least. Models (`models/`): `record_is_read_whole`, `record_counts_its_waits`.
///
/// # Invariants
///
/// - I1: `site` is null or a `&'static Location`; it is not null once an odd epoch can be seen.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Record {
    epoch: AtomicU64,
    since: AtomicU64,
    object: AtomicUsize,
    site: AtomicPtr<Location<'static>>,
    ending: AtomicUsize,
    reason: AtomicU8,
    timed: AtomicU8,
}

/// A consistent copy of a [`Record`] whose owner waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) key: WaitKey,
    /// The wait ends by itself at a deadline.
    pub(crate) timed: bool,
    /// Address of the core of a context whose end ends the wait too; 0 if there is none.
    pub(crate) ending: usize,
    /// Nanoseconds of the runtime's coarse clock when the wait began.
    pub(crate) since: u64,
}

impl Record {
    pub(crate) const fn new() -> Record {
        Record {
            epoch: AtomicU64::new(0),
            reason: AtomicU8::new(0),
            timed: AtomicU8::new(0),
            object: AtomicUsize::new(0),
            ending: AtomicUsize::new(0),
            site: AtomicPtr::new(std::ptr::null_mut()),
            since: AtomicU64::new(0),
        }
    }

    /// The owner begins to wait.
    #[inline]
    pub(crate) fn begin(&self, key: &WaitKey, timed: bool, since: u64) {
        self.reason.store(key.reason as u8, Ordering::Relaxed);
        self.timed.store(timed as u8, Ordering::Relaxed);
        self.object.store(key.object, Ordering::Relaxed);
        self.site
            .store(std::ptr::from_ref(key.site).cast_mut(), Ordering::Relaxed);
        self.since.store(since, Ordering::Relaxed);
        self.step();
    }

    /// What may end the next wait besides its object. The owner sets it before `begin` and back to 0 after `end`, so that it
    /// belongs to the epoch between, and other waits need not write it.
    pub(crate) fn note_ending(&self, core: usize) {
        self.ending.store(core, Ordering::Relaxed);
    }

    /// The owner runs again.
    #[inline]
    pub(crate) fn end(&self) {
        self.step();
        // The fields of the next wait must not be seen under this wait's epoch.
        crate::primitives::fence(Ordering::Release);
    }

    #[inline]
    fn step(&self) {
        // Only the owner writes, so a load and a store are enough.
        self.epoch
            .store(self.epoch.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// How often the owner began or ended a wait.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// What the owner waits for; `None` while it runs, or where the record moved while it was read.
    pub(crate) fn read(&self) -> Option<Waiting> {
        self.read_epoch().map(|(_, waiting)| waiting)
    }

    /// The same, with the epoch of that wait.
    pub(crate) fn read_epoch(&self) -> Option<(u64, Waiting)> {
        let epoch = self.epoch.load(Ordering::Acquire);
        if epoch.is_multiple_of(2) {
            return None;
        }
        let site = self.site.load(Ordering::Relaxed);
        let waiting = Waiting {
            key: WaitKey {
                reason: WaitReason::from_u8(self.reason.load(Ordering::Relaxed)),
                object: self.object.load(Ordering::Relaxed),
                // SAFETY: I1: an odd epoch was seen.
                site: unsafe { &*site },
            },
            timed: self.timed.load(Ordering::Relaxed) != 0,
            ending: self.ending.load(Ordering::Relaxed),
            since: self.since.load(Ordering::Relaxed),
        };
        crate::primitives::fence(Ordering::Acquire);
        (self.epoch.load(Ordering::Relaxed) == epoch).then_some((epoch, waiting))
    }
}
