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
    /// What is said of certificates that are on hold.
    pub hold_answer: HoldAnswer,
    /// How long before the status was known thisUpdate is dated, for clients whose clocks are slow; 0 s. A revocation is
    /// never dated back past.
    pub backdating: Duration,
    /// For how long past a certificate's end its status is kept, told as the archive cutoff (RFC 6960 §4.4.4); not told
    /// by default.
    pub archive_retention: Option<Duration>,
}

/// Ways to answer that go together; `docs/ocsp-presets.md` has them side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "a configuration has these")]
pub enum Preset {
    /// For networks of one's own: what was never issued is revoked, holds are told, changes show within minutes.
    #[default]
    Enterprise,
    /// As the Baseline Requirements of the CA/Browser Forum have it: no holds, what was never issued is unauthorized,
    /// answers last half a day.
    Cabf,
    /// For old and odd clients: what was never issued is unknown, thisUpdate is well in the past.
    Lenient,
}

/// What is said of a certificate that is on hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum HoldAnswer {
    /// `revoked`, with the reason certificateHold.
    #[default]
    Hold,
    /// `revoked`, without a reason: the Baseline Requirements (§4.9.13) know no suspension. A hold that is lifted all the
    /// same shows as a revocation that was taken back.
    Revoked,
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
            hold_answer: HoldAnswer::default(),
            backdating: Duration::ZERO,
            archive_retention: None,
        }
    }
}

impl AnswerPolicy {
    /// The policy of that name.
    pub fn preset(preset: Preset) -> Self {
        const HALF_A_DAY: Duration = Duration::from_secs(43_200);
        let policy = Self::default();
        match preset {
            Preset::Enterprise => Self {
                not_issued_answer: NotIssuedAnswer::ExtendedRevoke,
                backdating: Duration::from_secs(60),
                ..policy
            },
            Preset::Cabf => Self {
                good: HALF_A_DAY,
                hold: HALF_A_DAY,
                revoked: HALF_A_DAY,
                not_issued_answer: NotIssuedAnswer::Unauthorized,
                hold_answer: HoldAnswer::Revoked,
                backdating: Duration::from_secs(60),
                ..policy
            },
            Preset::Lenient => Self { backdating: Duration::from_secs(300), ..policy },
        }
    }

    /// The status that `report` amounts to at `now`. It is never relied on for longer than the report allows.
    pub(crate) fn status(&self, report: &StatusReport, now: UnixTime) -> Result<SingleStatus, Refusal> {
        let known_at = report.known_at.min(now);
        let this_update = self.this_update(report.standing, known_at);
        let lasting = |duration| {
            let next_update = now.saturating_add(duration);
            Some(report.reliable_until.map_or(next_update, |until| until.min(next_update)))
        };
        if report.reliable_until.is_some_and(|until| until < now) {
            return Err(Refusal::OutOfDate);
        }
        let (status, duration) = match report.standing {
            Standing::Good => (CertStatus::Good, self.good),
            Standing::Hold { since } => (self.hold(since), self.hold),
            Standing::Revoked { since, reason } => (revoked(since, reason), self.revoked),
            Standing::NotMine => return self.not_issued(this_update, lasting(self.not_issued)),
        };
        Ok(SingleStatus { status, this_update, next_update: lasting(duration) })
    }

    /// What is revoked was not known to be so before it was.
    fn this_update(&self, standing: Standing, known_at: UnixTime) -> UnixTime {
        let earliest = match standing {
            Standing::Hold { since } | Standing::Revoked { since, .. } => since.min(known_at),
            Standing::Good | Standing::NotMine => UnixTime(0),
        };
        known_at.saturating_sub(self.backdating).max(earliest)
    }

    fn hold(&self, since: UnixTime) -> CertStatus {
        match self.hold_answer {
            HoldAnswer::Hold => revoked(since, CrlReason::CertificateHold),
            HoldAnswer::Revoked => revoked(since, CrlReason::Unspecified),
        }
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
    fn a_status_is_dated_back_and_a_revocation_never_past_itself() {
        let policy = AnswerPolicy { backdating: Duration::from_secs(60), ..AnswerPolicy::default() };
        let this_update = |standing| policy.status(&report(standing), NOW).unwrap().this_update.0;
        let reason = CrlReason::KeyCompromise;
        assert_eq!(this_update(Standing::Good), 999_935);
        assert_eq!(this_update(Standing::NotMine), 999_935);
        assert_eq!(this_update(Standing::Hold { since: UnixTime(7) }), 999_935);
        assert_eq!(this_update(Standing::Revoked { since: UnixTime(999_990), reason }), 999_990);
        assert_eq!(this_update(Standing::Hold { since: UnixTime(2_000_000) }), 999_995, "known then");
    }

    #[test]
    fn presets_differ_as_their_page_says() {
        let [enterprise, cabf, lenient] =
            [Preset::Enterprise, Preset::Cabf, Preset::Lenient].map(AnswerPolicy::preset);
        assert_eq!(enterprise.not_issued_answer, NotIssuedAnswer::ExtendedRevoke);
        assert_eq!(cabf.not_issued_answer, NotIssuedAnswer::Unauthorized);
        assert_eq!(lenient.not_issued_answer, NotIssuedAnswer::Unknown);
        // CA/B BR 4.9.10: 8 hours to 10 days, both ends counted.
        for duration in [cabf.good, cabf.hold, cabf.revoked] {
            let period = duration + cabf.backdating;
            assert!(
                period >= Duration::from_secs(8 * 3600) && period <= Duration::from_secs(10 * 86_400 - 1)
            );
        }
        let hold = report(Standing::Hold { since: UnixTime(7) });
        let told = |policy: AnswerPolicy| policy.status(&hold, NOW).unwrap().status;
        assert_eq!(told(cabf), CertStatus::Revoked { at: UnixTime(7), reason: None });
        assert_eq!(told(enterprise), told(lenient));
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
