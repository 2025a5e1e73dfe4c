//! The attributes `#[waterway::main]` and `#[waterway::test]`.
