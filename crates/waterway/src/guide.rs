//! Waterway for those who come from elsewhere, and what to do when writers are faster than readers. The examples run with the tests.

#[doc = include_str!("../docs/for-go-programmers.md")]
pub mod for_go_programmers {}

#[doc = include_str!("../docs/for-tokio-users.md")]
pub mod for_tokio_users {}

#[doc = include_str!("../docs/flow.md")]
pub mod flow {}

#[cfg(feature = "tracing")]
#[doc = include_str!("../docs/events.md")]
pub mod events {}
