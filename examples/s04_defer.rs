//! S4: `defer!` runs at the end of its scope, in reverse order: on return, on `?`, and when a panic unwinds.

use waterway::{defer, go};

// tour:begin
fn parse(text: &str) -> Result<i32, std::num::ParseIntError> {
    defer! { println!("{text}: deferred first, runs last") }
    defer! { println!("{text}: deferred last, runs first") }
    let number = text.parse()?;
    println!("{text}: parsed");
    Ok(number)
}
// tour:end

/// Leaves scopes in three ways.
pub fn main() {
    println!("{:?}", parse("7").is_ok());
    println!("{:?}", parse("x").is_ok());
    std::panic::set_hook(Box::new(|_| {}));
    let end = go(|| {
        defer! { println!("panic: deferred") }
        panic!("on purpose");
    });
    println!("panicked: {}", end.join().is_err());
}
