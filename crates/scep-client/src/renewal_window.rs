//! When to renew, and how long to wait after a failure.

use std::{fmt, str::FromStr, time::Duration};

use pki_core::{RandomFailed, SecureRandom, UnixTime, Validity};

/// How long before its end a certificate is renewed. Reads and prints as `30d`, `12h`, `45m`, `90s`, or as `20%` of its
/// lifetime.
///
/// ```
/// # use pki_core::{UnixTime, Validity};
/// # use scep_client::RenewalWindow;
/// let validity = Validity::new(UnixTime(0), UnixTime(1000)).unwrap();
/// assert_eq!("20%".parse::<RenewalWindow>().unwrap().opens(validity), UnixTime(800));
/// assert_eq!("5m".parse::<RenewalWindow>().unwrap().opens(validity), UnixTime(700));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewalWindow(Length);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Time(Duration),
    Percent(u8),
}

impl Default for RenewalWindow {
    /// The last fifth of the lifetime, as Intune has it.
    fn default() -> Self {
        Self(Length::Percent(20))
    }
}

impl RenewalWindow {
    /// When it opens for a certificate of that validity; at its beginning at the earliest.
    pub fn opens(self, validity: Validity) -> UnixTime {
        validity.not_after().saturating_sub(self.length(validity)).max(validity.not_before())
    }

    /// Whether `now` lies in it, or after it.
    pub fn is_open(self, validity: Validity, now: UnixTime) -> bool {
        self.opens(validity) <= now
    }

    /// A moment in the first quarter of it, so that certificates that were issued together are not renewed together.
    pub fn draw(self, validity: Validity, random: &dyn SecureRandom) -> Result<UnixTime, RandomFailed> {
        let length = validity.not_after().saturating_since(self.opens(validity));
        let quarter = length.checked_div(4).unwrap_or_default();
        Ok(self.opens(validity).saturating_add(fraction_of(quarter, random)?))
    }

    fn length(self, validity: Validity) -> Duration {
        let lifetime = validity.not_after().saturating_since(validity.not_before());
        match self.0 {
            Length::Time(length) => length,
            Length::Percent(percent) => {
                lifetime.checked_div(100).unwrap_or_default().saturating_mul(percent.into())
            }
        }
    }
}

impl FromStr for RenewalWindow {
    type Err = InvalidRenewalWindow;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || InvalidRenewalWindow(text.chars().take(40).collect());
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        let seconds = match text.get(digits.len()..).unwrap_or_default() {
            "%" => {
                let percent = u8::try_from(number).ok().filter(|percent| (1..=99).contains(percent));
                return percent.map(|percent| Self(Length::Percent(percent))).ok_or_else(wrong);
            }
            "d" => 24 * 3600,
            "h" => 3600,
            "m" => 60,
            "s" => 1,
            _ => return Err(wrong()),
        };
        let length = number.checked_mul(seconds).ok_or_else(wrong)?;
        Ok(Self(Length::Time(Duration::from_secs(length))))
    }
}

impl fmt::Display for RenewalWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Length::Percent(percent) => write!(f, "{percent}%"),
            Length::Time(length) => {
                let seconds = length.as_secs();
                let units = [(86_400, 'd'), (3600, 'h'), (60, 'm')];
                let mut exact = units.into_iter().filter(|(unit, _)| seconds.checked_rem(*unit) == Some(0));
                let (unit, letter) = exact.next().unwrap_or((1, 's'));
                write!(f, "{}{letter}", seconds.checked_div(unit).unwrap_or_default())
            }
        }
    }
}

/// Text that is no renewal window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as 30d, 12h, 45m or 90s, or a share of the lifetime such as 20%: {0:?}")]
pub struct InvalidRenewalWindow(String);

/// Ever longer pauses after failures, doubled up to a limit, each shortened at random by up to a fifth so that clients
/// that failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    first: Duration,
    limit: Duration,
    next: Duration,
}

impl BackOff {
    /// Pauses from `first` up to `limit`.
    pub fn new(first: Duration, limit: Duration) -> Self {
        Self { first, limit, next: first }
    }

    /// The pause after one more failure.
    pub fn pause(&mut self, random: &dyn SecureRandom) -> Result<Duration, RandomFailed> {
        let this = self.next.min(self.limit);
        self.next = this.saturating_mul(2);
        let fifth = this.checked_div(5).unwrap_or_default();
        Ok(this.saturating_sub(fraction_of(fifth, random)?))
    }

    /// Begins anew after a success.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

/// Between nothing and `whole`, in 65536 steps.
fn fraction_of(whole: Duration, random: &dyn SecureRandom) -> Result<Duration, RandomFailed> {
    let mut octets = [0; 2];
    random.fill(&mut octets)?;
    let part = whole.saturating_mul(u16::from_be_bytes(octets).into());
    Ok(part.checked_div(u16::MAX.into()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same octet over and over.
    #[derive(Debug)]
    struct Always(u8);

    impl SecureRandom for Always {
        fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
            out.fill(self.0);
            Ok(())
        }
    }

    const DAY: u64 = 86_400;

    fn year() -> Validity {
        Validity::new(UnixTime(1000 * DAY), UnixTime(1365 * DAY)).unwrap()
    }

    #[test]
    fn text_reads_back() {
        for text in ["20%", "1%", "99%", "30d", "12h", "45m", "90s", "0s"] {
            let expected = if text == "0s" { "0d" } else { text };
            assert_eq!(text.parse::<RenewalWindow>().unwrap().to_string(), expected);
        }
        for text in
            ["", "%", "0%", "100%", "30", "30w", "-1d", "1.5d", "30 d", "d", "99999999999999999d", "ü"]
        {
            let error = text.parse::<RenewalWindow>().unwrap_err();
            assert!(error.to_string().contains("such as 30d"), "{text}");
        }
    }

    #[test]
    fn opens_that_long_before_the_end_and_not_before_the_beginning() {
        for (text, day) in [("20%", 1292), ("30d", 1335), ("48h", 1363), ("1000d", 1000)] {
            let window: RenewalWindow = text.parse().unwrap();
            assert_eq!(window.opens(year()), UnixTime(day * DAY), "{text}");
            assert!(!window.is_open(year(), UnixTime(day * DAY - 1)), "{text}");
            assert!(window.is_open(year(), UnixTime(day * DAY)) && window.is_open(year(), UnixTime::MAX));
        }
    }

    #[test]
    fn moments_are_drawn_from_the_first_quarter() {
        let window = RenewalWindow::default();
        let opens = window.opens(year()).0;
        assert_eq!(window.draw(year(), &Always(0)).unwrap(), UnixTime(opens));
        assert_eq!(window.draw(year(), &Always(0xFF)).unwrap(), UnixTime(opens + 73 * DAY / 4));
        let middle = window.draw(year(), &Always(0x80)).unwrap().0;
        assert!((opens + 9 * DAY..opens + 10 * DAY).contains(&middle));
    }

    #[test]
    fn pauses_grow_up_to_the_limit_and_are_spread() {
        let seconds = Duration::from_secs;
        let mut back_off = BackOff::new(seconds(60), seconds(300));
        let pauses: Vec<_> = (0..5).map(|_| back_off.pause(&Always(0)).unwrap().as_secs()).collect();
        assert_eq!(pauses, [60, 120, 240, 300, 300]);
        assert_eq!(back_off.pause(&Always(0xFF)), Ok(seconds(240)));
        back_off.reset();
        assert_eq!(back_off.pause(&Always(0xFF)), Ok(seconds(48)));
    }
}
