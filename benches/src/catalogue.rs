//! The workloads: names, sizes, how often, and our targets. What each does stands in the rivals' programs.

/// A piece of work that rivals do.
#[derive(Debug)]
pub struct Workload {
    pub name: &'static str,
    pub title: &'static str,
    /// Operations.
    pub n: usize,
    /// Operations with `--quick`, and in the round that warms up.
    pub quick: usize,
    /// Rounds, where nobody asks for another number.
    pub rounds: usize,
    /// Also with one worker, and the speed-up from one to all.
    pub speed_up: bool,
    /// Gigabytes that the largest rival takes, where that is much.
    pub gigabytes: usize,
}

const fn workload(name: &'static str, title: &'static str, n: usize, quick: usize) -> Workload {
    Workload {
        name,
        title,
        n,
        quick,
        rounds: 5,
        speed_up: false,
        gigabytes: 0,
    }
}

impl Workload {
    /// Takes seconds.
    const fn large(mut self) -> Workload {
        self.rounds = 3;
        self
    }

    const fn gigabytes(mut self, gigabytes: usize) -> Workload {
        self.gigabytes = gigabytes;
        self
    }

    const fn speed_up(mut self) -> Workload {
        self.speed_up = true;
        self
    }
}

/// In the order in which they run.
#[rustfmt::skip] // a table
pub const ALL: &[Workload] = &[
    workload("pingpong", "round trip over two unbuffered channels", 400_000, 40_000),
    workload("spsc", "one sender, one receiver, capacity 128, a message", 2_000_000, 200_000),
    workload("mpmc", "four senders, four receivers, capacity 128, a message", 1_000_000, 200_000),
    workload("mpmc0", "four senders, four receivers, unbuffered, a message", 400_000, 40_000),
    workload("select2", "select over two unbuffered channels, a message", 400_000, 40_000),
    workload("select2b", "select over two channels of capacity 128, a message", 800_000, 80_000),
    workload("select8", "select over eight unbuffered channels, a message", 160_000, 16_000),
    workload("select8b", "select over eight channels of capacity 128, a message", 400_000, 40_000),
    workload("try_recv", "receive from an empty channel without waiting", 20_000_000, 2_000_000),
    workload("select_default", "select over two empty channels with a default", 3_000_000, 300_000),
    workload("spawn_join", "spawn, finish, wait group, batches of 1,000", 400_000, 40_000),
    workload("spawn_burst", "spawn 1,000,000 at once, each", 1_000_000, 100_000),
    workload("yield1", "yield, alone", 3_000_000, 300_000),
    workload("yield1000", "yield, 1,000 in turn", 3_000_000, 300_000),
    workload("mutex", "lock and unlock, uncontended", 10_000_000, 1_000_000),
    workload("mutex8", "lock and unlock, contended by eight", 2_000_000, 200_000),
    workload("skynet", "a tree of goroutines with 1,000,000 leaves", 1_000_000, 100_000),
    workload("sieve", "prime sieve, the first 2,000 primes", 2_000, 500),
    workload("timers", "100,000 sleepers spread over a second", 100_000, 10_000),
    workload("parked100k", "100,000 parked on a channel", 100_000, 10_000),
    workload("parked1m", "1,000,000 parked on a channel", 1_000_000, 30_000).large().gigabytes(5),
    workload("pipeline_a", "pipeline of four stages that compute", 10_000, 2_000).speed_up(),
    workload("pipeline_b", "1,000 that were started idle, and then all compute for 200 us", 1_000, 200),
    workload("pipeline_c", "four pairs that hand over, beside a pipeline", 1_000, 200),
    workload("pipeline_d", "one a millisecond is started, lives 100 ms, computes a little", 1_000, 200),
    workload("scaling_spawn", "spawn and finish, by batch", 1_000_000, 1_000).large(),
    workload("scaling_pingpong", "round trip, by goroutines in pairs", 1_000_000, 1_000).large().gigabytes(3),
    workload("scaling_timers", "a sleep, by sleepers", 1_000_000, 1_000).large().gigabytes(1),
    workload("scaling_select", "select over unbuffered channels fed in turn, by arms", 400_000, 40_000),
];

/// The workloads that an argument names.
#[derive(Clone, Debug)]
pub struct Chosen(Vec<&'static str>);

impl Chosen {
    pub fn has(&self, workload: &Workload) -> bool {
        self.0.contains(&workload.name)
    }
}

/// The one of that name, else those whose names begin so.
pub fn find(name: &str) -> Result<Chosen, String> {
    let names = || ALL.iter().map(|w| w.name);
    if let Some(exact) = names().find(|n| *n == name) {
        return Ok(Chosen(vec![exact]));
    }
    let begin: Vec<_> = names().filter(|n| n.starts_with(name)).collect();
    if name.is_empty() || begin.is_empty() {
        let hint = match near(name).as_slice() {
            [] => String::new(),
            near => format!("; did you mean {}?", near.join(", ")),
        };
        return Err(format!(
            "no workload's name is this or begins so{hint} (--help lists them)"
        ));
    }
    Ok(Chosen(begin))
}

/// From here on a name is near another, as clap has it: 1 is the same.
const NEAR: f64 = 0.7;
/// So many are named.
const MOST: usize = 3;

/// The names that may be meant by one that is none: those that hold it, then the nearest.
fn near(name: &str) -> Vec<&'static str> {
    let nearness = |known: &str| match !name.is_empty() && known.contains(name) {
        true => 1.0,
        false => strsim::jaro(name, known),
    };
    let all = ALL.iter().map(|w| (nearness(w.name), w.name));
    let mut near: Vec<_> = all.filter(|(nearness, _)| *nearness > NEAR).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// Each name with its title, a line each.
pub fn list() -> String {
    let width = ALL.iter().map(|w| w.name.len()).max().unwrap_or(0);
    let line = |w: &Workload| format!("  {:width$}  {}\n", w.name, w.title);
    ALL.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_workload_and_a_beginning_is_all_of_them() {
        assert_eq!(find("mutex").unwrap().0, ["mutex"]);
        assert_eq!(find("select2").unwrap().0, ["select2"]);
        assert_eq!(find("parked").unwrap().0, ["parked100k", "parked1m"]);
    }

    #[test]
    fn an_unknown_workload_is_refused_with_near_ones() {
        for (name, meant) in [
            ("pingpongs", "did you mean pingpong"),
            ("pipeline-b", "did you mean pipeline_"),
            ("recv", "did you mean try_recv?"),
        ] {
            let error = find(name).unwrap_err();
            assert!(error.contains(meant), "{name}: {error}");
            assert!(error.ends_with("(--help lists them)"), "{error}");
        }
        for name in ["", "xyz"] {
            let error = find(name).unwrap_err();
            assert!(!error.contains("did you mean"), "{name}: {error}");
            assert!(error.ends_with("(--help lists them)"), "{error}");
        }
    }

    #[test]
    fn names_differ_and_quick_is_less() {
        for (i, workload) in ALL.iter().enumerate() {
            assert!(ALL[..i].iter().all(|other| other.name != workload.name));
            assert!(workload.quick < workload.n, "{}", workload.name);
        }
    }
}
