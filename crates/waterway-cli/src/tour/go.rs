//! Real Go, to compare with.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use super::catalogue::Behaviour;
use super::child::{Run, watch};

/// A Go toolchain that works, and a directory for what it builds.
pub struct Go {
    command: PathBuf,
    build: PathBuf,
    /// Builds take turns: they use every core themselves.
    turn: Mutex<()>,
}

impl Go {
    /// The toolchain at `path`.
    pub fn at(path: &Path) -> Result<Go, String> {
        let works = Command::new(path).arg("version").output().is_ok_and(|out| out.status.success());
        if !works {
            return Err(format!("`{} version` does not work: --go takes the path of a Go command", path.display()));
        }
        let build = std::env::temp_dir().join(format!("waterway-tour-{}", std::process::id()));
        fs::create_dir_all(&build).map_err(|error| format!("{} cannot be made: {error}", build.display()))?;
        Ok(Go { command: path.to_path_buf(), build, turn: Mutex::new(()) })
    }

    /// The toolchain on PATH, or in the usual place.
    pub fn find() -> Option<Go> {
        ["go", "/usr/local/go/bin/go"].iter().find_map(|path| Go::at(Path::new(path)).ok())
    }

    /// Builds and runs a behaviour's Go program.
    pub fn run(&self, behaviour: &Behaviour) -> Result<Run, String> {
        let program = self.built(behaviour).map_err(|error| format!("its Go program could not be built: {error}"))?;
        Ok(watch(&mut Command::new(program)))
    }

    fn built(&self, behaviour: &Behaviour) -> io::Result<PathBuf> {
        let source = self.build.join(format!("{}.go", behaviour.id));
        let program = self.build.join(behaviour.id);
        fs::write(&source, behaviour.go)?;
        let _turn = self.turn.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let out = Command::new(&self.command)
            .env("GO111MODULE", "off")
            .arg("build")
            .arg("-o")
            .args([&program, &source])
            .current_dir(&self.build)
            .output()?;
        if !out.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&out.stderr).into_owned()));
        }
        Ok(program)
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        // What stays lies in the directory for temporary files.
        let _ = fs::remove_dir_all(&self.build);
    }
}
