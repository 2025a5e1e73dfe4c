//! What a rival finds of the machine's memory. On a virtual machine, what nobody used for a while was given back to the host ("free page
//! reporting"), and pages of files lie in what is left: whoever first takes gigabytes pays for both, many times what its pages cost the next.

use std::hint::black_box;
use std::thread;

use crate::machine;

const GIGABYTE: usize = 1 << 30;
const PAGE: usize = 4096;

/// Takes so many gigabytes, touches each page and gives all back, so that whoever runs next finds the host's memory as the others do.
/// Less, if the machine has not so much to spare.
pub fn level(gigabytes: usize) {
    let bytes = bytes(gigabytes, machine::available_memory());
    let mut memory = vec![0_u8; bytes];
    let part = bytes.div_ceil(machine::cores()).next_multiple_of(PAGE);
    thread::scope(|scope| {
        for part in memory.chunks_mut(part.max(PAGE)) {
            scope.spawn(|| part.iter_mut().step_by(PAGE).for_each(|byte| *byte = 1));
        }
    });
    drop(black_box(memory));
}

/// The machine keeps something for itself.
fn bytes(gigabytes: usize, available: usize) -> usize {
    (gigabytes * GIGABYTE).min(available / 8 * 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_touched_than_the_machine_has_to_spare() {
        assert_eq!(bytes(5, 16 * GIGABYTE), 5 * GIGABYTE);
        assert_eq!(bytes(5, 4 * GIGABYTE), GIGABYTE / 2 * 7);
        let available = machine::available_memory();
        assert!(available > 0 && available.is_multiple_of(1024));
    }
}
