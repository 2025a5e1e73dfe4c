//! Work of a known size.

use std::time::Duration;

use crate::Clock;

/// Steps of `compute` in a microsecond of a core of some 2.5 GHz. What counts is that Go does as many.
const STEPS: usize = 500;

/// How many steps make `n` microseconds.
pub const fn micros(n: usize) -> usize {
    n * STEPS
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
