//! Who waits behind a worker that one goroutine holds, in words.

use std::fmt;

use super::worker::Worker;

/// So many are named: whoever holds a std lock that the others want may be among them.
const NAMED: usize = 3;

pub(super) struct Behind {
    /// How many could go on.
    pub(super) ready: usize,
    /// How many have not started.
    pub(super) fresh: usize,
    /// Some of those that could go on.
    named: Vec<String>,
}

impl Behind {
    pub(super) fn of(worker: &Worker, fresh: usize) -> Behind {
        let (mut ready, mut named) = (0, Vec::new());
        worker.each_waiting_turn(|task| {
            ready += 1;
            if ready <= NAMED {
                let who = task.identity();
                named.push(format!("{who}, spawned at {}", who.site));
            }
        });
        Behind {
            ready,
            fresh,
            named,
        }
    }
}

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.ready + self.fresh, self.fresh) {
            (0, _) => return Ok(()),
            (1, 0) => write!(f, "; 1 goroutine waits behind it")?,
            (1, _) => write!(f, "; 1 goroutine waits behind it, not started")?,
            (all, 0) => write!(f, "; {all} goroutines wait behind it")?,
            (all, fresh) => write!(
                f,
                "; {all} goroutines wait behind it, {fresh} of them not started"
            )?,
        }
        if self.named.is_empty() {
            return Ok(());
        }
        let others = match self.ready > self.named.len() {
            true => "; …",
            false => "",
        };
        write!(f, " ({}{others})", self.named.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(ready: usize, fresh: usize, named: &[&str]) -> String {
        let named = named.iter().map(ToString::to_string).collect();
        Behind {
            ready,
            fresh,
            named,
        }
        .to_string()
    }

    #[test]
    fn who_waits_behind_is_counted_in_words() {
        assert_eq!(told(0, 0, &[]), "");
        assert_eq!(told(1, 0, &[]), "; 1 goroutine waits behind it");
        assert_eq!(
            told(0, 1, &[]),
            "; 1 goroutine waits behind it, not started"
        );
        assert_eq!(told(2, 0, &[]), "; 2 goroutines wait behind it");
        assert_eq!(
            told(1, 2, &[]),
            "; 3 goroutines wait behind it, 2 of them not started"
        );
    }

    #[test]
    fn some_are_named() {
        assert_eq!(
            told(1, 0, &["goroutine 3"]),
            "; 1 goroutine waits behind it (goroutine 3)"
        );
        assert_eq!(
            told(3, 1, &["goroutine 3", "goroutine 5"]),
            "; 4 goroutines wait behind it, 1 of them not started (goroutine 3; goroutine 5; …)"
        );
    }
}
