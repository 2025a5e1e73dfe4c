//! System calls in which threads sleep, in words: which call, on which files or signals, and whether it ends by itself. Read as a
//! debugger would, from who may go on meanwhile: for people, and never for a verdict.

use std::borrow::Cow;
use std::fs::{read_link, read_to_string};

use super::foreign::Call;
use crate::rt::peek::Peek;

/// So many files of one call are told.
const MOST_FILES: usize = 8;

/// What a call waits for.
#[derive(Clone, Copy)]
enum On {
    Nothing,
    /// The file of the first argument.
    File,
    /// The files that the epoll file of the first argument watches.
    Epoll,
    /// The files of an array: address and length are the first arguments.
    Poll,
    /// The signals of a set, whose address is the first argument.
    Signals,
}

/// Whether a call ends by itself: by which of its arguments.
#[derive(Clone, Copy)]
enum Ends {
    Never,
    Always,
    /// Unless that pointer is null.
    Pointer(usize),
    /// Unless that number is negative.
    Milliseconds(usize),
}

use Ends::{Always, Milliseconds, Never, Pointer};
use On::{Epoll, File, Nothing, Poll, Signals};

const CALLS: &[(i64, &str, On, Ends)] = &[
    (libc::SYS_read, "read", File, Never),
    (libc::SYS_readv, "readv", File, Never),
    (libc::SYS_write, "write", File, Never),
    (libc::SYS_writev, "writev", File, Never),
    (libc::SYS_recvfrom, "recvfrom", File, Never),
    (libc::SYS_recvmsg, "recvmsg", File, Never),
    (libc::SYS_sendto, "sendto", File, Never),
    (libc::SYS_sendmsg, "sendmsg", File, Never),
    (libc::SYS_accept, "accept", File, Never),
    (libc::SYS_accept4, "accept4", File, Never),
    (libc::SYS_connect, "connect", File, Never),
    (libc::SYS_flock, "flock", File, Never),
    (libc::SYS_fcntl, "fcntl", File, Never),
    (libc::SYS_futex, "futex", Nothing, Pointer(3)),
    (libc::SYS_epoll_pwait, "epoll_pwait", Epoll, Milliseconds(3)),
    (libc::SYS_epoll_pwait2, "epoll_pwait2", Epoll, Pointer(3)),
    (libc::SYS_ppoll, "ppoll", Poll, Pointer(2)),
    (libc::SYS_pselect6, "pselect6", Nothing, Pointer(4)),
    (libc::SYS_io_uring_enter, "io_uring_enter", File, Never),
    (
        libc::SYS_rt_sigtimedwait,
        "rt_sigtimedwait",
        Signals,
        Pointer(2),
    ),
    (libc::SYS_rt_sigsuspend, "rt_sigsuspend", Nothing, Never),
    (libc::SYS_nanosleep, "nanosleep", Nothing, Always),
    (
        libc::SYS_clock_nanosleep,
        "clock_nanosleep",
        Nothing,
        Always,
    ),
    // Which one it was, and until when, the kernel does not show.
    (
        libc::SYS_restart_syscall,
        "a sleep or poll that was interrupted",
        Nothing,
        Never,
    ),
    (libc::SYS_wait4, "wait4", Nothing, Never),
    (libc::SYS_waitid, "waitid", Nothing, Never),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_epoll_wait, "epoll_wait", Epoll, Milliseconds(3)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_poll, "poll", Poll, Milliseconds(2)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_select, "select", Nothing, Pointer(4)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_pause, "pause", Nothing, Never),
];

/// A call in words.
pub(super) struct Told {
    pub(super) name: Cow<'static, str>,
    pub(super) on: Vec<String>,
    pub(super) timed: bool,
}

pub(super) fn told(call: &Call, peek: &Peek) -> Told {
    let known = CALLS.iter().find(|(number, ..)| *number == call.number);
    let Some((_, name, on, ends)) = known.copied() else {
        return Told {
            name: format!("system call {}", call.number).into(),
            on: Vec::new(),
            timed: false,
        };
    };
    let [first, second, ..] = call.arguments;
    let on = match on {
        Nothing => Vec::new(),
        File => vec![file(first as i32)],
        Epoll => files(watched(first as i32)),
        Poll => files(polled(peek, first, second)),
        Signals => waited(peek, first),
    };
    let timed = match ends {
        Never => false,
        Always => true,
        Pointer(at) => call.arguments[at] != 0,
        Milliseconds(at) => call.arguments[at] as i32 >= 0,
    };
    Told {
        name: name.into(),
        on,
        timed,
    }
}

/// `pipe 0`, `eventfd 5`, or a number and the name of a file.
fn file(number: i32) -> String {
    let link = read_link(format!("/proc/self/fd/{number}")).unwrap_or_default();
    let link = link.to_string_lossy();
    match link.strip_prefix("anon_inode:") {
        Some(kind) => format!("{} {number}", kind.trim_matches(['[', ']'])),
        None => match link.split_once(":[") {
            Some((kind, _)) => format!("{kind} {number}"),
            None => format!("file {number}: {link:?}"),
        },
    }
}

fn files(mut numbers: Vec<i32>) -> Vec<String> {
    let more = numbers.len().saturating_sub(MOST_FILES);
    numbers.truncate(MOST_FILES);
    let mut files: Vec<String> = numbers.into_iter().map(file).collect();
    if more > 0 {
        files.push(format!("{more} more"));
    }
    files
}

/// What an epoll file watches.
fn watched(number: i32) -> Vec<i32> {
    let info = read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
    let watched = |line: &str| {
        let mut words = line.strip_prefix("tfd:")?.split_whitespace();
        words.next()?.parse().ok()
    };
    info.lines().filter_map(watched).collect()
}

fn polled(peek: &Peek, address: usize, length: usize) -> Vec<i32> {
    let entry = |at: usize| {
        let mut number = [0; 4];
        let address = address.checked_add(at.checked_mul(size_of::<libc::pollfd>())?)?;
        peek.read(address, &mut number)
            .then(|| i32::from_ne_bytes(number))
    };
    // One that is below zero is left out by the kernel, too.
    let numbers = (0..length.min(1024)).map_while(entry);
    numbers.filter(|number| *number >= 0).collect()
}

fn waited(peek: &Peek, address: usize) -> Vec<String> {
    let mut set = [0; 8];
    match peek.read(address, &mut set) {
        true => signals(u64::from_ne_bytes(set)).map(String::from).collect(),
        false => Vec::new(),
    }
}

/// The names of the signals of a set.
pub(super) fn signals(set: u64) -> impl Iterator<Item = Cow<'static, str>> {
    (1..=64)
        .filter(move |signal| set & 1 << (signal - 1) != 0)
        .map(signal)
}

fn signal(number: i32) -> Cow<'static, str> {
    const NAMES: &[(i32, &str)] = &[
        (libc::SIGHUP, "SIGHUP"),
        (libc::SIGINT, "SIGINT"),
        (libc::SIGQUIT, "SIGQUIT"),
        (libc::SIGILL, "SIGILL"),
        (libc::SIGTRAP, "SIGTRAP"),
        (libc::SIGABRT, "SIGABRT"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGFPE, "SIGFPE"),
        (libc::SIGUSR1, "SIGUSR1"),
        (libc::SIGSEGV, "SIGSEGV"),
        (libc::SIGUSR2, "SIGUSR2"),
        (libc::SIGPIPE, "SIGPIPE"),
        (libc::SIGALRM, "SIGALRM"),
        (libc::SIGTERM, "SIGTERM"),
        (libc::SIGCHLD, "SIGCHLD"),
        (libc::SIGCONT, "SIGCONT"),
        (libc::SIGTSTP, "SIGTSTP"),
        (libc::SIGTTIN, "SIGTTIN"),
        (libc::SIGTTOU, "SIGTTOU"),
        (libc::SIGURG, "SIGURG"),
        (libc::SIGXCPU, "SIGXCPU"),
        (libc::SIGXFSZ, "SIGXFSZ"),
        (libc::SIGVTALRM, "SIGVTALRM"),
        (libc::SIGPROF, "SIGPROF"),
        (libc::SIGWINCH, "SIGWINCH"),
        (libc::SIGIO, "SIGIO"),
        (libc::SIGPWR, "SIGPWR"),
        (libc::SIGSYS, "SIGSYS"),
    ];
    match NAMES.iter().find(|(named, _)| *named == number) {
        Some((_, name)) => Cow::Borrowed(name),
        None => format!("signal {number}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    fn told_of(number: i64, arguments: &[usize]) -> Told {
        let mut all = [0; 6];
        all[..arguments.len()].copy_from_slice(arguments);
        let call = Call {
            number,
            arguments: all,
        };
        told(&call, &Peek::new())
    }

    #[test]
    fn a_call_is_told_with_its_files() {
        let (reader, _writer) = std::io::pipe().unwrap();
        let number = reader.as_raw_fd();
        let read = told_of(libc::SYS_read, &[number as usize]);
        assert_eq!((&*read.name, read.timed), ("read", false));
        assert_eq!(read.on, [format!("pipe {number}")]);
        let polled = [-1, number].map(|fd| libc::pollfd {
            fd,
            events: 0,
            revents: 0,
        });
        let address = (&raw const polled) as usize;
        let poll = told_of(libc::SYS_ppoll, &[address, 2, 0]);
        assert_eq!((poll.on, poll.timed), (read.on, false));
        assert!(told_of(libc::SYS_ppoll, &[address, 2, address]).timed);
        assert_eq!(told_of(libc::SYS_ppoll, &[8, 2, 0]).on, [""; 0]);
        assert_eq!(&*told_of(9999, &[]).name, "system call 9999");
    }

    #[test]
    fn signals_have_their_names() {
        let set = 1u64 << (libc::SIGHUP - 1) | 1 << (libc::SIGTERM - 1) | 1 << 33;
        let address = (&raw const set) as usize;
        let waits = told_of(libc::SYS_rt_sigtimedwait, &[address]);
        assert_eq!(waits.on, ["SIGHUP", "SIGTERM", "signal 34"]);
    }
}
