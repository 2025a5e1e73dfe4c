//! The dump of `docs/reading-a-dump.md` is what this program prints, but for numbers, times and places. No test harness, so that the
//! main thread is a program's own. `UPDATE_DOCS=1` writes it anew.

#[path = "attack/page.rs"]
mod page;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use page::{block, show, update};
use waterway::sync::{Mutex, Semaphore, WaitGroup};
use waterway::time::sleep;
use waterway::watch::data::{Snapshot, State, SuspectKind, VerdictKind};
use waterway::watch::{Dump, snapshot};
use waterway::{Builder, Config, Context, JoinHandle, chan, go, go_local};

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

fn own_lock() -> &'static Mutex<()> {
    leak(Mutex::new(()))
}

/// What the page shows, all of one run.
struct Dumps {
    /// Of the first few goroutines.
    small: String,
    all: String,
    backtraces: String,
}

/// The main thread waits meanwhile, as it would in a program.
fn dump(dump: Dump) -> String {
    let write = move || {
        until(|all| all.threads.iter().any(|thread| thread.main));
        let mut text = Vec::new();
        dump.write(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    };
    let dumper = Builder::new().name("dumper").dedicated().go(write);
    let id = dumper.id();
    let text = dumper.join().unwrap();
    // Its thread may be about to end: the next dump would show it.
    until(|all| all.goroutine(id).is_none());
    text
}

/// The program whose dump the page shows.
fn dumped() -> Dumps {
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
    // Of a machine that is too busy, a dump says that a worker has been held: by who had its turn as the kernel put the worker aside.
    let small = loop {
        let small = dump(Dump::new());
        if !small.contains("has been held") {
            break small;
        }
    };
    let own = own_lock();
    start("careless", || {
        let _first = own.lock();
        drop(own.lock());
    });
    until(|all| all.verdicts.len() == 1);
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
    let accounts = leak((Mutex::new(5), Mutex::new(5), AtomicUsize::new(0)));
    for (from, to) in [(&accounts.0, &accounts.1), (&accounts.1, &accounts.0)] {
        Builder::new()
            .name("teller")
            .go(move || move_money(from, to, &accounts.2));
    }
    until(|all| all.verdicts.len() == 2);
    start("lender", || {
        let (lent, (_back, back)) = (own_lock(), chan::<()>(0));
        let guard = lent.lock();
        go_local(move || {
            let _ = back.recv();
            drop(guard);
        });
        drop(lent.lock());
    });
    until(|all| all.suspects.len() == 1);
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
    let dumps = Dumps {
        small,
        all: dump(Dump::new()),
        backtraces: dump(Dump::new().backtraces(true)),
    };
    stop.store(true, Ordering::Relaxed);
    dumps
}

#[inline(never)]
fn pay(ledger: &Mutex<u32>, permits: &Semaphore) {
    let mut sum = ledger.lock();
    let permit = permits.acquire(2);
    *sum += permit.count() as u32;
}

#[inline(never)]
fn move_money(from: &Mutex<u32>, to: &Mutex<u32>, here: &AtomicUsize) {
    let mut from = from.lock();
    // The other one comes to the same place before either goes on.
    meet(here, 2);
    let mut to = to.lock();
    (*from, *to) = (*from - 1, *to + 1);
}

/// What the page explains stands in what it shows, with the same numbers; but for times, and what is left out (`...`).
#[track_caller]
fn excerpts_are_of_the_blocks(page: &str) {
    let timeless = |text: &str| {
        let words = text.split_whitespace();
        let time = |word: &&str| word.parse::<f64>().is_ok() && word.contains('.');
        words
            .filter(|word| !time(word))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let marks = ["small", "dump", "findings", "backtrace", "standstill"];
    let blocks = timeless(&marks.map(|mark| &page[block(page, mark)]).concat());
    let prose = page.split("```").step_by(2);
    let code = prose.flat_map(|text| text.split('`').skip(1).step_by(2));
    let kinds = [
        "goroutine ",
        "on channel ",
        "on mutex ",
        "on wait ",
        "on sem",
        "until context ",
    ];
    let mut seen = 0;
    for excerpt in code.filter(|code| kinds.iter().any(|kind| code.contains(kind))) {
        for part in excerpt.split("...").filter(|part| *part != ")") {
            let part = timeless(part);
            assert!(blocks.contains(&part), "{part:?} is in no dump of the page");
            seen += 1;
        }
    }
    assert!(seen > 10, "the page explains no lines");
}

fn main() {
    let config = Config::new().max_procs(2).held_warn_ms(0);
    config.install().unwrap();
    let dumps = dumped();
    // As if it were a program of its own.
    let root = std::fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).unwrap();
    let root = format!("{}/", root.display());
    let told = |text: String| {
        let text = text.replace(&root, "").replace(file!(), "src/main.rs");
        text.replace("reading_a_dump::", "main::")
    };
    let [small, all, backtraces] = [dumps.small, dumps.all, dumps.backtraces].map(told);
    let payer = backtraces
        .split("\n\n")
        .find(|part| part.contains("\"payer\" ["));
    let payer = payer.expect("it waits");
    let calls = |text: &str| text.contains("pay\n") && text.contains("\n\t      at ");
    assert!(calls(payer), "its frames are told: {payer}");

    let at = all.find("\nproved: ").expect("two cycles");
    let (lines, findings) = all.split_at(at);

    let mut page = std::fs::read_to_string(PAGE).unwrap();
    for (mark, real) in [("small", &*small), ("dump", lines), ("findings", findings)] {
        show(&mut page, mark, real);
    }
    if update() {
        // Frames are not the same everywhere: the standard library's, say.
        page.replace_range(block(&page, "backtrace"), &format!("{}\n", payer.trim()));
        std::fs::write(PAGE, &page).unwrap();
    }
    assert!(
        calls(&page[block(&page, "backtrace")]),
        "the page shows frames"
    );
    for text in [
        VerdictKind::LockCycle.text(),
        VerdictKind::OwnLock.text(),
        VerdictKind::JoinCycle.text(),
        VerdictKind::NeverWoken.text(),
        VerdictKind::AllAsleep.text(),
        SuspectKind::OwnLock.text(),
    ] {
        assert!(page.contains(text), "the page does not explain {text:?}");
    }
    excerpts_are_of_the_blocks(&page);
    println!("the page is right");
}

/// Waits for so many to come, without a wait that dumps would show.
fn meet(here: &AtomicUsize, so_many: usize) {
    here.fetch_add(1, Ordering::Relaxed);
    while here.load(Ordering::Relaxed) < so_many {
        waterway::yield_now();
    }
}
