//! Medians, ranges, ratios.

/// The middle of some figures, and their ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// `None` of nothing. Of an even number the median lies between the middle two.
    pub fn of(figures: &[f64]) -> Option<Spread> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let half = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => f64::midpoint(sorted[half - 1], sorted[half]),
            _ => sorted[half],
        };
        Some(Spread { median, min, max })
    }

    /// Whether some lie below that and some above.
    pub fn has_on_both_sides(&self, middle: f64) -> bool {
        self.min < middle && middle < self.max
    }

    /// Of the ratios `ours[i] : theirs[i]`, round by round: what slows a whole round slows both.
    pub fn of_ratios(ours: &[f64], theirs: &[f64]) -> Option<Spread> {
        let ratios = ours.iter().zip(theirs).map(|(a, b)| a / b);
        let ratios: Vec<f64> = ratios.filter(|ratio| ratio.is_finite()).collect();
        Spread::of(&ratios)
    }
}

/// Three digits that count, thousands apart.
pub fn figure(value: f64) -> String {
    match value.abs() {
        size if size < 9.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        _ => thousands(&format!("{value:.0}")),
    }
}

fn thousands(digits: &str) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", digits),
    };
    let mut out = String::from(sign);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(median: f64, min: f64, max: f64) -> Option<Spread> {
        Some(Spread { median, min, max })
    }

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert_eq!(Spread::of(&[5.0, 1.0, 3.0]), spread(3.0, 1.0, 5.0));
        assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 9.0]), spread(3.0, 1.0, 9.0));
        assert_eq!(Spread::of(&[7.0]), spread(7.0, 7.0, 7.0));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn ratios_are_paired_by_round() {
        // The ratio of the medians would be 1.
        let paired = Spread::of_ratios(&[1.0, 2.0, 6.0], &[2.0, 1.0, 3.0]);
        assert_eq!(paired, spread(2.0, 0.5, 2.0));
        // A rival that left after a round, and a zero to divide by.
        assert_eq!(
            Spread::of_ratios(&[1.0], &[2.0, 1.0]),
            spread(0.5, 0.5, 0.5)
        );
        assert_eq!(Spread::of_ratios(&[1.0], &[0.0]), None);
    }

    #[test]
    fn figures_have_three_digits_and_thousands() {
        let shown = [0.0, 1.234, 9.996, 99.94, 100.4, 1234.5, 1234567.0, -4321.0].map(figure);
        assert_eq!(
            shown,
            [
                "0.00",
                "1.23",
                "10.0",
                "99.9",
                "100",
                "1,234",
                "1,234,567",
                "-4,321"
            ]
        );
    }
}
