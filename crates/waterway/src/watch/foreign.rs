//! Threads that the runtime does not know, as the kernel shows them.
//!
//! # Why such a thread may count as asleep
//!
//! A thread that sleeps on a futex without a time-out is woken by another thread of the process, or not at all, if
//!
//! - the futex is private to the process: by the operation's flag, or because its memory is a private mapping,
//! - no signal handler can run that might wake it: the process catches no signals but those of this runtime and of std
//!   (which report overflows of stacks), and those that libc keeps for itself,
//! - the kernel does not wake it for an `io_uring`, of which the process has none, and
//! - none of the runtime's own threads is about to: one that holds a lock of the allocator's, or of standard error, lets go of it
//!   in the end. So those must sleep, too, in calls in which nobody holds such a lock.
//!
//! Two looks at a thread that find it asleep, with the same count of context switches before and after each, say that it has
//! slept from the first to the second: nothing runs without being switched out before it sleeps again.

use std::fs::read_to_string;

use super::sigquit;

/// A thread that sleeps for good, as far as it is up to itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asleep {
    pub(super) tid: u32,
    switches: u64,
}

/// What a thread does.
pub(super) enum Doing {
    /// It sleeps for good, unless another thread of this process wakes it, or a handler.
    Asleep(Asleep),
    /// It sleeps in a call from which time or something outside may bring it back.
    Waits(Call),
    /// It runs, or is not in a call: it waits for memory, say.
    Runs,
}

/// A system call that a thread sleeps in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) number: i64,
    pub(super) arguments: [usize; 6],
}

/// What the thread does. `None` if that cannot be told: it may have ended.
pub(super) fn doing(tid: u32) -> Option<Doing> {
    let switches = self::switches(tid)?;
    let text = read_to_string(format!("/proc/self/task/{tid}/syscall")).ok()?;
    let Some(call) = Call::read(&text) else {
        return Some(Doing::Runs);
    };
    if !call.is_endless_futex_wait(is_private_mapping) {
        return Some(Doing::Waits(call));
    }
    let slept = self::switches(tid) == Some(switches);
    slept.then_some(Doing::Asleep(Asleep { tid, switches }))
}

/// The thread, if it sleeps on a futex of this process, without a time-out.
pub(super) fn asleep(tid: u32) -> Option<Asleep> {
    match doing(tid) {
        Some(Doing::Asleep(asleep)) => Some(asleep),
        _ => None,
    }
}

/// True if neither a handler, nor the kernel, nor one of the runtime's own threads (the caller is one) can wake a thread that sleeps for good.
pub(super) fn wakes_nobody(own: &[u32]) -> bool {
    let caller = crate::rt::thread::tid();
    let rests = |tid: &u32| {
        *tid == caller
            || match doing(*tid) {
                Some(Doing::Asleep(_)) => true,
                Some(Doing::Waits(call)) => HOLD_NOTHING.contains(&call.number),
                _ => false,
            }
    };
    handlers() == Some(0) && own.iter().all(rests) && !has_ring()
}

/// Calls in which the runtime's own threads rest. Not `write`: that may be to standard error, whose lock is held then.
const HOLD_NOTHING: &[i64] = &[
    libc::SYS_futex,
    libc::SYS_ppoll,
    libc::SYS_epoll_pwait,
    libc::SYS_accept4,
    libc::SYS_read,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    // One of these that goes on after the process was stopped.
    libc::SYS_restart_syscall,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
];

/// What the kernel calls the thread.
pub(super) fn name(tid: u32) -> String {
    let name = read_to_string(format!("/proc/self/task/{tid}/comm"));
    name.unwrap_or_default().trim_end().into()
}

/// The signals for which a handler of the program's own can run: a bit for each. `None` where that cannot be told.
pub(super) fn handlers() -> Option<u64> {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let caught = u64::from_str_radix(field(&status, "SigCgt:")?, 16).ok()?;
    let harmless = |signal: i32| 1u64 << (signal - 1);
    // glibc's own: the cancelling of threads, and setuid for all of them.
    let mut allowed =
        harmless(libc::SIGSEGV) | harmless(libc::SIGBUS) | harmless(32) | harmless(33);
    if sigquit::is_ours() {
        allowed |= harmless(libc::SIGQUIT);
    }
    Some(caught & !allowed)
}

/// True if the process has an `io_uring`, or may have one: the kernel wakes a futex for it, if it is told to.
fn has_ring() -> bool {
    let Ok(files) = std::fs::read_dir("/proc/self/fd") else {
        return true;
    };
    let is_ring = |link: &std::path::Path| link.to_string_lossy().contains("[io_uring]");
    files
        .flatten()
        .any(|file| std::fs::read_link(file.path()).is_ok_and(|link| is_ring(&link)))
}

/// How often the thread was switched out.
fn switches(tid: u32) -> Option<u64> {
    let status = read_to_string(format!("/proc/self/task/{tid}/status")).ok()?;
    let count = |name| field(&status, name)?.parse::<u64>().ok();
    Some(count("voluntary_ctxt_switches:")? + count("nonvoluntary_ctxt_switches:")?)
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .map(str::trim)
}

impl Call {
    /// From what `/proc/…/syscall` says: number and arguments of the call that a thread sleeps in. Nothing if it runs, or is in none.
    fn read(text: &str) -> Option<Call> {
        let mut words = text.split_whitespace();
        let number = words.next()?.parse().ok().filter(|n| *n >= 0)?;
        let mut arguments = [0; 6];
        for argument in &mut arguments {
            *argument = usize::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
        }
        Some(Call { number, arguments })
    }

    fn is_endless_futex_wait(&self, is_private: impl Fn(usize) -> bool) -> bool {
        const COMMAND: usize = !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME) as usize;
        let [address, operation, _value, timeout, ..] = self.arguments;
        let waits = [libc::FUTEX_WAIT, libc::FUTEX_WAIT_BITSET]
            .contains(&((operation & COMMAND & 0xffff_ffff) as i32));
        let private = operation & libc::FUTEX_PRIVATE_FLAG as usize != 0;
        self.number == libc::SYS_futex && waits && timeout == 0 && (private || is_private(address))
    }
}

/// True if the address lies in memory that no other process shares.
fn is_private_mapping(address: usize) -> bool {
    let maps = read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines().any(|line| {
        let mut words = line.split_whitespace();
        let (Some(range), Some(flags)) = (words.next(), words.next()) else {
            return false;
        };
        let hex = |word| usize::from_str_radix(word, 16).ok();
        let (from, to) = range.split_once('-').unwrap_or_default();
        let holds =
            hex(from).is_some_and(|from| from <= address) && hex(to).is_some_and(|to| address < to);
        holds && flags.ends_with('p')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_endless_waits_on_own_futexes_count() {
        let number = libc::SYS_futex;
        let call = |operation: i32, timeout: usize| {
            format!(
                "{number} 0x7f00 {operation:#x} 0x2 {timeout:#x} 0x0 0xffffffff 0x7ffe 0x7f01\n"
            )
        };
        let private = libc::FUTEX_PRIVATE_FLAG;
        let waits = |call: &str, private: fn(usize) -> bool| {
            Call::read(call).is_some_and(|call| call.is_endless_futex_wait(private))
        };
        let own = |call: &str| waits(call, |_| false);
        assert!(own(&call(libc::FUTEX_WAIT | private, 0)));
        assert!(own(&call(
            libc::FUTEX_WAIT_BITSET | private | libc::FUTEX_CLOCK_REALTIME,
            0
        )));
        assert!(
            !own(&call(libc::FUTEX_WAIT_BITSET | private, 0x7ffe)),
            "it has a time-out"
        );
        assert!(
            !own(&call(libc::FUTEX_WAIT, 0)),
            "another process may share it"
        );
        assert!(waits(&call(libc::FUTEX_WAIT, 0), |at| at == 0x7f00));
        assert!(!own(&call(libc::FUTEX_LOCK_PI | private, 0)));
        assert!(!own("running\n") && !own("-1 0x7ffe 0x7f01\n") && !own(""));
        assert!(
            !own("0 0x0 0x7ffe 0x400 0x0 0x0 0x0 0x7ffe 0x7f01\n"),
            "read"
        );
    }

    #[test]
    fn own_memory_is_told_from_shared() {
        let here = 0;
        assert!(is_private_mapping((&raw const here) as usize));
        assert!(!is_private_mapping(0));
    }

    #[test]
    fn a_thread_that_waits_for_ever_is_asleep_and_one_that_waits_a_while_is_not() {
        let (give, take) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let waits = std::thread::spawn(move || {
            tell.send(crate::rt::thread::tid()).unwrap();
            take.recv().unwrap();
        });
        let tid = told.recv().unwrap();
        while asleep(tid).is_none() {
            std::thread::yield_now();
        }
        assert_eq!(asleep(tid), asleep(tid), "it has not moved");
        let before = asleep(tid);
        give.send(()).unwrap();
        waits.join().unwrap();
        assert_ne!(asleep(tid), before);
        assert_eq!(asleep(crate::rt::thread::tid()), None, "this one runs");
    }
}
