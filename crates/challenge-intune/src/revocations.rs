//! PkiConnectorFEService: which certificates Intune wants revoked, and what was done about it.

use pki_core::{IssuerId, SerialNumber};
use rest_client::RestError;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{IntuneService, service::Provider};

/// As many requests are fetched at once; Microsoft advises no more.
pub const MAX_REVOCATIONS: u32 = 100;

/// Intune wants a certificate revoked: the device was wiped or retired, say, or does not get the profile any more.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct IntuneRevocation {
    /// Names the request; goes back with its result.
    pub request_context: String,
    /// The serial number, as it was told at issuance.
    pub serial_number: String,
    /// The issuer's name, as it was told.
    pub issuer_name: Option<String>,
    /// The CA, as it was told.
    pub ca_configuration: Option<String>,
}

impl IntuneRevocation {
    /// The serial number, if it is one.
    pub fn serial(&self) -> Option<SerialNumber> {
        self.serial_number.replace([' ', '-'], "").parse().ok()
    }

    /// The CA that it was told to be, if it is said.
    pub fn issuer(&self) -> Option<IssuerId> {
        let text = self.ca_configuration.as_deref().unwrap_or_default();
        let octet = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let octets: Vec<u8> = pairs.iter().filter(|_| rest.is_empty()).map_while(octet).collect();
        octets.try_into().ok().map(IssuerId::from_bytes)
    }
}

/// What was done about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "what is told apart here")]
pub enum RevocationResult {
    /// The certificate is revoked, now or before.
    Revoked,
    /// There is no such certificate here.
    NotFound,
    /// The request cannot be read.
    Malformed,
    /// Nothing could be done now.
    TryAgain,
}

impl RevocationResult {
    fn error(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Revoked => ("None", None),
            Self::NotFound => ("CertificateNotFoundError", Some("this CA has not issued such a certificate")),
            Self::Malformed => ("ParameterDataInvalidError", Some("the serial number cannot be read")),
            Self::TryAgain => {
                ("RetryableServiceException", Some("the revocation could not be recorded: ask again later"))
            }
        }
    }
}

impl IntuneService {
    /// What Intune wants revoked and has not heard a result of. For an hour after each call the service gives the same
    /// requests to nobody.
    pub async fn download_revocations(&self) -> Result<Vec<IntuneRevocation>, RestError> {
        let body = json!({ "downloadParameters": { "maxRequests": MAX_REVOCATIONS, "issuerName": null } });
        let path = "/CertificateAuthorityRequests/downloadRevocationRequests";
        let listed: Listed = self.post(Provider::Connector, path, &body).await?;
        Ok(listed.value)
    }

    /// Tells what was done. A result may be told again.
    pub async fn upload_revocations(&self, results: &[(String, RevocationResult)]) -> Result<(), RestError> {
        let results = results.iter().map(|(context, result)| {
            let (code, message) = result.error();
            Uploaded {
                request_context: context,
                succeeded: *result == RevocationResult::Revoked,
                error_code: code,
                error_message: message,
            }
        });
        let body = json!({ "results": results.collect::<Vec<_>>() });
        let path = "/CertificateAuthorityRequests/uploadRevocationResults";
        let answer: Accepted = self.post(Provider::Connector, path, &body).await?;
        if answer.value {
            return Ok(());
        }
        let why = String::from("it did not take the results of revocations");
        Err(RestError::Garbage { service: self.name().to_owned(), why })
    }
}

#[derive(Deserialize)]
struct Listed {
    value: Vec<IntuneRevocation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Uploaded<'a> {
    request_context: &'a str,
    succeeded: bool,
    error_code: &'static str,
    error_message: Option<&'static str>,
}

#[derive(Deserialize)]
struct Accepted {
    value: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_at_issuance_is_read_back() {
        let issuer = IssuerId::from_bytes([0xAB; 32]);
        let told = |serial: &str, ca: Option<String>| IntuneRevocation {
            request_context: String::from("x"),
            serial_number: serial.to_owned(),
            issuer_name: None,
            ca_configuration: ca,
        };
        let whole = told("20EB1AB6", Some(crate::hex(issuer.as_bytes())));
        assert_eq!(whole.issuer(), Some(issuer));
        for serial in ["20EB1AB6", "20eb1ab6", "20 EB 1A B6", "20:EB:1A:B6", "0020EB1AB6", "20-EB-1A-B6"] {
            assert_eq!(told(serial, None).serial(), Some("20EB1AB6".parse().unwrap()), "{serial}");
        }
        for ca in [None, Some(""), Some("ca-1"), Some(&*"ä".repeat(32)), Some(&*"a".repeat(65))] {
            assert_eq!(told("1", ca.map(String::from)).issuer(), None, "{ca:?}");
        }
        assert_eq!(told("no serial", None).serial(), None);
    }
}
