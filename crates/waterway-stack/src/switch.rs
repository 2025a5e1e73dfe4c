//! The switch from one stack to another, in the machine's own words.
//!
//! Both functions are called, and `ret`urn, so the processor's stack of return addresses fits: who leaves a stack by `switch` and
//! who comes back to one by it have called it from the same place in most cases, and with the same callers above; and one who
//! ends without having been suspended returns through `enter` to its caller.
//!
//! # Invariants
//!
//! - I1: a word that is written by `switch` or `enter` is the address of what both take from a stack: the registers that a
//!   function must keep (by the platform's rules, without the control words of the floating point unit, which nobody here
//!   changes), then the address to return to. It is used once.
//!
//! - I2: the word that is come back by is 0 from then on, so that whoever looks at a stack from outside can tell whether it is left: the
//!   word is there, and the same before and after.
//!
//! The frame of `enter` is the first of its stack: its return address is told to be undefined, so that backtraces end here.

use std::arch::naked_asm;

/// What runs on a new stack. Gives the word of the stack that goes on when it has finished.
pub(crate) type Start = unsafe extern "C" fn(*mut ()) -> *mut usize;

/// Where in what lies on a stack that was left are the frame pointer and the address to return to, and how much it is.
#[cfg(target_arch = "x86_64")]
pub(crate) const SAVED: (usize, usize, usize) = (40, 48, 56);
#[cfg(target_arch = "aarch64")]
pub(crate) const SAVED: (usize, usize, usize) = (80, 88, 160);

/// Leaves the stack that runs, for the one that `to` was written for.
///
/// # Safety
///
/// `to` was written by this function or `enter`, and not used since (I1); `from` may be written.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn switch(from: *mut usize, to: *mut usize) {
    naked_asm!(
        ".cfi_startproc",
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        ".cfi_adjust_cfa_offset 48",
        "mov [rdi], rsp",
        "mov rsp, [rsi]",
        "mov qword ptr [rsi], 0",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        ".cfi_adjust_cfa_offset -48",
        "ret",
        ".cfi_endproc",
    )
}

/// Leaves the stack that runs for a new one, on which it calls `start` with `top`.
///
/// # Safety
///
/// `top` is a multiple of 16, below it are thousands of bytes of nobody else's; `start` may be called with it there, and gives
/// a word as for `switch`; `from` may be written.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn enter(from: *mut usize, top: usize, start: Start) {
    naked_asm!(
        ".cfi_startproc",
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        ".cfi_adjust_cfa_offset 48",
        "mov [rdi], rsp",
        "mov rsp, rsi",
        "mov rdi, rsi",
        "xor ebp, ebp",
        ".cfi_remember_state",
        ".cfi_def_cfa rsp, 0",
        ".cfi_undefined rip",
        "call rdx",
        ".cfi_restore_state",
        "mov rsp, [rax]",
        "mov qword ptr [rax], 0",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        ".cfi_adjust_cfa_offset -48",
        "ret",
        ".cfi_endproc",
    )
}

/// See the one for x86_64.
///
/// # Safety
///
/// As there.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn switch(from: *mut usize, to: *mut usize) {
    naked_asm!(
        ".cfi_startproc",
        "sub sp, sp, #160",
        ".cfi_adjust_cfa_offset 160",
        "stp x19, x20, [sp]",
        "stp x21, x22, [sp, #16]",
        "stp x23, x24, [sp, #32]",
        "stp x25, x26, [sp, #48]",
        "stp x27, x28, [sp, #64]",
        "stp x29, x30, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "mov x2, sp",
        "str x2, [x0]",
        "ldr x2, [x1]",
        "str xzr, [x1]",
        "mov sp, x2",
        "ldp x19, x20, [sp]",
        "ldp x21, x22, [sp, #16]",
        "ldp x23, x24, [sp, #32]",
        "ldp x25, x26, [sp, #48]",
        "ldp x27, x28, [sp, #64]",
        "ldp x29, x30, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "add sp, sp, #160",
        ".cfi_adjust_cfa_offset -160",
        "ret",
        ".cfi_endproc",
    )
}

/// See the one for x86_64.
///
/// # Safety
///
/// As there.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn enter(from: *mut usize, top: usize, start: Start) {
    naked_asm!(
        ".cfi_startproc",
        "sub sp, sp, #160",
        ".cfi_adjust_cfa_offset 160",
        "stp x19, x20, [sp]",
        "stp x21, x22, [sp, #16]",
        "stp x23, x24, [sp, #32]",
        "stp x25, x26, [sp, #48]",
        "stp x27, x28, [sp, #64]",
        "stp x29, x30, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "mov x3, sp",
        "str x3, [x0]",
        "mov sp, x1",
        "mov x0, x1",
        "mov x29, xzr",
        ".cfi_remember_state",
        ".cfi_def_cfa sp, 0",
        ".cfi_undefined x30",
        "blr x2",
        ".cfi_restore_state",
        "ldr x2, [x0]",
        "str xzr, [x0]",
        "mov sp, x2",
        "ldp x19, x20, [sp]",
        "ldp x21, x22, [sp, #16]",
        "ldp x23, x24, [sp, #32]",
        "ldp x25, x26, [sp, #48]",
        "ldp x27, x28, [sp, #64]",
        "ldp x29, x30, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "add sp, sp, #160",
        ".cfi_adjust_cfa_offset -160",
        "ret",
        ".cfi_endproc",
    )
}
