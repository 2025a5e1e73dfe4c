//! Queues of unstarted goroutines, as crossbeam's, each step one access to shuttle's mutex.

use std::collections::VecDeque;
use std::sync::Arc;

use shuttle::sync::Mutex;

#[derive(Debug)]
pub enum Steal<T> {
    Empty,
    Success(T),
    Retry,
}

impl<T> Steal<T> {
    pub fn or_else(self, other: impl FnOnce() -> Steal<T>) -> Steal<T> {
        match (self, other) {
            (Steal::Empty, other) => other(),
            (Steal::Retry, other) => match other() {
                Steal::Success(value) => Steal::Success(value),
                _ => Steal::Retry,
            },
            (found, _) => found,
        }
    }
}

#[derive(Debug)]
struct Queue<T>(Mutex<VecDeque<T>>);

impl<T> Queue<T> {
    fn new() -> Queue<T> {
        Queue(Mutex::new(VecDeque::new()))
    }

    fn with<R>(&self, f: impl FnOnce(&mut VecDeque<T>) -> R) -> R {
        f(&mut self.0.lock().expect("nothing panics under it"))
    }

    /// Now and then it has to be tried again.
    fn steal(&self) -> Steal<T> {
        if shuttle::rand::Rng::gen_ratio(&mut shuttle::rand::thread_rng(), 1, 4) {
            return Steal::Retry;
        }
        self.with(VecDeque::pop_front)
            .map_or(Steal::Empty, Steal::Success)
    }
}

impl<T> Queue<T> {
    /// The first, and some more into another queue.
    fn steal_batch(&self, into: &Queue<T>, most: usize) -> Steal<T> {
        let first = self.steal();
        if let Steal::Success(_) = first {
            let count = self.with(|queue| queue.len()) / 2;
            for _ in 0..count.min(most.saturating_sub(1)) {
                let Some(value) = self.with(VecDeque::pop_front) else {
                    break;
                };
                into.with(|queue| queue.push_back(value));
            }
        }
        first
    }
}

#[derive(Debug)]
pub struct Injector<T>(Queue<T>);

impl<T> Default for Injector<T> {
    fn default() -> Injector<T> {
        Injector(Queue::new())
    }
}

impl<T> Injector<T> {
    pub fn new() -> Injector<T> {
        Injector::default()
    }

    pub fn push(&self, value: T) {
        self.0.with(|queue| queue.push_back(value));
    }

    pub fn len(&self) -> usize {
        self.0.with(|queue| queue.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn steal(&self) -> Steal<T> {
        self.0.steal()
    }

    pub fn steal_batch_with_limit_and_pop(&self, into: &Worker<T>, most: usize) -> Steal<T> {
        self.0.steal_batch(&into.0, most)
    }
}

#[derive(Debug)]
pub struct Worker<T>(Arc<Queue<T>>, Pop<T>);

type Pop<T> = fn(&mut VecDeque<T>) -> Option<T>;

impl<T> Worker<T> {
    pub fn new_fifo() -> Worker<T> {
        Worker(Arc::new(Queue::new()), VecDeque::pop_front)
    }

    pub fn new_lifo() -> Worker<T> {
        Worker(Arc::new(Queue::new()), VecDeque::pop_back)
    }

    pub fn len(&self) -> usize {
        self.0.with(|queue| queue.len())
    }

    pub fn stealer(&self) -> Stealer<T> {
        Stealer(self.0.clone())
    }

    pub fn push(&self, value: T) {
        self.0.with(|queue| queue.push_back(value));
    }

    pub fn pop(&self) -> Option<T> {
        self.0.with(self.1)
    }

    pub fn is_empty(&self) -> bool {
        self.0.with(|queue| queue.is_empty())
    }
}

#[derive(Debug)]
pub struct Stealer<T>(Arc<Queue<T>>);

impl<T> Stealer<T> {
    pub fn len(&self) -> usize {
        self.0.with(|queue| queue.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn steal(&self) -> Steal<T> {
        self.0.steal()
    }

    pub fn steal_batch_with_limit_and_pop(&self, into: &Worker<T>, most: usize) -> Steal<T> {
        self.0.steal_batch(&into.0, most)
    }
}
