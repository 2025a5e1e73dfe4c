//! The experiment as its users see it: arguments, figures, pictures, exit status. No word on times: machines differ.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn waterway(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waterway"));
    command.arg("overload").args(arguments);
    command.output().expect("the command runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// A folder of this test's own that does not exist yet.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("overload-{name}"));
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn number(value: &Value, field: &str) -> u64 {
    value[field]
        .as_u64()
        .unwrap_or_else(|| panic!("{field} is no number in {value}"))
}

/// The fields are those that `docs/overload.md` names, and no others.
fn sum(value: &Value, causes: [&str; 2]) -> u64 {
    let fields = value.as_object().expect("causes").keys();
    let (mut fields, mut named) = (Vec::from_iter(fields), causes);
    fields.sort_unstable();
    named.sort_unstable();
    assert_eq!(fields, named, "{value}");
    causes.iter().map(|cause| number(value, cause)).sum()
}

fn shed(value: &Value) -> u64 {
    sum(&value["shed"], ["full", "late"])
}

fn returned(value: &Value) -> u64 {
    sum(&value["returned"], ["refused", "closed"])
}

/// What every design's series must be, however fast the machine is.
fn holds_together(design: &Value, rate_in: u64, seconds: u64) {
    let (samples, end) = (
        design["samples"].as_array().expect("samples"),
        &design["end"],
    );
    assert!(design["failed"].is_null(), "{design}");
    assert_eq!(samples.len() as u64, (5 * seconds).max(20) + 1, "{design}");
    for pair in samples.windows(2) {
        assert!(
            pair[0]["time"].as_f64() < pair[1]["time"].as_f64(),
            "{design}"
        );
        for counter in ["sent", "received"] {
            assert!(
                number(&pair[0], counter) <= number(&pair[1], counter),
                "{design}"
            );
        }
        assert!(
            number(&pair[1], "memory") > 0 && number(&pair[1], "goroutines") > 0,
            "{design}"
        );
    }
    for sample in samples {
        let known = number(sample, "received") + shed(sample) + returned(sample);
        assert!(known <= number(end, "sent"), "{sample}");
    }
    let fates = number(end, "received") + number(end, "queue") + shed(end) + returned(end);
    assert_eq!(number(end, "sent"), fates, "{design}");
    assert!(
        (1..=rate_in * seconds).contains(&number(end, "sent")),
        "{design}"
    );
    assert!(number(end, "received") > 0, "{design}");
    assert!(
        number(end, "in_time") <= number(end, "received"),
        "{design}"
    );
    assert!(end["p50_ms"].as_f64() <= end["p99_ms"].as_f64(), "{design}");
}

#[test]
fn every_design_accounts_for_every_item() {
    let out = folder("all");
    let place = out.to_str().expect("UTF-8");
    let run = waterway(&[
        "--seconds",
        "1",
        "--rate-in",
        "400",
        "--rate-out",
        "50",
        "--out",
        place,
        "--json",
        "--no-go",
    ]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let all: Value = serde_json::from_slice(&run.stdout).expect("nothing but JSON");
    assert_eq!(
        (number(&all, "rate_in"), number(&all, "rate_out")),
        (400, 50)
    );
    assert_eq!(number(&all, "in_time_ms"), 100);
    let designs = all["designs"].as_array().expect("designs");
    let ids: Vec<_> = designs
        .iter()
        .map(|design| design["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["goroutines", "buffer", "reject", "codel", "gate"]);
    for design in designs {
        holds_together(design, 400, 1);
        // Fifty slots in a second; those of a late wake are made up for.
        assert!(number(&design["end"], "received") <= 50, "{design}");
        for field in [
            "growth",
            "straight",
            "grown",
            "drift",
            "memory",
            "goroutines",
            "goodput",
        ] {
            assert!(design["summary"][field].is_number(), "{field}: {design}");
        }
    }
    let end = |id: &str| &designs.iter().find(|design| design["id"] == id).unwrap()["end"];
    // Without a limit, or with one that is far, nothing is shed: it waits in goroutines, or in the buffer.
    assert_eq!(
        (shed(end("goroutines")), number(end("goroutines"), "queue")),
        (0, 0)
    );
    assert!(number(&end("goroutines")["returned"], "closed") > 0);
    assert_eq!((shed(end("buffer")), returned(end("buffer"))), (0, 0));
    assert!(number(end("buffer"), "queue") > 0);
    // A buffer of a thousand is not full in a second, and an item that has waited for long is shed.
    assert_eq!((shed(end("reject")), returned(end("reject"))), (0, 0));
    assert!(number(&end("codel")["shed"], "late") > 0, "{run:?}");
    // Two are let in at a time.
    assert!(number(&end("gate")["returned"], "refused") > 0, "{run:?}");
    let gate = designs
        .iter()
        .find(|design| design["id"] == "gate")
        .unwrap();
    for sample in gate["samples"].as_array().unwrap() {
        assert!(
            number(sample, "queue") <= 2 && number(sample, "goroutines") < 10,
            "{sample}"
        );
    }
    // The table and how things stood went elsewhere.
    let table = text(&run.stderr);
    for part in ["goroutine per item", "| = received", "drawn: "] {
        assert!(table.contains(part), "{part:?} is missing in {table}");
    }
    assert!(!table.contains('\x1b'), "{table}");
    pictures(&out);
}

/// The SVG is well formed as far as its tags go, and the PNG can be read and is not blank.
fn pictures(folder: &Path) {
    let svg = fs::read_to_string(folder.join("overload.svg")).expect("a picture in lines");
    let (mut open, mut rest) = (Vec::new(), svg.as_str());
    while let Some(start) = rest.find('<') {
        let length = rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..start + length];
        let name = tag
            .trim_start_matches('/')
            .split([' ', '\n', '/'])
            .next()
            .unwrap_or_default();
        match (
            tag.strip_prefix('/'),
            tag.ends_with('/') || tag.starts_with(['?', '!']),
        ) {
            (Some(_), _) => assert_eq!(open.pop(), Some(name), "{svg}"),
            (None, true) => {}
            (None, false) => open.push(name),
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
        rest = &rest[start + length + 1..];
    }
    assert!(open.is_empty() && svg.contains("</svg>"), "{open:?}");
    for label in [
        "memory (MiB)",
        "live goroutines",
        "time in queue",
        "goroutine per item",
    ] {
        assert!(svg.contains(label), "{label} is missing in the SVG");
    }
    let file = fs::File::open(folder.join("overload.png")).expect("a picture in pixels");
    let mut reader = png::Decoder::new(std::io::BufReader::new(file))
        .read_info()
        .expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("its size is known")];
    let info = reader.next_frame(&mut pixels).expect("pixels");
    assert!(info.width >= 900 && info.height >= 600, "{info:?}");
    let dark = pixels
        .chunks(3)
        .filter(|pixel| pixel.iter().all(|part| *part < 90))
        .count();
    assert!(dark > 1_000, "letters would take more than {dark} pixels");
}

#[test]
fn series_go_to_a_file_and_the_rest_to_standard_output() {
    let out = folder("file");
    let (place, file) = (out.to_str().unwrap(), out.join("series.json"));
    let run = waterway(&[
        "--seconds",
        "1",
        "--rate-in",
        "20",
        "--rate-out",
        "20",
        "--only",
        "buffer",
        "--out",
        place,
        "--json",
        file.to_str().unwrap(),
    ]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let all: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).expect("JSON");
    assert_eq!(all["designs"].as_array().map(Vec::len), Some(1));
    holds_together(&all["designs"][0], 20, 1);
    let stdout = text(&run.stdout);
    assert!(
        stdout.contains("note: 20 items a second come in and 20 can go out: nothing is overloaded")
    );
    assert!(
        stdout.contains("| sent") && !stdout.contains('\x1b'),
        "{stdout}"
    );
}

#[test]
fn a_full_buffer_refuses_and_grows_no_more() {
    let out = folder("full");
    let place = out.to_str().unwrap();
    let run = waterway(&[
        "--seconds",
        "1",
        "--rate-in",
        "5000",
        "--rate-out",
        "20",
        "--only",
        "reject",
        "--out",
        place,
        "--json",
    ]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let all: Value = serde_json::from_slice(&run.stdout).expect("nothing but JSON");
    let reject = &all["designs"][0];
    holds_together(reject, 5_000, 1);
    // However few came in: all but a thousand and those that were served were refused.
    let end = &reject["end"];
    let refused = number(end, "sent").saturating_sub(1_000 + number(end, "received"));
    assert!(number(&end["returned"], "refused") >= refused, "{end}");
    assert_eq!(shed(end), 0, "what comes back is not lost: {end}");
    for sample in reject["samples"].as_array().unwrap() {
        assert!(
            number(sample, "queue") <= 1_000 && number(sample, "goroutines") <= 2,
            "{sample}"
        );
    }
}

#[test]
fn real_go_runs_beside() {
    if Command::new("go").arg("version").output().is_err() {
        assert!(std::env::var_os("WATERWAY_CI").is_none(), "CI has Go");
        println!("skipped: no Go");
        return;
    }
    let out = folder("go");
    let run = waterway(&[
        "--seconds",
        "1",
        "--rate-in",
        "200",
        "--rate-out",
        "50",
        "--only",
        "go-goroutines,go-buffer",
        "--out",
        out.to_str().unwrap(),
        "--json",
    ]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let all: Value = serde_json::from_slice(&run.stdout).expect("nothing but JSON");
    let designs = all["designs"].as_array().expect("designs");
    assert_eq!(designs.len(), 2, "{run:?}");
    designs
        .iter()
        .for_each(|design| holds_together(design, 200, 1));
}

#[test]
fn what_makes_no_sense_is_named_before_anything_runs() {
    let file = folder("not-a-folder");
    fs::write(&file, "").expect("a file");
    let beside = file.join("series.json");
    let (file, beside) = (file.to_str().unwrap(), beside.to_str().unwrap());
    for (arguments, named) in [
        (
            &["--rate-in", "0"][..],
            "'0' for '--rate-in <ITEMS>': give a whole number of items a second, from 1 to",
        ),
        (&["--rate-in", "-5"], "'-5' for '--rate-in <ITEMS>'"),
        (
            &["--rate-out", "ten"],
            "'ten' for '--rate-out <ITEMS>': give a whole number",
        ),
        (&["--rate-out", "1e9"], "'1e9'"),
        (
            &["--rate-in", "NaN"],
            "'NaN' for '--rate-in <ITEMS>': give a whole number of items a second, from 1 to",
        ),
        (
            &["--rate-in", "inf"],
            "'inf' for '--rate-in <ITEMS>': give a whole number",
        ),
        (
            &["--rate-out", "-inf"],
            "'-inf' for '--rate-out <ITEMS>': give a whole number",
        ),
        (
            &["--rate-out", "-0"],
            "'-0' for '--rate-out <ITEMS>': give a whole number",
        ),
        (
            &["--rate-out", "0.5"],
            "'0.5' for '--rate-out <ITEMS>': give a whole number",
        ),
        (
            &["--seconds", "nan"],
            "'nan' for '--seconds <SECONDS>': give a whole number",
        ),
        (
            &["--seconds", "-20"],
            "'-20' for '--seconds <SECONDS>': give a whole number",
        ),
        (
            &["--seconds", "0"],
            "'0' for '--seconds <SECONDS>': give a whole number of seconds, from 1 to 3600",
        ),
        (&["--seconds", "3601"], "'3601'"),
        (
            &["--only", "codle"],
            "'codle' for '--only <DESIGN>': there is no such design: there are goroutines, buffer",
        ),
        (
            &["--rate-in", "100000", "--seconds", "3600"],
            "GiB are free: give a smaller --rate-in",
        ),
        (
            &["--out", file],
            "not-a-folder: nothing can be written there",
        ),
        // Root may write wherever there is a place to.
        (&["--out", "/proc"], "/proc: nothing can be written there"),
        (&["--out", "/proc/overload/here"], "/proc/overload/here: "),
        (
            &["--json", beside, "--out", env!("CARGO_TARGET_TMPDIR")],
            "series.json: the file cannot be written",
        ),
        (
            &["--only", "go-buffer", "--no-go"],
            "no design is left without Go",
        ),
        (&["--go", "/nonexistent/go"], "/nonexistent/go"),
    ] {
        let out = waterway(arguments);
        let stderr = text(&out.stderr);
        assert!(stderr.contains(named), "{arguments:?}: {stderr}");
        assert!(out.stdout.is_empty(), "{arguments:?}: {out:?}");
        assert_eq!(out.status.code(), Some(2), "{arguments:?}");
    }
}

/// Stands in for a Go toolchain: what it builds says these lines.
fn pretends_to_be_go(name: &str, says: &str) -> PathBuf {
    let root = folder(name);
    let go = root.join("bin/go");
    fs::create_dir_all(go.parent().unwrap()).expect("a folder");
    // `go env GOROOT GOVERSION`, and `go build -o PROGRAM SOURCE`.
    let script = format!(
        "#!/bin/sh\ncase $1 in env) echo {}; echo {name}-{};; build) printf '#!/bin/sh\\nread go\\ncat {}\\n' >$3; chmod +x $3;; esac\n",
        root.display(),
        std::process::id(),
        root.join("lines").display(),
    );
    fs::write(&go, script).expect("a script");
    fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).expect("a program");
    fs::write(root.join("lines"), says).expect("its lines");
    root
}

#[test]
fn an_item_out_of_sight_is_a_failure() {
    let end = r#"{"end":{"sent":9,"received":3,"in_time":3,"queue":2,"shed":{"full":1,"late":1},"returned":{"refused":1,"closed":0},"p50_ms":1,"p99_ms":2}}"#;
    let whole = end.replace("9", "8");
    for (name, says, named) in [
        (
            "lost",
            end,
            "9 items were sent, and 8 accounted for: 3 received + 2 in queue + 2 shed + 1 returned",
        ),
        (
            "garbled",
            "panic: what is this",
            "a line that cannot be read",
        ),
        ("silent", "", "its process ended with exit status: 0"),
        ("whole", &whole, ""),
    ] {
        let root = pretends_to_be_go(name, says);
        let root = root.to_str().unwrap();
        let run = waterway(&[
            "--only",
            "go-buffer",
            "--go",
            root,
            "--seconds",
            "1",
            "--out",
            root,
        ]);
        let stdout = text(&run.stdout);
        assert_eq!(
            stdout.contains("FAILED"),
            !named.is_empty(),
            "{name}: {run:?}"
        );
        assert!(stdout.contains(named), "{name}: {run:?}");
        assert_eq!(
            run.status.code(),
            Some(i32::from(!named.is_empty())),
            "{name}: {run:?}"
        );
    }
}

#[test]
fn help_names_the_options() {
    let help = waterway(&["--help"]);
    for option in [
        "--rate-in",
        "--rate-out",
        "--seconds",
        "--out",
        "--only",
        "--json",
        "--go",
        "--no-go",
    ] {
        assert!(text(&help.stdout).contains(option), "{option}: {help:?}");
    }
}
