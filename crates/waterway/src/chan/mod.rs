//! Channels: typed queues between goroutines, threads and async tasks.
//!
//! [`chan`] makes one; its ends are [`Sender`] and [`Receiver`]. Both can be cloned, and moved anywhere. Dropping the last
//! sender closes the channel: receivers get what is still buffered, then an error. Dropping the last receiver closes it too:
//! what is buffered is dropped, and sends fail with their value handed back. `close` on either end does the same early.
//!
//! Goroutines, threads and tasks (with [`Sender::send_async`], [`Receiver::recv_async`]) may use one channel together.
//!
//! An unbuffered channel has nowhere to put a value. So `try_send` on it succeeds only if a goroutine or thread is waiting
//! in a receive or `select`; waiting async tasks, which fetch values themselves, do not count. `try_recv` likewise finds
//! the value of a blocked send, but not that of a blocked `select`, whose message is not made yet.

mod backlog;
mod block;
mod builder;
mod codel;
mod core;
mod door;
mod end;
mod error;
pub(crate) mod future;
mod grant;
mod handle;
mod iter;
mod meet;
mod ops;
mod overflow;
mod policy;
mod port;
mod quick;
mod receiver;
mod ring;
mod sender;
mod settle;
mod shed;
mod slot;
mod stand;
mod statistics;
#[cfg(feature = "tracing")]
mod told;
mod wakes;
mod watch;
mod weak;

pub(crate) use builder::chan_of_many;
pub use builder::{Builder, builder, chan, never, unbounded};
pub(crate) use error::{CLOSED_RECV, CLOSED_SEND};
pub use error::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};
pub use future::{RecvFuture, SendFuture};
pub use iter::{IntoIter, Iter, TryIter};
pub use overflow::{Cause, Overflow, Shed};
pub use receiver::Receiver;
pub use sender::Sender;
pub use statistics::{ByCause, BySender, Statistics};
pub use weak::WeakSender;

pub(crate) use core::{HANDED_AT, Queues};
pub(crate) use policy::tallies;
pub(crate) use port::{Caller, Looked, Port, RecvPort, SendPort, Tried};
pub(crate) use sender::Unsent;
pub(crate) use wakes::WakeList;
