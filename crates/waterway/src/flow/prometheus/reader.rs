//! A reader of the text form that takes nothing but what its grammar allows, for tests.

use std::collections::HashSet;

use super::Series;

/// Every series of the text.
///
/// # Panics
///
/// If a line is none of the format's, a family is told twice or has no head, a counter is not named as one, a value is no number or below 0,
/// or two series have the same name and labels.
pub(crate) fn parsed(text: &str) -> Vec<Series> {
    assert!(text.ends_with('\n'), "the last line has no end: {text}");
    let (mut families, mut keys) = (HashSet::new(), HashSet::new());
    let (mut all, mut helped, mut family) = (Vec::new(), "", "");
    for line in text.split_terminator('\n') {
        if let Some(head) = line.strip_prefix("# HELP ") {
            let (name, help) = head.split_once(' ').expect("a name and what it is");
            assert!(!help.is_empty() && !help.contains('\\'), "{line}");
            helped = name;
        } else if let Some(head) = line.strip_prefix("# TYPE ") {
            let (name, kind) = head.split_once(' ').expect("a name and a kind");
            assert_eq!(name, helped, "its help stands before it");
            assert!(is_name(name, ':'), "{name:?} is no name");
            assert!(["counter", "gauge"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(families.insert(name), "{name} is told twice");
            family = name;
        } else {
            let series = series(line);
            assert_eq!(series.name, family, "{line} stands below another head");
            let key = format!("{} {:?}", series.name, series.labels);
            assert!(keys.insert(key), "{line} is told twice");
            all.push(series);
        }
    }
    all
}

fn is_name(text: &str, more: char) -> bool {
    let fits = |c: char| c.is_ascii_alphabetic() || c == '_' || c == more;
    text.starts_with(fits) && text.chars().all(|c| fits(c) || c.is_ascii_digit())
}

fn series(line: &str) -> Series {
    let end = line.find(['{', ' ']).expect("a name and a value");
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name, ':'), "{name:?} is no name");
    let mut labels: Vec<(String, String)> = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, value) = rest.split_once("=\"").expect("a label and its text");
            assert!(is_name(label, '_'), "{label:?} is no label");
            assert!(labels.iter().all(|(other, _)| other != label), "{line}");
            let (value, after) = quoted(value);
            labels.push((label.to_owned(), value));
            match after.strip_prefix(',') {
                Some(more) => rest = more,
                None => {
                    rest = after.strip_prefix('}').expect("the labels end");
                    break;
                }
            }
        }
    }
    let value = rest.strip_prefix(' ').expect("one space before the value");
    let plain = |c: char| c.is_ascii_digit() || ".eE+-".contains(c);
    assert!(value.chars().all(plain), "{line}");
    let value: f64 = value.parse().expect("a number");
    assert!(value.is_finite() && value >= 0.0, "{line}");
    Series {
        name: name.to_owned(),
        labels,
        value,
    }
}

/// The text up to the quote that ends it, and what stands behind that.
fn quoted(text: &str) -> (String, &str) {
    let (mut out, mut chars) = (String::new(), text.chars());
    loop {
        match chars.next().expect("the quotes end") {
            '"' => return (out, chars.as_str()),
            '\\' => out.push(match chars.next() {
                Some('n') => '\n',
                Some(c @ ('\\' | '"')) => c,
                other => panic!("{other:?} is not escaped so"),
            }),
            c => out.push(c),
        }
    }
}

#[test]
fn the_reader_refuses_what_the_grammar_does() {
    let head = "# HELP a_total some\n# TYPE a_total counter\n";
    let whole = format!("{head}a_total{{x=\"\\\\\\\"\\n\",y=\"\"}} 1\na_total 2\n");
    let read = parsed(&whole);
    assert_eq!(read[0].labels[0], ("x".to_owned(), "\\\"\n".to_owned()));
    for bad in [
        "a_total{x=\"\\t\"} 1",
        "a_total{x=\"1\"}  1",
        "a_total{x=\"1\",x=\"2\"} 1",
        "a_total{x=\"1} 1",
        "a_total{9=\"1\"} 1",
        "a_total NaN",
        "a_total -1",
        "a_total 1 extra",
        "b_total 1",
        "a_total 1\na_total 2",
        "",
        "# TYPE b gauge",
        "# HELP a_total some\n# TYPE a_total counter",
        "# HELP b_total some\n# TYPE b_total gauge",
    ] {
        let text = format!("{head}{bad}\n");
        let read = std::panic::catch_unwind(|| parsed(&text));
        assert!(read.is_err(), "{bad:?} was read as {read:?}");
    }
}
