//! What a webhook is sent, and what it says.

use base64ct::{Base64, Encoding as _};
use enrollment::{Asked, Refusal};
use pki_core::{Certificate, CertificationRequest, GeneralName, UnixTime};
use serde::{Deserialize, Serialize};

/// What is asked, as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Question<'a> {
    timestamp: String,
    provisioner_name: &'a str,
    x509_certificate_request: Request,
    #[serde(skip_serializing_if = "Option::is_none")]
    scep_challenge: Option<&'a str>,
    #[serde(rename = "scepTransactionID")]
    scep_transaction_id: String,
}

/// A certification request: the DER of it in base64, and what names it asks for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    raw: String,
    subject: Subject,
    dns_names: Vec<String>,
    email_addresses: Vec<String>,
    #[serde(rename = "uris")]
    uris: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Subject {
    common_name: String,
}

impl<'a> Question<'a> {
    /// About a first enrollment.
    pub(crate) fn about(asked: &Asked<'a>) -> Result<Self, Refusal> {
        Ok(Self {
            timestamp: asked.now.to_string(),
            provisioner_name: asked.profile,
            x509_certificate_request: Request::of(asked.csr)?,
            scep_challenge: asked.challenge.map(pki_core::ChallengePassword::expose),
            scep_transaction_id: String::from_utf8_lossy(asked.transaction_id).into_owned(),
        })
    }
}

impl Request {
    fn of(csr: &CertificationRequest) -> Result<Self, Refusal> {
        let names = csr.subject_alt_names().map_err(|error| Refusal::Malformed(error.to_string()))?;
        let texts =
            |pick: fn(&GeneralName) -> Option<&String>| names.iter().filter_map(pick).cloned().collect();
        Ok(Self {
            raw: Base64::encode_string(csr.as_der()),
            subject: Subject { common_name: csr.subject().common_name().unwrap_or_default() },
            dns_names: texts(|name| if let GeneralName::Dns(text) = name { Some(text) } else { None }),
            email_addresses: texts(
                |name| if let GeneralName::Email(text) = name { Some(text) } else { None },
            ),
            uris: texts(|name| if let GeneralName::Uri(text) = name { Some(text) } else { None }),
        })
    }
}

/// What it says.
#[derive(Deserialize)]
pub(crate) struct Answer {
    pub(crate) allow: bool,
    #[serde(default)]
    pub(crate) data: Option<Data>,
}

/// What else it says. Members that are not known mean nothing.
#[derive(Deserialize, Default)]
pub(crate) struct Data {
    /// The object to bind to, such as `entra-device:UUID`.
    #[serde(default)]
    pub(crate) object: Option<String>,
    /// The names that the certificate may carry at most.
    #[serde(default)]
    pub(crate) names: Option<Vec<String>>,
    /// Why not.
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// What it is told, as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct News<'a> {
    pub(crate) timestamp: String,
    pub(crate) provisioner_name: &'a str,
    #[serde(rename = "scepTransactionID")]
    pub(crate) scep_transaction_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) x509_certificate: Option<Issued>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scep_error_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scep_error_description: Option<&'a str>,
}

/// A certificate: the DER of it in base64, its number and its last second.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Issued {
    raw: String,
    serial_number: String,
    not_after: String,
}

impl Issued {
    pub(crate) fn of(certificate: &Certificate) -> Self {
        let UnixTime(end) = certificate.validity().not_after();
        Self {
            raw: Base64::encode_string(certificate.as_der()),
            serial_number: certificate.serial_number().map(|serial| serial.to_string()).unwrap_or_default(),
            not_after: UnixTime(end).to_string(),
        }
    }
}
