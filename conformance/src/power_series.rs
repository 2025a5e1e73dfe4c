//! Power series as chains of goroutines: a series is asked for its next coefficient over one channel, and gives it over
//! another. After Doug McIlroy's "Squinting at Power Series"; Go's `test/chan/powser1.go` is such a program.

use std::collections::VecDeque;
use std::fmt;
use std::ops::{Add, Mul, Neg};

use waterway::chan::never;
use waterway::{Receiver, Sender, chan, go, select};

/// A fraction in lowest terms, its denominator positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rational {
    num: i64,
    den: i64,
}

impl Rational {
    /// `num / den`.
    pub fn new(num: i64, den: i64) -> Rational {
        let divisor = gcd(num.abs(), den.abs()) * den.signum();
        Rational {
            num: num / divisor,
            den: den / divisor,
        }
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl From<i64> for Rational {
    fn from(n: i64) -> Rational {
        Rational::new(n, 1)
    }
}

impl Add for Rational {
    type Output = Rational;

    fn add(self, other: Rational) -> Rational {
        let common = gcd(self.den, other.den);
        let num = self.num * (other.den / common) + other.num * (self.den / common);
        Rational::new(num, self.den / common * other.den)
    }
}

impl Mul for Rational {
    type Output = Rational;

    fn mul(self, other: Rational) -> Rational {
        let (a, b) = (
            Rational::new(self.num, other.den),
            Rational::new(other.num, self.den),
        );
        Rational::new(a.num * b.num, a.den * b.den)
    }
}

impl Neg for Rational {
    type Output = Rational;

    fn neg(self) -> Rational {
        Rational::new(-self.num, self.den)
    }
}

impl fmt::Display for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.den {
            1 => write!(f, "{}", self.num),
            den => write!(f, "{}/{den}", self.num),
        }
    }
}

/// A power series, constant term first. Its goroutines end when it is dropped.
#[derive(Debug)]
pub struct Series {
    asks: Sender<()>,
    terms: Receiver<Rational>,
}

/// The other end of a series.
struct Source {
    asked: Receiver<()>,
    terms: Sender<Rational>,
}

fn series() -> (Source, Series) {
    let ((asks, asked), (gives, terms)) = (chan(0), chan(0));
    (
        Source {
            asked,
            terms: gives,
        },
        Series { asks, terms },
    )
}

/// A series whose terms `f` puts. It returns `None` when nobody wants more.
fn made_by(f: impl FnOnce(&Source) -> Option<()> + Send + 'static) -> Series {
    let (source, series) = series();
    go(move || f(&source));
    series
}

impl Source {
    /// Gives one term when it is wanted.
    fn put(&self, term: Rational) -> Option<()> {
        self.asked.recv().ok()?;
        self.terms.send(term).ok()
    }

    /// Gives all terms of another series.
    fn copy(&self, from: &Series) -> Option<()> {
        loop {
            self.asked.recv().ok()?;
            self.terms.send(from.term()?).ok()?;
        }
    }
}

impl Series {
    /// The next term; `None` at the end.
    pub fn term(&self) -> Option<Rational> {
        self.asks.send(()).ok()?;
        self.terms.recv().ok()
    }

    /// The next `n` terms, or those up to the end.
    pub fn terms(&self, n: usize) -> Vec<Rational> {
        std::iter::from_fn(|| self.term()).take(n).collect()
    }

    /// The next `n` terms in words.
    pub fn text(&self, n: usize) -> String {
        let terms: Vec<String> = self.terms(n).iter().map(Rational::to_string).collect();
        terms.join(" ")
    }

    /// The same series twice, each at its own pace. Neither waits for the other: one may even be what this series is made
    /// of, as long as it asks for earlier terms.
    fn split(self) -> [Series; 2] {
        let ((a, first), (b, second)) = (series(), series());
        go(move || {
            let mut sides = [a, b].map(Side::new);
            let (nobody, _receiver) = chan(0);
            let nothing = never();
            let mut asking = false;
            while sides.iter().any(|side| !side.gone) {
                sides.iter_mut().for_each(Side::serve);
                let wanted = !asking && sides.iter().any(|side| side.waits);
                select! {
                    recv(sides[0].source.asked) -> ask => sides[0].asked(ask.is_ok()),
                    recv(sides[1].source.asked) -> ask => sides[1].asked(ask.is_ok()),
                    send(if wanted { &self.asks } else { &nobody }, ()) -> _ => asking = true,
                    recv(if asking { &self.terms } else { &nothing }) -> term => match term {
                        Ok(term) => {
                            sides.iter_mut().for_each(|side| side.kept.push_back(term));
                            asking = false;
                        }
                        Err(_) => return sides.into_iter().for_each(Side::finish),
                    },
                }
            }
        });
        [first, second]
    }
}

/// One of the two that a series was split into.
struct Side {
    source: Source,
    kept: VecDeque<Rational>,
    /// It was asked for a term.
    waits: bool,
    /// Nobody will ask for more.
    gone: bool,
}

impl Side {
    fn new(source: Source) -> Side {
        Side {
            source,
            kept: VecDeque::new(),
            waits: false,
            gone: false,
        }
    }

    fn asked(&mut self, wanted: bool) {
        if wanted {
            self.waits = true;
        } else {
            (self.gone, self.source.asked) = (true, never());
        }
    }

    /// Gives what is wanted and there.
    fn serve(&mut self) {
        if self.waits
            && let Some(term) = self.kept.pop_front()
        {
            self.waits = false;
            // Whoever asked may be gone.
            let _ = self.source.terms.send(term);
        }
    }

    /// Gives the rest, at its own pace.
    fn finish(mut self) {
        go(move || {
            self.serve();
            // Whoever waits now is told of the end.
            if !self.waits {
                self.kept
                    .into_iter()
                    .try_for_each(|term| self.source.put(term));
            }
        });
    }
}

/// One term of each, asked for and received in whatever order they come.
fn both(u: &Series, v: &Series) -> (Option<Rational>, Option<Rational>) {
    let (nobody, _receiver) = chan(0);
    let nothing = never();
    let (mut asks, mut terms) = ([&u.asks, &v.asks], [&nothing, &nothing]);
    let mut got = [None, None];
    for _ in 0..4 {
        select! {
            send(asks[0], ()) -> _ => (asks[0], terms[0]) = (&nobody, &u.terms),
            send(asks[1], ()) -> _ => (asks[1], terms[1]) = (&nobody, &v.terms),
            recv(terms[0]) -> term => (got[0], terms[0]) = (term.ok(), &nothing),
            recv(terms[1]) -> term => (got[1], terms[1]) = (term.ok(), &nothing),
        }
    }
    (got[0], got[1])
}

/// `c`, `c`, `c`, …
pub fn repeat(c: impl Into<Rational>) -> Series {
    let c = c.into();
    made_by(move |z| {
        loop {
            z.put(c)?;
        }
    })
}

/// A polynomial.
pub fn polynomial<const N: usize>(terms: [i64; N]) -> Series {
    made_by(move |z| terms.into_iter().try_for_each(|term| z.put(term.into())))
}

/// The sum.
pub fn add(u: Series, v: Series) -> Series {
    made_by(move |z| {
        loop {
            z.asked.recv().ok()?;
            match both(&u, &v) {
                (Some(a), Some(b)) => z.terms.send(a + b).ok()?,
                (Some(a), None) => {
                    z.terms.send(a).ok()?;
                    return z.copy(&u);
                }
                (None, Some(b)) => {
                    z.terms.send(b).ok()?;
                    return z.copy(&v);
                }
                (None, None) => return None,
            }
        }
    })
}

/// The product with a constant.
pub fn scale(c: impl Into<Rational>, u: Series) -> Series {
    let c = c.into();
    made_by(move |z| {
        loop {
            z.asked.recv().ok()?;
            z.terms.send(c * u.term()?).ok()?;
        }
    })
}

/// The product. With `U = u + xU'` and `V = v + xV'` it is `uv + x(uV' + vU') + x²U'V'`.
pub fn mul(u: Series, v: Series) -> Series {
    made_by(move |z| {
        z.asked.recv().ok()?;
        let (Some(a), Some(b)) = both(&u, &v) else {
            return None;
        };
        z.terms.send(a * b).ok()?;
        let ([u0, u1], [v0, v1]) = (u.split(), v.split());
        let w = add(scale(a, v0), scale(b, u0));
        z.put(w.term()?)?;
        z.copy(&add(w, mul(u1, v1)))
    })
}

/// The derivative.
pub fn differentiate(u: Series) -> Series {
    made_by(move |z| {
        z.asked.recv().ok()?;
        u.term()?;
        for n in 1.. {
            z.terms.send(Rational::from(n) * u.term()?).ok()?;
            z.asked.recv().ok()?;
        }
        None
    })
}

/// The integral with the constant `c`.
pub fn integrate(c: impl Into<Rational>, u: Series) -> Series {
    let c = c.into();
    made_by(move |z| {
        z.put(c)?;
        for n in 1.. {
            z.asked.recv().ok()?;
            z.terms.send(Rational::new(1, n) * u.term()?).ok()?;
        }
        None
    })
}

/// `e` to the power of a series without a constant term (one that is there is ignored): `Z' = Z · U'`, fed back to itself.
pub fn exp(u: Series) -> Series {
    let (source, z) = series();
    let [fed_back, z] = z.split();
    let integral = integrate(1, mul(fed_back, differentiate(u)));
    go(move || source.copy(&integral));
    z
}

/// `U(c·xⁿ)`: each term with its power of `c`, and `n - 1` zeros after it.
pub fn substitute(u: Series, c: impl Into<Rational>, n: usize) -> Series {
    let c = c.into();
    made_by(move |z| {
        let mut power = Rational::from(1);
        loop {
            z.asked.recv().ok()?;
            z.terms.send(u.term()? * power).ok()?;
            power = power * c;
            (1..n).try_for_each(|_| z.put(0.into()))?;
        }
    })
}

/// What [`lines`] calls its series, and the series.
type Named = (&'static str, fn() -> Series);

const NAMED: [Named; 11] = [
    ("Ones", || repeat(1)),
    ("Twos", || repeat(2)),
    ("Add", || add(repeat(1), repeat(2))),
    ("Sub", || add(repeat(1), scale(-1, repeat(2)))),
    ("Cmul", || scale(-1, repeat(1))),
    ("Diff", || differentiate(repeat(1))),
    ("Integ", || integrate(0, repeat(1))),
    ("Mul", || mul(repeat(1), repeat(1))),
    ("Poly", || {
        mul(
            polynomial([1, 1]),
            add(polynomial([1, -1]), polynomial([0, 0, 5])),
        )
    }),
    ("Exp", || exp(repeat(1))),
    ("Atan", || integrate(0, substitute(repeat(1), -1, 2))),
];

/// A line for each of several series, with its first 10 terms.
pub fn lines() -> String {
    let line = |(name, make): Named| format!("{name}: {}\n", make().text(10));
    NAMED.into_iter().map(line).collect()
}
