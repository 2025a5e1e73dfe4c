//! Choosing among several channel operations: [`select!`](crate::select!), [`select_biased!`](crate::select_biased!), and
//! [`Select`] where the set is known at run time only.

mod arms;
mod error;
mod few;
mod macros;
mod order;
mod ready;
mod run;
mod selected;
mod set;

pub use arms::{Otherwise, RecvArm, SendArm, choose};
pub use error::{ReadyTimeoutError, SelectTimeoutError, TryReadyError, TrySelectError};
pub use selected::SelectedOperation;
pub use set::Select;
