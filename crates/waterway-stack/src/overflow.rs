//! The fault handler: tells an overflow of a goroutine's stack from other faults.
//!
//! # Invariants
//!
//! - I1: `OLD` is written before the handler is installed, and never after.
//! - I2: `REPORT` is 0 or a `fn(usize) -> bool`; not 0 once the handler is installed.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of an alternate signal stack, for threads that have none.
const ALTSTACK: usize = 64 << 10;

struct Old(UnsafeCell<MaybeUninit<[libc::sigaction; 2]>>);

// SAFETY: I1.
unsafe impl Sync for Old {}

/// What handled SIGSEGV and SIGBUS before.
static OLD: Old = Old(UnsafeCell::new(MaybeUninit::uninit()));
/// `fn(usize) -> bool`, as an address.
static REPORT: AtomicUsize = AtomicUsize::new(0);

/// Installs the handler, once in the process. `report` is called with each faulting address, in the signal handler: if
/// the address is that of a guard of the running goroutine it says so (by `write` alone) and returns true; then the
/// process aborts. Other faults go to whoever handled them before.
pub fn install_overflow_handler(report: fn(usize) -> bool) {
    if REPORT.swap(report as usize, Ordering::SeqCst) != 0 {
        return;
    }
    // SAFETY: plain calls with valid pointers. I1: this is the one writer of `OLD`, before the handler is there.
    unsafe {
        let mut old: [libc::sigaction; 2] = std::mem::zeroed();
        libc::sigaction(libc::SIGSEGV, std::ptr::null(), &mut old[0]);
        libc::sigaction(libc::SIGBUS, std::ptr::null(), &mut old[1]);
        (*OLD.0.get()).write(old);
        let mut new: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = on_fault as *const () as libc::sighandler_t;
        new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGSEGV, &new, std::ptr::null_mut());
        libc::sigaction(libc::SIGBUS, &new, std::ptr::null_mut());
    }
}

extern "C" fn on_fault(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes a valid siginfo; the fault signals have an address.
    let address = unsafe { (*info).si_addr() } as usize;
    let report = REPORT.load(Ordering::SeqCst);
    // SAFETY: I2.
    let report: fn(usize) -> bool =
        unsafe { std::mem::transmute::<usize, fn(usize) -> bool>(report) };
    if report(address) {
        // SAFETY: async-signal-safe calls.
        unsafe {
            libc::signal(libc::SIGABRT, libc::SIG_DFL);
            libc::abort();
        }
    }
    // SAFETY: I1: written before this handler was installed.
    let old = unsafe { (*OLD.0.get()).assume_init_ref() };
    pass_on(
        &old[usize::from(signal == libc::SIGBUS)],
        signal,
        info,
        context,
    );
}

/// Does what the handler before us would have done.
fn pass_on(old: &libc::sigaction, signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let handler = old.sa_sigaction;
    if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
        // SAFETY: puts back what was there; the instruction faults again, to its effect.
        unsafe { libc::sigaction(signal, old, std::ptr::null_mut()) };
    } else if old.sa_flags & libc::SA_SIGINFO != 0 {
        // SAFETY: the flag says that the handler has this type.
        let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
            unsafe { std::mem::transmute(handler) };
        handler(signal, info, context);
    } else {
        // SAFETY: without the flag it has this type.
        let handler: extern "C" fn(c_int) = unsafe { std::mem::transmute(handler) };
        handler(signal);
    }
}

/// Sees to it that the calling thread handles signals on an alternate stack: the overflow handler cannot run on a stack
/// that has overflowed. Threads of std have one already.
pub fn ensure_altstack() {
    // SAFETY: plain queries and a fresh mapping, which stays for as long as the thread may get signals: for ever.
    unsafe {
        let mut now: libc::stack_t = std::mem::zeroed();
        if libc::sigaltstack(std::ptr::null(), &mut now) != 0
            || now.ss_flags & libc::SS_DISABLE == 0
        {
            return;
        }
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let stack = libc::mmap(std::ptr::null_mut(), ALTSTACK, protection, flags, -1, 0);
        if stack == libc::MAP_FAILED {
            return;
        }
        libc::mprotect(stack, 4096, libc::PROT_NONE);
        let new = libc::stack_t {
            ss_sp: stack,
            ss_flags: 0,
            ss_size: ALTSTACK,
        };
        libc::sigaltstack(&new, std::ptr::null_mut());
    }
}
