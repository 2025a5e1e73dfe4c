//! The rule of CoDel (RFC 8289), as "Fail at Scale" has it: a queue is good when it is empty or lets a value go that waited for
//! less than the target. If it has not been good for an interval, what waited for more than twice the target goes.

use std::time::Duration;

/// Nanoseconds on the runtime's clock, and of time. Guarded by the channel's lock.
#[derive(Debug)]
pub(super) struct CoDel {
    target: u64,
    interval: u64,
    /// When the queue was good last.
    good: u64,
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

impl CoDel {
    pub(super) fn new(target: Duration, interval: Duration, now: u64) -> CoDel {
        CoDel {
            target: nanos(target),
            interval: nanos(interval),
            good: now,
        }
    }

    /// The same queue, by another target and interval.
    pub(super) fn with(&self, target: Duration, interval: Duration) -> CoDel {
        CoDel::new(target, interval, self.good)
    }

    /// A value came into an empty queue.
    pub(super) fn was_empty(&mut self, now: u64) {
        self.good = self.good.max(now);
    }

    /// A value goes that waited so long: true if it is to be shed.
    pub(super) fn is_late(&mut self, now: u64, waited: u64) -> bool {
        if waited < self.target {
            self.good = self.good.max(now);
            return false;
        }
        self.is_overloaded(now) && waited > self.target.saturating_mul(2)
    }

    /// True if the queue stands.
    pub(super) fn is_overloaded(&self, now: u64) -> bool {
        now.saturating_sub(self.good) >= self.interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// A reader that takes a value every `service`, from a queue that values enter at `arrivals`. When each was taken, how long
    /// it waited, and whether it was shed; who is shed takes no time.
    fn run(arrivals: &[u64], service: u64) -> Vec<(u64, u64, bool)> {
        let mut rule = CoDel::new(Duration::from_millis(5), Duration::from_millis(100), 0);
        let mut served = Vec::new();
        let (mut entered, mut free) = (0, 0);
        for (index, &came) in arrivals.iter().enumerate() {
            let now = free.max(came);
            // Those that have come by now; the first of them may find the queue empty.
            while entered < arrivals.len() && arrivals[entered] <= now {
                if entered == index {
                    rule.was_empty(arrivals[entered]);
                }
                entered += 1;
            }
            let waited = now - came;
            let last = entered == index + 1;
            let shed = rule.is_late(now, waited) && !last;
            served.push((now, waited, shed));
            free = if shed { now } else { now + service };
        }
        served
    }

    fn shed(served: &[(u64, u64, bool)]) -> usize {
        served.iter().filter(|(_, _, shed)| *shed).count()
    }

    #[test]
    fn below_the_target_nothing_is_shed() {
        // Each waits for 4 ms behind those that came with it, for ten seconds.
        let arrivals: Vec<u64> = (0..1000).flat_map(|n| [n * 10 * MS; 5]).collect();
        let served = run(&arrivals, MS);
        assert!(served.iter().all(|(_, waited, _)| *waited < 5 * MS));
        assert_eq!(shed(&served), 0);
    }

    #[test]
    fn a_standing_queue_is_shed_down_to_the_target() {
        // Twice as many as can be served.
        let arrivals: Vec<u64> = (0..4000).map(|n| n * MS / 2).collect();
        let served = run(&arrivals, MS);
        let (early, late): (Vec<_>, Vec<_>) =
            served.iter().partition(|(now, _, _)| *now < 100 * MS);
        assert!(
            early.iter().all(|(_, _, shed)| !shed),
            "an interval must pass first"
        );
        assert!(late.iter().any(|(_, _, shed)| *shed));
        let steady = late
            .iter()
            .filter(|(now, _, shed)| (300 * MS..1900 * MS).contains(now) && !shed);
        let most = steady.map(|(_, waited, _)| *waited).max().unwrap();
        assert!(
            most <= 10 * MS,
            "nobody is served who waited for more than twice the target: {most}"
        );
    }

    #[test]
    fn a_burst_shorter_than_an_interval_is_not_shed() {
        // 90 at once, which take 90 ms, then quiet; again and again.
        let arrivals: Vec<u64> = (0..10).flat_map(|n| [n * 200 * MS; 90]).collect();
        assert_eq!(shed(&run(&arrivals, MS)), 0);
        // 150 at once take longer than the interval.
        assert!(shed(&run(&[0; 150], MS)) > 0);
    }

    #[test]
    fn one_quick_value_makes_the_queue_good_again() {
        let mut rule = CoDel::new(Duration::from_millis(5), Duration::from_millis(100), 0);
        assert!(rule.is_late(100 * MS, 11 * MS));
        assert!(!rule.is_late(101 * MS, 4 * MS));
        assert!(!rule.is_late(200 * MS, 11 * MS));
        assert!(rule.is_late(201 * MS, 11 * MS));
        // Over the target, but not twice.
        assert!(!rule.is_late(202 * MS, 10 * MS));
    }

    #[test]
    fn an_empty_queue_is_good_however_long_nobody_came() {
        let mut rule = CoDel::new(Duration::from_millis(5), Duration::from_millis(100), 0);
        rule.was_empty(10_000 * MS);
        assert!(!rule.is_late(10_020 * MS, 20 * MS));
    }
}
