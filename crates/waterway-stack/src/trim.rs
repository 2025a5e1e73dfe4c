//! How a pool gives the memory of idle stacks back to the system.
//!
//! Whoever starts or ends a goroutine may wait for the pool's lock, and a hundred thousand stacks take tens of milliseconds to give back.
//! So the lock is held to copy addresses and to take out what is chosen, and neither for a sort nor for a call to the kernel.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::io::{self, Write};
use std::sync::atomic::Ordering;

use rustix::mm::{Advice, madvise, munmap};

use crate::guard;
use crate::pool::{Inner, Slab, StackPool};

impl Inner {
    /// Those that nobody uses.
    fn idle(&mut self) -> [&mut Vec<usize>; 3] {
        [&mut self.warm, &mut self.cold, &mut self.bare]
    }
}

impl StackPool {
    /// Gives the memory of idle stacks back to the system, but for `keep` of them: unmaps slabs that nobody uses, so
    /// that their page tables go too, and empties idle stacks in the others.
    pub fn trim(&self, keep: usize) {
        let Some(unused) = self.unused_slabs(keep) else {
            return;
        };
        let (slabs, mut surplus) = self.take_out(&unused, keep);
        for (start, slab) in slabs {
            self.unmap(start, slab);
        }
        surplus.sort_unstable();
        let size = self.config.size;
        for run in surplus.chunk_by(|a, b| b - a == size) {
            // SAFETY: idle slots of ours, side by side (I1); guards stay (I2).
            let _ = unsafe {
                madvise(
                    run[0] as *mut c_void,
                    run.len() * size,
                    Advice::LinuxDontNeed,
                )
            };
        }
        let mut inner = self.lock();
        inner.cold.extend(surplus);
        if inner.cold.capacity() > 4 * (inner.cold.len() + 1024) {
            inner.cold.shrink_to_fit();
            inner.warm.shrink_to_fit();
        }
    }

    /// The slabs to be unmapped, in order; none if there is no surplus.
    fn unused_slabs(&self, keep: usize) -> Option<Vec<usize>> {
        let (mut idle, slabs) = {
            let mut inner = self.lock();
            if inner.warm.len() <= keep {
                return None;
            }
            let idle = inner.idle().map(|list| &list[..]).concat();
            let fresh = |(start, slab): (&usize, &Slab)| (*start, slab.fresh);
            let slabs: Vec<_> = inner.slabs.iter().map(fresh).collect();
            (idle, slabs)
        };
        idle.sort_unstable();
        let mut rest = &idle[..];
        let (mut kept, mut whole) = (0, Vec::new());
        for (start, fresh) in slabs {
            let end = rest.partition_point(|low| *low < start + self.slab_len());
            rest = &rest[end..];
            // Stacks to keep are found first where the slab stays anyway.
            match end == fresh {
                true => whole.push((start, end)),
                false => kept += end,
            }
        }
        whole.retain(|(_, count)| {
            let stays = kept < keep;
            kept += if stays { *count } else { 0 };
            !stays
        });
        Some(whole.into_iter().map(|(start, _)| start).collect())
    }

    /// Takes out what is to be given back: of these slabs those that are unused still, with all their slots (I3), and warm stacks
    /// beyond `keep`.
    fn take_out(&self, unused: &[usize], keep: usize) -> (BTreeMap<usize, Slab>, Vec<usize>) {
        // Of a slot, the slab of `unused` that it lies in.
        let slab_of = |low: usize| {
            let before = unused.partition_point(|start| *start <= low);
            let nth = before.checked_sub(1)?;
            (low - unused[nth] < self.slab_len()).then_some(nth)
        };
        let mut counts = vec![0; unused.len()];
        let mut held = self.lock();
        let inner: &mut Inner = &mut held;
        let taken = inner.idle().map(|list| {
            let goes = |low: &mut usize| slab_of(*low).inspect(|nth| counts[*nth] += 1).is_some();
            list.extract_if(.., goes).collect::<Vec<_>>()
        });
        // Since the look some may have been taken, or cut.
        let is_whole = |nth: usize| inner.slabs[&unused[nth]].fresh == counts[nth];
        let (gone, used): (Vec<_>, Vec<_>) = (0..unused.len()).partition(|nth| is_whole(*nth));
        if !used.is_empty() {
            for (list, taken) in inner.idle().into_iter().zip(taken) {
                let stays = |low: &usize| slab_of(*low).is_some_and(|nth| used.contains(&nth));
                list.extend(taken.into_iter().filter(stays));
            }
        }
        let slab = |nth: usize| inner.slabs.remove_entry(&unused[nth]);
        let slabs: BTreeMap<_, _> = gone.into_iter().filter_map(slab).collect();
        inner.newest = inner.newest.filter(|start| !slabs.contains_key(start));
        let surplus = inner.warm.len().saturating_sub(keep);
        let surplus = inner.warm.drain(..surplus).collect();
        self.warm.store(inner.warm.len(), Ordering::Relaxed);
        (slabs, surplus)
    }

    /// Unmaps a slab that was taken out.
    fn unmap(&self, start: usize, slab: Slab) {
        // SAFETY: our mapping, none of its slots is out or will be (I3).
        match unsafe { munmap(start as *mut c_void, self.slab_len()) } {
            Ok(()) => guard::forget(slab.splits),
            // It stays mapped, and lost: the kernel had no memory to split a mapping.
            // Not `eprintln!`, which panics where nobody reads.
            Err(error) => {
                let _ = writeln!(
                    io::stderr(),
                    "waterway: a slab of stacks could not be unmapped: {error}"
                );
            }
        }
    }
}
