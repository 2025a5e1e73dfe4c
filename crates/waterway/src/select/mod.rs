//! Choosing among several channel operations: [`select!`](crate::select!), [`select_biased!`](crate::select_biased!), and
//! [`Select`] where the set is known at run time only.

mod arms;
mod few;
mod macros;
mod order;
mod ready;
mod run;
mod set;

pub use arms::{Otherwise, RecvArm, SendArm, choose};
pub use set::{ReadyTimeoutError, TryReadyError};
pub use set::{Select, SelectTimeoutError, SelectedOperation, TrySelectError};
