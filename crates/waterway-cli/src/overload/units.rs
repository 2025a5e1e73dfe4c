//! Figures as people read them.

/// 12,345,678.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes, in mebibytes.
pub fn mib(bytes: f64) -> String {
    format!("{:.1} MiB", bytes / f64::from(1 << 20))
}

/// Milliseconds, in seconds where there are many; a dash for none.
pub fn wait(ms: Option<f64>) -> String {
    match ms {
        None => "-".into(),
        Some(ms) if ms >= 999.5 => format!("{:.1} s", ms / 1e3),
        Some(ms) if ms >= 10.0 => format!("{ms:.0} ms"),
        Some(ms) => format!("{ms:.1} ms"),
    }
}

/// A share, in per cent.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_readable() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(mib(1.5 * 1_048_576.0), "1.5 MiB");
        let waits = [None, Some(1.23), Some(12.3), Some(999.4), Some(12_345.0)];
        assert_eq!(
            waits.map(wait),
            ["-", "1.2 ms", "12 ms", "999 ms", "12.3 s"]
        );
        assert_eq!(percent(0.9876), "98.8 %");
    }
}
