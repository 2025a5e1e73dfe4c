//! What the tour shows of the compiler's refusal is what the compiler says.

#[test]
fn an_unprotected_write_does_not_compile() {
    trybuild::TestCases::new().compile_fail("unprotected.rs");
}
