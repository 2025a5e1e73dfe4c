//! The project's own source as data, for the tests that judge it: code without comments and strings, and the paths in it.

use std::fs;
use std::path::{Path, PathBuf};

/// One file of Rust.
pub struct Source {
    /// From the root of the workspace, with `/`.
    pub path: String,
    /// The text with comments and what stands in quotes blanked out; lines stay where they are.
    pub code: String,
    tokens: Vec<Token>,
}

/// A word or a sign of the code.
pub struct Token {
    pub line: usize,
    pub text: String,
}

/// A path as `crate::wait::Waiter`, with the groups of a `use` multiplied out.
pub struct PathUse {
    pub line: usize,
    pub parts: Vec<String>,
}

/// The workspace's root.
pub fn root() -> PathBuf {
    let this = Path::new(env!("CARGO_MANIFEST_DIR"));
    this.ancestors().nth(2).expect("crates/waterway").into()
}

/// Every `.rs` file below `dir` of the workspace, in order of path.
pub fn sources(dir: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(dir), &mut found);
    found.sort();
    found.iter().map(|path| Source::read(path)).collect()
}

/// Every `.rs` file of the crates' `src` directories.
pub fn crate_sources() -> Vec<Source> {
    let mut crates: Vec<String> = fs::read_dir(root().join("crates"))
        .expect("crates/")
        .map(|entry| entry.expect("an entry of crates/").file_name())
        .map(|name| format!("crates/{}/src", name.to_string_lossy()))
        .collect();
    crates.sort();
    crates.iter().flat_map(|dir| sources(dir)).collect()
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("a directory entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
}

impl Source {
    fn read(file: &Path) -> Source {
        let path = file.strip_prefix(root()).expect("below the root");
        let text = fs::read_to_string(file).expect("a readable source file");
        Source::new(&path.to_string_lossy().replace('\\', "/"), &text)
    }

    pub fn new(path: &str, text: &str) -> Source {
        let code = blank_out(text);
        let tokens = tokens(&code);
        let path = path.to_owned();
        Source { path, code, tokens }
    }

    /// Lines that hold code.
    pub fn code_lines(&self) -> usize {
        self.code
            .lines()
            .filter(|line| !line.trim().is_empty())
            .count()
    }

    /// The tokens of the product: those of `#[cfg(test)] mod … { }` are left out.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Lines at which the tokens `pattern` stand one after the other.
    pub fn lines_of(&self, pattern: &[&str]) -> Vec<usize> {
        self.tokens
            .windows(pattern.len())
            .filter(|window| {
                window
                    .iter()
                    .zip(pattern)
                    .all(|(token, want)| token.text == *want)
            })
            .map(|window| window[0].line)
            .collect()
    }

    /// Every path with at least two parts, in `use` or in code. Paths of a macro's `$crate` are the user's, not ours.
    pub fn paths(&self) -> Vec<PathUse> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let starts = is_word(&self.tokens[at].text)
                && (at == 0 || !matches!(self.tokens[at - 1].text.as_str(), "::" | "$"));
            at = if starts {
                path(&self.tokens, at, &[], &mut found)
            } else {
                at + 1
            };
        }
        found.retain(|path| path.parts.len() > 1);
        found
    }
}

/// Reads a path at `at`, which goes on from `prefix`; returns where it ends.
fn path(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<PathUse>) -> usize {
    let line = tokens[at].line;
    let mut parts = prefix.to_vec();
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    loop {
        parts.push(text(at).to_owned());
        at += 1;
        if text(at) != "::" {
            break;
        }
        at += 1;
        if text(at) == "{" {
            return group(tokens, at, &parts, found);
        }
        if !is_word(text(at)) && text(at) != "*" {
            break;
        }
    }
    found.push(PathUse { line, parts });
    at
}

/// Reads `{a, b::c}` of a `use`.
fn group(tokens: &[Token], open: usize, prefix: &[String], found: &mut Vec<PathUse>) -> usize {
    let mut at = open + 1;
    while at < tokens.len() && tokens[at].text != "}" {
        let word = is_word(&tokens[at].text) && tokens[at - 1].text != "as";
        at = if word && tokens[at].text != "as" {
            path(tokens, at, prefix, found)
        } else {
            at + 1
        };
    }
    at + 1
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn tokens(code: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let line_number = index + 1;
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let len = if first.is_alphanumeric() || first == '_' {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            let (text, after) = rest.split_at(len);
            if !text.trim().is_empty() {
                let text = text.to_owned();
                tokens.push(Token {
                    line: line_number,
                    text,
                });
            }
            rest = after;
        }
    }
    without_tests(tokens)
}

/// Drops every `#[cfg(test)] mod … { … }`.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    const MARK: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        kept.push(token);
        let tail = &kept[kept.len().saturating_sub(MARK.len())..];
        if !tail.iter().map(|token| &token.text).eq(MARK.iter()) {
            continue;
        }
        kept.truncate(kept.len() - MARK.len());
        let mut depth = 0;
        for token in tokens.by_ref() {
            match token.text.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                ";" => {}
                _ => continue,
            }
            if depth == 0 {
                break;
            }
        }
    }
    kept
}

/// Replaces comments and the inside of literals by spaces.
fn blank_out(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => end_of_line(&chars, at),
            '/' if chars.get(at + 1) == Some(&'*') => end_of_block_comment(&chars, at),
            '"' => end_of_string(&chars, at),
            '\'' => end_of_char(&chars, at),
            'r' if !after_word(&chars, at) => end_of_raw_string(&chars, at),
            _ => at,
        };
        if end == at {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        // A literal leaves its quotes, so that its line still counts as code.
        let quoted = chars[at] != '/';
        for (index, c) in chars[at..end].iter().enumerate() {
            let edge = quoted && (index == 0 || index == end - at - 1);
            out.push(match c {
                '\n' => '\n',
                _ if edge => '"',
                _ => ' ',
            });
        }
        at = end;
    }
    out
}

fn after_word(chars: &[char], at: usize) -> bool {
    // `br"…"` is raw too.
    let before = |n: usize| at.checked_sub(n).map(|at| chars[at]);
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    part(before(1)) && (before(1) != Some('b') || part(before(2)))
}

fn end_of_line(chars: &[char], at: usize) -> usize {
    let len = chars[at..].iter().position(|c| *c == '\n');
    len.map_or(chars.len(), |len| at + len)
}

fn end_of_block_comment(chars: &[char], at: usize) -> usize {
    let (mut depth, mut at) = (0, at);
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn end_of_string(chars: &[char], at: usize) -> usize {
    let mut at = at + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// The end of a character; `at` itself for a lifetime.
fn end_of_char(chars: &[char], at: usize) -> usize {
    if chars.get(at + 1) == Some(&'\\') {
        let close = chars[at + 3..].iter().position(|c| *c == '\'');
        return close.map_or(at, |close| at + 3 + close + 1);
    }
    if chars.get(at + 2) == Some(&'\'') {
        at + 3
    } else {
        at
    }
}

/// The end of `r#"…"#`; `at` itself for a word that begins with r, or `r#word`.
fn end_of_raw_string(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    let open = at + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return at;
    }
    let mut end = open + 1;
    while end < chars.len() {
        let closes = chars[end] == '"'
            && chars[end + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
        if closes {
            return end + 1 + hashes;
        }
        end += 1;
    }
    chars.len()
}
