//! Tells valgrind of stacks, so that it knows a switch from one to another. Built with `--cfg waterway_valgrind` only, as
//! `.ci/run` does.
//!
//! # Invariants
//!
//! - I1: a request is a sequence of instructions that do nothing on a processor and are known to valgrind; it reads six
//!   words at the given address and changes one register.

use std::ops::Range;

/// `VG_USERREQ__STACK_REGISTER` and `VG_USERREQ__STACK_DEREGISTER` of `valgrind.h`.
const REGISTER: usize = 0x1501;
const DEREGISTER: usize = 0x1502;

#[cfg(not(target_arch = "x86_64"))]
compile_error!("waterway_valgrind is for x86_64");

/// `VALGRIND_DO_CLIENT_REQUEST` of `valgrind.h`. Gives 0 where no valgrind listens.
fn request(words: [usize; 3]) -> usize {
    let words = [words[0], words[1], words[2], 0, 0, 0];
    let mut result = 0usize;
    // SAFETY: I1; the four rotations bring `rdi` back to what it was.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            inout("rdx") result,
            in("rax") words.as_ptr(),
            options(nostack),
        );
    }
    result
}

/// A stack that valgrind knows, until this is dropped.
pub(crate) struct Known(usize);

impl Known {
    pub(crate) fn new(stack: Range<usize>) -> Known {
        Known(request([REGISTER, stack.start, stack.end]))
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        request([DEREGISTER, self.0, 0]);
    }
}
