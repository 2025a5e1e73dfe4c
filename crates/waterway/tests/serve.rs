//! What is served over HTTP, and to whom.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use waterway::watch::{Serve, Snapshot, serve};
use waterway::{Builder, JoinHandle, Sender, chan, go};

fn server() -> SocketAddr {
    static SERVER: OnceLock<SocketAddr> = OnceLock::new();
    *SERVER.get_or_init(|| serve("127.0.0.1:0").unwrap().addr())
}

/// Asks, and gives all that comes.
fn raw(request: &[u8]) -> Vec<u8> {
    raw_at(server(), request)
}

fn raw_at(server: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    // It may be refused before it is whole.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// Head and body.
fn get(path: &str) -> (String, Vec<u8>) {
    let answer = raw(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
    let end = answer
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .expect("a head")
        + 4;
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    (head, answer[end..].to_vec())
}

#[track_caller]
fn text(path: &str) -> String {
    let (head, body) = get(path);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {head}");
    String::from_utf8(body).unwrap()
}

/// So many goroutines of that name that wait, until the sender is dropped.
fn waiting(name: &str, count: usize) -> (Sender<()>, Vec<JoinHandle<()>>) {
    let (tx, rx) = chan(0);
    let all: Vec<_> = (0..count)
        .map(|_| {
            let rx = rx.clone();
            let wait = move || waits_here(&rx);
            Builder::new().name(name).go(wait)
        })
        .collect();
    let ids: Vec<u64> = all.iter().map(|handle| handle.id()).collect();
    let waits = |all: &Snapshot, id| all.goroutine(id).is_some_and(|g| g.wait.is_some());
    loop {
        let all = waterway::watch::snapshot();
        if ids.iter().all(|id| waits(&all, *id)) {
            break;
        }
        std::thread::yield_now();
    }
    (tx, all)
}

#[inline(never)]
fn waits_here(rx: &waterway::Receiver<()>) {
    let _ = std::hint::black_box(rx.recv());
}

#[test]
fn dumps_are_served_in_both_forms() {
    let (tx, all) = waiting("of a crowd", 12);
    let page = text("/debug/pprof/goroutine?debug=1");
    assert!(
        page.contains("12 goroutines \"of a crowd\" [chan receive, "),
        "{page}"
    );
    assert!(!page.starts_with('\n'), "{page}");
    let page = text("/debug/pprof/goroutine?debug=2");
    assert_eq!(
        page.matches("\"of a crowd\" [chan receive, ").count(),
        12,
        "{page}"
    );
    assert!(!page.starts_with('\n'), "{page}");
    assert!(page.contains("waits_here\n\t      at "), "{page}");
    assert!(text("/").contains("href=\"/metrics\""));
    drop(tx);
    all.into_iter().for_each(|handle| handle.join().unwrap());
}

#[test]
fn snapshots_and_counts_are_served() {
    let (tx, all) = waiting("counted", 3);
    let (jobs, _rx) = chan::builder::<u8>().name("a \"job\"").capacity(5).make();
    jobs.send(1).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&text("/snapshot.json")).unwrap();
    let counted = |g: &&waterway::watch::data::Goroutine| g.name.as_deref() == Some("counted");
    assert_eq!(snapshot.goroutines.iter().filter(counted).count(), 3);
    assert!(snapshot.counters.spawned >= 3);
    let page = text("/metrics");
    let line = |start: &str| page.lines().find(|line| line.starts_with(start));
    let series = r#"waterway_channel_length{channel="a \"job\"",made_at="#;
    assert!(
        line(series).is_some_and(|line| line.ends_with(" 1")),
        "{page}"
    );
    let series = r#"waterway_goroutines{state="waiting",reason="chan receive"} "#;
    let count = line(series).and_then(|line| line.rsplit(' ').next());
    assert!(count.unwrap().parse::<u64>().unwrap() >= 3, "{page}");
    assert!(line("waterway_goroutines_spawned_total ").is_some());
    drop(tx);
    all.into_iter().for_each(|handle| handle.join().unwrap());
}

/// Go's own tool reads the profile.
#[test]
fn the_profile_is_one_for_go() {
    if Command::new("go").arg("version").output().is_err() {
        assert!(std::env::var_os("WATERWAY_CI").is_none(), "go is missing");
        println!("skipped: go was not found");
        return;
    }
    let (tx, all) = waiting("profiled", 7);
    let (head, profile) = get("/debug/pprof/goroutine");
    assert!(
        head.contains("Content-Type: application/octet-stream\r\n"),
        "{head}"
    );
    let path = std::env::temp_dir().join(format!("waterway-profile-{}.pb.gz", std::process::id()));
    std::fs::write(&path, profile).unwrap();
    let pprof = |how: &str| {
        let mut go = Command::new("go");
        let told = go.args(["tool", "pprof", how]).arg(&path).output().unwrap();
        let (out, err) = (&told.stdout, &told.stderr);
        assert!(told.status.success(), "{}", String::from_utf8_lossy(err));
        String::from_utf8_lossy(out).into_owned()
    };
    let top = pprof("-top");
    assert!(top.contains("Type: goroutine"), "{top}");
    let here = top.lines().find(|line| line.ends_with("waits_here"));
    let cumulated = here
        .unwrap_or_else(|| panic!("{top}"))
        .split_whitespace()
        .nth(3);
    assert_eq!(cumulated, Some("7"), "{top}");
    let traces = pprof("-traces");
    let label = |key, value| {
        let mut lines = traces
            .lines()
            .filter_map(|line| line.trim().split_once(':'));
        lines.any(|(k, v)| k == key && v.trim() == value)
    };
    assert!(
        label("name", "profiled") && label("state", "chan receive"),
        "{traces}"
    );
    assert!(
        traces.contains("go at ") && traces.contains("tests/serve.rs:"),
        "{traces}"
    );
    std::fs::remove_file(&path).unwrap();
    drop(tx);
    all.into_iter().for_each(|handle| handle.join().unwrap());
}

#[test]
fn what_is_no_request_is_refused() {
    let status = |request: &str| {
        let answer = raw(request.as_bytes());
        String::from_utf8_lossy(&answer[..answer.len().min(12)]).into_owned()
    };
    assert_eq!(status("POST / HTTP/1.1\r\n\r\n"), "HTTP/1.1 405");
    assert_eq!(status("\u{7}\u{7}\r\n\r\n"), "HTTP/1.1 400");
    assert_eq!(status("GET /nowhere HTTP/1.1\r\n\r\n"), "HTTP/1.1 404");
    assert_eq!(
        status("GET /debug/pprof/goroutine?debug=9 HTTP/1.1\r\n\r\n"),
        "HTTP/1.1 400"
    );
    assert_eq!(
        status("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
        "HTTP/1.1 403"
    );
    let long = format!("GET / HTTP/1.1\r\nCookie: {}", "x".repeat(8 << 10));
    assert_eq!(status(&long), "HTTP/1.1 431");
    let head = raw(b"HEAD / HTTP/1.1\r\n\r\n");
    assert!(head.ends_with(b"\r\n\r\n"), "no body");
}

#[test]
fn addresses_are_looked_at_first() {
    let refused = |addr: &str| serve(addr).unwrap_err().to_string();
    for (addr, why) in [
        ("0.0.0.0:0", "is not a loopback address"),
        ("[::]:0", "is not a loopback address"),
        ("nonsense", "An address is a host and a port"),
        ("127.0.0.1:99999", "An address is a host and a port"),
    ] {
        let said = refused(addr);
        assert!(said.contains(why) && said.contains(addr), "{addr}: {said}");
    }
    let taken = server().to_string();
    let said = refused(&taken);
    assert!(said.contains("in use"), "{said}");
    assert!(
        said.ends_with("take another port, or 0 for a free one"),
        "{said}"
    );
    let beyond = Serve::new()
        .beyond_loopback(true)
        .start("0.0.0.0:0")
        .unwrap();
    assert!(beyond.addr().ip().is_unspecified());
}

/// All who are served at once ask for much and never read: goroutines go on, and when one of them goes the next is served.
#[test]
fn a_reader_that_never_reads_hangs_nobody() {
    let server = serve("127.0.0.1:0").unwrap().addr();
    // Many lines of JSON, more than sockets buffer.
    let many: Vec<_> = (0..30_000).map(|_| chan::<u8>(1)).collect();
    let mut stuck: Vec<TcpStream> = (0..4)
        .map(|_| {
            let mut stream = TcpStream::connect(server).unwrap();
            stream
                .write_all(b"GET /snapshot.json HTTP/1.1\r\n\r\n")
                .unwrap();
            // Its answer has begun: a thread serves it.
            stream.peek(&mut [0]).unwrap();
            stream
        })
        .collect();
    let (tx, rx) = chan(0);
    let sender = go(move || (0..1000).try_for_each(|n| tx.send(n)));
    assert_eq!(rx.iter().sum::<u32>(), 499_500);
    sender.join().unwrap().unwrap();
    drop(stuck.pop());
    let answer = raw_at(server, b"GET / HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
    // The whole answer still comes to who reads at last.
    let mut answer = Vec::new();
    stuck[0].read_to_end(&mut answer).unwrap();
    let body = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let snapshot: Snapshot = serde_json::from_slice(&answer[body..]).unwrap();
    assert!(snapshot.channels.len() >= many.len());
}
