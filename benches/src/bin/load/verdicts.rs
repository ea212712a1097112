//! What replies said: of all whether there was an answer, of some what a client makes of it.

use std::{collections::BTreeMap, fmt::Write as _};

use benches::connection::Reply;

use crate::{ocsp, template::Template};

/// One in so many is verified, when everything is over.
const EVERY: u64 = 4096;

/// What was said.
#[derive(Default)]
pub(crate) struct Verdicts {
    counts: BTreeMap<String, u64>,
    failed: u64,
    samples: Vec<(u64, Reply)>,
}

impl Verdicts {
    pub(crate) fn note(&mut self, number: u64, reply: Reply) {
        let verdict = verdict(&reply);
        if let Some(failure) = verdict {
            self.failed = self.failed.saturating_add(1);
            let count = self.counts.entry(failure).or_default();
            *count = count.saturating_add(1);
        } else if number.is_multiple_of(EVERY) {
            self.samples.push((number, reply));
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (verdict, more) in other.counts {
            let count = self.counts.entry(verdict).or_default();
            *count = count.saturating_add(more);
        }
        self.failed = self.failed.saturating_add(other.failed);
        self.samples.extend(other.samples);
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }

    /// A line each.
    pub(crate) fn report(&self, template: &Template) -> String {
        let mut sampled = BTreeMap::<String, u64>::new();
        for (number, reply) in &self.samples {
            let verdict = template
                .question(*number)
                .map_or_else(|| "?".into(), |question| ocsp::judge(&question, reply));
            let count = sampled.entry(verdict).or_default();
            *count = count.saturating_add(1);
        }
        let mut text = String::new();
        for (verdict, count) in &self.counts {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {count:>10} {verdict}");
        }
        for (verdict, count) in sampled {
            let _ = writeln!(text, "  {count:>10} of {} that were verified: {verdict}", self.samples.len());
        }
        text
    }
}

/// What is wrong at first sight.
fn verdict(reply: &Reply) -> Option<String> {
    if reply.status != 200 {
        return Some(format!("error: HTTP {}", reply.status));
    }
    // A responseStatus (RFC 6960 section 4.2.1) of successful, behind a long or a short length.
    let head = reply.body.get(..8).unwrap_or_default();
    let is_answer = head.windows(3).any(|window| window == [0x0A, 0x01, 0x00]);
    (!is_answer).then(|| format!("error: {}", ocsp::error_of(&reply.body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_has_failed() {
        let reply = |status, body: &[u8]| Reply { status, body: body.to_vec() };
        assert_eq!(verdict(&reply(200, &[0x30, 0x82, 2, 0, 0x0A, 1, 0, 0xA0])), None);
        assert!(verdict(&reply(200, &[0x30, 3, 0x0A, 1, 3])).is_some_and(|why| why.contains('3')));
        assert!(verdict(&reply(503, &[])).is_some());
        assert!(verdict(&reply(200, &[])).is_some());
    }
}
