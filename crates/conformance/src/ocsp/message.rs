//! OCSPResponses taken apart, and put together again with anything in them wrong.
//!
//! [`pki_core`]'s types refuse what is malformed. Here is for whoever has to look at it: the checks, and the broken
//! responders that prove them.

use pki_core::{Certificate, DecodeError, Oid, tlv};

const BASIC: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.1");
const ENUMERATED: u8 = 0x0A;

/// An OCSPResponse ([RFC 6960 §4.2.1](https://www.rfc-editor.org/rfc/rfc6960#section-4.2.1)).
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "everything in it may be changed")]
pub struct OcspMessage {
    /// responseStatus: 0 is successful.
    pub status: u8,
    /// responseType and its content; `None` when there are no responseBytes.
    pub bytes: Option<(Oid, Vec<u8>)>,
}

/// A BasicOCSPResponse.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "everything in it may be changed")]
pub struct BasicMessage {
    /// The DER of the version, where it is written out.
    pub version: Option<Vec<u8>>,
    /// The DER of the ResponderID.
    pub responder_id: Vec<u8>,
    /// The DER of producedAt.
    pub produced_at: Vec<u8>,
    /// The answers.
    pub responses: Vec<SingleMessage>,
    /// The DER of each of the responseExtensions.
    pub extensions: Vec<Vec<u8>>,
    /// The DER of signatureAlgorithm.
    pub algorithm: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// The DER of the certificates.
    pub certificates: Vec<Vec<u8>>,
    /// The DER of the ResponseData as it came; what was signed.
    pub signed: Vec<u8>,
}

/// A SingleResponse.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "everything in it may be changed")]
pub struct SingleMessage {
    /// The DER of the CertID.
    pub cert_id: Vec<u8>,
    /// The DER of the CertStatus.
    pub status: Vec<u8>,
    /// The DER of thisUpdate.
    pub this_update: Vec<u8>,
    /// The DER of nextUpdate.
    pub next_update: Option<Vec<u8>>,
    /// The DER of each of the singleExtensions.
    pub extensions: Vec<Vec<u8>>,
}

impl OcspMessage {
    /// Reads DER, whatever follows it.
    pub fn read(der: &[u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "an OCSPResponse";
        let mut fields = tlv::Cursor::over(der, WHAT)?.enter(tlv::SEQUENCE)?;
        let status = match fields.expect(ENUMERATED)?.value {
            [status] => *status,
            other => return Err(DecodeError::new(WHAT, format_args!("a status of {} octets", other.len()))),
        };
        let bytes = match fields.optional(0xA0)? {
            None => None,
            Some(explicit) => {
                let mut inner = tlv::Cursor::into(explicit.value, tlv::SEQUENCE, WHAT)?;
                let id = inner.oid()?;
                let content = inner.expect(tlv::OCTET_STRING)?.value.to_vec();
                inner.finish()?;
                Some((id, content))
            }
        };
        fields.finish()?;
        Ok(Self { status, bytes })
    }

    /// Its DER.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = self.bytes.as_ref().map(|(id, content)| {
            let content = tlv::wrap(tlv::OCTET_STRING, content);
            tlv::wrap(0xA0, &tlv::sequence([&*tlv::oid(*id), &content]))
        });
        tlv::sequence([&*tlv::wrap(ENUMERATED, &[self.status]), &bytes.unwrap_or_default()])
    }

    /// A successful one.
    pub fn of(basic: &BasicMessage) -> Self {
        Self { status: 0, bytes: Some((BASIC, basic.encode())) }
    }

    /// The name of its status.
    pub fn status_name(&self) -> &'static str {
        match self.status {
            0 => "successful",
            1 => "malformedRequest",
            2 => "internalError",
            3 => "tryLater",
            5 => "sigRequired",
            6 => "unauthorized",
            _ => "a status that there is not",
        }
    }
}

impl BasicMessage {
    /// Whether that is what the response is of.
    pub fn is_type(id: Oid) -> bool {
        id == BASIC
    }

    /// Reads DER.
    pub fn read(der: &[u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "a BasicOCSPResponse";
        let mut outer = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
        let data = outer.expect(tlv::SEQUENCE)?;
        let algorithm = outer.expect(tlv::SEQUENCE)?.bytes.to_vec();
        let signature = outer.octet_bits()?.to_vec();
        let certificates = match outer.optional(0xA0)? {
            Some(explicit) => list(tlv::Cursor::into(explicit.value, tlv::SEQUENCE, WHAT)?)?,
            None => Vec::new(),
        };
        outer.finish()?;
        let mut fields = tlv::Cursor::over(data.value, WHAT)?;
        let version = fields.optional(0xA0)?.map(|explicit| explicit.bytes.to_vec());
        let responder_id = fields.next()?.bytes.to_vec();
        let produced_at = fields.next()?.bytes.to_vec();
        let singles = list(fields.enter(tlv::SEQUENCE)?)?;
        let responses = singles.iter().map(|der| SingleMessage::read(der)).collect::<Result<_, _>>()?;
        let extensions = extensions(fields.optional(0xA1)?)?;
        fields.finish()?;
        let signed = data.bytes.to_vec();
        Ok(Self {
            version,
            responder_id,
            produced_at,
            responses,
            extensions,
            algorithm,
            signature,
            certificates,
            signed,
        })
    }

    /// The DER of the ResponseData as it is now: what a new signature has to be made over.
    pub fn to_be_signed(&self) -> Vec<u8> {
        let responses: Vec<u8> = self.responses.iter().flat_map(SingleMessage::encode).collect();
        tlv::sequence([
            self.version.as_deref().unwrap_or_default(),
            &self.responder_id,
            &self.produced_at,
            &tlv::wrap(tlv::SEQUENCE, &responses),
            &explicit_extensions(&self.extensions),
        ])
    }

    /// Its DER.
    pub fn encode(&self) -> Vec<u8> {
        let certificates = if self.certificates.is_empty() {
            Vec::new()
        } else {
            tlv::wrap(0xA0, &tlv::wrap(tlv::SEQUENCE, &self.certificates.concat()))
        };
        let bits = tlv::wrap(tlv::BIT_STRING, &[&[0], &*self.signature].concat());
        tlv::sequence([&*self.to_be_signed(), &self.algorithm, &bits, &certificates])
    }

    /// The certificates that can be parsed.
    pub fn parsed_certificates(&self) -> Vec<Certificate> {
        self.certificates.iter().filter_map(|der| Certificate::from_der(der).ok()).collect()
    }
}

impl SingleMessage {
    fn read(der: &[u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "a SingleResponse";
        let mut fields = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
        let cert_id = fields.expect(tlv::SEQUENCE)?.bytes.to_vec();
        let status = fields.next()?.bytes.to_vec();
        let this_update = fields.next()?.bytes.to_vec();
        let next_update = fields.optional(0xA0)?.map(|explicit| explicit.value.to_vec());
        let extensions = extensions(fields.optional(0xA1)?)?;
        fields.finish()?;
        Ok(Self { cert_id, status, this_update, next_update, extensions })
    }

    fn encode(&self) -> Vec<u8> {
        let next = self.next_update.as_ref().map(|time| tlv::wrap(0xA0, time)).unwrap_or_default();
        tlv::sequence([
            &*self.cert_id,
            &self.status,
            &self.this_update,
            &next,
            &explicit_extensions(&self.extensions),
        ])
    }
}

/// The value of the extension of that type, and whether it is critical.
pub fn extension(list: &[Vec<u8>], id: Oid) -> Option<(bool, Vec<u8>)> {
    list.iter().find_map(|der| {
        let mut fields = tlv::Cursor::into(der, tlv::SEQUENCE, "an Extension").ok()?;
        if fields.oid().ok()? != id {
            return None;
        }
        let critical = fields.boolean().ok()?.unwrap_or(false);
        Some((critical, fields.expect(tlv::OCTET_STRING).ok()?.value.to_vec()))
    })
}

fn extensions(explicit: Option<tlv::Tlv<'_>>) -> Result<Vec<Vec<u8>>, DecodeError> {
    match explicit {
        Some(explicit) => list(tlv::Cursor::into(explicit.value, tlv::SEQUENCE, "Extensions")?),
        None => Ok(Vec::new()),
    }
}

fn explicit_extensions(list: &[Vec<u8>]) -> Vec<u8> {
    if list.is_empty() { Vec::new() } else { tlv::wrap(0xA1, &tlv::wrap(tlv::SEQUENCE, &list.concat())) }
}

fn list(mut cursor: tlv::Cursor<'_>) -> Result<Vec<Vec<u8>>, DecodeError> {
    let mut found = Vec::new();
    while !cursor.is_empty() {
        found.push(cursor.next()?.bytes.to_vec());
    }
    Ok(found)
}
