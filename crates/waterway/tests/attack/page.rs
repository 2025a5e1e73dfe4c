//! Pages show what programs really print: a block after a mark, compared but for places, numbers and times. `UPDATE_DOCS=1` writes them
//! anew.
#![allow(dead_code)] // Each binary uses a part.

/// True if pages are to be written.
pub fn update() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

/// The block of that mark must show `real`, or is made to.
#[track_caller]
pub fn show(page: &mut String, mark: &str, real: &str) {
    let at = block(page, mark);
    if update() {
        page.replace_range(at, &format!("{}\n", real.trim()));
        return;
    }
    let (shown, real) = (redacted(&page[at]), redacted(real));
    assert!(
        shown == real,
        "the page shows\n{shown}\nbut it is\n{real}\n(UPDATE_DOCS=1 writes it anew)"
    );
}

/// The text between the fences that follow a mark.
pub fn block(page: &str, mark: &str) -> std::ops::Range<usize> {
    let start = page.find(&format!("<!-- {mark} -->\n```text\n"));
    let start = start.unwrap_or_else(|| panic!("no block {mark} in the page"));
    let start = start + page[start..].find("```text\n").unwrap() + "```text\n".len();
    start..start + page[start..].find("```").unwrap()
}

/// Places, numbers and times are not the page's matter.
fn redacted(text: &str) -> String {
    let mut out = String::new();
    for word in text.trim().split_inclusive([' ', '\n', '\t']) {
        match word.find(".rs:") {
            Some(_) => {
                let start = word.trim_start_matches('(').len();
                out.push_str(&word[..word.len() - start]);
                out.push_str("PLACE");
                let end = word
                    .find(|c: char| ") ,\n\t".contains(c))
                    .unwrap_or(word.len());
                out.push_str(&word[end..]);
            }
            None => out.push_str(word),
        }
    }
    let mut digits = false;
    out.retain(|c| {
        let first = !std::mem::replace(&mut digits, c.is_ascii_digit());
        !c.is_ascii_digit() || first
    });
    let out = out.replace(|c: char| c.is_ascii_digit(), "0");
    // Workers give numbers, too: the order is not the page's matter either.
    let mut parts: Vec<&str> = out.split("\n\n").collect();
    parts.sort_unstable();
    parts.join("\n\n")
}
