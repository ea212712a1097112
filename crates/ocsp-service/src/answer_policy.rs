//! How a standing becomes a status, and how long it is good for.

use std::time::Duration;

use ocsp_proto::SingleStatus;
use pki_core::{CertStatus, CrlReason, UnixTime};
use revocation::{Standing, StatusReport};

use crate::Refusal;

/// How long each kind of answer may be believed, and what is said of certificates that no source knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnswerPolicy {
    /// From the answer to nextUpdate, for `good`; 600 s.
    pub good: Duration,
    /// The same for `certificateHold`, which may be lifted; 300 s.
    pub hold: Duration,
    /// The same for certificates that are revoked for ever; 7 days.
    pub revoked: Duration,
    /// The same for certificates that no source knows, which may be issued in a minute; 60 s.
    pub not_issued: Duration,
    /// What is said of them.
    pub not_issued_answer: NotIssuedAnswer,
}

/// What is said of a certificate of a CA that is served here, when no source knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum NotIssuedAnswer {
    /// `unknown`.
    #[default]
    Unknown,
    /// The error `unauthorized`, which is not signed (RFC 9919 §3.2.3).
    Unauthorized,
    /// `revoked`: certificateHold since 1970, with the extended revoke extension (RFC 6960 §2.2).
    ExtendedRevoke,
}

impl Default for AnswerPolicy {
    fn default() -> Self {
        Self {
            good: Duration::from_secs(600),
            hold: Duration::from_secs(300),
            revoked: Duration::from_secs(7 * 86_400),
            not_issued: Duration::from_secs(60),
            not_issued_answer: NotIssuedAnswer::default(),
        }
    }
}

impl AnswerPolicy {
    /// The status that `report` amounts to at `now`. It is never relied on for longer than the report allows.
    pub(crate) fn status(&self, report: &StatusReport, now: UnixTime) -> Result<SingleStatus, Refusal> {
        let this_update = report.known_at.min(now);
        let lasting = |duration| {
            let next_update = now.saturating_add(duration);
            Some(report.reliable_until.map_or(next_update, |until| until.min(next_update)))
        };
        if report.reliable_until.is_some_and(|until| until < now) {
            return Err(Refusal::OutOfDate);
        }
        let (status, duration) = match report.standing {
            Standing::Good => (CertStatus::Good, self.good),
            Standing::Hold { since } => (revoked(since, CrlReason::CertificateHold), self.hold),
            Standing::Revoked { since, reason } => (revoked(since, reason), self.revoked),
            Standing::NotMine => return self.not_issued(this_update, lasting(self.not_issued)),
        };
        Ok(SingleStatus { status, this_update, next_update: lasting(duration) })
    }

    fn not_issued(
        &self,
        this_update: UnixTime,
        next_update: Option<UnixTime>,
    ) -> Result<SingleStatus, Refusal> {
        match self.not_issued_answer {
            NotIssuedAnswer::Unknown => {
                Ok(SingleStatus { status: CertStatus::Unknown, this_update, next_update })
            }
            NotIssuedAnswer::Unauthorized => Err(Refusal::NotIssued),
            NotIssuedAnswer::ExtendedRevoke => Ok(SingleStatus::not_issued(this_update, next_update)),
        }
    }
}

/// RFC 5280 §5.3.1: a reason is left out rather than unspecified.
fn revoked(at: UnixTime, reason: CrlReason) -> CertStatus {
    CertStatus::Revoked { at, reason: Some(reason).filter(|reason| *reason != CrlReason::Unspecified) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_000_000);

    fn report(standing: Standing) -> StatusReport {
        StatusReport { standing, known_at: NOW.saturating_sub(Duration::from_secs(5)), reliable_until: None }
    }

    fn lifetime(standing: Standing) -> u64 {
        let single = AnswerPolicy::default().status(&report(standing), NOW).unwrap();
        single.next_update.unwrap().saturating_since(NOW).as_secs()
    }

    #[test]
    fn each_standing_lasts_as_long_as_it_may() {
        let since = UnixTime(7);
        assert_eq!(lifetime(Standing::Good), 600);
        assert_eq!(lifetime(Standing::Hold { since }), 300);
        assert_eq!(lifetime(Standing::Revoked { since, reason: CrlReason::KeyCompromise }), 604_800);
        assert_eq!(lifetime(Standing::NotMine), 60);
    }

    #[test]
    fn nothing_outlasts_the_report_it_rests_on() {
        let policy = AnswerPolicy::default();
        let until = |seconds| StatusReport {
            reliable_until: Some(UnixTime(NOW.0.saturating_add_signed(seconds))),
            ..report(Standing::Good)
        };
        assert_eq!(policy.status(&until(10), NOW).unwrap().next_update, Some(UnixTime(1_000_010)));
        assert_eq!(policy.status(&until(9_999), NOW).unwrap().next_update, Some(UnixTime(1_000_600)));
        assert!(matches!(policy.status(&until(-1), NOW), Err(Refusal::OutOfDate)));
    }

    #[test]
    fn this_update_is_when_it_was_known_and_never_later_than_now() {
        let policy = AnswerPolicy::default();
        let early = report(Standing::Good);
        assert_eq!(policy.status(&early, NOW).unwrap().this_update, early.known_at);
        let late = StatusReport { known_at: UnixTime(2_000_000), ..early };
        assert_eq!(policy.status(&late, NOW).unwrap().this_update, NOW);
    }

    #[test]
    fn row_47_a_certificate_that_was_never_issued_is_never_good() {
        let answer = |not_issued_answer| {
            let policy = AnswerPolicy { not_issued_answer, ..AnswerPolicy::default() };
            policy.status(&report(Standing::NotMine), NOW)
        };
        assert_eq!(answer(NotIssuedAnswer::Unknown).unwrap().status, CertStatus::Unknown);
        assert!(matches!(answer(NotIssuedAnswer::Unauthorized), Err(Refusal::NotIssued)));
        let hold = CertStatus::Revoked { at: UnixTime(0), reason: Some(CrlReason::CertificateHold) };
        assert_eq!(answer(NotIssuedAnswer::ExtendedRevoke).unwrap().status, hold);
    }
}
