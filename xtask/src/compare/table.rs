//! What was measured, as a table of Markdown, and the ratios that it comes down to.

use std::{collections::BTreeMap, fmt};

use super::servers::{
    CACHED, CACHED_GET, CFSSL, EMPTY, KINDS, NGINX, OPENSSL, SIGNED, SIGNED_ONE_EACH, SIGNING,
};

/// One run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measurement {
    /// Responses a second.
    rate: f64,
    /// Milliseconds.
    p50: f64,
    p99: f64,
    /// CPU time of the server for one response, in us.
    cpu: f64,
}

impl Measurement {
    /// What `load --brief` prints.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<f64> =
            text.split_whitespace().map(|word| word.parse().ok()).collect::<Option<_>>()?;
        let &[rate, p50, p99, cpu] = numbers.as_slice() else { return None };
        Some(Self { rate, p50, p99, cpu })
    }
}

/// All runs, by kind.
#[derive(Debug, Default)]
pub(super) struct Table {
    runs: BTreeMap<&'static str, Vec<Measurement>>,
    /// CPU time of one signature, in us.
    signatures: Vec<f64>,
}

impl Table {
    pub(super) fn add(&mut self, kind: &'static str, measured: Measurement) {
        self.runs.entry(kind).or_default().push(measured);
    }

    pub(super) fn add_signature(&mut self, micros: f64) {
        self.signatures.push(micros);
    }

    /// The median of one number of a kind.
    fn median(&self, kind: &str, number: fn(&Measurement) -> f64) -> f64 {
        median(self.runs.get(kind).into_iter().flatten().map(number))
    }

    fn rate(&self, kind: &str) -> f64 {
        self.median(kind, |measured| measured.rate)
    }

    fn cpu(&self, kind: &str) -> f64 {
        self.median(kind, |measured| measured.cpu)
    }
}

/// The middle one; of an even number the lower of the two in the middle; NaN of none.
fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len().saturating_sub(1).div_euclid(2);
    numbers.get(middle).copied().unwrap_or(f64::NAN)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n| | responses/s | p50 / p99 ms | server CPU us each |\n|---|---|---|---|")?;
        for kind in KINDS {
            let (p50, p99) = (self.median(kind.name, |m| m.p50), self.median(kind.name, |m| m.p99));
            let (rate, cpu) = (self.rate(kind.name), self.cpu(kind.name));
            writeln!(f, "| {} | {rate:.0} | {p50:.2} / {p99:.2} | {cpu:.1} |", kind.name)?;
        }
        let signature = median(self.signatures.iter().copied());
        writeln!(
            f,
            "| one P-256 signature (aws-lc-rs) | {:.0} a core | | {signature:.1} |",
            1e6 / signature
        )?;
        writeln!(f, "\n| ratio | responses/s | server CPU |\n|---|---|---|")?;
        for (name, ours, theirs) in [
            ("signed on demand: Certbound to openssl ocsp", SIGNED_ONE_EACH, OPENSSL),
            ("from cache: Certbound to cfssl", CACHED, CFSSL),
            ("from cache: Certbound to nginx with a file", CACHED_GET, NGINX),
            ("from cache: Certbound to an empty reply", CACHED, EMPTY),
        ] {
            let rate = self.rate(ours) / self.rate(theirs);
            writeln!(f, "| {name} | {rate:.2} | {:.2} |", self.cpu(ours) / self.cpu(theirs))?;
        }
        let least = self.cpu(EMPTY) + signature;
        let signed = self.cpu(SIGNED) / least;
        writeln!(f, "| signed on demand: Certbound to one signature and an empty reply | | {signed:.2} |")?;
        let in_one = self.cpu(SIGNED) / self.cpu(SIGNING);
        writeln!(f, "| the same, to both in one process | | {in_one:.2} |")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ratios_are_shown() {
        let mut table = Table::default();
        for rate in [3, 1, 2] {
            for kind in KINDS {
                let rate = if kind.name == OPENSSL { rate } else { 4 * rate };
                let text = format!("{rate}000 0.5 1.25 {rate}0\n");
                table.add(kind.name, Measurement::parse(&text).unwrap());
            }
            table.add_signature(20.0);
        }
        let text = table.to_string();
        for line in [
            "| openssl ocsp -multi 2, signed on demand, one connection each | 2000 | 0.50 / 1.25 | 20.0 |",
            "| signed on demand: Certbound to openssl ocsp | 4.00 | 4.00 |",
            "| from cache: Certbound to an empty reply | 1.00 | 1.00 |",
            "| one P-256 signature (aws-lc-rs) | 50000 a core | | 20.0 |",
            "| signed on demand: Certbound to one signature and an empty reply | | 0.80 |",
            "| the same, to both in one process | | 1.00 |",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }

    #[test]
    fn what_is_no_measurement_is_none() {
        for text in ["", "1 2 3", "1 2 3 x", "1 2 3 4 5"] {
            assert_eq!(Measurement::parse(text), None, "{text}");
        }
    }
}
