//! The attributes `#[waterway::main]` and `#[waterway::test]`. Use them through the `waterway` crate, which re-exports both.
//!
//! Both do the same: the function stays as it was written, inside a function of the same name that hands it to the
//! runtime. Only the few tokens of a signature are looked at, so this crate needs no parser and no dependency.

use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// Makes `fn main` a goroutine, the first of the program.
///
/// The body runs with a stack as large as the process's limit (`RLIMIT_STACK`) allows. When it returns, the process ends,
/// and every other goroutine with it. Whatever `fn main` may return elsewhere it may return here.
///
/// Go: `func main()`.
///
/// # Errors
///
/// The function must not be `async`, generic, `const`, `unsafe` or `extern`, and takes no arguments; all else does not
/// compile, with a message that says so.
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    expand("main", options, item)
}

/// Makes a test a goroutine: the root of a group of its own, which every goroutine that it starts belongs to.
///
/// Adds `#[test]`; other attributes, as `#[should_panic]` and `#[ignore]`, stay. The test may return whatever a `#[test]`
/// function may.
///
/// A test that deadlocks is told as any program, with status 2 and who waits where, once the other tests have ended and the
/// harness waits without a time-out: after the minute in which it says that a test has been running for long. With
/// `cargo test -- --test-threads=1` it is told at once; with `WATERWAY_DEADLOCK=panic-main` besides, that test fails and the others go on.
///
/// Go: `func TestX(t *testing.T)`.
///
/// # Errors
///
/// As for `#[waterway::main]`.
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    let test = code("#[::core::prelude::v1::test]");
    [test, expand("test", options, item)].into_iter().collect()
}

fn expand(attribute: &str, options: TokenStream, item: TokenStream) -> TokenStream {
    let checked = match options.into_iter().next() {
        Some(option) => Err(Problem::at(&option, "it takes no options")),
        None => Function::parse(item.clone()),
    };
    match checked {
        Ok(function) => function.wrapped_in(attribute),
        // The function as it was follows the message, so that it is the only one.
        Err(problem) => [problem.message(attribute), item].into_iter().collect(),
    }
}

/// What the user wrote, cut where the expansion needs it.
struct Function {
    /// Attributes and visibility.
    before: Vec<TokenTree>,
    /// From `fn` up to the body.
    signature: Vec<TokenTree>,
    name: Ident,
    body: Group,
}

/// Why a function cannot be what the attribute makes of it, and the token that shows it.
struct Problem {
    span: Span,
    what: &'static str,
}

impl Problem {
    fn at(token: &TokenTree, what: &'static str) -> Problem {
        let span = token.span();
        Problem { span, what }
    }

    /// `compile_error!` at the user's token.
    fn message(&self, attribute: &str) -> TokenStream {
        let text = format!(
            "#[waterway::{attribute}] goes on a plain function, `fn name() {{ … }}` or `fn name() -> R {{ … }}`: {}",
            self.what
        );
        let call = code(&format!("::core::compile_error! {{ {text:?} }}"));
        call.into_iter()
            .map(|mut token| {
                token.set_span(self.span);
                token
            })
            .collect()
    }
}

impl Function {
    fn parse(item: TokenStream) -> Result<Function, Problem> {
        let tokens: Vec<TokenTree> = item.into_iter().collect();
        let Some(at) = tokens.iter().position(|token| is_word(token, "fn")) else {
            return Err(Problem {
                span: Span::call_site(),
                what: "this is no function",
            });
        };
        for token in &tokens[..at] {
            for word in ["async", "const", "unsafe", "extern"] {
                if is_word(token, word) {
                    return Err(Problem::at(token, refusal(word)));
                }
            }
        }
        let (name, rest) = match &tokens[at + 1..] {
            [TokenTree::Ident(name), rest @ ..] => (name.clone(), rest),
            _ => return Err(Problem::at(&tokens[at], "this function has no name")),
        };
        match rest.first() {
            Some(TokenTree::Group(arguments)) if arguments.stream().is_empty() => {}
            Some(TokenTree::Group(arguments)) => {
                return Err(Problem {
                    span: arguments.span(),
                    what: "it takes no arguments",
                });
            }
            _ => {
                return Err(Problem {
                    span: name.span(),
                    what: "it cannot be generic",
                });
            }
        }
        if let Some(bound) = rest.iter().find(|token| is_word(token, "where")) {
            return Err(Problem::at(bound, "it cannot be generic"));
        }
        match tokens.last() {
            Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => Ok(Function {
                before: tokens[..at].to_vec(),
                signature: tokens[at..tokens.len() - 1].to_vec(),
                name,
                body: body.clone(),
            }),
            _ => Err(Problem::at(&tokens[at], "this one has no body")),
        }
    }

    /// `pub fn name() -> ExitCode { fn name() -> R { … } ::waterway::__private::run_main(name) }`
    ///
    /// An inner function, not a closure: it takes every return type that a function may have. What it returns is reported
    /// by the goroutine, since it may not be `Send`; only the exit code comes out, where there is one.
    fn wrapped_in(self, attribute: &str) -> TokenStream {
        // `fn`, the name, the empty list of arguments.
        let mut outer: Vec<TokenTree> = self.signature[..3].to_vec();
        let returns = self.signature.len() > outer.len();
        if returns {
            outer.extend(code("-> ::std::process::ExitCode"));
        }

        let mut inner: Vec<TokenTree> = self.signature;
        inner.push(self.body.clone().into());
        inner.extend(code(&format!("::waterway::__private::run_{attribute}")));
        let argument = TokenStream::from(TokenTree::from(self.name));
        inner.push(Group::new(Delimiter::Parenthesis, argument).into());
        if !returns {
            // `()` reports success, and a panic does not come back: there is no other code. (A test that should panic
            // must return nothing.)
            inner.extend(code(";"));
        }

        let mut body = Group::new(Delimiter::Brace, inner.into_iter().collect());
        body.set_span(self.body.span());
        self.before
            .into_iter()
            .chain(outer)
            .chain([body.into()])
            .collect()
    }
}

/// Tokens of text that is known to be Rust.
fn code(text: &str) -> TokenStream {
    text.parse().expect("tokens of Rust")
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident.to_string() == word)
}

fn refusal(word: &str) -> &'static str {
    match word {
        "async" => "it is not `async`, a goroutine simply blocks",
        "const" => "it cannot be `const`",
        "unsafe" => "it cannot be `unsafe`",
        _ => "it cannot be `extern`",
    }
}
