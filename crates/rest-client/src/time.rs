//! Times as services write them.

use pki_core::UnixTime;

/// A time of [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) in UTC; fractions of a second are dropped. `None` for
/// what is none, and for one before 1970, which stands for "never" at some.
///
/// ```
/// use pki_core::UnixTime;
///
/// let time = Some(UnixTime(1_539_619_348));
/// assert_eq!(rest_client::time("2018-10-15T16:02:28.124Z"), time);
/// assert_eq!(rest_client::time("2018-10-15T16:02:28Z"), time);
/// assert_eq!(rest_client::time("0001-01-01T00:00:00Z"), None);
/// assert_eq!(rest_client::time("soon"), None);
/// ```
pub fn time(text: &str) -> Option<UnixTime> {
    match text.split_once('.') {
        Some((seconds, fraction)) if fraction.ends_with('Z') => format!("{seconds}Z").parse().ok(),
        _ => text.parse().ok(),
    }
}
