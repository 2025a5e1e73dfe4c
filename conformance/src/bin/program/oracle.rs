//! t
pub const PROGRAMS: &[(&str, fn())] = &[];
