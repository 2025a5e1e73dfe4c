//! The README's table: some rows of `docs/performance.md`, so that no figure is copied by hand.

use crate::field;

const BEGIN: &str =
    "<!-- rows of docs/performance.md, written by `cargo run -p waterway-bench -- --readme` -->\n";
const END: &str = "<!-- end of the rows -->\n";
const HEAD: &str = "\
| workload | Waterway | Go | Waterway : Go |
| --- | ---: | ---: | ---: |
";

/// Writes the figures of `docs/performance.md` into the rows that the README has.
pub fn write() -> Result<(), String> {
    let (path, text) = read("README.md")?;
    let (_, page) = read("docs/performance.md")?;
    let text = renewed(&text, &page)?;
    std::fs::write(&path, text).map_err(|e| format!("cannot write {path}: {e}"))
}

fn read(name: &str) -> Result<(String, String), String> {
    let path = field::root().join(name).display().to_string();
    let text = std::fs::read_to_string(&path).map_err(|e| format!("cannot read {path}: {e}"))?;
    Ok((path, text))
}

/// The README with the figures of the page, and what is said of them, between its two marks.
fn renewed(readme: &str, page: &str) -> Result<String, String> {
    let parts = readme.split_once(BEGIN).and_then(|(before, rest)| {
        let (old, after) = rest.split_once(END)?;
        Some((before, old, after))
    });
    let (before, old, after) =
        parts.ok_or_else(|| format!("the README lacks {BEGIN:?} or {END:?}"))?;
    let (verdicts, figures) = page
        .split_once("\n## Beside Go\n")
        .and_then(|(_, rest)| rest.split_once("\n| workload"))
        .ok_or("the page has no table beside Go")?;
    let fact = |name| fact(page, name);
    let source = format!(
        "Some rows of {} on {}, {}, {}, {} ([all of them](docs/performance.md)):",
        fact("Command")?,
        fact("Processor")?,
        fact("Kernel")?,
        fact("Rust")?,
        fact("Go")?,
    );
    let mut rows = String::new();
    for label in labels(old) {
        rows += &row(figures, label).ok_or_else(|| format!("the page has no row {label:?}"))?;
    }
    Ok(format!(
        "{before}{BEGIN}{source}\n\n{HEAD}{rows}{verdicts}{END}{after}"
    ))
}

/// What the page says of the race.
fn fact<'a>(page: &'a str, name: &str) -> Result<&'a str, String> {
    let start = format!("- {name}: ");
    let line = page.lines().find_map(|line| line.strip_prefix(&start));
    line.ok_or_else(|| format!("the page does not tell {name:?}"))
}

/// The first cell of each row but the head's two.
fn labels(table: &str) -> impl Iterator<Item = &str> {
    let rows = table.lines().filter_map(|line| line.strip_prefix("| "));
    rows.skip(2).filter_map(|row| row.split(" | ").next())
}

/// The first four cells of the row of that label.
fn row(figures: &str, label: &str) -> Option<String> {
    let start = format!("| {label} | ");
    let line = figures.lines().find(|line| line.starts_with(&start))?;
    let cells: Vec<&str> = line.split(" | ").take(4).collect();
    Some(format!("{} |\n", cells.join(" | ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Performance\n\n- Command: `run`\n- Processor: Z80, 1 cores\n- Kernel: Linux 1\n- Rust: rustc 2\n- Go: go 3\n\
        \n## Beside Go\n\n1 of 2 targets met, 1 level.\n\n| workload | Waterway | Go | Waterway : Go | CPU : Go |\n\
        | --- | ---: | ---: | ---: | ---: |\n| a, time (ns) | 1 | 2 | 0.50 (0.40 to 0.60) | 9 |\n| b, time (ns) | 3 | 4 | 0.75 | 9 |\n";

    fn readme(rows: &str) -> String {
        format!("before\n{BEGIN}old words\n\n{HEAD}{rows}\nold verdict\n{END}after\n")
    }

    #[test]
    fn the_rows_that_stand_there_get_the_figures_of_the_page() {
        let new = renewed(&readme("| a, time (ns) | 7 | 8 | 9 |\n"), PAGE).unwrap();
        let source = "Some rows of `run` on Z80, 1 cores, Linux 1, rustc 2, go 3 ([all of them](docs/performance.md)):";
        let row = "| a, time (ns) | 1 | 2 | 0.50 (0.40 to 0.60) |\n";
        let text = format!(
            "before\n{BEGIN}{source}\n\n{HEAD}{row}\n1 of 2 targets met, 1 level.\n{END}after\n"
        );
        assert_eq!(new, text);
        assert_eq!(renewed(&new, PAGE).unwrap(), new);
    }

    #[test]
    fn a_row_that_the_page_lacks_and_missing_marks_are_refused() {
        let error = renewed(&readme("| c | 7 | 8 | 9 |\n"), PAGE).unwrap_err();
        assert!(error.contains("no row \"c\""), "{error}");
        assert!(renewed("", PAGE).unwrap_err().contains("lacks"));
        assert!(renewed(&readme(""), "").unwrap_err().contains("no table"));
    }

    #[test]
    fn the_readme_is_in_step_with_the_page() {
        let (_, text) = read("README.md").unwrap();
        let (_, page) = read("docs/performance.md").unwrap();
        let told = "write it anew: cargo run -p waterway-bench -- --readme";
        assert!(renewed(&text, &page).unwrap() == text, "{told}");
    }
}
