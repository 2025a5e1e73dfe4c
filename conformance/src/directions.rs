//! What the compiler refuses to select. Go's `test/chan/perm.go`, the arms of its select.
//!
//! ```
//! let (tx, rx) = waterway::chan::<i32>(1);
//! waterway::select! { send(tx, 0) -> _ => {} }
//! waterway::select! { recv(rx) -> _ => {} }
//! ```
//!
//! A receiver in place of the sender, and nothing else changed:
//!
//! ```compile_fail,E0308
//! let (tx, rx) = waterway::chan::<i32>(1);
//! waterway::select! { send(rx, 0) -> _ => {} }
//! waterway::select! { recv(rx) -> _ => {} }
//! ```
//!
//! A sender in place of the receiver:
//!
//! ```compile_fail,E0308
//! let (tx, rx) = waterway::chan::<i32>(1);
//! waterway::select! { send(tx, 0) -> _ => {} }
//! waterway::select! { recv(tx) -> _ => {} }
//! ```
//!
//! A message of another type:
//!
//! ```compile_fail,E0308
//! let (tx, rx) = waterway::chan::<i32>(1);
//! waterway::select! { send(tx, "text") -> _ => {} }
//! waterway::select! { recv(rx) -> _ => {} }
//! ```
