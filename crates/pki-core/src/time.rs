//! Points in time, to the second.

use core::{fmt, str::FromStr, time::Duration};

use der::DateTime;

use crate::DecodeError;

/// Seconds since 1970-01-01T00:00:00Z. Prints as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// The last second that a GeneralizedTime can name: 9999-12-31T23:59:59Z.
    pub const MAX: Self = Self(253_402_300_799);

    /// `self + duration`, no later than [`UnixTime::MAX`].
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs())).min(Self::MAX)
    }

    /// `self - duration`, no earlier than 1970.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_secs()))
    }

    /// How long after `earlier` this is; zero when it is not after.
    pub fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }

    /// The `YYYYMMDDHHMMSSZ` form of GeneralizedTime that RFC 5280 section 4.1.2.5.2 asks for: UTC, seconds, no
    /// fraction. Times past [`UnixTime::MAX`] are written as that.
    pub fn to_generalized(self) -> [u8; 15] {
        let mut out = *b"00000000000000Z";
        let time = self.date_time();
        let fields = [
            (0, time.year() / 100),
            (2, time.year() % 100),
            (4, u16::from(time.month())),
            (6, u16::from(time.day())),
            (8, u16::from(time.hour())),
            (10, u16::from(time.minutes())),
            (12, u16::from(time.seconds())),
        ];
        for (at, value) in fields {
            for (offset, digit) in [(0, value / 10 % 10), (1, value % 10)] {
                if let Some(slot) = out.get_mut(usize::saturating_add(at, offset)) {
                    *slot = b'0' | u8::try_from(digit).unwrap_or(0);
                }
            }
        }
        out
    }

    pub(crate) fn from_date_time(time: &DateTime) -> Self {
        Self(time.unix_duration().as_secs())
    }

    fn date_time(self) -> DateTime {
        DateTime::from_unix_duration(Duration::from_secs(self.min(Self::MAX).0)).unwrap_or(DateTime::INFINITY)
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.date_time(), f)
    }
}

impl FromStr for UnixTime {
    type Err = DecodeError;

    /// Reads RFC 3339 as `Display` writes it: UTC, whole seconds.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        const WHAT: &str = "a time such as 2026-11-21T12:00:00Z";
        let time: DateTime = text.parse().map_err(|_| DecodeError::new(WHAT, format_args!("{text:?}")))?;
        Ok(Self::from_date_time(&time))
    }
}

/// `Validity` of a certificate ([RFC 5280 §4.1.2.5](https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5)); both
/// ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    not_before: UnixTime,
    not_after: UnixTime,
}

impl Validity {
    /// Fails when it would end before it begins.
    pub fn new(not_before: UnixTime, not_after: UnixTime) -> Result<Self, DecodeError> {
        if not_after < not_before {
            return Err(DecodeError::new("a Validity", "notAfter before notBefore"));
        }
        Ok(Self { not_before, not_after })
    }

    /// First second of validity.
    pub fn not_before(self) -> UnixTime {
        self.not_before
    }

    /// Last second of validity.
    pub fn not_after(self) -> UnixTime {
        self.not_after
    }

    /// Whether `time` lies within.
    pub fn contains(self, time: UnixTime) -> bool {
        self.not_before <= time && time <= self.not_after
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prints_rfc_3339() {
        assert_eq!(UnixTime(1_795_262_400).to_string(), "2026-11-21T12:00:00Z");
        assert_eq!("2026-11-21T12:00:00Z".parse(), Ok(UnixTime(1_795_262_400)));
        for text in ["", "2026-11-21", "2026-11-21T12:00:00", "2026-13-21T12:00:00Z", "1969-12-31T23:59:59Z"]
        {
            assert!(text.parse::<UnixTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn generalized_time_has_seconds_and_no_fraction() {
        assert_eq!(&UnixTime(1_795_262_401).to_generalized(), b"20261121120001Z");
        assert_eq!(&UnixTime(u64::MAX).to_generalized(), b"99991231235959Z");
    }

    proptest! {
        #[test]
        fn generalized_time_reads_back(seconds in 0..=UnixTime::MAX.0) {
            use der::{Decode, Encode};
            let text = UnixTime(seconds).to_generalized();
            let mut der = alloc::vec![0x18, 15];
            der.extend_from_slice(&text);
            let time = der::asn1::GeneralizedTime::from_der(&der).unwrap();
            prop_assert_eq!(time.to_unix_duration().as_secs(), seconds);
            prop_assert_eq!(time.to_der().unwrap(), der);
        }
    }
}
