//! The queue of unstarted goroutines from elsewhere, as crossbeam's, each step one access to shuttle's mutex.

use std::collections::VecDeque;
use std::sync::Arc;

use shuttle::sync::Mutex;

#[derive(Debug)]
pub enum Steal<T> {
    Empty,
    Success(T),
    Retry,
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
}
