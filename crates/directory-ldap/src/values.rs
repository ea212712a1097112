//! Values of attributes that are more than text: ids, times, security identifiers.

use std::fmt::Write as _;

use pki_core::UnixTime;
use serial_binding::ObjectId;

/// How an id stands in an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum IdForm {
    /// As 16 octets, the first three fields of the UUID with their least octet first: `objectGUID`.
    Guid,
    /// As the text of a UUID: `entryUUID`.
    Text,
}

impl IdForm {
    /// The id as an object has it.
    pub(crate) fn read(self, value: &[u8]) -> Option<ObjectId> {
        match self {
            Self::Guid => <[u8; 16]>::try_from(value).ok().map(turned).map(ObjectId::Uuid),
            Self::Text => {
                let id = std::str::from_utf8(value).ok()?.parse().ok()?;
                matches!(id, ObjectId::Uuid(_)).then_some(id)
            }
        }
    }

    /// The id as a search has it.
    pub(crate) fn write(self, id: ObjectId) -> Option<Vec<u8>> {
        match (self, id) {
            (Self::Guid, ObjectId::Uuid(octets)) => Some(turned(octets).to_vec()),
            (Self::Text, ObjectId::Uuid(_)) => Some(id.to_string().into_bytes()),
            (_, ObjectId::Number(_)) => None,
        }
    }
}

/// Between the order of the text and that of `objectGUID`, either way.
fn turned(mut id: [u8; 16]) -> [u8; 16] {
    for field in [0..4, 4..6, 6..8] {
        id.get_mut(field).unwrap_or_default().reverse();
    }
    id
}

/// A point in time, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Never,
    At(UnixTime),
}

/// Seconds from 1601, where Windows begins to count, to 1970.
const SECONDS_TO_1970: u64 = 11_644_473_600;
const TICKS: u64 = 10_000_000;

/// Tenths of microseconds since 1601, as decimal text. 0 and the greatest number mean never.
pub(crate) fn filetime(text: &str) -> Option<Moment> {
    let ticks: i64 = text.parse().ok()?;
    let ticks = u64::try_from(ticks).ok()?;
    if ticks == 0 || ticks == i64::MAX.unsigned_abs() {
        return Some(Moment::Never);
    }
    let seconds = ticks.checked_div(TICKS)?.saturating_sub(SECONDS_TO_1970);
    Some(Moment::At(UnixTime(seconds)))
}

/// GeneralizedTime in UTC, `20261121120000Z` ([RFC 4517 §3.3.13](https://www.rfc-editor.org/rfc/rfc4517#section-3.3.13));
/// fractions of a second are dropped.
pub(crate) fn generalized_time(text: &str) -> Option<UnixTime> {
    let (digits, fraction) = text.strip_suffix('Z')?.split_at_checked(14)?;
    let is_fraction = fraction.is_empty() || fraction.starts_with(['.', ',']);
    if !is_fraction || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let part = |from, to| digits.get(from..to).unwrap_or_default();
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(8, 10),
        part(10, 12),
        part(12, 14)
    );
    text.parse().ok()
}

/// The text of a security identifier, `S-1-5-21-…`
/// ([MS-DTYP 2.4.2.2](https://learn.microsoft.com/openspecs/windows_protocols/ms-dtyp)).
pub(crate) fn sid(value: &[u8]) -> Option<String> {
    let (&[revision, count, ref authority @ ..], parts) = value.split_first_chunk::<8>()?;
    let authority = authority.iter().fold(0u64, |number, octet| number << 8 | u64::from(*octet));
    if parts.len() != usize::from(count).checked_mul(4)? {
        return None;
    }
    let mut text = format!("S-{revision}-{authority}");
    for part in parts.chunks_exact(4) {
        let number = <[u8; 4]>::try_from(part).ok().map(u32::from_le_bytes)?;
        // Text in memory takes everything.
        let _ = write!(text, "-{number}");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_has_its_first_fields_turned() {
        let guid =
            [0x14, 0x84, 0xB5, 0xD6, 0xED, 0x60, 0x6B, 0x42, 0xB3, 0x82, 0x27, 0x6A, 0x3E, 0x8D, 0x62, 0x6D];
        let id: ObjectId = "d6b58414-60ed-426b-b382-276a3e8d626d".parse().unwrap();
        assert_eq!(IdForm::Guid.read(&guid), Some(id));
        assert_eq!(IdForm::Guid.write(id), Some(guid.to_vec()));
        let text = b"d6b58414-60ed-426b-b382-276a3e8d626d";
        assert_eq!(IdForm::Text.read(text), Some(id));
        assert_eq!(IdForm::Text.write(id), Some(text.to_vec()));
        for (form, value) in
            [(IdForm::Guid, &guid[1..]), (IdForm::Guid, b""), (IdForm::Text, b"17"), (IdForm::Text, &guid)]
        {
            assert_eq!(form.read(value), None);
        }
        assert_eq!(IdForm::Text.write(ObjectId::Number(17)), None);
    }

    #[test]
    fn times_of_windows_are_read() {
        for (text, expected) in [
            ("0", Some(Moment::Never)),
            ("9223372036854775807", Some(Moment::Never)),
            ("116444736000000000", Some(Moment::At(UnixTime(0)))),
            ("134082432000000000", Some(Moment::At(UnixTime(1_763_769_600)))),
            ("1", Some(Moment::At(UnixTime(0)))),
            ("-1", None),
            ("", None),
            ("9223372036854775808", None),
            ("tomorrow", None),
        ] {
            assert_eq!(filetime(text), expected, "{text}");
        }
    }

    #[test]
    fn times_of_directories_are_read() {
        let noon = "2026-11-21T12:00:00Z".parse().ok();
        for (text, expected) in [
            ("20261121120000Z", noon),
            ("20261121120000.123456Z", noon),
            ("000001010000Z", None),
            ("20261121120000", None),
            ("20261121120000+0100", None),
            ("20261321120000Z", None),
            ("2026112112000é0Z", None),
            ("20261121120000xZ", None),
        ] {
            assert_eq!(generalized_time(text), expected, "{text}");
        }
    }

    #[test]
    fn security_identifiers_are_read() {
        let mut octets = vec![1, 5, 0, 0, 0, 0, 0, 5];
        for part in [21u32, 504_154_423, 3_674_953_687, 2_284_351_325, 1104] {
            octets.extend_from_slice(&part.to_le_bytes());
        }
        assert_eq!(sid(&octets).as_deref(), Some("S-1-5-21-504154423-3674953687-2284351325-1104"));
        assert_eq!(sid(&octets[..octets.len() - 1]), None);
        assert_eq!(sid(&[1, 0, 0, 0, 0, 0, 0, 5]).as_deref(), Some("S-1-5"));
        assert_eq!(sid(&[1, 5]), None);
    }
}
