//! Entries of CRLs: read one after the other, and written.

use alloc::vec::Vec;

use crate::{CrlReason, DecodeError, Oid, SerialNumber, UnixTime, oids, tlv};

const WHAT: &str = "an entry of a CRL";

/// One revoked certificate on a CRL ([RFC 5280 §5.3](https://www.rfc-editor.org/rfc/rfc5280#section-5.3)).
///
/// ```text
/// SEQUENCE { userCertificate CertificateSerialNumber, revocationDate Time, crlEntryExtensions Extensions OPTIONAL }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrlEntry<'a> {
    serial: &'a [u8],
    revoked_at: UnixTime,
    reason: Option<CrlReason>,
    invalid_since: Option<UnixTime>,
    pub(crate) names_its_issuer: bool,
    pub(crate) unknown_critical: Option<Oid>,
}

impl<'a> CrlEntry<'a> {
    /// The content octets of the serial number, whatever they are.
    pub fn serial_octets(&self) -> &'a [u8] {
        self.serial
    }

    /// The serial number, if RFC 5280 allows it.
    pub fn serial_number(&self) -> Option<SerialNumber> {
        SerialNumber::from_be_bytes(self.serial).ok()
    }

    /// revocationDate: when the CA revoked it.
    pub fn revoked_at(&self) -> UnixTime {
        self.revoked_at
    }

    /// reasonCode, if it is told.
    pub fn reason(&self) -> Option<CrlReason> {
        self.reason
    }

    /// invalidityDate: since when the certificate deserves no trust, if that is told.
    pub fn invalid_since(&self) -> Option<UnixTime> {
        self.invalid_since
    }

    /// Reads the fields of one entry.
    fn read(mut fields: tlv::Cursor<'a>) -> Result<Self, DecodeError> {
        let mut entry = Self {
            serial: fields.expect(tlv::INTEGER)?.value,
            revoked_at: fields.time()?,
            reason: None,
            invalid_since: None,
            names_its_issuer: false,
            unknown_critical: None,
        };
        if let Some(extensions) = fields.optional(tlv::SEQUENCE)? {
            let mut extensions = tlv::Cursor::over(extensions.value, WHAT)?;
            while !extensions.is_empty() {
                entry.read_extension(extensions.enter(tlv::SEQUENCE)?)?;
            }
        }
        fields.finish()?;
        Ok(entry)
    }

    fn read_extension(&mut self, mut fields: tlv::Cursor<'a>) -> Result<(), DecodeError> {
        let id = fields.oid()?;
        let critical = fields.boolean()?.unwrap_or(false);
        let value = fields.expect(tlv::OCTET_STRING)?.value;
        fields.finish()?;
        let twice = || Err(DecodeError::new(WHAT, format_args!("{id} twice")));
        match id {
            oids::REASON_CODE if self.reason.is_some() => twice(),
            oids::REASON_CODE => {
                self.reason = Some(reason(value)?);
                Ok(())
            }
            oids::INVALIDITY_DATE if self.invalid_since.is_some() => twice(),
            oids::INVALIDITY_DATE => {
                let mut date = tlv::Cursor::over(value, WHAT)?;
                self.invalid_since = Some(date.time()?);
                date.finish()
            }
            oids::CERTIFICATE_ISSUER => {
                self.names_its_issuer = true;
                Ok(())
            }
            _ => {
                self.unknown_critical = self.unknown_critical.or(critical.then_some(id));
                Ok(())
            }
        }
    }
}

fn reason(value: &[u8]) -> Result<CrlReason, DecodeError> {
    const ENUMERATED: u8 = 0x0A;
    let code = match *value {
        [ENUMERATED, 1, code] => CrlReason::from_code(code),
        _ => None,
    };
    code.ok_or_else(|| DecodeError::new("a CRLReason of RFC 5280 §5.3.1", "none of them"))
}

/// The entries of a CRL, in order; made by [`Crl::entries`](crate::Crl::entries).
#[derive(Debug, Clone)]
pub struct CrlEntries<'a>(Option<tlv::Cursor<'a>>);

impl<'a> CrlEntries<'a> {
    /// Over the content of revokedCertificates, which has been [checked](Self::check).
    pub(crate) fn over(content: &'a [u8]) -> Self {
        Self(tlv::Cursor::over(content, WHAT).ok())
    }

    /// Reads every entry of `content` and shows it to `see`.
    pub(crate) fn check(content: &'a [u8], mut see: impl FnMut(&CrlEntry<'a>)) -> Result<(), DecodeError> {
        let mut cursor = tlv::Cursor::over(content, WHAT)?;
        while !cursor.is_empty() {
            see(&CrlEntry::read(cursor.enter(tlv::SEQUENCE)?)?);
        }
        Ok(())
    }
}

impl<'a> Iterator for CrlEntries<'a> {
    type Item = CrlEntry<'a>;

    fn next(&mut self) -> Option<CrlEntry<'a>> {
        let cursor = self.0.as_mut().filter(|cursor| !cursor.is_empty())?;
        cursor.enter(tlv::SEQUENCE).and_then(CrlEntry::read).ok()
    }
}

/// Entries as they go into a CRL, written one after the other: nothing is kept but their octets.
///
/// ```
/// # use pki_core::{CrlReason, EncodedCrlEntries, UnixTime};
/// let mut entries = EncodedCrlEntries::default();
/// entries.push("4711".parse()?, UnixTime(1_795_262_400), CrlReason::KeyCompromise, None);
/// assert!(!entries.as_bytes().is_empty());
/// # Ok::<(), pki_core::InvalidSerialNumber>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct EncodedCrlEntries(Vec<u8>);

impl EncodedCrlEntries {
    /// Octets that one entry has, about.
    const USUAL: usize = 54;

    /// With room for so many entries.
    pub fn with_capacity(entries: usize) -> Self {
        Self(Vec::with_capacity(entries.saturating_mul(Self::USUAL)))
    }

    /// Adds an entry. `unspecified` is not written, as RFC 5280 §5.3.1 asks.
    pub fn push(
        &mut self,
        serial: SerialNumber,
        revoked_at: UnixTime,
        reason: CrlReason,
        invalid_since: Option<UnixTime>,
    ) {
        let Self(out) = self;
        let start = out.len();
        // No entry has 128 octets, so that the length is one octet and can be filled in afterwards.
        out.extend([tlv::SEQUENCE, 0, tlv::INTEGER, short(serial.as_be_bytes().len())]);
        out.extend_from_slice(serial.as_be_bytes());
        out.extend(tlv::time(revoked_at));
        let extensions_at = out.len();
        out.extend([tlv::SEQUENCE, 0]);
        if reason != CrlReason::Unspecified {
            out.extend([tlv::SEQUENCE, 10, 6, 3, 0x55, 0x1D, 0x15, 4, 3, 0x0A, 1, reason.code()]);
        }
        if let Some(date) = invalid_since {
            out.extend([tlv::SEQUENCE, 24, 6, 3, 0x55, 0x1D, 0x18, 4, 17, tlv::GENERALIZED_TIME, 15]);
            out.extend(date.to_generalized());
        }
        close(out, extensions_at);
        if out.len() == extensions_at.saturating_add(2) {
            out.truncate(extensions_at);
        }
        close(out, start);
    }

    /// The content of revokedCertificates.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Fills in the length of the element that begins at `start` and ends here.
fn close(out: &mut [u8], start: usize) {
    let length = short(out.len().saturating_sub(start).saturating_sub(2));
    if let Some(slot) = out.get_mut(start.saturating_add(1)) {
        *slot = length;
    }
}

fn short(length: usize) -> u8 {
    u8::try_from(length).unwrap_or_default() & 0x7F
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Written = (SerialNumber, UnixTime, CrlReason, Option<UnixTime>);

    fn written() -> impl Strategy<Value = Written> {
        let serial = prop::collection::vec(any::<u8>(), 1..=20)
            .prop_filter_map("no serial number", |octets| SerialNumber::from_be_bytes(&octets).ok());
        let time = (0..=UnixTime::MAX.0).prop_map(UnixTime);
        (serial, time.clone(), prop::sample::select(&CrlReason::ALL), prop::option::of(time))
    }

    proptest! {
        // clause: RFC 5280 129, 135
        #[test]
        fn entries_read_back(list in prop::collection::vec(written(), 0..8)) {
            let mut entries = EncodedCrlEntries::default();
            for (serial, at, reason, since) in &list {
                entries.push(*serial, *at, *reason, *since);
            }
            CrlEntries::check(entries.as_bytes(), |_| {}).unwrap();
            let read = CrlEntries::over(entries.as_bytes()).map(|entry| {
                prop_assert!(entry.reason() != Some(CrlReason::Unspecified));
                let reason = entry.reason().unwrap_or(CrlReason::Unspecified);
                Ok((entry.serial_number().unwrap(), entry.revoked_at(), reason, entry.invalid_since()))
            });
            prop_assert_eq!(read.collect::<Result<Vec<_>, TestCaseError>>()?, list);
        }
    }

    #[test]
    fn extensions_that_cannot_be_read_are_errors() {
        let entry = |extensions: &[u8]| {
            let serial = [tlv::INTEGER, 1, 1];
            let extensions = tlv::wrap(tlv::SEQUENCE, extensions);
            tlv::sequence([&serial[..], &tlv::time(UnixTime(0)), &extensions])
        };
        let reason = |value: &[u8]| crate::Extension::new(oids::REASON_CODE, value.to_vec()).to_der();
        let once = reason(&[0x0A, 1, 1]);
        assert!(CrlEntries::check(&entry(&once), |_| {}).is_ok());
        for wrong in [reason(&[0x0A, 1, 7]), reason(&[2, 1, 1]), reason(&[]), [&*once, &once].concat()] {
            assert!(CrlEntries::check(&entry(&wrong), |_| {}).is_err(), "{wrong:02x?}");
        }
    }
}
