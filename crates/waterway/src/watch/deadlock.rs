//! The verdict: everybody is asleep, and nothing outside can wake anyone.
//!
//! # Why it is a proof
//!
//! Only something that runs can wake a waiter: a goroutine, a thread, or a timer. The judge is called when no worker has
//! run and no record has moved for a while, and holds still only if all of this is seen at once, before and after which
//! no epoch has moved:
//!
//! - every worker sleeps with nothing queued (unstarted, woken or in an inbox), and no timer is set on any, but for tickers and
//!   timers on whose channel nobody waits: what they send is left there, and then it is full;
//! - every started goroutine waits without a deadline, and has not been woken;
//! - no blocking job is about to start;
//! - every other thread of the process (as the kernel lists them), be it with a blocking job, waits in this runtime without a deadline and has not
//!   been woken, or is one of the runtime's own (and delivers no event of `tracing`), or sleeps where only a thread of the process can wake it (`foreign`). A
//!   thread that does anything else may wake someone: then there is no verdict. What that is stands in dumps (`standstill`).
//!
//! A worker that somebody is about to wake counts as running: who wakes is himself a goroutine or thread that runs.
//!
//! "At once" takes two looks that see the same. A thread may queue a goroutine when the workers have been looked at, and be
//! gone when the threads are listed: the second look finds the goroutine, or that it has run. And the kernel's list may
//! leave out a thread while another one ends: that one is in the first list only.

use waterway_snapshot::{Snapshot, Verdict};

use super::foreign::{self, Asleep};
use crate::primitives::{AtomicU64, Ordering};
use crate::rt::blocking::PoolThreads;
use crate::rt::config::DeadlockPolicy;
use crate::rt::reap;
use crate::rt::say::say;
use crate::rt::sched::Runtime;
use crate::rt::stuck;
use crate::rt::sysmon;
use crate::rt::thread;

/// What the judge sees.
#[derive(PartialEq, Eq)]
enum Finding {
    /// Nobody waits, or a timer is set that may wake somebody, and its first step will be noticed.
    Live,
    /// Something runs, or may run without a sign.
    Unknown,
    /// Nothing does, among these threads, of which the runtime does not know some.
    Deadlock(Vec<u32>, Vec<Asleep>),
}

/// Judges, and acts on a deadlock once (`asked`).
pub(super) fn judge(rt: &'static Runtime, asked: &mut bool) -> sysmon::Verdict {
    if *asked {
        return sysmon::Verdict::Settled;
    }
    let before = rt.signature();
    match finding(rt) {
        Finding::Live => sysmon::Verdict::Settled,
        Finding::Unknown => sysmon::Verdict::LookAgain,
        first if finding(rt) != first || rt.signature() != before => sysmon::Verdict::LookAgain,
        Finding::Deadlock(_, foreign) => {
            *asked = true;
            // The report is to have it, and the process may end.
            super::prove::look_now(rt);
            act(rt, &foreign);
            sysmon::Verdict::Settled
        }
    }
}

/// Looks at what is cheap first: a program with a million goroutines may wait for something outside all day.
fn finding(rt: &Runtime) -> Finding {
    let mut known = Vec::new();
    let (mut at_rest, mut timers) = (!rt.apart_waits(), false);
    rt.each_worker(|worker| {
        known.push(worker.tid.load(Ordering::Relaxed));
        at_rest &= worker.is_at_rest();
        timers |= worker.has_timer();
    });
    if at_rest && timers {
        return Finding::Live;
    }
    let Some(own) = own_threads(rt).filter(|_| at_rest && !subscriber_may_be_told()) else {
        return Finding::Unknown;
    };
    let mut waiting = 0;
    thread::for_each(|parker| {
        if !parker.woken() && parker.record().read().is_some_and(|w| !w.timed) {
            waiting += 1;
            known.push(parker.tid());
        }
    });
    known.extend(&own.idle);
    known.extend(&own.internal);
    let Some(threads) = threads() else {
        return Finding::Unknown;
    };
    let unknown = threads.iter().filter(|tid| !known.contains(tid));
    let foreign: Option<Vec<Asleep>> = unknown.map(|tid| foreign::asleep(*tid)).collect();
    let Some(foreign) = foreign.filter(|f| f.is_empty() || foreign::wakes_nobody(&own.internal))
    else {
        return Finding::Unknown;
    };
    let mut asleep = true;
    rt.each_worker(|worker| {
        worker.each_live(|task| {
            waiting += 1;
            asleep &= task.record.read().is_some_and(|w| !w.timed)
                && !task.runnable.load(Ordering::Acquire);
        });
    });
    match (asleep, waiting) {
        (true, 0) => Finding::Live,
        (true, _) => Finding::Deadlock(threads, foreign),
        (false, _) => Finding::Unknown,
    }
}

/// Threads that wake nobody as long as nobody else does anything.
pub(super) struct OwnThreads {
    /// Those of the runtime that are neither workers nor of the pool.
    pub(super) internal: Vec<u32>,
    /// Those of the pool that have no job.
    pub(super) idle: Vec<u32>,
    /// And those that have one. They are none of these.
    pub(super) busy: Vec<u32>,
}

/// `None` if a job is about to start.
pub(super) fn own_threads(rt: &Runtime) -> Option<OwnThreads> {
    let PoolThreads { idle, busy } = rt.blocking.threads()?;
    let mut internal = Vec::new();
    thread::internal(&mut internal);
    #[cfg(feature = "tracing")]
    internal.extend(crate::rt::events::resting());
    Some(OwnThreads {
        internal,
        idle,
        busy,
    })
}

/// True if a subscriber of `tracing` may be told something although nobody moves. It may wake whoever it likes then.
pub(super) fn subscriber_may_be_told() -> bool {
    #[cfg(feature = "tracing")]
    return crate::rt::events::may_come();
    #[cfg(not(feature = "tracing"))]
    false
}

/// True if all threads of the process are the runtime's own, or wait in it and were not woken.
pub(super) fn only_own_threads(rt: &Runtime) -> bool {
    let Some(PoolThreads {
        idle: mut known, ..
    }) = rt.blocking.threads()
    else {
        return false;
    };
    rt.each_worker(|worker| known.push(worker.tid.load(Ordering::Relaxed)));
    thread::internal(&mut known);
    #[cfg(feature = "tracing")]
    known.extend(crate::rt::events::resting());
    thread::for_each(|parker| {
        if !parker.woken() && parker.record().read().is_some() {
            known.push(parker.tid());
        }
    });
    threads().is_some_and(|all| all.iter().all(|tid| known.contains(tid)))
}

/// All threads of the process, as the kernel lists them. `None` where it cannot be read.
pub(super) fn threads() -> Option<Vec<u32>> {
    let mut tids = Vec::new();
    for entry in std::fs::read_dir("/proc/self/task").ok()? {
        tids.push(entry.ok()?.file_name().to_str()?.parse().ok()?);
    }
    Some(tids)
}

/// The signature of the standstill that was proved last.
static PROVED: AtomicU64 = AtomicU64::new(u64::MAX);

/// True if it was proved of the standstill of that signature that it lasts for ever.
pub(super) fn is_proved(signature: u64) -> bool {
    PROVED.load(Ordering::SeqCst) == signature
}

/// The report, for who sees nothing else; and for standard error, where the proofs on locks stand already: with no more than their names.
fn reports(rt: &Runtime, foreign: &[Asleep]) -> (String, String) {
    let mut all = super::snapshot::take(Some(rt), false);
    // That is the headline.
    all.standstill = None;
    let told = |all: &Snapshot, proved_above: &str| {
        let mut report =
            format!("fatal error: all goroutines are asleep - deadlock!\n{all}{proved_above}");
        for Asleep { tid, .. } in foreign {
            let who = match *tid == all.process {
                true => "main thread".into(),
                false => format!("thread {tid} {:?}", foreign::name(*tid)),
            };
            report.push_str(&format!(
                "\n{who} [asleep outside of this runtime, where nothing will wake it]\n"
            ));
        }
        report
    };
    let whole = told(&all, "");
    let names = |verdict: Verdict| format!("\nproved above: {}\n", verdict.headline());
    let above: String = std::mem::take(&mut all.verdicts)
        .into_iter()
        .map(names)
        .collect();
    let rest = told(&all, &above);
    (whole, rest)
}

fn act(rt: &'static Runtime, foreign: &[Asleep]) {
    let (whole, report) = reports(rt, foreign);
    PROVED.store(rt.signature(), Ordering::SeqCst);
    #[cfg(feature = "tracing")]
    super::told::deadlock(&whole);
    match rt.config.deadlock {
        DeadlockPolicy::Fatal => {
            say(format_args!("{report}"));
            super::end_process();
        }
        DeadlockPolicy::Report => say(format_args!("{report}")),
        DeadlockPolicy::PanicMain => {
            say(format_args!("{report}"));
            stuck::void();
            if !reap::main() {
                say(format_args!(
                    "main cannot be unwound where it is: the process ends\n"
                ));
                super::end_process();
            }
        }
        DeadlockPolicy::Call(callback) => call(rt, callback, whole),
    }
}

/// On a thread of the pool, since it is user code: it may block, and panic.
fn call(rt: &'static Runtime, callback: fn(&str), report: String) {
    let job = Box::new(move || callback(&report));
    if let Err((job, _)) = rt.blocking.submit(job) {
        // No thread is to be had: better here than never.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
    }
}
