//! The samples of one window: what several looks say together.

use std::collections::VecDeque;
use std::time::Duration;

/// What one look found.
pub(super) trait Sampled {
    /// When it was, in nanoseconds.
    fn at(&self) -> u64;
}

/// Samples from the beginning of a window to the last look.
pub(super) struct History<S> {
    samples: VecDeque<S>,
}

impl<S: Sampled> History<S> {
    /// With no more than the sample of an earlier look, if there was one.
    pub(super) fn new(before: Option<S>) -> History<S> {
        History {
            samples: before.into_iter().collect(),
        }
    }

    /// Adds one, and forgets those from before the window, of so many nanoseconds, that ends with it. One that is as old as the window, or
    /// older, stays: it begins the window.
    pub(super) fn add(&mut self, sample: S, window: u64) {
        let now = sample.at();
        self.samples.push_back(sample);
        while self.samples.len() > 2 && now - self.samples[1].at() >= window {
            self.samples.pop_front();
        }
    }

    pub(super) fn samples(&self) -> &VecDeque<S> {
        &self.samples
    }

    pub(super) fn last(&self) -> Option<&S> {
        self.samples.back()
    }

    /// The first and the last one.
    pub(super) fn ends(&self) -> Option<(&S, &S)> {
        self.samples.front().zip(self.samples.back())
    }

    /// The same, if there is a whole window between them.
    pub(super) fn whole(&self, window: u64) -> Option<(&S, &S)> {
        self.ends()
            .filter(|(first, last)| last.at() - first.at() >= window)
    }

    /// How long it is.
    pub(super) fn span(&self) -> Duration {
        let nanos = self.ends().map(|(first, last)| last.at() - first.at());
        Duration::from_nanos(nanos.unwrap_or(0))
    }

    /// How much a second that is.
    pub(super) fn a_second(&self, count: u64) -> f64 {
        match self.span() {
            Duration::ZERO => 0.0,
            span => count as f64 / span.as_secs_f64(),
        }
    }

    /// In which share of them it is so, from 0 to 1.
    pub(super) fn share(&self, is_so: impl Fn(&S) -> bool) -> f64 {
        let count = self.samples.iter().filter(|sample| is_so(sample)).count();
        count as f64 / self.samples.len().max(1) as f64
    }

    /// True if a number still rises that is `now.1` at the time `now.0`: it was higher in the last tenth of the window, this look
    /// included, than at any look before. One that goes up and down about a mean seldom is.
    pub(super) fn rises(&self, number: impl Fn(&S) -> u64, now: (u64, u64), window: u64) -> bool {
        let (mut earlier, mut latest) = (None, now.1);
        for sample in &self.samples {
            if sample.at() + window / 10 >= now.0 {
                latest = latest.max(number(sample));
            } else {
                earlier = earlier.max(Some(number(sample)));
            }
        }
        earlier.is_some_and(|earlier| latest > earlier)
    }
}
