//! The dump of `docs/reading-a-dump.md` is what this program prints, but for numbers, times and places. No test harness, so that the
//! main thread is a program's own. `UPDATE_DOCS=1` writes it anew.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use waterway::sync::{Mutex, Semaphore, WaitGroup};
use waterway::time::sleep;
use waterway::watch::data::{
    Held, ObjectId, ObjectKind, Party, Site, Snapshot, State, Suspect, SuspectKind, Verdict,
    VerdictKind, Wait, Who,
};
use waterway::watch::{Dump, snapshot};
use waterway::{Builder, Config, Context, JoinHandle, chan, go};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reading-a-dump.md");
const LONG: Duration = Duration::from_secs(3600);

/// Starts a goroutine, and waits until it waits.
fn start<T: Send + 'static>(name: &str, f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    settled(Builder::new().name(name).go(f))
}

fn settled<T>(handle: JoinHandle<T>) -> JoinHandle<T> {
    until(|all| {
        let it = all.goroutine(handle.id());
        it.is_some_and(|g| g.state == State::Waiting)
    });
    handle
}

fn until(holds: impl Fn(&Snapshot) -> bool) {
    while !holds(&snapshot()) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// The program whose dump the page shows.
fn dumped() -> (String, String) {
    let (ledger, printer) = (leak(Mutex::new(0)), leak(Mutex::new(())));
    let (permits, group) = (Semaphore::new(3), WaitGroup::new());
    let _taken = (permits.acquire(2), printer.lock());
    group.add(4);

    let (crates, _crates) = chan::builder().name("crates").capacity(2).make();
    start("packer", move || (0..).try_for_each(|n| crates.send(n)));
    let (_letters, letters) = chan::<String>(0);
    start("reader", move || letters.recv().is_ok());
    start("payer", move || pay(ledger, &permits));
    start("auditor", move || *ledger.lock());
    let own = leak(Mutex::new(()));
    start("careless", || {
        let _first = own.lock();
        drop(own.lock());
    });
    start("printer", || drop(printer.lock()));
    start("closer", move || group.wait());
    let (ctx, _guard) = Context::background().with_cancel();
    let (done, (_never, never)) = (ctx.done(), chan::<u8>(0));
    start("limited", move || ctx.recv(&never).is_ok());
    start("watcher", move || done.recv().is_ok());
    start("sleeper", || sleep(LONG));
    let (_stop, stop) = chan::<()>(0);
    let crowd = stop.clone();
    start("parent", move || {
        let child = Builder::new().name("child").go(move || stop.recv().is_ok());
        child.join().unwrap()
    });
    let alone = crowd.clone();
    settled(
        Builder::new()
            .name("alone")
            .dedicated()
            .go(move || alone.recv().is_ok()),
    );
    for _ in 0..12 {
        let crowd = crowd.clone();
        settled(go(move || crowd.recv().is_ok()));
    }
    let (mut theirs, _ours) = std::io::pipe().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let spins = stop.clone();
    Builder::new()
        .name("typist")
        .go(move || std::io::Read::read(&mut theirs, &mut [0]).is_ok());
    Builder::new().name("spinner").go(move || {
        while !spins.load(Ordering::Relaxed) {
            black_box(());
        }
    });
    until(|all| all.workers.iter().filter(|w| w.held_ns.is_some()).count() == 2);
    // The main thread waits as it would in a program.
    let dumps = Builder::new().name("dumper").dedicated().go(|| {
        until(|all| all.threads.iter().any(|thread| thread.main));
        let write = |dump: Dump| {
            let mut text = Vec::new();
            dump.write(&mut text).unwrap();
            String::from_utf8(text).unwrap()
        };
        (write(Dump::new()), write(Dump::new().backtraces(true)))
    });
    let dumps = dumps.join().unwrap();
    stop.store(true, Ordering::Relaxed);
    dumps
}

#[inline(never)]
fn pay(ledger: &Mutex<u32>, permits: &Semaphore) {
    let mut sum = ledger.lock();
    let permit = permits.acquire(2);
    *sum += permit.count() as u32;
}

/// A verdict and a suspicion, as the report prints them.
fn findings() -> String {
    let at = |line| Site {
        file: "src/main.rs".into(),
        line,
        column: 9,
    };
    let lock = |id| ObjectId {
        kind: ObjectKind::Mutex,
        id,
    };
    let party = |id, name: &str, holds, waits, line| Party {
        who: Who::Goroutine(id),
        name: Some(name.into()),
        spawned_at: Some(at(line)),
        holds: vec![Held {
            object: lock(holds),
            at: Some(at(line + 1)),
        }],
        waits: Some(Wait {
            reason: "sync.Mutex.Lock".into(),
            waited_ns: 1_200_000_000,
            at: at(line + 2),
            on: waterway::watch::data::Target::Object(lock(waits)),
            ..Wait::default()
        }),
    };
    let mut left = party(9, "left", 1, 2, 20);
    let verdict = Verdict {
        kind: VerdictKind::LockCycle,
        parties: vec![left.clone(), party(10, "right", 2, 1, 30)],
    };
    left.holds.clear();
    let suspect = Suspect {
        kind: SuspectKind::HolderGone,
        parties: vec![left],
        unproved: "the guard may have been given to another goroutine".into(),
    };
    let all = Snapshot {
        verdicts: vec![verdict],
        suspects: vec![suspect],
        ..Snapshot::default()
    };
    all.to_string()
}

/// Places, numbers and times are not the page's matter.
fn redacted(text: &str) -> String {
    let mut out = String::new();
    for word in text.trim().split_inclusive([' ', '\n', '\t']) {
        match word.find(".rs:") {
            Some(_) => {
                let start = word.trim_start_matches('(').len();
                out.push_str(&word[..word.len() - start]);
                out.push_str("PLACE");
                let end = word
                    .find(|c: char| ") ,\n\t".contains(c))
                    .unwrap_or(word.len());
                out.push_str(&word[end..]);
            }
            None => out.push_str(word),
        }
    }
    let mut digits = false;
    out.retain(|c| {
        let first = !std::mem::replace(&mut digits, c.is_ascii_digit());
        !c.is_ascii_digit() || first
    });
    out.replace(|c: char| c.is_ascii_digit(), "0")
}

/// The text between the fences that follow a mark.
fn block(page: &str, mark: &str) -> std::ops::Range<usize> {
    let start = page.find(&format!("<!-- {mark} -->\n```text\n"));
    let start = start.unwrap_or_else(|| panic!("no block {mark} in the page"));
    let start = start + page[start..].find("```text\n").unwrap() + "```text\n".len();
    start..start + page[start..].find("```").unwrap()
}

fn main() {
    let config = Config::new().max_procs(2).held_warn_ms(0);
    config.install().unwrap();
    let (dump, backtraces) = dumped();
    // As if it were a program's own file.
    let told = |text: &str| text.replace(file!(), "src/main.rs");
    let (dump, backtraces) = (told(&dump), told(&backtraces));
    let payer = backtraces
        .split("\n\n")
        .find(|part| part.contains("\"payer\" ["));
    let payer = payer.expect("it waits").to_string();
    let calls = |text: &str| text.contains("pay\n") && text.contains("\n\t      at ");
    assert!(calls(&payer), "its frames are told: {payer}");

    let mut page = std::fs::read_to_string(PAGE).unwrap();
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    for (mark, real) in [("dump", dump), ("findings", findings())] {
        let at = block(&page, mark);
        if update {
            page.replace_range(at, &format!("{}\n", real.trim()));
        } else if redacted(&page[at.clone()]) != redacted(&real) {
            let shown = redacted(&page[at]);
            panic!(
                "docs/reading-a-dump.md shows\n{shown}\nbut it is\n{}\n(UPDATE_DOCS=1 writes it anew)",
                redacted(&real)
            );
        }
    }
    if update {
        std::fs::write(PAGE, &page).unwrap();
    }
    assert!(
        calls(&page[block(&page, "backtrace")]),
        "the page shows frames"
    );
    for text in [
        VerdictKind::LockCycle.text(),
        VerdictKind::OwnLock.text(),
        VerdictKind::HolderGone.text(),
        VerdictKind::JoinCycle.text(),
        VerdictKind::NeverWoken.text(),
        VerdictKind::Leak.text(),
        VerdictKind::AllAsleep.text(),
        SuspectKind::LongWait.text(),
        SuspectKind::LockOrder.text(),
    ] {
        assert!(page.contains(text), "the page does not explain {text:?}");
    }
    println!("the page is right");
}
