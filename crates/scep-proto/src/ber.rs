//! BER to DER.

use alloc::borrow::Cow;

use pki_core::DecodeError;

/// Normalises.
pub fn normalize(_ber: &[u8]) -> Result<Cow<'_, [u8]>, DecodeError> {
    todo!()
}
