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

/// Lays what I1 names on the stack that runs, below the address to return to.
#[cfg(target_arch = "x86_64")]
macro_rules! keep {
    () => {
        concat!(
            "push rbp\n",
            "push rbx\n",
            "push r12\n",
            "push r13\n",
            "push r14\n",
            "push r15\n",
            ".cfi_adjust_cfa_offset 48\n",
        )
    };
}

/// Takes it from the stack that the stack pointer is on by now, and returns there.
#[cfg(target_arch = "x86_64")]
macro_rules! take_back {
    () => {
        concat!(
            "pop r15\n",
            "pop r14\n",
            "pop r13\n",
            "pop r12\n",
            "pop rbx\n",
            "pop rbp\n",
            ".cfi_adjust_cfa_offset -48\n",
            "ret\n",
        )
    };
}

#[cfg(target_arch = "aarch64")]
macro_rules! keep {
    () => {
        concat!(
            "sub sp, sp, #160\n",
            ".cfi_adjust_cfa_offset 160\n",
            "stp x19, x20, [sp]\n",
            "stp x21, x22, [sp, #16]\n",
            "stp x23, x24, [sp, #32]\n",
            "stp x25, x26, [sp, #48]\n",
            "stp x27, x28, [sp, #64]\n",
            "stp x29, x30, [sp, #80]\n",
            "stp d8, d9, [sp, #96]\n",
            "stp d10, d11, [sp, #112]\n",
            "stp d12, d13, [sp, #128]\n",
            "stp d14, d15, [sp, #144]\n",
        )
    };
}

#[cfg(target_arch = "aarch64")]
macro_rules! take_back {
    () => {
        concat!(
            "ldp x19, x20, [sp]\n",
            "ldp x21, x22, [sp, #16]\n",
            "ldp x23, x24, [sp, #32]\n",
            "ldp x25, x26, [sp, #48]\n",
            "ldp x27, x28, [sp, #64]\n",
            "ldp x29, x30, [sp, #80]\n",
            "ldp d8, d9, [sp, #96]\n",
            "ldp d10, d11, [sp, #112]\n",
            "ldp d12, d13, [sp, #128]\n",
            "ldp d14, d15, [sp, #144]\n",
            "add sp, sp, #160\n",
            ".cfi_adjust_cfa_offset -160\n",
            "ret\n",
        )
    };
}

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
        keep!(),
        "mov [rdi], rsp",
        "mov rsp, [rsi]",
        "mov qword ptr [rsi], 0",
        take_back!(),
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
        keep!(),
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
        take_back!(),
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
        keep!(),
        "mov x2, sp",
        "str x2, [x0]",
        "ldr x2, [x1]",
        "str xzr, [x1]",
        "mov sp, x2",
        take_back!(),
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
        keep!(),
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
        take_back!(),
        ".cfi_endproc",
    )
}
