//! The header fields by which HTTP caches keep a response.

use alloc::string::{String, ToString as _};
use core::time::Duration;

use pki_core::{DigestAlgorithm, UnixTime};

use crate::Response;

/// The values of the header fields of [RFC 9919 §7.2](https://www.rfc-editor.org/rfc/rfc9919#section-7.2), for a
/// response that caches may keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheHeaders {
    etag: String,
    last_modified: String,
    expires: String,
    refresh_at: UnixTime,
}

impl CacheHeaders {
    /// `None` for a response that is no one else's: errors, nonces, and what is not authoritative.
    pub fn of(response: &Response) -> Option<Self> {
        let produced_at = response.produced_at().filter(|_| response.is_cacheable())?;
        let digest = DigestAlgorithm::Sha256.digest(response.as_der()).unwrap_or_default();
        let half = response.refresh_at()?.saturating_since(produced_at);
        Some(Self {
            etag: etag(&digest),
            last_modified: http_date(produced_at),
            expires: http_date(response.next_update()?),
            refresh_at: produced_at.saturating_add(spread(half, digest.first().copied().unwrap_or_default())),
        })
    }

    /// `ETag`, with its quotes: SHA-256 of the response in hexadecimal.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// `Last-Modified`: producedAt. (The RFC names producedAt in §6 and thisUpdate in §7.2; a response that is signed
    /// anew for an older status is another response.)
    pub fn last_modified(&self) -> &str {
        &self.last_modified
    }

    /// `Expires`: nextUpdate.
    pub fn expires(&self) -> &str {
        &self.expires
    }

    /// When a newer response should be made at the latest: at [`Response::refresh_at`], or up to a tenth of that time
    /// earlier, so that responses which were made together are not renewed together (RFC 9919 §7.1). The same for each
    /// copy of a response.
    pub fn refresh_at(&self) -> UnixTime {
        self.refresh_at
    }

    /// The seconds of `max-age` for a copy sent at `now`: until [`CacheHeaders::refresh_at`].
    pub fn max_age(&self, now: UnixTime) -> u64 {
        self.refresh_at.saturating_since(now).as_secs()
    }
}

/// `Cache-Control` of an authoritative response, of which copies may be used for `max_age` seconds.
pub fn cache_control(max_age: u64) -> String {
    ["max-age=", &max_age.to_string(), ",public,no-transform,must-revalidate"].concat()
}

/// `whole` less a part of its tenth that `octet` chooses.
fn spread(whole: Duration, octet: u8) -> Duration {
    let tenth = whole.as_secs() / 10;
    let part = tenth.saturating_mul(octet.into()) / 255;
    Duration::from_secs(whole.as_secs().saturating_sub(part))
}

fn etag(digest: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut etag = String::with_capacity(66);
    etag.push('"');
    for octet in digest {
        let digits = [octet >> 4, octet & 0xF].map(|digit| DIGITS.get(usize::from(digit)).copied());
        etag.extend(digits.into_iter().flatten());
    }
    etag.push('"');
    etag
}

/// `time` as an IMF-fixdate ([RFC 9110 §5.6.7](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7)), such as
/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn http_date(time: UnixTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let time = time.min(UnixTime::MAX);
    let generalized = time.to_generalized();
    let digits = core::str::from_utf8(&generalized).unwrap_or_default();
    let field = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    // 1970 began on a Thursday.
    let day_name = usize::try_from(time.0 / 86_400 % 7).ok().and_then(|day| DAYS.get(day));
    let month = field(4, 6).parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?));
    let mut out = String::with_capacity(29);
    for part in [
        day_name.unwrap_or(&"Thu"),
        ", ",
        field(6, 8),
        " ",
        month.unwrap_or(&"Jan"),
        " ",
        field(0, 4),
        " ",
        field(8, 10),
        ":",
        field(10, 12),
        ":",
        field(12, 14),
        " GMT",
    ] {
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_imf_fixdates() {
        for (seconds, text) in [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(http_date(UnixTime(seconds)), text);
        }
    }
}
