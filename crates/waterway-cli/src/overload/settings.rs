//! What is asked of the experiment, and what is refused before anything runs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use clap::Args;

use super::design::{self, Design};
use crate::go::GoArgs;

/// The load, the designs, and where the results go.
#[derive(Args)]
pub struct OverloadArgs {
    #[command(flatten)]
    pub load: Load,

    /// Where overload.svg and overload.png go; made if it does not exist.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub out: PathBuf,

    /// Only these designs: goroutines, buffer, reject, codel, gate, go-goroutines, go-buffer; for example reject,codel.
    #[arg(long, value_name = "DESIGN", value_delimiter = ',', value_parser = design::find)]
    pub only: Vec<&'static Design>,

    /// The series as JSON (docs/overload.md says what each field means): into FILE, or to standard output; the rest is
    /// printed to standard error then.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub json: Option<PathBuf>,

    #[command(flatten)]
    pub go: GoArgs,
}

/// How much comes in, how much goes out, for how long.
#[derive(Args, Clone, Copy, Debug)]
pub struct Load {
    /// Items a second that come in.
    #[arg(long, value_name = "ITEMS", default_value_t = 1_000, value_parser = rate, allow_hyphen_values = true)]
    pub rate_in: u32,

    /// Items a second that go out.
    #[arg(long, value_name = "ITEMS", default_value_t = 100, value_parser = rate, allow_hyphen_values = true)]
    pub rate_out: u32,

    /// How long items come in.
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = seconds, allow_hyphen_values = true)]
    pub seconds: u32,
}

const MOST_RATE: u32 = 100_000;
const MOST_SECONDS: u32 = 3_600;

fn rate(text: &str) -> Result<u32, String> {
    whole(text, "items a second", MOST_RATE)
}

fn seconds(text: &str) -> Result<u32, String> {
    whole(text, "seconds", MOST_SECONDS)
}

fn whole(text: &str, what: &str, most: u32) -> Result<u32, String> {
    let number = text.parse().ok().filter(|n| (1..=most).contains(n));
    number.ok_or_else(|| format!("give a whole number of {what}, from 1 to {most}"))
}

/// A goroutine that waits with its item: stack, page tables and item. A debug build has larger frames and stacks.
const EACH: u64 = if cfg!(debug_assertions) { 32 } else { 8 } * 1024;

impl Load {
    /// The memory that those would take who wait in a design without a limit.
    pub fn backlog_bytes(self) -> u64 {
        let surplus = u64::from(self.rate_in.saturating_sub(self.rate_out));
        surplus * u64::from(self.seconds) * EACH
    }

    /// Refuses what would take more than half of the memory that is free.
    pub fn affordable(self, designs: &[&Design], free: u64) -> Result<(), String> {
        let unbounded = designs.iter().filter(|design| design.unbounded).count() as u64;
        let wanted = self.backlog_bytes().saturating_mul(unbounded);
        if wanted <= free / 2 {
            return Ok(());
        }
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        Err(format!(
            "the designs without a limit would take about {:.1} GiB with --rate-in {} --rate-out {} --seconds {}, and {:.1} GiB \
             are free: give a smaller --rate-in or fewer --seconds, or leave these designs out (--only reject,codel,gate)",
            gib(wanted),
            self.rate_in,
            self.rate_out,
            self.seconds,
            gib(free),
        ))
    }
}

impl OverloadArgs {
    /// The designs that are meant, in the order of the catalogue, each once.
    pub fn designs(&self) -> Vec<&'static Design> {
        let wanted = |design: &&Design| {
            self.only.is_empty() || self.only.iter().any(|one| one.id == design.id)
        };
        design::DESIGNS.iter().filter(wanted).collect()
    }

    /// The series go to standard output, so nothing else may.
    pub fn json_on_stdout(&self) -> bool {
        self.json.as_deref() == Some(Path::new("-"))
    }

    /// Makes sure, before anything runs, that what is to be written can be.
    pub fn writable(&self) -> Result<(), String> {
        let folder = self.out.display();
        let refused = |error| {
            format!(
                "--out {folder}: nothing can be written there ({error}); name a folder of yours"
            )
        };
        fs::create_dir_all(&self.out).map_err(refused)?;
        let probe = self.out.join(format!(".waterway-{}", std::process::id()));
        File::create(&probe).map_err(refused)?;
        fs::remove_file(&probe).map_err(refused)?;
        match &self.json {
            Some(file) if !self.json_on_stdout() => {
                File::create(file).map(drop).map_err(|error| {
                    format!(
                        "--json {}: the file cannot be written ({error}); name another, or none for standard output",
                        file.display()
                    )
                })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        for text in ["0", "-1", "1e3", "ten", "", "100001", "4294967296", "nan"] {
            let why = rate(text).unwrap_err();
            assert!(why.contains("from 1 to 100000"), "{text}: {why}");
        }
        assert_eq!((rate("1"), rate("100000")), (Ok(1), Ok(100_000)));
        assert!(seconds("3601").is_err() && seconds("0").is_err());
        assert_eq!(seconds("3600"), Ok(3_600));
    }

    #[test]
    fn a_load_for_more_memory_than_is_free_is_refused() {
        let designs: Vec<_> = design::DESIGNS.iter().collect();
        let load = |rate_in| Load {
            rate_in,
            rate_out: 100,
            seconds: 20,
        };
        assert!(load(1_000).affordable(&designs, 8 << 30).is_ok());
        let why = load(100_000).affordable(&designs, 8 << 30).unwrap_err();
        assert!(
            why.contains("--rate-in 100000") && why.contains("8.0 GiB"),
            "{why}"
        );
        // Less comes in than goes out: nobody waits.
        assert!(load(50).affordable(&designs, 0).is_ok());
        let bounded: Vec<_> = designs.iter().copied().filter(|d| !d.unbounded).collect();
        assert!(load(100_000).affordable(&bounded, 1 << 20).is_ok());
    }
}
