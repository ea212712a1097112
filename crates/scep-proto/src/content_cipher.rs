//! Content encryption: block ciphers in CBC mode.

/// How the content of an EnvelopedData is encrypted ([RFC 3370 §5](https://www.rfc-editor.org/rfc/rfc3370#section-5),
/// [RFC 3565](https://www.rfc-editor.org/rfc/rfc3565)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentCipher {
    /// id-aes128-CBC; what every RFC 8894 implementation has.
    Aes128Cbc,
    /// id-aes192-CBC.
    Aes192Cbc,
    /// id-aes256-CBC.
    Aes256Cbc,
    /// DES-EDE3-CBC with three keys; where policy allows it.
    TripleDesCbc,
}
