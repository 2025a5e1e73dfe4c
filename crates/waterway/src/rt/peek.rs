//! Memory of this process, read as a debugger reads it: by the kernel, through `/proc/self/mem`.
//!
//! For what others may be writing just now, or may have given back: such a read is none of the program's own, so it races with
//! nothing, and where nothing is mapped it fails instead of faulting. What it gives are bytes of no certain moment. Who uses them
//! checks afterwards, by an epoch or a number, that they are what they were taken for, and bears with any bytes before that.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// See the module.
pub(crate) struct Peek(Option<File>);

impl Peek {
    /// Reads fail where there is no `/proc`, or the process must not look into itself (it runs with the rights of another user).
    pub(crate) fn new() -> Peek {
        Peek(File::open("/proc/self/mem").ok())
    }

    /// Fills `into` with what stands at `address`. False if it could not be read.
    pub(crate) fn read(&self, address: usize, into: &mut [u8]) -> bool {
        let file = self.0.as_ref();
        file.is_some_and(|file| file.read_exact_at(into, address as u64).is_ok())
    }

    /// The word at `address`.
    pub(crate) fn word(&self, address: usize) -> Option<usize> {
        let mut word = [0; size_of::<usize>()];
        self.read(address, &mut word)
            .then(|| usize::from_ne_bytes(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_read_and_what_is_not_is_refused() {
        let peek = Peek::new();
        let value = [7usize, 9];
        assert_eq!(peek.word((&raw const value[1]) as usize), Some(9));
        assert_eq!(peek.word(8), None, "nothing is mapped there");
        assert_eq!(peek.word(usize::MAX - 100), None);
    }
}
