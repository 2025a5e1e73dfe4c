//! A reader reads again while a writer stands in line between.

use std::sync::Arc;

use waterway::sync::RwLock;
use waterway::{chan, yield_now};

use super::Outcome::Stuck;
use super::{Crew, Kernel, fixed, idiomatic, literal, until_a_writer_waits};

const BOTH: &[&str] = &["G1", "G2"];

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        id: "cockroach16167",
        class: "RWR",
        forms: &[
            idiomatic(Stuck(BOTH), cockroach16167_idiomatic),
            literal(Stuck(BOTH), cockroach16167_literal),
            fixed(cockroach16167_fixed),
        ],
    },
    Kernel {
        id: "cockroach6181",
        class: "RWR",
        forms: &[
            idiomatic(Stuck(&["G1", "G2", "G3"]), cockroach6181_idiomatic),
            literal(Stuck(&["G1", "G2", "G3"]), cockroach6181_literal),
            fixed(cockroach6181_fixed),
        ],
    },
    Kernel {
        id: "kubernetes62464",
        class: "RWR",
        forms: &[
            idiomatic(Stuck(BOTH), kubernetes62464_idiomatic),
            literal(Stuck(BOTH), kubernetes62464_literal),
            fixed(kubernetes62464_fixed),
        ],
    },
];

// cockroach16167: a statement runs under the read lock of the configuration, and reads it; an update comes between.

fn cockroach16167_idiomatic(crew: &Crew) {
    let config = Arc::new(RwLock::new(1));
    let (other, (begun, begins)) = (config.clone(), chan::<()>(0));
    crew.go("G1", move || {
        let running = config.read();
        drop(begun);
        until_a_writer_waits(&config);
        let database = *config.read();
        assert_eq!(database, *running);
    });
    crew.go("G2", move || {
        let _ = begins.recv();
        *other.write() += 1;
    });
}

fn cockroach16167_literal(crew: &Crew) {
    struct Executor {
        system_config_mu: RwLock<()>,
    }
    impl Executor {
        fn exec_parsed(&self) {
            let _lock = self.system_config_mu.read();
            until_a_writer_waits(&self.system_config_mu);
            self.prepare();
        }
        fn prepare(&self) {
            self.get_database_cache();
        }
        fn get_database_cache(&self) {
            let _lock = self.system_config_mu.read();
        }
        fn update_system_config(&self) {
            // Not before the other reads.
            while self.system_config_mu.try_write().is_some() {
                yield_now();
            }
            let _lock = self.system_config_mu.write();
        }
    }
    let executor = Arc::new(Executor {
        system_config_mu: RwLock::new(()),
    });
    let other = executor.clone();
    crew.go("G1", move || executor.exec_parsed());
    crew.go("G2", move || other.update_system_config());
}

fn cockroach16167_fixed(crew: &Crew) {
    let config = Arc::new(RwLock::new(1));
    let (other, (begun, begins)) = (config.clone(), chan::<()>(0));
    crew.go("G1", move || {
        let running = config.read();
        drop(begun);
        until_a_writer_waits(&config);
        // What was read goes down with the call.
        let database = *running;
        assert_eq!(database, 1);
    });
    crew.go("G2", move || {
        let _ = begins.recv();
        *other.write() += 1;
    });
}

// cockroach6181: a lookup prints the cache under its read lock, which reads again; then it writes. Three of them.

fn cockroach6181_idiomatic(crew: &Crew) {
    struct Cache(RwLock<Vec<String>>);
    impl Cache {
        fn text(&self) -> String {
            self.0.read().concat()
        }
    }
    let cache = Arc::new(Cache(RwLock::new(vec!["something".into()])));
    for name in ["G1", "G2"] {
        let cache = cache.clone();
        crew.go(name, move || {
            let ranges = cache.0.read();
            until_a_writer_waits(&cache.0);
            let text = cache.text();
            drop(ranges);
            cache.0.write().push(text);
        });
    }
    // One that came through.
    crew.go("G3", move || {
        while cache.0.try_write().is_some() {
            yield_now();
        }
        cache.0.write().push("more".into());
    });
}

fn cockroach6181_literal(crew: &Crew) {
    struct Cache {
        range_cache_mu: RwLock<()>,
    }
    impl Cache {
        fn lookup(&self) {
            let lock = self.range_cache_mu.read();
            until_a_writer_waits(&self.range_cache_mu);
            self.string();
            drop(lock);
            drop(self.range_cache_mu.write());
        }
        fn string(&self) {
            let _lock = self.range_cache_mu.read();
        }
        fn insert(&self) {
            while self.range_cache_mu.try_write().is_some() {
                yield_now();
            }
            let _lock = self.range_cache_mu.write();
        }
    }
    let cache = Arc::new(Cache {
        range_cache_mu: RwLock::new(()),
    });
    for name in ["G1", "G2"] {
        let cache = cache.clone();
        crew.go(name, move || cache.lookup());
    }
    crew.go("G3", move || cache.insert());
}

fn cockroach6181_fixed(crew: &Crew) {
    let cache = Arc::new(RwLock::new(vec![String::from("something")]));
    for name in ["G1", "G2", "G3"] {
        let cache = cache.clone();
        crew.go(name, move || {
            let text = cache.read().concat();
            yield_now();
            cache.write().push(text);
        });
    }
}

// kubernetes62464: a state reads whether there is a set, and then the default, each under the read lock of the whole.

fn kubernetes62464_idiomatic(crew: &Crew) {
    struct State(RwLock<(Option<u32>, u32)>);
    impl State {
        fn set(&self) -> Option<u32> {
            self.0.read().0
        }
        fn set_or_default(&self) -> u32 {
            let state = self.0.read();
            until_a_writer_waits(&self.0);
            self.set().unwrap_or(state.1)
        }
    }
    let state = Arc::new(State(RwLock::new((None, 7))));
    let other = state.clone();
    crew.go("G1", move || {
        state.set_or_default();
    });
    crew.go("G2", move || {
        while other.0.try_write().is_some() {
            yield_now();
        }
        other.0.write().1 = 8;
    });
}

fn kubernetes62464_literal(crew: &Crew) {
    struct StateMemory(RwLock<()>);
    impl StateMemory {
        fn get_cpu_set_or_default(&self) {
            let _lock = self.0.read();
            if self.get_cpu_set() {
                return;
            }
            self.get_default_cpu_set();
        }
        fn get_cpu_set(&self) -> bool {
            until_a_writer_waits(&self.0);
            let _lock = self.0.read();
            false
        }
        fn get_default_cpu_set(&self) {
            let _lock = self.0.read();
        }
        fn set_default_cpu_set(&self) {
            while self.0.try_write().is_some() {
                yield_now();
            }
            let _lock = self.0.write();
        }
    }
    let state = Arc::new(StateMemory(RwLock::new(())));
    let other = state.clone();
    crew.go("G1", move || state.get_cpu_set_or_default());
    crew.go("G2", move || other.set_default_cpu_set());
}

fn kubernetes62464_fixed(crew: &Crew) {
    let state = Arc::new(RwLock::new((None, 7)));
    let other = state.clone();
    crew.go("G1", move || {
        let state = state.read();
        yield_now();
        let set: Option<u32> = state.0;
        assert!(set.unwrap_or(state.1) > 0);
    });
    crew.go("G2", move || other.write().1 = 8);
}
