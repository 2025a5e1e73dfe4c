//! The verdict: everybody is asleep, and nothing outside can wake anyone.
//!
//! # Why it is a proof
//!
//! Only something that runs can wake a waiter: a goroutine, a thread, or a timer. The judge is called when no worker has
//! run and no record has moved for a while, and holds still only if all of this is seen at once, before and after which
//! no epoch has moved:
//!
//! - every worker sleeps with nothing queued (unstarted, woken or in an inbox), and no timer is set on any;
//! - every started goroutine waits without a deadline, and has not been woken;
//! - no blocking job runs;
//! - every other thread of the process (as the kernel lists them) waits in this runtime without a deadline and has not
//!   been woken, or is one of the runtime's own. A thread that is not known, or does anything else, may wake someone: then
//!   there is no verdict.
//!
//! A worker that somebody is about to wake counts as running: who wakes is himself a goroutine or thread that runs.

use crate::primitives::Ordering;
use crate::rt::config::DeadlockPolicy;
use crate::rt::reap;
use crate::rt::sched::Runtime;
use crate::rt::sysmon::Verdict;
use crate::rt::thread;

/// What the judge sees.
#[derive(PartialEq, Eq)]
enum Finding {
    /// Something runs, or will by itself, and its first step will be noticed.
    Live,
    /// Something may run that gives no sign.
    Unknown,
    Deadlock,
}

/// Judges, and acts on a deadlock once (`asked`).
pub(super) fn judge(rt: &'static Runtime, asked: &mut bool) -> Verdict {
    if *asked {
        return Verdict::Settled;
    }
    let before = rt.signature();
    match finding(rt) {
        Finding::Live => Verdict::Settled,
        Finding::Unknown => Verdict::LookAgain,
        Finding::Deadlock if rt.signature() != before => Verdict::LookAgain,
        Finding::Deadlock => {
            *asked = true;
            act(rt);
            Verdict::Settled
        }
    }
}

/// Looks at what is cheap first: a program with a million goroutines may wait for something outside all day.
fn finding(rt: &Runtime) -> Finding {
    let mut known = Vec::new();
    let mut at_rest = !rt.apart_waits();
    rt.each_worker(|worker| {
        known.push(worker.tid.load(Ordering::Relaxed));
        at_rest &= worker.is_at_rest();
    });
    if !at_rest {
        return Finding::Live;
    }
    if !rt.pool_at_rest(&mut known) {
        return Finding::Unknown;
    }
    thread::internal(&mut known);
    let mut waiting = 0;
    thread::for_each(|parker| {
        if !parker.woken() && parker.record().read().is_some_and(|w| !w.timed) {
            waiting += 1;
            known.push(parker.tid());
        }
    });
    if !threads().is_some_and(|all| all.iter().all(|tid| known.contains(tid))) {
        return Finding::Unknown;
    }
    let mut asleep = true;
    rt.each_worker(|worker| {
        worker.each_live(|task| {
            waiting += 1;
            asleep &= task.record.read().is_some_and(|w| !w.timed)
                && !task.runnable.load(Ordering::Relaxed);
        });
    });
    match (asleep, waiting) {
        (true, 1..) => Finding::Deadlock,
        _ => Finding::Live,
    }
}

/// All threads of the process, as the kernel lists them. `None` where it cannot be read.
fn threads() -> Option<Vec<u32>> {
    let mut tids = Vec::new();
    for entry in std::fs::read_dir("/proc/self/task").ok()? {
        tids.push(entry.ok()?.file_name().to_str()?.parse().ok()?);
    }
    Some(tids)
}

fn act(rt: &'static Runtime) {
    let report = format!(
        "fatal error: all goroutines are asleep - deadlock!\n{}",
        super::dump::text(rt)
    );
    match rt.config.deadlock {
        DeadlockPolicy::Fatal => {
            eprint!("{report}");
            std::process::exit(2);
        }
        DeadlockPolicy::Report => eprint!("{report}"),
        DeadlockPolicy::PanicMain => {
            eprint!("{report}");
            if !reap::main() {
                eprintln!("main cannot be unwound where it is: the process ends");
                std::process::exit(2);
            }
        }
        DeadlockPolicy::Call(callback) => callback(&report),
    }
}
