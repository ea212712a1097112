//! What a responder makes of nonces.

use ocsp_proto::NonceReply;

/// What a responder makes of nonces ([RFC 9654](https://www.rfc-editor.org/rfc/rfc9654)). Of 0 or more than 128 octets
/// they are malformed whatever this says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth way")]
pub enum NoncePolicy {
    /// A nonce comes back, so the answer to a request that has one is made for it alone.
    #[default]
    Echo,
    /// A nonce is passed over: whoever asks the same gets the same answer, which may have been kept (RFC 9919 §3.2.1).
    Ignore,
    /// A nonce comes back; without one the answer is `unauthorized`.
    Require,
}

impl NoncePolicy {
    pub(crate) fn reply(self) -> NonceReply {
        match self {
            Self::Echo | Self::Require => NonceReply::Repeated,
            Self::Ignore => NonceReply::LeftOut,
        }
    }
}
