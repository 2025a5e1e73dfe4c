//! Go's `test/chan/powser1.go` and `powser2.go`: power series by demand, over networks of goroutines with feedback.

#![forbid(unsafe_code)]

use waterway_conformance::bound;
use waterway_conformance::power_series::{
    Rational, add, differentiate, exp, integrate, mul, polynomial, repeat, scale, substitute,
};

const N: usize = 10;

fn fractions<const M: usize>(terms: [(i64, i64); M]) -> Vec<Rational> {
    terms.map(|(num, den)| Rational::new(num, den)).into()
}

/// Go: test/chan/powser1.go, powser2.go: Ones, Add, CMul, Sub.
#[waterway::test]
fn sums() {
    let _bound = bound();
    assert_eq!(repeat(1).terms(N), [Rational::from(1); N]);
    assert_eq!(add(repeat(1), repeat(1)).terms(N), [Rational::from(2); N]);
    assert_eq!(add(repeat(1), repeat(2)).terms(N), [Rational::from(3); N]);
    assert_eq!(scale(-1, repeat(2)).terms(N), [Rational::from(-2); N]);
    assert_eq!(
        add(repeat(1), scale(-1, repeat(2))).terms(N),
        [Rational::from(-1); N]
    );
}

/// Go: test/chan/powser1.go, powser2.go: Diff, Integ, Mul.
#[waterway::test]
fn products_and_integrals() {
    let _bound = bound();
    let naturals: Vec<Rational> = (1..=N as i64).map(Rational::from).collect();
    assert_eq!(differentiate(repeat(1)).terms(N), naturals);
    assert_eq!(mul(repeat(1), repeat(1)).terms(N), naturals);
    let mut inverses = vec![Rational::from(0)];
    inverses.extend((1..N as i64).map(|n| Rational::new(1, n)));
    assert_eq!(integrate(0, repeat(1)).terms(N), inverses);
}

/// Go: test/chan/powser1.go, powser2.go: Exp, whose output is fed back to its input.
#[waterway::test]
fn exponential() {
    let _bound = bound();
    let want = fractions([
        (1, 1),
        (1, 1),
        (3, 2),
        (13, 6),
        (73, 24),
        (167, 40),
        (4051, 720),
        (37633, 5040),
        (43817, 4480),
        (4596553, 362880),
    ]);
    assert_eq!(exp(repeat(1)).terms(N), want);
}

/// Go: test/chan/powser1.go, powser2.go: ATan, by substitution of a monomial.
#[waterway::test]
fn arc_tangent() {
    let _bound = bound();
    let term = |n: i64| match n % 4 {
        1 => Rational::new(1, n),
        3 => Rational::new(-1, n),
        _ => Rational::from(0),
    };
    let want: Vec<Rational> = (0..N as i64).map(term).collect();
    assert_eq!(integrate(0, substitute(repeat(1), -1, 2)).terms(N), want);
}

/// Go: test/chan/powser1.go, the end of a series, which there is a denominator of zero. All goroutines end with it.
#[waterway::test]
fn series_with_an_end() {
    let _bound = bound();
    assert_eq!(
        mul(polynomial([1, 1]), polynomial([1, -1])).text(N),
        "1 0 -1"
    );
    assert_eq!(add(polynomial([1]), polynomial([1, 2, 3])).text(N), "2 2 3");
    assert_eq!(differentiate(polynomial([5])).text(N), "");
    waterway_conformance::until(|| waterway::num_goroutines() == 1);
}
