//! What the tour shows of the compiler's refusal is what the compiler says.

#[path = "../../crates/waterway/tests/rustc/mod.rs"]
mod rustc;

#[test]
fn an_unprotected_write_does_not_compile() {
    rustc::refused("examples", &["examples/unprotected.rs".into()]);
}
