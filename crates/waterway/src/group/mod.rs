//! Goroutines that work on one thing: a group that fails as a whole, and calls that are shared by all who want them.

mod err_group;
mod member;
mod single_flight;
mod spawner;

pub use err_group::ErrGroup;
pub use single_flight::SingleFlight;
pub use spawner::Spawner;

// What a panic could leave half changed is behind locks that it unlocks, whole.
impl<E> std::panic::UnwindSafe for Spawner<E> {}
impl<E> std::panic::RefUnwindSafe for Spawner<E> {}
impl<K, V> std::panic::UnwindSafe for SingleFlight<K, V> {}
impl<K, V> std::panic::RefUnwindSafe for SingleFlight<K, V> {}
