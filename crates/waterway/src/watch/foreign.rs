//! Threads that the runtime does not know, as the kernel shows them.
//!
//! # Why such a thread may count as asleep
//!
//! A thread that sleeps on a futex without a time-out is woken by another thread of the process, or not at all, if
//!
//! - the futex is private to the process: by the operation's flag, or because its memory is a private mapping, and
//! - no signal handler can run that might wake it: the process catches no signals but those of this runtime and of std
//!   (which report overflows of stacks), and those that libc keeps for itself.
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

/// The thread, if it sleeps on a futex of this process, without a time-out.
pub(super) fn asleep(tid: u32) -> Option<Asleep> {
    let switches = self::switches(tid)?;
    let call = read_to_string(format!("/proc/self/task/{tid}/syscall")).ok()?;
    let sleeps =
        is_endless_futex_wait(&call, is_private_mapping) && self::switches(tid) == Some(switches);
    sleeps.then_some(Asleep { tid, switches })
}

/// What the kernel calls the thread.
pub(super) fn name(tid: u32) -> String {
    let name = read_to_string(format!("/proc/self/task/{tid}/comm"));
    name.unwrap_or_default().trim_end().into()
}

/// True if no handler of the program's own can run.
pub(super) fn signals_wake_nobody() -> bool {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let caught = field(&status, "SigCgt:").and_then(|mask| u64::from_str_radix(mask, 16).ok());
    let harmless = |signal: i32| 1u64 << (signal - 1);
    // glibc's own: the cancelling of threads, and setuid for all of them.
    let mut allowed =
        harmless(libc::SIGSEGV) | harmless(libc::SIGBUS) | harmless(32) | harmless(33);
    if sigquit::is_ours() {
        allowed |= harmless(libc::SIGQUIT);
    }
    caught.is_some_and(|caught| caught & !allowed == 0)
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

/// Reads what `/proc/…/syscall` says: number and arguments of the call that a thread sleeps in, or `running`.
fn is_endless_futex_wait(call: &str, is_private: impl Fn(usize) -> bool) -> bool {
    const COMMAND: usize = !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME) as usize;
    let mut words = call.split_whitespace();
    let number = words.next().and_then(|n| n.parse().ok());
    if number != Some(libc::SYS_futex) {
        return false;
    }
    let hex = |word: &str| usize::from_str_radix(word.strip_prefix("0x")?, 16).ok();
    let arguments: Option<Vec<usize>> = words.map(hex).collect();
    let Some(&[address, operation, _value, timeout, ..]) = arguments.as_deref() else {
        return false;
    };
    let waits = [libc::FUTEX_WAIT, libc::FUTEX_WAIT_BITSET]
        .contains(&((operation & COMMAND & 0xffff_ffff) as i32));
    let private = operation & libc::FUTEX_PRIVATE_FLAG as usize != 0;
    waits && timeout == 0 && (private || is_private(address))
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
        let own = |call: &str| is_endless_futex_wait(call, |_| false);
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
        assert!(is_endless_futex_wait(&call(libc::FUTEX_WAIT, 0), |at| at == 0x7f00));
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
