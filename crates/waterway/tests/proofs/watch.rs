//! Waits for verdicts, beside somebody who goes on all the time.

use std::time::{Duration, Instant};

use waterway::time::sleep;
use waterway::watch::{Verdict, VerdictKind, on_verdict, verdicts};
use waterway::{Builder, JoinHandle, Receiver, chan, go};

use crate::child::SOON;

/// So long nothing may be proved. Whoever looks for cycles has looked many times by then.
const QUIET: Duration = Duration::from_millis(400);

/// Waits for a verdict.
pub struct Watch(pub Receiver<(Verdict, Instant)>);

impl Watch {
    pub fn new() -> Watch {
        let (tx, rx) = chan(100);
        on_verdict(move |verdict| drop(tx.send((verdict.clone(), Instant::now()))));
        // Somebody goes on all the time.
        go(|| {
            loop {
                sleep(Duration::from_millis(3));
            }
        });
        Watch(rx)
    }

    /// The next verdict must come soon, be of that kind, and name these goroutines; in any order, unless it is a cycle of two.
    #[track_caller]
    pub fn says(&self, kind: VerdictKind, names: &[&str]) -> Verdict {
        let (verdict, _) = self.0.recv_timeout(SOON).expect("a verdict soon");
        assert_eq!(verdict.kind, kind, "{verdict:#?}");
        let mut named: Vec<_> = verdict
            .parties
            .iter()
            .filter_map(|p| p.name.as_deref())
            .collect();
        named.sort_unstable();
        assert_eq!(named, names, "{verdict:#?}");
        for party in &verdict.parties {
            assert!(
                party.waits.is_some() && party.spawned_at.is_some(),
                "{party:#?}"
            );
        }
        verdict
    }

    /// Nothing may be proved.
    #[track_caller]
    pub fn says_nothing(&self) {
        let verdict = self.0.recv_timeout(QUIET);
        assert!(verdict.is_err(), "{verdict:#?}");
        assert!(verdicts().is_empty());
    }
}

pub fn named<T: Send + 'static>(
    name: &str,
    f: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    Builder::new().name(name).go(f)
}
