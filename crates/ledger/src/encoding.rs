//! How values stand in columns.

use pki_core::{CertRef, CrlReason, IssuerId, SerialNumber, UnixTime};
use rusqlite::{Row, types::Type};
use serial_binding::{BoundObject, ObjectId, ObjectKind};

type Read<T> = rusqlite::Result<T>;

/// A kind, then 16 octets of a UUID or 8 of a number.
pub(crate) fn object_octets(object: BoundObject) -> Vec<u8> {
    let mut octets = vec![object.kind().number()];
    match object.id() {
        ObjectId::Uuid(id) => octets.extend_from_slice(&id),
        ObjectId::Number(id) => octets.extend_from_slice(&id.to_be_bytes()),
    }
    octets
}

pub(crate) fn object(row: &Row<'_>, column: &str) -> Read<Option<BoundObject>> {
    let Some(octets) = row.get::<_, Option<Vec<u8>>>(column)? else { return Ok(None) };
    let decoded = || {
        let (kind, id) = octets.split_first()?;
        let kind = ObjectKind::new(*kind)?;
        let id = match (<[u8; 16]>::try_from(id), <[u8; 8]>::try_from(id)) {
            (Ok(id), _) => ObjectId::Uuid(id),
            (_, Ok(id)) => ObjectId::Number(u64::from_be_bytes(id)),
            _ => return None,
        };
        BoundObject::new(kind, id).ok()
    };
    decoded().map(Some).ok_or_else(|| damaged(column, "an object"))
}

pub(crate) fn octets32(row: &Row<'_>, column: &str) -> Read<[u8; 32]> {
    row.get::<_, Vec<u8>>(column)?.try_into().map_err(|_| damaged(column, "32 octets"))
}

pub(crate) fn cert_ref(row: &Row<'_>) -> Read<CertRef> {
    let issuer = IssuerId::from_bytes(octets32(row, "issuer")?);
    let serial = row.get::<_, Vec<u8>>("serial")?;
    let serial = SerialNumber::from_be_bytes(&serial).map_err(|_| damaged("serial", "a serial number"))?;
    Ok(CertRef { issuer, serial })
}

/// SQLite's integers are signed; no time that a certificate can name is too large for them.
pub(crate) fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

pub(crate) fn time(row: &Row<'_>, column: &str) -> Read<UnixTime> {
    u64::try_from(row.get::<_, i64>(column)?).map(UnixTime).map_err(|_| damaged(column, "a time"))
}

pub(crate) fn optional_time(row: &Row<'_>, column: &str) -> Read<Option<UnixTime>> {
    let seconds = row.get::<_, Option<i64>>(column)?;
    seconds
        .map(|seconds| u64::try_from(seconds).map(UnixTime).map_err(|_| damaged(column, "a time")))
        .transpose()
}

pub(crate) fn reason(row: &Row<'_>, column: &str) -> Read<CrlReason> {
    CrlReason::from_code(row.get(column)?).ok_or_else(|| damaged(column, "a reason"))
}

pub(crate) fn damaged(column: &str, expected: &str) -> rusqlite::Error {
    let text = format!("expected {expected} in the column {column}");
    rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, text.into())
}
