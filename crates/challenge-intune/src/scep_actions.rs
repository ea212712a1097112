//! ScepRequestValidationFEService: may this request have a certificate, and what became of it.

use base64ct::{Base64, Encoding as _};
use pki_core::{Certificate, CertificationRequest, DigestAlgorithm, IssuerId};
use rest_client::RestError;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{IntuneService, ResultCode, Verdict, hex, service::Provider};

/// As many characters of a description does the service take.
const MAX_DESCRIPTION: usize = 255;

/// A request as Intune is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScepTransaction {
    /// The transactionID.
    transaction_id: String,
    /// Base64 of the PKCS #10 request, challenge and all.
    certificate_request: String,
}

impl ScepTransaction {
    /// The request `csr` that was made under this transactionID.
    pub fn new(transaction_id: &[u8], csr: &CertificationRequest) -> Self {
        Self {
            transaction_id: String::from_utf8_lossy(transaction_id).into_owned(),
            certificate_request: Base64::encode_string(csr.as_der()),
        }
    }
}

/// Why no certificate is issued after all, as Windows codes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "what is told apart here")]
pub enum HResult {
    /// `E_ACCESSDENIED`: the object, its names or its state do not allow it.
    AccessDenied,
    /// `NTE_BAD_ALGID`: the key or an algorithm is not taken.
    BadAlgorithm,
    /// `E_FAIL`: something is wrong here.
    Failed,
}

impl HResult {
    /// As the services take it: not negative.
    fn code(self) -> u32 {
        match self {
            Self::AccessDenied => 0x8007_0005,
            Self::BadAlgorithm => 0x8009_0008,
            Self::Failed => 0x8000_4005,
        }
    }
}

/// Intune did not say yes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntuneError {
    /// It was asked, and says no for good.
    #[error("Intune says {}: {why}", code.name())]
    Rejected {
        /// What it says.
        code: ResultCode,
        /// The same in its words.
        why: String,
    },
    /// It was asked, and says neither yes nor no.
    #[error("Intune does not know what to say of the request ({code:?}): {why}")]
    Undecided {
        /// The code as it came.
        code: String,
        /// Its words.
        why: String,
    },
    /// It could not be asked.
    #[error(transparent)]
    Unreachable(#[from] RestError),
}

impl IntuneService {
    /// Whether Intune lets `transaction` have the certificate that it asks for: whether the challenge is Intune's, has not
    /// expired, and is for just these names, usages and key.
    pub async fn validate(&self, transaction: &ScepTransaction) -> Result<(), IntuneError> {
        let request = Action { transaction, details: json!({}), caller_info: self.caller() };
        self.act("validateRequest", &json!({ "request": request })).await
    }

    /// Tells that `certificate` was issued, so that Intune knows of it and can have it revoked. It must not be handed out
    /// before this has succeeded, says Microsoft.
    pub async fn notify_success(
        &self,
        transaction: &ScepTransaction,
        certificate: &Certificate,
        issuer: IssuerId,
    ) -> Result<(), IntuneError> {
        let thumbprint = DigestAlgorithm::Sha1.digest(certificate.as_der()).unwrap_or_default();
        let serial = certificate.serial_number().map(|serial| serial.to_string());
        let expires = certificate.validity().not_after().to_string();
        let ca = certificate.issuer().to_string();
        let details = json!({
            "certificateThumbprint": hex(&thumbprint).to_uppercase(),
            "certificateSerialNumber": serial,
            // Whole seconds, in the form that .NET writes.
            "certificateExpirationDateUtc": expires.replace('Z', ".000Z"),
            "issuingCertificateAuthority": ca,
            // Comes back with a request to revoke the certificate.
            "caConfiguration": hex(issuer.as_bytes()),
            "certificateAuthority": ca,
        });
        let notification = Action { transaction, details, caller_info: self.caller() };
        self.act("successNotification", &json!({ "notification": notification })).await
    }

    /// Tells that there will be no certificate, though [`validate`](Self::validate) said that there may be one.
    pub async fn notify_failure(
        &self,
        transaction: &ScepTransaction,
        result: HResult,
        description: &str,
    ) -> Result<(), IntuneError> {
        let description: String = description.chars().take(MAX_DESCRIPTION).collect();
        let details = json!({ "hResult": result.code(), "errorDescription": description });
        let notification = Action { transaction, details, caller_info: self.caller() };
        self.act("failureNotification", &json!({ "notification": notification })).await
    }

    /// An answer without a code, or with another one than it should have, is no yes.
    async fn act(&self, action: &str, body: &serde_json::Value) -> Result<(), IntuneError> {
        let path = format!("/ScepActions/{action}");
        let answer: Answer = self.post(Provider::Validation, &path, body).await?;
        let code = answer.code.parse().unwrap_or(ResultCode::Unknown);
        let said = answer.error_description.unwrap_or_default();
        let why = said.chars().filter(|c| !c.is_control()).take(300).collect();
        match code.verdict() {
            Verdict::Yes => Ok(()),
            Verdict::No => Err(IntuneError::Rejected { code, why }),
            Verdict::NotNow => {
                Err(IntuneError::Undecided { code: answer.code.chars().take(80).collect(), why })
            }
        }
    }
}

/// What all three are told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Action<'a> {
    #[serde(flatten)]
    transaction: &'a ScepTransaction,
    #[serde(flatten)]
    details: serde_json::Value,
    caller_info: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    code: String,
    error_description: Option<String>,
}
