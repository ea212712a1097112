//! What Intune says of a request.

use std::str::FromStr;

/// The `code` of an answer of ScepRequestValidationFEService.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResultCode {
    /// Yes.
    Success,
    /// Intune does not know, or says what is not known here. Neither yes nor no.
    Unknown,
    /// The request is no PKCS #10 that Intune can read.
    CertificateRequestDecodingFailed,
    /// The request has no challenge.
    ChallengePasswordMissing,
    /// The challenge is not one of Intune's.
    ChallengeDeserializationError,
    /// The challenge cannot be decrypted.
    ChallengeDecryptionError,
    /// The challenge cannot be decoded.
    ChallengeDecodingError,
    /// The challenge has no sound time.
    ChallengeInvalidTimestamp,
    /// The challenge has expired.
    ChallengeExpired,
    /// The request has no subject.
    SubjectNameMissing,
    /// The request has another subject than the challenge.
    SubjectNameMismatch,
    /// The request lacks alternative names.
    SubjectAltNameMissing,
    /// The request has other alternative names than the challenge.
    SubjectAltNameMismatch,
    /// The request has another key usage than the challenge.
    KeyUsageMismatch,
    /// The key has another length than the challenge says.
    KeyLengthMismatch,
    /// The request lacks extended key usages.
    EnhancedKeyUsageMissing,
    /// The request has other extended key usages than the challenge.
    EnhancedKeyUsageMismatch,
    /// The request does not say which identity's key it is.
    AadKeyIdentifierListMissing,
    /// The key is not the one that the device registered.
    RegisteredKeyMismatch,
    /// The message was signed by another certificate than the challenge says.
    SigningCertThumbprintMismatch,
    /// The device or the user does not get that profile any more.
    ScepProfileNoLongerTargetedToTheClient,
    /// The signature of the challenge, or of the request, does not hold.
    SignatureValidationFailed,
    /// The challenge names no sound request.
    BadCertificateRequestIdInChallenge,
    /// The challenge names no sound device.
    BadDeviceIdInChallenge,
    /// The challenge names no sound user.
    BadUserIdInChallenge,
}

use ResultCode as Code;

/// Each with its name at Intune and ours, which is the code of the refusal.
const NAMES: [(Code, &str, &str); 25] = [
    (Code::Success, "Success", "intune-success"),
    (Code::Unknown, "Unknown", "intune-unknown"),
    (
        Code::CertificateRequestDecodingFailed,
        "CertificateRequestDecodingFailed",
        "intune-certificate-request-decoding-failed",
    ),
    (Code::ChallengePasswordMissing, "ChallengePasswordMissing", "intune-challenge-password-missing"),
    (
        Code::ChallengeDeserializationError,
        "ChallengeDeserializationError",
        "intune-challenge-deserialization-error",
    ),
    (Code::ChallengeDecryptionError, "ChallengeDecryptionError", "intune-challenge-decryption-error"),
    (Code::ChallengeDecodingError, "ChallengeDecodingError", "intune-challenge-decoding-error"),
    (Code::ChallengeInvalidTimestamp, "ChallengeInvalidTimestamp", "intune-challenge-invalid-timestamp"),
    (Code::ChallengeExpired, "ChallengeExpired", "intune-challenge-expired"),
    (Code::SubjectNameMissing, "SubjectNameMissing", "intune-subject-name-missing"),
    (Code::SubjectNameMismatch, "SubjectNameMismatch", "intune-subject-name-mismatch"),
    (Code::SubjectAltNameMissing, "SubjectAltNameMissing", "intune-subject-alt-name-missing"),
    (Code::SubjectAltNameMismatch, "SubjectAltNameMismatch", "intune-subject-alt-name-mismatch"),
    (Code::KeyUsageMismatch, "KeyUsageMismatch", "intune-key-usage-mismatch"),
    (Code::KeyLengthMismatch, "KeyLengthMismatch", "intune-key-length-mismatch"),
    (Code::EnhancedKeyUsageMissing, "EnhancedKeyUsageMissing", "intune-enhanced-key-usage-missing"),
    (Code::EnhancedKeyUsageMismatch, "EnhancedKeyUsageMismatch", "intune-enhanced-key-usage-mismatch"),
    (
        Code::AadKeyIdentifierListMissing,
        "AadKeyIdentifierListMissing",
        "intune-aad-key-identifier-list-missing",
    ),
    (Code::RegisteredKeyMismatch, "RegisteredKeyMismatch", "intune-registered-key-mismatch"),
    (
        Code::SigningCertThumbprintMismatch,
        "SigningCertThumbprintMismatch",
        "intune-signing-cert-thumbprint-mismatch",
    ),
    (
        Code::ScepProfileNoLongerTargetedToTheClient,
        "ScepProfileNoLongerTargetedToTheClient",
        "intune-scep-profile-no-longer-targeted-to-the-client",
    ),
    (Code::SignatureValidationFailed, "SignatureValidationFailed", "intune-signature-validation-failed"),
    (
        Code::BadCertificateRequestIdInChallenge,
        "BadCertificateRequestIdInChallenge",
        "intune-bad-certificate-request-id-in-challenge",
    ),
    (Code::BadDeviceIdInChallenge, "BadDeviceIdInChallenge", "intune-bad-device-id-in-challenge"),
    (Code::BadUserIdInChallenge, "BadUserIdInChallenge", "intune-bad-user-id-in-challenge"),
];

/// What follows from a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth case")]
pub enum Verdict {
    /// Go on.
    Yes,
    /// The same request will never be let through.
    No,
    /// Ask again later.
    NotNow,
}

impl ResultCode {
    /// Every code.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(|(code, ..)| code)
    }

    /// As Intune writes it.
    pub fn name(self) -> &'static str {
        self.names().0
    }

    /// The code of the refusal, such as `intune-challenge-expired`; the same from version to version.
    pub fn refusal_code(self) -> &'static str {
        self.names().1
    }

    /// What follows from it. Only [`Success`](Self::Success) is a yes.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Success => Verdict::Yes,
            Self::Unknown => Verdict::NotNow,
            _ => Verdict::No,
        }
    }

    fn names(self) -> (&'static str, &'static str) {
        let known = NAMES.into_iter().find(|(code, ..)| *code == self);
        known.map_or(("Unknown", "intune-unknown"), |(_, name, ours)| (name, ours))
    }
}

impl FromStr for ResultCode {
    type Err = std::convert::Infallible;

    /// What is not known is [`Unknown`](Self::Unknown).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = NAMES.into_iter().find(|(_, name, _)| *name == text);
        Ok(known.map_or(Self::Unknown, |(code, ..)| code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_has_a_name_of_ours() {
        for code in ResultCode::all() {
            assert_eq!(code.name().parse(), Ok(code));
            let spelled = code.refusal_code().trim_start_matches("intune-").replace('-', "");
            assert_eq!(spelled, code.name().to_lowercase());
        }
        assert_eq!(ResultCode::all().count(), 25);
    }

    #[test]
    fn only_success_is_yes_and_what_is_not_known_is_no_answer() {
        for code in ResultCode::all() {
            let expected = match code {
                ResultCode::Success => Verdict::Yes,
                ResultCode::Unknown => Verdict::NotNow,
                _ => Verdict::No,
            };
            assert_eq!(code.verdict(), expected, "{code:?}");
        }
        for text in ["", "success", "Success ", "SuccessWithConditions", "0", "SomethingNew"] {
            assert_eq!(text.parse(), Ok(ResultCode::Unknown), "{text:?}");
        }
    }
}
