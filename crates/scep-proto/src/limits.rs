//! How much of anything is taken. What exceeds a limit is an error like any other malformed input.

/// The longest pkiMessage, in octets. Services cap bodies at this as well, before reading them.
pub const MAX_MESSAGE_LEN: usize = 64 * 1024;

/// How deep elements may lie within each other; RFC 8894 messages stay below 16.
pub const MAX_DEPTH: usize = 32;

/// The longest OBJECT IDENTIFIER, in content octets.
pub const MAX_OID_LEN: usize = 64;

/// The longest INTEGER, in content octets.
pub const MAX_INTEGER_LEN: usize = 1024;

/// The longest reply that a client reads, and the longest input of [`ber::normalize`](crate::ber::normalize), in
/// octets. More than a request, because a CRL may be in it.
pub const MAX_REPLY_LEN: usize = 1024 * 1024;

/// The most certificates in one message, CertReps and GetCACert answers included.
pub const MAX_CERTIFICATES: usize = 10;

/// The most signed attributes in one message.
pub const MAX_ATTRIBUTES: usize = 32;

/// The most rounds of PBKDF2 that a message may ask for; somebody else chooses them.
pub const MAX_PBKDF2_ITERATIONS: u32 = 100_000;

/// The longest salt of PBKDF2, in octets.
pub const MAX_SALT_LEN: usize = 64;

/// The longest transactionID, in octets of whatever string type. The shortest has one octet.
pub const MAX_TRANSACTION_ID_LEN: usize = 256;

/// The shortest senderNonce taken. RFC 8894 section 3.2.1.5 says 16 octets; clients older than it send 8. The nonce
/// protects the client that made it and no one else, so a short one is no danger to a CA.
pub const MIN_NONCE_LEN: usize = 8;

/// The longest senderNonce taken.
pub const MAX_NONCE_LEN: usize = 64;

/// The length of the nonces made here, as RFC 8894 section 3.2.1.5 has it.
pub const NONCE_LEN: usize = 16;
