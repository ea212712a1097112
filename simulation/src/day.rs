//! How a working day goes.

/// Seconds of a day.
pub(crate) const DAY: u32 = 86_400;

/// Hour and how much is asked then, beside the mean: few at night, most at nine.
const CURVE: [(f64, f64); 9] = [
    (0.0, 0.3),
    (6.0, 0.3),
    (8.0, 2.0),
    (9.0, 3.0),
    (10.0, 2.0),
    (12.0, 1.5),
    (17.0, 1.5),
    (20.0, 0.3),
    (24.0, 0.3),
];

/// How much is asked at that second of the day, beside the day's mean, which is 1.
pub fn demand(second: u32) -> f64 {
    let hour = f64::from(second.rem_euclid(DAY)) / 3600.0;
    let pieces = CURVE.iter().zip(CURVE.iter().skip(1));
    let piece = pieces.into_iter().find(|((from, _), (to, _))| (*from..*to).contains(&hour));
    piece.map_or(0.0, |((from, low), (to, high))| low + (high - low) * (hour - from) / (to - from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_the_mean_that_it_says() {
        let sum: f64 = (0..DAY).map(demand).sum();
        assert!((sum / f64::from(DAY) - 1.0).abs() < 1e-6, "{sum}");
        assert!((demand(9 * 3600) - 3.0).abs() < 1e-9);
    }
}
