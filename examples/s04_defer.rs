//! S4: `defer!` runs at the end of the scope, in reverse order.
//!
//! On a plain return, when `?` leaves early, and when a panic unwinds: "first" was deferred first and runs last.

use std::num::ParseIntError;
use waterway::{defer, go};

/// Leaves a function in three ways; its deferred blocks run every time.
pub fn main() {
    // tour:begin
    fn parse(how: &'static str, text: &str) -> Result<i32, ParseIntError> {
        defer! { println!("{how}: first deferred, runs last") }
        defer! { println!("{how}: second deferred, runs first") }
        if text.is_empty() {
            panic!("nothing to parse");
        }
        let number = text.parse()?;
        println!("{how}: the body ends");
        Ok(number)
    }

    assert!(parse("return", "7").is_ok());
    assert!(parse("error", "seven").is_err());
    assert!(go(|| parse("panic", "")).join().is_err());
    // tour:end
    println!("main ends");
}
