//! Settings: what a program sets before the first use. What the environment sets over it: `config/env.rs`.

use std::fmt;
use std::ops::RangeInclusive;
use std::panic::Location;

use super::say::say;
use crate::primitives::Lock;

/// What happens when every goroutine and thread is asleep and nothing can wake one.
///
/// ```
/// use waterway::{Config, DeadlockPolicy};
/// let config = Config::new().on_deadlock(DeadlockPolicy::Report);
/// config.install().unwrap();
/// ```
///
/// Go: none: it is always fatal.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum DeadlockPolicy {
    /// Print the report and end the process with status 2, as Go does.
    #[default]
    Fatal,
    /// Print the report and go on sleeping.
    Report,
    /// Print the report and panic in main, where it waits: in the goroutine of `#[waterway::main]` or of a test, or else
    /// in the main thread. The panic is told with the line that waits, and deferred calls and destructors of main run. Where main
    /// must not be unwound (at the end of a scope and in [`blocking`](crate::blocking), which have lent its data, and in a destructor
    /// during a panic), or does not wait, the process ends with status 2.
    PanicMain,
    /// Call a function with the report, on a thread of the runtime. The process goes on.
    Call(fn(&str)),
}

/// What `Ctrl-\` (SIGQUIT) does.
///
/// ```
/// use waterway::{Config, SigquitPolicy};
/// Config::new().on_sigquit(SigquitPolicy::Dump).install().unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigquitPolicy {
    /// Print every goroutine and end the process with status 2, as Go does.
    #[default]
    Exit,
    /// Print every goroutine and go on.
    Dump,
    /// Leave the signal alone.
    Off,
}

/// How stacks are guarded.
///
/// ```
/// use waterway::{Config, Guard};
/// Config::new().guard(Guard::Mprotect).install().unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Guard {
    /// The best that the kernel offers.
    #[default]
    Auto,
    /// `mprotect`, as before Linux 6.13.
    Mprotect,
}

/// Settings of the runtime. Give them with [`Config::install`] before the first use of anything else. The environment
/// (`WATERWAY_MAX_PROCS`, `WATERWAY_WORKERS`, `WATERWAY_STACK_SIZE`, `WATERWAY_GUARD`, `WATERWAY_DEADLOCK`,
/// `WATERWAY_SIGQUIT`, `WATERWAY_CHECK_TLS`, `WATERWAY_HELD_WARN_MS`) wins over what is given here; what neither says is the
/// default.
///
/// ```
/// waterway::Config::new().max_procs(1).install().unwrap();
/// assert_eq!(waterway::max_procs(), 1);
/// ```
///
/// Go: `runtime.GOMAXPROCS`, and variables of the environment.
#[derive(Clone, Debug)]
#[must_use = "settings are not those of the process before `install`"]
pub struct Config {
    pub(crate) max_procs: usize,
    workers: usize,
    pub(crate) stack_size: usize,
    pub(crate) guard: Guard,
    pub(crate) deadlock: DeadlockPolicy,
    pub(crate) sigquit: SigquitPolicy,
    pub(crate) check_tls: bool,
    pub(crate) held_warn_ms: u64,
}

/// A setting that cannot be used: which, what was given, and what is allowed.
///
/// ```
/// let error = waterway::Config::new().max_procs(0).install().unwrap_err();
/// assert!(error.to_string().contains("from 1 to 256"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

const MAX_PROCS: RangeInclusive<usize> = 1..=256;
const STACK_SIZE: RangeInclusive<usize> = (128 << 10)..=(1 << 30);

/// What the runtime will start with, or has started with.
enum Settings {
    None,
    /// And where.
    Installed(Config, &'static Location<'static>),
    Taken,
}

static SETTINGS: Lock<Settings> = Lock::new(Settings::None);

impl Default for Config {
    fn default() -> Self {
        Config::new()
    }
}

impl Config {
    /// The default settings: as many workers as the process may use cores, stacks of 256 KiB of address space (1 MiB with
    /// debug assertions).
    ///
    /// ```
    /// use waterway::Config;
    /// Config::new().install().unwrap();
    /// assert!((1..=256).contains(&waterway::max_procs()));
    /// ```
    pub fn new() -> Config {
        let cores = std::thread::available_parallelism()
            .map_or(1, |n| n.get())
            .min(*MAX_PROCS.end());
        Config {
            max_procs: cores,
            workers: cores,
            stack_size: if cfg!(debug_assertions) {
                1 << 20
            } else {
                256 << 10
            },
            guard: Guard::Auto,
            deadlock: DeadlockPolicy::Fatal,
            sigquit: SigquitPolicy::Exit,
            check_tls: cfg!(debug_assertions),
            held_warn_ms: 100,
        }
    }

    /// How many threads run goroutines at once, 1 to 256, beside those that one goroutine holds for long. They are no more than
    /// [`workers`](Config::workers), and so than cores, unless that is set too; [`max_procs()`](crate::max_procs) says how many they are.
    ///
    /// ```
    /// use waterway::Config;
    /// Config::new().max_procs(1).install().unwrap();
    /// assert_eq!(waterway::max_procs(), 1);
    /// assert!(Config::new().max_procs(0).install().is_err());
    /// ```
    ///
    /// Go: `runtime.GOMAXPROCS`, before anything runs.
    pub fn max_procs(mut self, n: usize) -> Config {
        self.max_procs = n;
        self
    }

    /// How many workers share the goroutines between them, 1 to 256, where [`max_procs`](Config::max_procs) is not less. The default
    /// is as many as the process may use cores: among more, who hands over to another often waits until that one's thread has a
    /// core. More are of use where goroutines often sleep in the kernel for less than 10 ms (after that a spare comes), and
    /// [`blocking`](crate::blocking) is not wanted.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::{Config, go};
    /// Config::new().max_procs(8).workers(8).install().unwrap();
    /// // Each sleeps together with its worker, whether that has a core or not.
    /// let sleeps = || std::thread::sleep(Duration::from_millis(5));
    /// let all: Vec<_> = (0..16).map(|_| go(sleeps)).collect();
    /// all.into_iter().for_each(|g| g.join().unwrap());
    /// assert!(Config::new().workers(0).install().is_err());
    /// ```
    ///
    /// Go: none; it moves goroutines to whichever thread runs.
    pub fn workers(mut self, n: usize) -> Config {
        self.workers = n;
        self
    }

    /// How many workers start with the runtime: as many as may run goroutines at once.
    pub(crate) fn crew(&self) -> usize {
        self.workers.min(self.max_procs)
    }

    /// Bytes of address space for each goroutine's stack, the guard of 64 KiB included; 128 KiB to 1 GiB, rounded up
    /// to pages. Memory is used page by page.
    ///
    /// ```
    /// use waterway::{Config, go};
    /// Config::new().stack_size(16 << 20).install().unwrap();
    /// let deep = go(|| std::hint::black_box([1_u8; 2 << 20]).len());
    /// assert_eq!(deep.join().unwrap(), 2 << 20);
    /// assert!(Config::new().stack_size(4096).install().unwrap_err().to_string().contains("128 KiB"));
    /// ```
    ///
    /// Go: `debug.SetMaxStack`, which limits stacks that grow; these do not.
    pub fn stack_size(mut self, bytes: usize) -> Config {
        self.stack_size = bytes;
        self
    }

    /// How stacks are guarded.
    ///
    /// ```
    /// use waterway::{Config, Guard, go};
    /// Config::new().guard(Guard::Mprotect).install().unwrap();
    /// assert_eq!(go(|| "guarded").join().unwrap(), "guarded");
    /// ```
    ///
    /// Go: none.
    pub fn guard(mut self, guard: Guard) -> Config {
        self.guard = guard;
        self
    }

    /// What happens at a deadlock of the whole process.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use std::sync::OnceLock;
    /// use waterway::{Config, DeadlockPolicy, chan, go};
    ///
    /// static REPORT: OnceLock<mpsc::Sender<String>> = OnceLock::new();
    /// let (tx, report) = mpsc::channel();
    /// REPORT.set(tx).unwrap();
    /// let tell = |text: &str| REPORT.get().unwrap().send(text.into()).unwrap();
    /// Config::new().on_deadlock(DeadlockPolicy::Call(tell)).install().unwrap();
    /// // Receives, and has the only sender itself.
    /// go(|| {
    ///     let (_tx, rx) = chan::<()>(0);
    ///     rx.recv()
    /// });
    /// assert!(report.recv().unwrap().contains("all goroutines are asleep"));
    /// ```
    ///
    /// Go: none: a deadlock ends the process.
    pub fn on_deadlock(mut self, policy: DeadlockPolicy) -> Config {
        self.deadlock = policy;
        self
    }

    /// What SIGQUIT does. It is never touched where the program has a handler of its own.
    ///
    /// ```
    /// use std::process::{Command, id};
    /// use waterway::{Config, SigquitPolicy, go};
    /// Config::new().on_sigquit(SigquitPolicy::Dump).install().unwrap();
    /// go(|| ()).join().unwrap();
    /// let kill = format!("kill -QUIT {}", id());
    /// let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
    /// assert!(sent.success(), "and the program goes on");
    /// ```
    ///
    /// Go: `SIGQUIT` ends the process, unless `os/signal` takes it.
    pub fn on_sigquit(mut self, policy: SigquitPolicy) -> Config {
        self.sigquit = policy;
        self
    }

    /// Whether every park looks for frames that must not be parked in (thread-local initialisers, scoped thread-locals),
    /// and aborts if it finds one. On by default with debug assertions.
    ///
    /// ```
    /// use waterway::{Config, go, yield_now};
    /// Config::new().check_tls(false).install().unwrap();
    /// assert!(go(yield_now).join().is_ok());
    /// ```
    ///
    /// Go: none; it has no thread-locals.
    pub fn check_tls(mut self, on: bool) -> Config {
        self.check_tls = on;
        self
    }

    /// From how many milliseconds on a goroutine that holds its worker is reported on standard error, once for each spawn
    /// site. 0 turns the reports off.
    ///
    /// ```
    /// use waterway::{Config, go};
    /// Config::new().held_warn_ms(0).install().unwrap();
    /// // Longer than the default allows, and nothing is said of it.
    /// let holds = go(|| std::thread::sleep(std::time::Duration::from_millis(120)));
    /// assert!(holds.join().is_ok());
    /// ```
    ///
    /// Go: none; it takes the processor away from who computes for long.
    pub fn held_warn_ms(mut self, ms: u64) -> Config {
        self.held_warn_ms = ms;
        self
    }

    /// Makes these the settings of the process, once for all.
    ///
    /// ```
    /// use waterway::{Config, go};
    /// Config::new().max_procs(1).install().unwrap();
    /// let twice = Config::new().max_procs(2).install().unwrap_err();
    /// assert!(twice.to_string().contains("already installed at"));
    /// go(|| ()).join().unwrap();
    /// assert_eq!(waterway::max_procs(), 1, "the first stand");
    /// assert!(Config::new().install().is_err(), "it runs already");
    /// ```
    ///
    /// # Errors
    ///
    /// A value is out of range, in `self` or in the environment; others are installed already, which stand; or the runtime has
    /// already started.
    #[track_caller]
    pub fn install(self) -> Result<(), ConfigError> {
        let merged = self.with_env(|name| std::env::var_os(name))?;
        let mut settings = SETTINGS.lock();
        match *settings {
            Settings::Taken => Err(ConfigError(
                "the runtime has already started: install the configuration before its first use"
                    .into(),
            )),
            Settings::Installed(_, at) => Err(ConfigError(format!(
                "a configuration was already installed at {at}, and stands: give all settings to one `Config`"
            ))),
            Settings::None => {
                *settings = Settings::Installed(merged, Location::caller());
                Ok(())
            }
        }
    }

    fn validate(mut self) -> Result<Config, ConfigError> {
        for (name, number) in [("max_procs", self.max_procs), ("workers", self.workers)] {
            if !MAX_PROCS.contains(&number) {
                return Err(ConfigError(format!(
                    "{name} is {number}: it must be a number from 1 to 256"
                )));
            }
        }
        if !STACK_SIZE.contains(&self.stack_size) {
            return Err(ConfigError(format!(
                "stack_size is {} bytes: it must be from {} (128 KiB) to {} (1 GiB)",
                self.stack_size,
                STACK_SIZE.start(),
                STACK_SIZE.end()
            )));
        }
        // Slots lie side by side, and guards start at pages.
        self.stack_size = self.stack_size.next_multiple_of(4096);
        Ok(self)
    }
}

/// Whether the runtime can start: the environment may hold a bad value.
pub(super) fn check() -> Result<(), ConfigError> {
    match *SETTINGS.lock() {
        Settings::None => {}
        _ => return Ok(()),
    }
    Config::new()
        .with_env(|name| std::env::var_os(name))
        .map(drop)
}

/// The settings for the runtime that starts now.
///
/// # Panics
///
/// If the environment holds a bad value.
pub(super) fn take() -> Config {
    // As a statement of its own, so that the lock is free before the environment is read.
    let before = std::mem::replace(&mut *SETTINGS.lock(), Settings::Taken);
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    if let Some(line) = names::unknown(names) {
        say(format_args!("{line}"));
    }
    if let Settings::Installed(config, _) = before {
        return config;
    }
    match Config::new().with_env(|name| std::env::var_os(name)) {
        Ok(config) => config,
        Err(error) => panic!("waterway cannot start: {error}"),
    }
}

// Told where they are, for the fuzzer takes this file by its path.
#[path = "config/env.rs"]
mod env;
#[path = "config/names.rs"]
mod names;
#[cfg(test)]
mod tests;
