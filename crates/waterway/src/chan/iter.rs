//! Iteration over what arrives.

use super::Receiver;

/// What arrives, until the channel is closed and empty: from [`Receiver::iter`].
///
/// ```
/// let (tx, rx) = waterway::chan(0);
/// waterway::go(move || (1..=3).for_each(|n| tx.send(n).unwrap()));
/// let mut values: waterway::chan::Iter<'_, i32> = rx.iter();
/// assert_eq!((values.next(), values.sum()), (Some(1), 5));
/// ```
///
/// Go: `for value := range ch`.
#[derive(Debug)]
pub struct Iter<'a, T>(pub(super) &'a Receiver<T>);

/// What is there now: from [`Receiver::try_iter`].
///
/// ```
/// let (tx, rx) = waterway::chan(2);
/// tx.send(1).unwrap();
/// tx.send(2).unwrap();
/// let values: waterway::chan::TryIter<'_, i32> = rx.try_iter();
/// assert_eq!(values.collect::<Vec<_>>(), [1, 2]);
/// # drop(tx);
/// ```
///
/// Go: a `select` with a `default`, again and again.
#[derive(Debug)]
pub struct TryIter<'a, T>(pub(super) &'a Receiver<T>);

/// What arrives, until the channel is closed and empty: from `into_iter` of a [`Receiver`].
///
/// ```
/// let (tx, rx) = waterway::chan(0);
/// waterway::go(move || (1..=3).for_each(|n| tx.send(n).unwrap()));
/// let values: waterway::chan::IntoIter<i32> = rx.into_iter();
/// assert_eq!(values.collect::<Vec<_>>(), [1, 2, 3]);
/// ```
///
/// Go: `for value := range ch`.
#[derive(Debug)]
pub struct IntoIter<T>(Receiver<T>);

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self)
    }
}
