//! How the answers of several sources become one.

use pki_core::UnixTime;

use crate::{AttributedReport, SourceError, Standing, StatusReport};

/// The answers so far. What it ends in does not depend on the order in which they came, save for which of several
/// errors is told.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    revoked: Option<AttributedReport>,
    hold: Option<AttributedReport>,
    clean: Option<AttributedReport>,
    error: Option<SourceError>,
}

impl Verdict {
    /// Takes one more answer in.
    pub(crate) fn add(&mut self, answer: Result<AttributedReport, SourceError>) {
        let attributed = match answer {
            Ok(attributed) => attributed,
            Err(error) => {
                self.error.get_or_insert(error);
                return;
            }
        };
        let class = match attributed.report.standing {
            Standing::Revoked { .. } => &mut self.revoked,
            Standing::Hold { .. } => &mut self.hold,
            Standing::Good | Standing::NotMine => &mut self.clean,
        };
        *class = Some(class.map_or(attributed, |earlier| both(earlier, attributed)));
    }

    /// The answer of all. Revoked and hold are told though another source could not be asked; good is not.
    pub(crate) fn end(self) -> Result<AttributedReport, SourceError> {
        let Self { revoked, hold, clean, error } = self;
        if let Some(revoked) = revoked {
            // Permanent: no other source can change it.
            return Ok(revoked);
        }
        if let Some(hold) = hold {
            // Another source may come to say that it is revoked.
            let until = clean.and_then(|clean| clean.report.reliable_until);
            let reliable_until = earliest(hold.report.reliable_until, until);
            return Ok(AttributedReport { report: StatusReport { reliable_until, ..hold.report }, ..hold });
        }
        match (error, clean) {
            (None, Some(clean)) => Ok(clean),
            (Some(error), _) => Err(error),
            (None, None) => {
                Err(SourceError::unavailable("certificate status", "no source of it is configured"))
            }
        }
    }
}

/// Two reports of one class: known as long as the older, reliable as long as the shorter-lived; the second one's where
/// that alone says what both come to.
fn both(first: AttributedReport, second: AttributedReport) -> AttributedReport {
    let (one, other) = (first.report, second.report);
    let standing = match (one.standing, other.standing) {
        (Standing::Revoked { since: a, reason: x }, Standing::Revoked { since: b, reason: y }) => {
            let (since, reason) = (a, x).min((b, y));
            Standing::Revoked { since, reason }
        }
        (Standing::Hold { since: a }, Standing::Hold { since: b }) => Standing::Hold { since: a.min(b) },
        (Standing::NotMine, Standing::NotMine) => Standing::NotMine,
        _ => Standing::Good,
    };
    let report = StatusReport {
        standing,
        known_at: one.known_at.min(other.known_at),
        reliable_until: earliest(one.reliable_until, other.reliable_until),
    };
    AttributedReport { report, source: if standing == one.standing { first.source } else { second.source } }
}

fn earliest(one: Option<UnixTime>, other: Option<UnixTime>) -> Option<UnixTime> {
    one.into_iter().chain(other).min()
}
