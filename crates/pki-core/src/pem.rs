//! PEM blocks: the text form of certificates and CRLs.

use alloc::{string::String, vec::Vec};

use crate::DecodeError;

/// What a block is called, and how it begins and ends.
pub(crate) struct Label {
    pub(crate) name: &'static str,
    pub(crate) begin: &'static str,
    pub(crate) end: &'static str,
    /// For errors.
    pub(crate) what: &'static str,
}

pub(crate) const CERTIFICATE: Label = Label {
    name: "CERTIFICATE",
    begin: "-----BEGIN CERTIFICATE-----",
    end: "-----END CERTIFICATE-----",
    what: "a PEM block BEGIN CERTIFICATE",
};

pub(crate) const CRL: Label = Label {
    name: "X509 CRL",
    begin: "-----BEGIN X509 CRL-----",
    end: "-----END X509 CRL-----",
    what: "a PEM block BEGIN X509 CRL",
};

impl Label {
    /// The DER in the first block of that label. People keep comments, and OpenSSL its bag attributes, before it.
    pub(crate) fn decode(&self, text: &str) -> Result<Vec<u8>, DecodeError> {
        let start = text.find(self.begin).ok_or_else(|| DecodeError::new(self.what, "none"))?;
        let block = text.get(start..).unwrap_or_default();
        let end = block.find(self.end).map(|at| at.saturating_add(self.end.len()));
        let block = end.and_then(|end| block.get(..end));
        let block = block.ok_or_else(|| DecodeError::new(self.what, "no end line"))?;
        let decoded = der::pem::decode_vec(block.as_bytes());
        decoded.map(|(_, der)| der).map_err(|error| DecodeError::new(self.what, error))
    }

    /// The block, lines ended by LF.
    pub(crate) fn encode(&self, der: &[u8]) -> String {
        der::pem::encode_string(self.name, der::pem::LineEnding::LF, der).unwrap_or_default()
    }
}
