//! How long tests wait for what must come. No test depends on how fast a machine is: these tell a hang from a busy one.
#![allow(dead_code)] // Each binary uses a part.

use std::time::Duration;

/// What runs for longer hangs, however busy the machine may be.
pub const LONG: Duration = Duration::from_secs(120);
/// What takes longer within a program hangs: the program says so before it is ended itself.
pub const SOON: Duration = Duration::from_secs(60);
