//! The values of a context: a list that grows at its head and is shared from there on.

use std::any::Any;
use std::sync::Arc;

/// A list of values, each told apart by its type.
#[derive(Clone, Default)]
pub(super) struct Values(Option<Arc<Entry>>);

struct Entry {
    value: Box<dyn Any + Send + Sync>,
    rest: Values,
}

impl Values {
    pub(super) fn with<T: Any + Send + Sync>(&self, value: T) -> Values {
        Values(Some(Arc::new(Entry {
            value: Box::new(value),
            rest: self.clone(),
        })))
    }

    /// The last value of this type that was added.
    pub(super) fn get<T: Any>(&self) -> Option<&T> {
        let mut at = &self.0;
        while let Some(entry) = at {
            if let Some(value) = entry.value.downcast_ref() {
                return Some(value);
            }
            at = &entry.rest.0;
        }
        None
    }

    pub(super) fn len(&self) -> usize {
        std::iter::successors(self.0.as_deref(), |entry| entry.rest.0.as_deref()).count()
    }
}

impl Drop for Values {
    /// Entry by entry: a list may be longer than a stack is deep.
    fn drop(&mut self) {
        let mut at = self.0.take();
        while let Some(mut entry) = at.and_then(Arc::into_inner) {
            at = entry.rest.0.take();
        }
    }
}
