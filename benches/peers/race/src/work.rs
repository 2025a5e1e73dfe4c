//! Work of a known size.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::{Clock, fail};

/// So many steps of [`compute`] take a microsecond, says who starts the rivals: it has measured that once for all of them.
const STEPS: &str = "RACE_STEPS";
/// What is taken where nobody says: right for a core of some 2.5 GHz.
const STEPS_UNSAID: usize = 500;

/// How many steps make `n` microseconds.
pub fn micros(n: usize) -> usize {
    static EACH: OnceLock<usize> = OnceLock::new();
    n * *EACH.get_or_init(|| match std::env::var_os(STEPS) {
        None => STEPS_UNSAID,
        Some(text) => match text.to_str().map(str::parse) {
            Some(Ok(steps)) if steps > 0 => steps,
            _ => fail(&format!("{STEPS}={text:?} is no number above 0")),
        },
    })
}

/// How many steps the machine makes in a microsecond when nothing disturbs it: what the fastest of many short stretches took.
pub fn steps_in_a_micro() -> usize {
    const STRETCH: usize = 100_000;
    let stretch = |seed| {
        let begin = Instant::now();
        compute(seed, STRETCH);
        begin.elapsed()
    };
    let fastest = (0..3000).map(stretch).min().expect("some");
    (STRETCH as f64 / (fastest.as_secs_f64() * 1e6))
        .round()
        .max(1.0) as usize
}

/// Computes for so many steps, each of which needs the one before: no processor or compiler shortens that.
pub fn compute(seed: u64, steps: usize) -> u64 {
    let mut x = seed | 1;
    for _ in 0..steps {
        x = (x ^ x >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    }
    std::hint::black_box(x)
}

/// How many stages a pipeline has.
pub const STAGES: usize = 4;

/// Warms up and times `pipeline`, which is told how many items there are, and how many microseconds a stage computes for each.
pub fn pipelines(n: usize, pipeline: impl Fn(usize, usize)) {
    for (us, metric) in [(2, "an item, 2 us a stage"), (20, "an item, 20 us a stage")] {
        let n = n * 2 / us;
        pipeline(n / 10, us);
        let clock = Clock::start();
        pipeline(n, us);
        clock.stop().per_op(metric, n);
    }
}

/// How long sleeper `i` of `n` sleeps: all different, spread over `span`, in an order that no timer could like better than
/// another.
pub fn sleep_times(i: usize, n: usize, span: Duration) -> Duration {
    span.mul_f64((i * 7919 % n) as f64 / n as f64)
}

/// How often each of `goroutines` does its part, so that together they do about `total`, and each at least one.
pub fn rounds_of(total: usize, goroutines: usize) -> usize {
    (total / goroutines).max(1)
}

/// The sizes of the workloads that scale, up to `most`, with the names of their metrics.
pub fn sizes(most: usize) -> impl Iterator<Item = (usize, String)> {
    let all = [
        (10, "10"),
        (1000, "1,000"),
        (100_000, "100,000"),
        (1_000_000, "1,000,000"),
    ];
    let sizes = all.into_iter().filter(move |(size, _)| *size <= most);
    sizes.map(|(size, name)| (size, format!("with {name}")))
}

/// The numbers of arms of a select that scales, with the names of their metrics.
pub fn arms() -> impl Iterator<Item = (usize, String)> {
    [2, 8, 64, 256]
        .into_iter()
        .map(|arms| (arms, format!("with {arms} arms")))
}

/// The prime that a sieve finds as number `n`, found otherwise.
pub fn prime(n: usize) -> u32 {
    let is_prime = |i: &u32| {
        (2..*i)
            .take_while(|d| d * d <= *i)
            .all(|d| !i.is_multiple_of(d))
    };
    let mut primes = (2..).filter(is_prime);
    primes.nth(n - 1).expect("primes do not end")
}
