//! The kinds of channels.

use tokio::sync::mpsc;

/// A channel of async tasks. The last sender dropped closes it.
pub trait Kind: 'static {
    type Tx<T: Send + 'static>: Clone + Send + Sync + 'static;
    type Rx<T: Send + 'static>: Send + Sync + 'static;

    /// A channel of that capacity, 0 being unbuffered, or the nearest that there is.
    fn chan<T: Send + 'static>(cap: usize) -> (Self::Tx<T>, Self::Rx<T>);
    /// False: the receivers are gone.
    fn send<T: Send + 'static>(tx: &Self::Tx<T>, value: T) -> impl Future<Output = bool> + Send;
    /// `None`: closed and empty.
    fn recv<T: Send + 'static>(rx: &mut Self::Rx<T>) -> impl Future<Output = Option<T>> + Send;
}

/// A kind whose receivers can be shared.
pub trait Shared: Kind {
    fn share<T: Send + 'static>(rx: &Self::Rx<T>) -> Self::Rx<T>;
}

pub struct Mpsc;

impl Kind for Mpsc {
    type Tx<T: Send + 'static> = mpsc::Sender<T>;
    type Rx<T: Send + 'static> = mpsc::Receiver<T>;

    fn chan<T: Send + 'static>(cap: usize) -> (mpsc::Sender<T>, mpsc::Receiver<T>) {
        mpsc::channel(cap.max(1))
    }
    async fn send<T: Send + 'static>(tx: &mpsc::Sender<T>, value: T) -> bool {
        tx.send(value).await.is_ok()
    }
    async fn recv<T: Send + 'static>(rx: &mut mpsc::Receiver<T>) -> Option<T> {
        rx.recv().await
    }
}

pub struct Flume;

impl Kind for Flume {
    type Tx<T: Send + 'static> = flume::Sender<T>;
    type Rx<T: Send + 'static> = flume::Receiver<T>;

    fn chan<T: Send + 'static>(cap: usize) -> (flume::Sender<T>, flume::Receiver<T>) {
        flume::bounded(cap)
    }
    async fn send<T: Send + 'static>(tx: &flume::Sender<T>, value: T) -> bool {
        tx.send_async(value).await.is_ok()
    }
    async fn recv<T: Send + 'static>(rx: &mut flume::Receiver<T>) -> Option<T> {
        rx.recv_async().await.ok()
    }
}

impl Shared for Flume {
    fn share<T: Send + 'static>(rx: &flume::Receiver<T>) -> flume::Receiver<T> {
        rx.clone()
    }
}

pub struct Kanal;

impl Kind for Kanal {
    type Tx<T: Send + 'static> = kanal::AsyncSender<T>;
    type Rx<T: Send + 'static> = kanal::AsyncReceiver<T>;

    fn chan<T: Send + 'static>(cap: usize) -> (kanal::AsyncSender<T>, kanal::AsyncReceiver<T>) {
        kanal::bounded_async(cap)
    }
    async fn send<T: Send + 'static>(tx: &kanal::AsyncSender<T>, value: T) -> bool {
        tx.send(value).await.is_ok()
    }
    async fn recv<T: Send + 'static>(rx: &mut kanal::AsyncReceiver<T>) -> Option<T> {
        rx.recv().await.ok()
    }
}

impl Shared for Kanal {
    fn share<T: Send + 'static>(rx: &kanal::AsyncReceiver<T>) -> kanal::AsyncReceiver<T> {
        rx.clone()
    }
}

pub struct AsyncChannel;

impl Kind for AsyncChannel {
    type Tx<T: Send + 'static> = async_channel::Sender<T>;
    type Rx<T: Send + 'static> = async_channel::Receiver<T>;

    fn chan<T: Send + 'static>(cap: usize) -> (Self::Tx<T>, Self::Rx<T>) {
        async_channel::bounded(cap.max(1))
    }
    async fn send<T: Send + 'static>(tx: &async_channel::Sender<T>, value: T) -> bool {
        tx.send(value).await.is_ok()
    }
    async fn recv<T: Send + 'static>(rx: &mut async_channel::Receiver<T>) -> Option<T> {
        rx.recv().await.ok()
    }
}

impl Shared for AsyncChannel {
    fn share<T: Send + 'static>(rx: &async_channel::Receiver<T>) -> async_channel::Receiver<T> {
        rx.clone()
    }
}
