//! Stacks of one size, cut from slabs.
//!
//! # Invariants
//!
//! - I1: a slot is in one place: fresh (above its slab's `fresh` mark), bare, warm, cold, with a thread that guards or empties it,
//!   or out as a [`Stack`].
//! - I2: every slot that was ever handed out has its guard, which survives `MADV_DONTNEED`.
//! - I3: a slab is taken out, to be unmapped, only when all its slots that are not fresh are bare, warm or cold, and they leave those
//!   lists with it, under one hold of the lock.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};

use crate::advise::AT_ONCE;
use crate::guard::{self, GUARD_SIZE, GuardMode};

/// Address space mapped at a time. Neighbouring slabs become one mapping for the kernel.
const SLAB: usize = 64 << 20;
/// Tops are spread over this many cache lines, so that the hot frames of many stacks do not meet in one cache set.
pub const COLOURS: usize = 16;
const LINE: usize = 64;

/// What a pool is made for.
#[derive(Clone, Copy, Debug)]
pub struct PoolConfig {
    /// Bytes of address space a stack, guard included; a multiple of 4096.
    pub size: usize,
    /// How stacks are guarded.
    pub guard_mode: GuardMode,
}

/// A stack: memory for one goroutine. Dropping it leaks it; give it back with [`StackPool::give`].
#[derive(Debug)]
pub struct Stack {
    low: usize,
    size: usize,
}

impl Stack {
    /// The highest usable address, a multiple of 64.
    pub fn top(&self) -> usize {
        // Mostly a shift, then: a goroutine's start waits for this address, and a division takes some ten cycles.
        let slot = match self.size.is_power_of_two() {
            true => self.low >> self.size.trailing_zeros(),
            false => self.low / self.size,
        };
        self.low + self.size - slot % COLOURS * LINE
    }

    /// The lowest usable address.
    pub fn bottom(&self) -> usize {
        self.low + GUARD_SIZE
    }

    /// Bytes of address space, guard included.
    pub fn size(&self) -> usize {
        self.size
    }
}

/// No stack to be had: which call failed, and which limit to look at.
#[derive(Debug)]
pub struct StackError {
    call: &'static str,
    error: io::Error,
}

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} failed for a goroutine's stack: {}. ",
            self.call, self.error
        )?;
        let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
        match self.call {
            "mprotect" => write!(
                f,
                "Each stack needs two mappings on this kernel, and vm.max_map_count is {}: raise it (sysctl -w \
                 vm.max_map_count=…), or use Linux 6.13 or later, where guards need none",
                limit.trim()
            ),
            _ => write!(
                f,
                "Look at the limits of address space and memory (ulimit -v, the cgroup's memory.max)"
            ),
        }
    }
}

impl std::error::Error for StackError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Stacks of one size.
pub struct StackPool {
    pub(crate) config: PoolConfig,
    inner: Mutex<Inner>,
    /// Warm stacks, for a look without the lock.
    pub(crate) warm: AtomicUsize,
}

pub(crate) struct Inner {
    mode: GuardMode,
    /// By address.
    pub(crate) slabs: BTreeMap<usize, Slab>,
    /// The slab that new slots come from.
    pub(crate) newest: Option<usize>,
    /// Given back, with the memory that they used. The last one first.
    pub(crate) warm: Vec<usize>,
    /// Given back, without memory.
    pub(crate) cold: Vec<usize>,
    /// Never used, and without a guard, since there was none to be had.
    pub(crate) bare: Vec<usize>,
}

pub(crate) struct Slab {
    /// Slots from here on have never been used.
    pub(crate) fresh: usize,
    /// How many of the others are guarded by `mprotect`.
    pub(crate) splits: usize,
    /// Stacks that a checker of memory was told of.
    #[cfg(waterway_valgrind)]
    known: Vec<crate::valgrind::Known>,
}

impl StackPool {
    /// A pool without any stack yet.
    pub fn new(config: PoolConfig) -> StackPool {
        let mode = config.guard_mode;
        let inner = Inner {
            mode,
            slabs: BTreeMap::new(),
            newest: None,
            warm: Vec::new(),
            cold: Vec::new(),
            bare: Vec::new(),
        };
        StackPool {
            config,
            inner: Mutex::new(inner),
            warm: AtomicUsize::new(0),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn slots_a_slab(&self) -> usize {
        (SLAB / self.config.size).max(1)
    }

    pub(crate) fn slab_len(&self) -> usize {
        self.slots_a_slab() * self.config.size
    }

    /// A stack: the one last given back, or a new one.
    ///
    /// # Errors
    ///
    /// The kernel refuses memory or mappings.
    pub fn take(&self) -> Result<Stack, StackError> {
        let mut one = Vec::with_capacity(1);
        self.take_some(1, &mut one)?;
        Ok(one.pop().expect("one, or an error"))
    }

    /// Appends up to `most` stacks, at least one. The one last given back comes last.
    ///
    /// # Errors
    ///
    /// The kernel refuses memory or mappings.
    pub fn take_some(&self, most: usize, to: &mut Vec<Stack>) -> Result<(), StackError> {
        let most = most.clamp(1, AT_ONCE);
        let size = self.config.size;
        let mut slots = [0; AT_ONCE];
        let (slots, mode) = {
            let mut inner = self.lock();
            let used = match inner.warm.len() {
                0 => &mut inner.cold,
                _ => &mut inner.warm,
            };
            if !used.is_empty() {
                let last = used.drain(used.len().saturating_sub(most)..);
                to.extend(last.map(|low| Stack { low, size }));
                self.warm.store(inner.warm.len(), Ordering::Relaxed);
                return Ok(());
            }
            let count = self.claim(&mut inner, &mut slots[..most])?;
            (&slots[..count], inner.mode)
        };
        // Without the lock: each call to the kernel takes a microsecond and more.
        // SAFETY: the slots lie in our mapping, which stays while they are ours (I3), and nobody else has them (I1).
        let installed = unsafe { guard::install_all(slots, mode) };
        let (guarded, bare) = slots.split_at(installed.done);
        // SAFETY: as above.
        unsafe { guard::populate(guarded, size) };
        // The lowest is to be used first: neighbours share page tables.
        to.extend(guarded.iter().rev().map(|&low| Stack { low, size }));
        if installed.splits > 0 || installed.mode != mode || !bare.is_empty() {
            self.note(guarded, bare, &installed);
        }
        match installed.error {
            Some(error) if guarded.is_empty() => Err(StackError {
                call: match installed.mode {
                    GuardMode::Auto => "madvise(MADV_GUARD_INSTALL)",
                    GuardMode::Mprotect => "mprotect",
                },
                error,
            }),
            _ => Ok(()),
        }
    }

    /// Takes a stack back. Its contents are lost.
    pub fn give(&self, stack: Stack) {
        self.give_all([stack]);
    }

    /// Takes stacks back. Their contents are lost.
    pub fn give_all(&self, stacks: impl IntoIterator<Item = Stack>) {
        let mut inner = self.lock();
        inner.warm.extend(stacks.into_iter().map(|stack| {
            debug_assert_eq!(stack.size, self.config.size);
            stack.low
        }));
        self.warm.store(inner.warm.len(), Ordering::Relaxed);
    }

    /// Calls `f` with each range of addresses that stacks are cut from.
    pub fn for_each_slab(&self, mut f: impl FnMut(std::ops::Range<usize>)) {
        for start in self.lock().slabs.keys() {
            f(*start..*start + self.slab_len());
        }
    }

    /// Stacks that nobody uses and that may hold memory.
    pub fn idle(&self) -> usize {
        self.warm.load(Ordering::Relaxed)
    }

    /// Takes some slots that have no guard yet: how many, at least one.
    fn claim(&self, inner: &mut Inner, slots: &mut [usize]) -> Result<usize, StackError> {
        if let Some(low) = inner.bare.pop() {
            slots[0] = low;
            return Ok(1);
        }
        let start = match inner.newest.filter(|s| {
            inner
                .slabs
                .get(s)
                .is_some_and(|slab| slab.fresh < self.slots_a_slab())
        }) {
            Some(start) => start,
            None => self.map_slab(inner)?,
        };
        let slab = inner
            .slabs
            .get_mut(&start)
            .expect("the newest slab is mapped");
        let count = slots.len().min(self.slots_a_slab() - slab.fresh);
        for slot in &mut slots[..count] {
            let low = start + slab.fresh * self.config.size;
            slab.fresh += 1;
            #[cfg(waterway_valgrind)]
            slab.known.push(crate::valgrind::Known::new(
                low + GUARD_SIZE..low + self.config.size,
            ));
            *slot = low;
        }
        Ok(count)
    }

    /// Notes what is not the usual: guards made by `mprotect`, and slots that have none.
    #[cold]
    fn note(&self, guarded: &[usize], bare: &[usize], installed: &guard::Installed) {
        let mut inner = self.lock();
        inner.mode = installed.mode;
        inner.bare.extend(bare);
        for low in &guarded[guarded.len() - installed.splits..] {
            if let Some((_, slab)) = inner.slabs.range_mut(..=*low).next_back() {
                slab.splits += 1;
            }
        }
    }

    fn map_slab(&self, inner: &mut Inner) -> Result<usize, StackError> {
        let len = self.slab_len();
        // Right below the lowest slab, if that is free: then the two are one mapping for the kernel.
        let hint = inner
            .slabs
            .first_key_value()
            .map_or(0, |(start, _)| start.saturating_sub(len));
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::STACK;
        // SAFETY: a new anonymous mapping; the address is only a hint.
        let start = unsafe {
            mmap_anonymous(
                hint as *mut c_void,
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                flags,
            )
        }
        .map_err(|error| StackError {
            call: "mmap",
            error: error.into(),
        })?;
        // A stack must not take two megabytes for its first page. Where the kernel has no huge pages it says so: fine.
        // SAFETY: our own new mapping, none of whose slots is out.
        let _ = unsafe { madvise(start, len, Advice::LinuxNoHugepage) };
        let start = start as usize;
        inner.slabs.insert(
            start,
            Slab {
                fresh: 0,
                splits: 0,
                #[cfg(waterway_valgrind)]
                known: Vec::new(),
            },
        );
        inner.newest = Some(start);
        Ok(start)
    }
}

impl fmt::Debug for StackPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        f.debug_struct("StackPool")
            .field("size", &self.config.size)
            .field("mode", &inner.mode)
            .field("slabs", &inner.slabs.len())
            .field("warm", &inner.warm.len())
            .field("cold", &inner.cold.len())
            .finish()
    }
}
