//! What Intune says of a request.

use std::str::FromStr;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The `code` of an answer of ScepRequestValidationFEService.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ResultCode {
            $($(#[$doc])* $name,)*
        }

        /// Each with its name at Intune.
        const CODES: &[(ResultCode, &str)] = &[$((ResultCode::$name, stringify!($name)),)*];
    };
}

codes! {
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
        CODES.iter().map(|(code, _)| *code)
    }

    /// As Intune writes it.
    pub fn name(self) -> &'static str {
        CODES.iter().find(|(code, _)| *code == self).map_or("Unknown", |(_, name)| name)
    }

    /// What follows from it. Only [`Success`](Self::Success) is a yes.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Success => Verdict::Yes,
            Self::Unknown => Verdict::NotNow,
            _ => Verdict::No,
        }
    }
}

impl FromStr for ResultCode {
    type Err = std::convert::Infallible;

    /// What is not known, letter by letter, is [`Unknown`](Self::Unknown).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(CODES.iter().find(|(_, name)| *name == text).map_or(Self::Unknown, |(code, _)| *code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_success_is_yes_and_what_is_not_known_is_no_answer() {
        for code in ResultCode::all() {
            assert_eq!(code.name().parse(), Ok(code));
            let expected = match code {
                ResultCode::Success => Verdict::Yes,
                ResultCode::Unknown => Verdict::NotNow,
                _ => Verdict::No,
            };
            assert_eq!(code.verdict(), expected, "{code:?}");
        }
        assert_eq!(ResultCode::all().count(), 25);
        for text in ["", "success", "Success ", "SuccessWithConditions", "0", "SomethingNew"] {
            assert_eq!(text.parse(), Ok(ResultCode::Unknown), "{text:?}");
        }
    }
}
