//! The switch from one stack to another, in the machine's own words.
//!
//! The processor foretells where a `ret` goes by a stack of its own, of the calls that were made, and a switch does not change that. So
//! each return from a function that was called before a switch, to a caller that is not also the other stack's, is foretold wrongly,
//! which costs some 5 ns. On x86_64 `switch` is no call, therefore: its few instructions stand in the function that waits, and a jump
//! is foretold by where it went before. And one who ends without having been suspended returns through `enter` to its caller.
//!
//! # Invariants
//!
//! - I1: a word that is written by `switch` or `enter` is the address of what both take from a stack: the registers that are kept there,
//!   then the address to go on at, which takes what else its function needs from the stack itself. It is used once. (The control
//!   words of the floating point unit nobody here changes.)
//!
//! - I2: the word that is come back by is 0 from then on, so that whoever looks at a stack from outside can tell whether it is left: the
//!   word is there, and the same before and after.
//!
//! The frame of `enter` is the first of its stack: its return address is told to be undefined, so that backtraces end here.

#[cfg(target_arch = "x86_64")]
use std::arch::asm;
use std::arch::naked_asm;

/// What runs on a new stack. Gives the word of the stack that goes on when it has finished.
pub(crate) type Start = unsafe extern "C" fn(*mut ()) -> *mut usize;

/// Where in what lies on a stack that was left are the frame pointer and the address to return to, and how much it is.
#[cfg(target_arch = "x86_64")]
pub(crate) const SAVED: (usize, usize, usize) = (8, 16, 24);
#[cfg(target_arch = "aarch64")]
pub(crate) const SAVED: (usize, usize, usize) = (80, 88, 160);

/// Lays what I1 names on the stack that runs, below the address to return to.
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

/// Takes it from the stack that the stack pointer is on by now, and returns there.
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
#[inline(always)]
pub(crate) unsafe fn switch(from: *mut usize, to: *mut usize) {
    // SAFETY: by the caller. All registers are said to be lost but the stack pointer and the two that are kept, which are taken back with
    // it; what lies on this stack above stays as it is until somebody comes back to it.
    unsafe {
        asm!(
            "lea rax, [rip + 2f]",
            "push rax",
            "push rbp",
            "push rbx",
            "mov [rdi], rsp",
            "mov rsp, [rsi]",
            "mov qword ptr [rsi], 0",
            "pop rbx",
            "pop rbp",
            "pop rax",
            "jmp rax",
            "2:",
            inout("rdi") from => _,
            inout("rsi") to => _,
            out("r12") _,
            out("r13") _,
            out("r14") _,
            out("r15") _,
            clobber_abi("C"),
        );
    }
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
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        ".cfi_adjust_cfa_offset 32",
        ".cfi_remember_state",
        "lea rax, [rip + 2f]",
        "push rax",
        "push rbp",
        "push rbx",
        ".cfi_adjust_cfa_offset 24",
        "mov [rdi], rsp",
        "mov rsp, rsi",
        "mov rdi, rsi",
        "xor ebp, ebp",
        ".cfi_def_cfa rsp, 0",
        ".cfi_undefined rip",
        "call rdx",
        "mov rsp, [rax]",
        "mov qword ptr [rax], 0",
        "pop rbx",
        "pop rbp",
        "pop rax",
        "jmp rax",
        ".cfi_restore_state",
        "2:",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        ".cfi_adjust_cfa_offset -32",
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
