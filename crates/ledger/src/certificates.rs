//! Certificates for people who look for them.

use pki_core::{CertRef, Certificate, CrlReason, SerialNumber, UnixTime};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serial_binding::BoundObject;

use crate::encoding;

/// Which certificates to list. Start from `default()`, which lists the latest hundred, and set fields.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct CertificateQuery {
    /// Only those whose subject has this in it, in any case; empty for all.
    pub subject: String,
    /// Only those of this object.
    pub object: Option<BoundObject>,
    /// Only those that end after this.
    pub ends_after: UnixTime,
    /// Only those that end no later than this.
    pub ends_by: UnixTime,
    /// Which of several certificates of one object.
    pub succession: Succession,
    /// Only those older than this record: the last one of the page before.
    pub before: Option<CertRef>,
    /// At most this many.
    pub limit: u32,
}

impl Default for CertificateQuery {
    fn default() -> Self {
        Self {
            subject: String::new(),
            object: None,
            ends_after: UnixTime(0),
            ends_by: UnixTime::MAX,
            succession: Succession::All,
            before: None,
            limit: 100,
        }
    }
}

/// Which of several certificates of one object to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Succession {
    /// All of them.
    #[default]
    All,
    /// The last one of each profile: the others have been renewed, or enrolled anew.
    LastOfEachProfile,
}

/// That there is no later certificate of the same profile for the same object as the certificate `c`.
pub(crate) const HAS_NO_SUCCESSOR: &str = "NOT EXISTS (SELECT 1 FROM certificate n WHERE n.object = c.object \
     AND n.profile = c.profile AND n.id > c.id AND n.issued IS NOT NULL)";

/// A certificate as it is on record.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CertificateRecord {
    /// The CA and the serial number.
    pub certificate: CertRef,
    /// The subject, as text.
    pub subject: String,
    /// The profile it was issued by.
    pub profile: String,
    /// What its serial number is bound to.
    pub object: Option<BoundObject>,
    /// Last second of validity.
    pub not_after: UnixTime,
    /// When it was issued; `None` when the server ended before it was.
    pub issued_at: Option<UnixTime>,
    /// The certificate itself, once issued.
    pub issued: Option<Certificate>,
    /// The certificate that it renewed.
    pub renews: Option<SerialNumber>,
    /// Revoked by order: since when and why.
    pub revoked: Option<(UnixTime, CrlReason)>,
}

const COLUMNS: &str = "SELECT i.octets AS issuer, c.serial, c.der, c.profile, c.subject, c.object, c.not_after, \
                       c.issued, c.renews, r.since, r.reason \
                       FROM certificate c JOIN issuer i ON i.id = c.issuer \
                       LEFT JOIN revocation r ON r.issuer = i.octets AND r.serial = c.serial";

pub(crate) fn find(
    connection: &Connection,
    certificate: CertRef,
) -> rusqlite::Result<Option<CertificateRecord>> {
    let sql = format!("{COLUMNS} WHERE i.octets = ? AND c.serial = ?");
    let key = params![certificate.issuer.as_bytes(), certificate.serial.as_be_bytes()];
    connection.prepare_cached(&sql)?.query_row(key, record).optional()
}

pub(crate) fn search(
    connection: &Connection,
    query: &CertificateQuery,
) -> rusqlite::Result<Vec<CertificateRecord>> {
    let succession = match query.succession {
        Succession::All => "TRUE",
        Succession::LastOfEachProfile => HAS_NO_SUCCESSOR,
    };
    let sql = format!(
        "{COLUMNS} WHERE {succession} AND instr(lower(c.subject), lower(?)) > 0 AND (?2 IS NULL OR c.object = ?2) \
         AND c.not_after > ?3 AND c.not_after <= ?4 \
         AND (?5 IS NULL OR c.id < (SELECT last.id FROM certificate last JOIN issuer o ON o.id = last.issuer \
         WHERE o.octets = ?5 AND last.serial = ?6)) \
         ORDER BY c.id DESC LIMIT ?7"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(
        params![
            query.subject,
            query.object.map(encoding::object_octets),
            encoding::seconds(query.ends_after),
            encoding::seconds(query.ends_by),
            query.before.as_ref().map(|last| last.issuer.as_bytes()),
            query.before.as_ref().map(|last| last.serial.as_be_bytes()),
            query.limit,
        ],
        record,
    )?;
    rows.collect()
}

fn record(row: &Row<'_>) -> rusqlite::Result<CertificateRecord> {
    let der = row.get::<_, Option<Vec<u8>>>("der")?;
    let issued =
        der.map(|der| Certificate::from_der(&der).map_err(|_| encoding::damaged("der", "a certificate")));
    let renews = row.get::<_, Option<Vec<u8>>>("renews")?;
    let renews = renews.map(|serial| SerialNumber::from_be_bytes(&serial));
    let revoked = match encoding::optional_time(row, "since")? {
        Some(since) => Some((since, encoding::reason(row, "reason")?)),
        None => None,
    };
    Ok(CertificateRecord {
        certificate: encoding::cert_ref(row)?,
        subject: row.get("subject")?,
        profile: row.get("profile")?,
        object: encoding::object(row, "object")?,
        not_after: encoding::time(row, "not_after")?,
        issued_at: encoding::optional_time(row, "issued")?,
        issued: issued.transpose()?,
        renews: renews.transpose().map_err(|_| encoding::damaged("renews", "a serial number"))?,
        revoked,
    })
}
