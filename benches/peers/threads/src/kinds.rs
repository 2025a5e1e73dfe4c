//! The kinds of channels.

use std::sync::mpsc;

pub trait Kind: 'static {
    type Tx<T: Send + 'static>: Clone + Send + 'static;
    type Rx<T: Send + 'static>: Send + 'static;

    fn chan<T: Send + 'static>(cap: usize) -> (Self::Tx<T>, Self::Rx<T>);
    fn send<T: Send + 'static>(tx: &Self::Tx<T>, value: T) -> bool;
    fn recv<T: Send + 'static>(rx: &Self::Rx<T>) -> Option<T>;
    fn try_recv<T: Send + 'static>(rx: &Self::Rx<T>) -> Option<T>;
}

/// A kind whose receivers can be shared.
pub trait Shared: Kind {
    fn share<T: Send + 'static>(rx: &Self::Rx<T>) -> Self::Rx<T>;
}

pub struct Std;

impl Kind for Std {
    type Tx<T: Send + 'static> = mpsc::SyncSender<T>;
    type Rx<T: Send + 'static> = mpsc::Receiver<T>;

    fn chan<T: Send + 'static>(cap: usize) -> (mpsc::SyncSender<T>, mpsc::Receiver<T>) {
        mpsc::sync_channel(cap)
    }
    fn send<T: Send + 'static>(tx: &mpsc::SyncSender<T>, value: T) -> bool {
        tx.send(value).is_ok()
    }
    fn recv<T: Send + 'static>(rx: &mpsc::Receiver<T>) -> Option<T> {
        rx.recv().ok()
    }
    fn try_recv<T: Send + 'static>(rx: &mpsc::Receiver<T>) -> Option<T> {
        rx.try_recv().ok()
    }
}

/// The crates spell it alike, but for kanal, whose `try_recv` gives an option more.
macro_rules! kind {
    ($name:ident, $lib:ident) => {
        pub struct $name;

        impl Kind for $name {
            type Tx<T: Send + 'static> = $lib::Sender<T>;
            type Rx<T: Send + 'static> = $lib::Receiver<T>;

            fn chan<T: Send + 'static>(cap: usize) -> ($lib::Sender<T>, $lib::Receiver<T>) {
                $lib::bounded(cap)
            }
            fn send<T: Send + 'static>(tx: &$lib::Sender<T>, value: T) -> bool {
                tx.send(value).is_ok()
            }
            fn recv<T: Send + 'static>(rx: &$lib::Receiver<T>) -> Option<T> {
                rx.recv().ok()
            }
            fn try_recv<T: Send + 'static>(rx: &$lib::Receiver<T>) -> Option<T> {
                rx.try_recv().ok().and_then::<T, _>(Into::into)
            }
        }

        impl Shared for $name {
            fn share<T: Send + 'static>(rx: &$lib::Receiver<T>) -> $lib::Receiver<T> {
                rx.clone()
            }
        }
    };
}

kind!(Crossbeam, crossbeam_channel);
kind!(Flume, flume);
kind!(Kanal, kanal);
