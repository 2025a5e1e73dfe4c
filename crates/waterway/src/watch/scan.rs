//! Where in memory the guards of some locks lie: the word that each of them holds, an address in the core's block that is nothing else's.
//!
//! Memory is read through `/proc/self/mem`: what another thread unmaps meanwhile is an error there, not a fault. Pages that were never
//! touched are left out (`/proc/self/pagemap`), so that address space costs little. A word lies at a multiple of its size, as the
//! compiler puts pointers.
//!
//! The words looked for are kept upside down (and named by their cores), and the buffer is left out and emptied, so that a search
//! does not find itself.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::rt::core_box::{GUARD_WORD, TASK_GUARD_WORD};
use crate::rt::thread::own_stack;

const WORD: usize = size_of::<usize>();
const PAGE: usize = 4096;
/// Bytes read at a time.
const CHUNK: usize = 1 << 18;
/// More address space than this is not looked through.
const MOST: usize = 1 << 42;

/// A part of memory that is not like the rest.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) range: Range<usize>,
    pub(super) of: Of,
}

/// Whose memory it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Of {
    /// The stack of one of those who are judged, by index.
    Party(usize),
    /// The stack of a goroutine of this worker.
    Worker(usize),
    /// The stack of this thread.
    Thread(u32),
    /// Nothing can be there that counts.
    Nobody,
    /// The heap, statics, thread-locals: whose, nobody can tell.
    Anybody,
}

/// One find.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    /// Index of the core.
    pub(super) core: usize,
    pub(super) of: Of,
}

/// Why the search says nothing.
pub(super) type Unclear = &'static str;

/// Searches all memory that can be written for guards of `cores`. `parts` do not overlap; what they do not tell of is anybody's.
pub(super) fn everywhere(cores: &[usize], mut parts: Vec<Part>) -> Result<Vec<Hit>, Unclear> {
    let mut search = Search::new(cores)?;
    let buffer = search.buffer.as_flattened().as_ptr_range();
    for own in [buffer.start as usize..buffer.end as usize, own_stack()] {
        parts.push(Part {
            range: own,
            of: Of::Nobody,
        });
    }
    parts.sort_unstable_by_key(|part| part.range.start);
    let maps =
        std::fs::read_to_string("/proc/self/maps").map_err(|_| "/proc/self/maps cannot be read")?;
    let mut total = 0;
    for map in maps.lines().filter_map(Mapping::read) {
        total += map.range.len();
        if total > MOST {
            return Err("there is too much address space to look through");
        }
        search.mapping(&map, &parts)?;
    }
    Ok(std::mem::take(&mut search.hits))
}

/// Searches these parts alone.
pub(super) fn within(cores: &[usize], parts: &[Part]) -> Result<Vec<Hit>, Unclear> {
    let mut search = Search::new(cores)?;
    for part in parts {
        search.range(part.range.clone(), part.of, true)?;
    }
    Ok(std::mem::take(&mut search.hits))
}

/// A line of `/proc/self/maps` of memory that can be written.
struct Mapping {
    range: Range<usize>,
    /// What is not in a page table is not there: nobody else writes it.
    private: bool,
}

impl Mapping {
    fn read(line: &str) -> Option<Mapping> {
        let mut words = line.split_whitespace();
        let (from, to) = words.next()?.split_once('-')?;
        let flags = words.next()?;
        let hex = |word| usize::from_str_radix(word, 16).ok();
        // What can be written can be read here, whether the program may read it or not.
        (flags.as_bytes().get(1) == Some(&b'w')).then_some(Mapping {
            range: hex(from)?..hex(to)?,
            private: flags.ends_with('p'),
        })
    }
}

struct Search {
    memory: File,
    pagemap: File,
    /// Upside down, sorted, each with the index of its core, and whether it is of a guard that a task has.
    words: Vec<(usize, usize, bool)>,
    buffer: Vec<[u8; WORD]>,
    hits: Vec<Hit>,
}

impl Search {
    fn new(cores: &[usize]) -> Result<Search, Unclear> {
        if rustix::param::page_size() != PAGE {
            return Err("pages of memory are larger than is known here");
        }
        let turned = cores.iter().enumerate();
        let mut turned: Vec<_> = turned
            .flat_map(|(at, core)| {
                let of_task = (!(core + TASK_GUARD_WORD), at, true);
                [(!(core + GUARD_WORD), at, false), of_task]
            })
            .collect();
        turned.sort_unstable();
        Ok(Search {
            memory: File::open("/proc/self/mem").map_err(|_| "/proc/self/mem cannot be opened")?,
            pagemap: File::open("/proc/self/pagemap")
                .map_err(|_| "/proc/self/pagemap cannot be opened")?,
            words: turned,
            buffer: vec![[0; WORD]; CHUNK / WORD],
            hits: Vec::new(),
        })
    }

    fn mapping(&mut self, map: &Mapping, parts: &[Part]) -> Result<(), Unclear> {
        let mut at = map.range.start;
        let first = parts.partition_point(|part| part.range.end <= at);
        for part in &parts[first..] {
            let (from, to) = (part.range.start.max(at), part.range.end.min(map.range.end));
            if part.range.start >= map.range.end {
                break;
            }
            if from >= to {
                continue;
            }
            self.range(at..from, Of::Anybody, map.private)?;
            self.range(from..to, part.of, map.private)?;
            at = to;
        }
        self.range(at..map.range.end, Of::Anybody, map.private)
    }

    /// Searches one range, which is one kind of memory.
    fn range(&mut self, range: Range<usize>, of: Of, private: bool) -> Result<(), Unclear> {
        if of == Of::Nobody || range.is_empty() {
            return Ok(());
        }
        if !private {
            return self.pages(range, of);
        }
        const ENTRIES: usize = 512;
        let mut entries = [0u8; ENTRIES * 8];
        let mut page = range.start / PAGE;
        let end = range.end.div_ceil(PAGE);
        while page < end {
            let count = (end - page).min(ENTRIES);
            let read = self
                .pagemap
                .read_at(&mut entries[..count * 8], page as u64 * 8);
            let read = read.map_err(|_| "/proc/self/pagemap cannot be read")? / 8;
            if read == 0 {
                return Err("/proc/self/pagemap ends early");
            }
            let there = |n: usize| {
                let entry: [u8; 8] = entries[n * 8..n * 8 + 8].try_into().expect("eight bytes");
                // Bit 63: present; 62: swapped out; 58: a guard, which looks swapped out, and has nothing in it (Linux 6.15).
                let entry = u64::from_ne_bytes(entry);
                entry >> 62 != 0 && entry & 1 << 58 == 0
            };
            let mut n = 0;
            while n < read {
                let run = (n..read).take_while(|m| there(*m)).count();
                if run > 0 {
                    let from = ((page + n) * PAGE).max(range.start);
                    let to = ((page + n + run) * PAGE).min(range.end);
                    self.pages(from..to, of)?;
                }
                n += run + 1;
            }
            page += read;
        }
        Ok(())
    }

    /// Searches pages that are there.
    fn pages(&mut self, range: Range<usize>, of: Of) -> Result<(), Unclear> {
        let mut at = range.start.next_multiple_of(WORD);
        while at < range.end {
            let wanted = (range.end - at).min(CHUNK);
            let buffer = &mut self.buffer.as_flattened_mut()[..wanted];
            let read = self.memory.read_at(buffer, at as u64);
            let read = match read {
                Ok(read) if read > 0 => read,
                // Unmapped meanwhile, or a device's: it cannot be told what is there.
                _ => return Err("some memory cannot be read"),
            };
            self.compare(read, of);
            at += read;
        }
        Ok(())
    }

    fn compare(&mut self, len: usize, of: Of) {
        let (Some(low), Some(high)) = (self.words.first(), self.words.last()) else {
            return;
        };
        let (low, high) = (low.0, high.0);
        // Plain, since code that is not optimised walks through all memory here, too.
        for word in &self.buffer[..len / WORD] {
            let word = !usize::from_ne_bytes(*word);
            if low <= word
                && word <= high
                && let Ok(found) = self.words.binary_search_by_key(&word, |w| w.0)
            {
                let (_, core, of_task) = self.words[found];
                // Wherever it lies, another thread may have been lent it.
                let of = if of_task { Of::Anybody } else { of };
                self.hits.push(Hit { core, of });
            }
        }
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        // What was read stays in no freed memory.
        self.buffer.as_flattened_mut().fill(0);
        std::hint::black_box(&mut self.buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Addresses that nobody else has.
    fn pattern(n: usize) -> usize {
        0x7a5b_3c00_dead_0000 + n * 16
    }

    fn count(hits: &[Hit], core: usize, of: Of) -> usize {
        let found = |h: &&Hit| h.core == core && h.of == of;
        hits.iter().filter(found).count()
    }

    /// Not under AddressSanitizer, whose shadow is more address space than is looked through.
    #[test]
    #[cfg_attr(waterway_asan, ignore)]
    fn words_are_found_where_they_lie_and_search_does_not_find_itself() {
        static PLACE: crate::primitives::AtomicUsize = crate::primitives::AtomicUsize::new(0);
        // On a thread of its own, whose stack nobody looks through.
        let found = std::thread::spawn(|| {
            let boxed = Box::new([pattern(1) + GUARD_WORD, 0, pattern(1) + GUARD_WORD]);
            PLACE.store(
                pattern(2) + GUARD_WORD,
                crate::primitives::Ordering::Relaxed,
            );
            let cores = [pattern(0), pattern(1), pattern(2)].map(std::hint::black_box);
            // Other tests unmap memory meanwhile: then it is not to be told, and tried again.
            let look = |parts: Vec<Part>| {
                std::iter::repeat_with(|| everywhere(&cores, parts.clone())).find_map(Result::ok)
            };
            let first = look(Vec::new()).unwrap();
            let again = look(Vec::new()).unwrap();
            let at = boxed.as_ptr() as usize;
            let parts = vec![Part {
                range: at..at + 2 * WORD,
                of: Of::Party(7),
            }];
            let told = look(parts).unwrap();
            drop(std::hint::black_box(boxed));
            // Of a static that nobody reads the compiler drops the stores.
            std::hint::black_box(&PLACE);
            [first, again, told]
        });
        let [first, again, told] = found.join().unwrap();
        for hits in [first, again] {
            assert_eq!(count(&hits, 0, Of::Anybody), 0, "itself");
            assert_eq!(count(&hits, 1, Of::Anybody), 2, "on the heap");
            assert_eq!(count(&hits, 2, Of::Anybody), 1, "in a static");
        }
        assert_eq!(count(&told, 1, Of::Party(7)), 1);
        assert_eq!(count(&told, 1, Of::Anybody), 1);
    }

    #[test]
    fn only_memory_that_can_be_written_is_looked_through() {
        let read = |line| Mapping::read(line).map(|m| (m.range, m.private));
        assert_eq!(
            read("1000-3000 rw-p 00000000 00:00 0  [heap]"),
            Some((0x1000..0x3000, true))
        );
        assert_eq!(
            read("1000-3000 rw-s 00000000 00:05 9  /dev/shm/x"),
            Some((0x1000..0x3000, false))
        );
        assert_eq!(
            read("1000-3000 -w-p 00000000 00:00 0"),
            Some((0x1000..0x3000, true))
        );
        assert_eq!(read("1000-3000 r-xp 00000000 00:05 9  /bin/x"), None);
        assert_eq!(read("1000-3000 ---p 00000000 00:00 0"), None);
        assert_eq!(read(""), None);
    }
}
