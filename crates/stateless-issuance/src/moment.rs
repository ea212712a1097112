//! From which moment a certificate counts.

use std::time::Duration;

use pki_core::UnixTime;

const DAY: u64 = 24 * 60 * 60;

/// From a moment that the CA knows: that moment. After half a certificate's life that would leave too little of it, so
/// that a request which comes then counts from there; and so on.
pub(crate) fn of_known(since: UnixTime, life: Duration, now: UnixTime) -> UnixTime {
    let step = (life.as_secs() / 2).max(1);
    let elapsed = now.saturating_since(since).as_secs();
    since.saturating_add(Duration::from_secs(elapsed.saturating_sub(elapsed.checked_rem(step).unwrap_or(0))))
}

/// By a challenge that is good until `expires`: so many spans, and a little, before that. As long as a challenge lives no
/// longer than a span, there is one such moment; the little is for clocks that do not agree on when it was made.
pub(crate) fn of_expiry(expires: UnixTime, life: Duration, now: UnixTime) -> UnixTime {
    let span = span(life);
    let left = expires.saturating_since(now).as_secs().saturating_sub(slack(span));
    let before = left.max(1).next_multiple_of(span).saturating_add(slack(span));
    expires.saturating_sub(Duration::from_secs(before))
}

/// Where the CA knows of none: time is cut into spans, for every request at moments of its own, one of which is `phase`.
/// The certificate counts from the beginning of the span in which it was first asked for. When that was, the requester
/// tells by what it `claimed`, if that is to be believed; otherwise it is now.
pub(crate) fn of_span(phase: u64, claimed: Option<UnixTime>, life: Duration, now: UnixTime) -> UnixTime {
    let span = span(life);
    let first = claimed.and_then(|claimed| believed(claimed, span, now)).unwrap_or(now).0;
    let ahead = phase.checked_rem(span).unwrap_or(0);
    let into = first.saturating_add(span.saturating_sub(ahead)).checked_rem(span).unwrap_or(0);
    UnixTime(first.saturating_sub(into))
}

/// A day; less for certificates that live less than eight.
fn span(life: Duration) -> u64 {
    (life.as_secs() / 8).clamp(1, DAY)
}

/// By how much clocks differ: an hour, where a span is a day.
fn slack(span: u64) -> u64 {
    span / 24
}

/// Requesters' clocks go wrong, and some date their certificates a day back. What lies further from now than that says
/// nothing of the request. What is ahead of us a little is put behind us, the same way for all.
fn believed(claimed: UnixTime, span: u64, now: UnixTime) -> Option<UnixTime> {
    let slack = slack(span);
    let earliest = now.0.saturating_sub(span.saturating_add(span / 2));
    let believable = earliest..=now.0.saturating_add(slack);
    believable.contains(&claimed.0).then(|| UnixTime(claimed.0.saturating_sub(slack)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const YEAR: Duration = Duration::from_secs(365 * DAY);
    const HOUR: u64 = 3600;

    fn after(start: UnixTime, seconds: u64) -> UnixTime {
        start.saturating_add(Duration::from_secs(seconds))
    }

    fn before(end: UnixTime, seconds: u64) -> UnixTime {
        end.saturating_sub(Duration::from_secs(seconds))
    }

    #[test]
    fn what_is_known_counts_until_half_of_the_life_is_over() {
        let start = testkit::NOW;
        let half = YEAR.as_secs() / 2;
        for (elapsed, expected) in
            [(0, 0), (1, 0), (half - 1, 0), (half, half), (2 * half - 1, half), (2 * half, 2 * half)]
        {
            assert_eq!(of_known(start, YEAR, after(start, elapsed)), after(start, expected), "{elapsed}");
        }
        // Another instance's clock may be ahead of ours.
        assert_eq!(of_known(after(start, 5), YEAR, start), after(start, 5));
    }

    #[test]
    fn a_challenge_counts_by_its_end() {
        let end = testkit::NOW;
        for (left, spans) in [
            (0, 1),
            (1, 1),
            (DAY, 1),
            (DAY + HOUR, 1),
            (DAY + HOUR + 1, 2),
            (2 * DAY + HOUR, 2),
            (2 * DAY + HOUR + 1, 3),
        ] {
            let expected = before(end, spans * DAY + HOUR);
            assert_eq!(of_expiry(end, YEAR, before(end, left)), expected, "{left}");
            assert!(expected <= before(end, left), "{left}");
        }
        let short = Duration::from_secs(8 * 60);
        assert_eq!(of_expiry(end, short, before(end, 59)), before(end, 62));
    }

    #[test]
    fn what_is_claimed_is_believed_for_a_day_and_a_half() {
        let now = testkit::NOW;
        for (claimed, is_believed) in [
            (after(now, HOUR), true),
            (after(now, HOUR + 1), false),
            (now, true),
            (before(now, 36 * HOUR), true),
            (before(now, 36 * HOUR + 1), false),
            (UnixTime(0), false),
        ] {
            assert_eq!(believed(claimed, DAY, now).is_some(), is_believed, "{claimed}");
        }
    }

    proptest! {
        #[test]
        fn a_span_begins_in_the_past_and_not_long_ago(
            phase: u64, claimed in prop::option::of(0_u64..40 * DAY), life in 60_u64..800 * DAY, now in 20 * DAY..30 * DAY,
        ) {
            let life = Duration::from_secs(life);
            let at = of_span(phase, claimed.map(UnixTime), life, UnixTime(now)).0;
            prop_assert!(at <= now);
            let span = span(life);
            prop_assert!(now.saturating_sub(at) <= span.saturating_mul(3));
            prop_assert_eq!(at.checked_rem(span), phase.checked_rem(span));
        }

        #[test]
        fn a_repeat_with_the_same_claim_counts_from_the_same_moment(
            phase: u64, claimed_back in 0..DAY, delay in 0..DAY / 2, ahead in 0..HOUR,
        ) {
            let (first, repeat) = (testkit::NOW, after(testkit::NOW, delay));
            for claimed in [before(first, claimed_back), after(first, ahead)] {
                let at = |now| of_span(phase, Some(claimed), YEAR, now);
                prop_assert_eq!(at(first), at(repeat));
            }
        }

        /// Not even a claim that is not to be believed makes more than two.
        #[test]
        fn within_a_span_there_are_two_moments_at_most(
            phase: u64, claimed in prop::option::of(any::<u32>()), delays in prop::collection::vec(0..DAY, 1..20),
        ) {
            let claimed = claimed.map(|claimed| UnixTime(claimed.into()));
            let at = |delay| of_span(phase, claimed, YEAR, after(testkit::NOW, delay));
            let mut moments: Vec<_> = delays.into_iter().map(at).collect();
            moments.sort();
            moments.dedup();
            prop_assert!(moments.len() <= 2);
        }
    }
}
