//! Keys in files that their owner alone may read.

use std::path::Path;

use base64ct::{Base64, Base64Unpadded, Encoding as _};
use zeroize::Zeroizing;

use crate::{FileError, SoftwareKey, create_private_file, read_private_file, replace_private_file};

/// Reads the private key in `path`: PEM or DER, PKCS #8 or the older forms. Refuses a file that others may read.
pub fn load_key(path: &Path) -> Result<SoftwareKey, FileError> {
    let contents = read_private_file(path)?;
    let key = match std::str::from_utf8(&contents) {
        Ok(text) if text.contains("-----BEGIN") => SoftwareKey::from_pem(text),
        _ => SoftwareKey::from_der(&contents),
    };
    key.map_err(|error| FileError::malformed(path, error))
}

/// Writes `key` as PKCS #8 PEM to `path`, where nothing is yet; for its owner alone.
pub fn create_key(path: &Path, key: &SoftwareKey) -> Result<(), FileError> {
    create_private_file(path, pem(path, key)?.as_bytes())
}

/// Writes `key` as PKCS #8 PEM to `path`, over what is there; for its owner alone.
pub fn replace_key(path: &Path, key: &SoftwareKey) -> Result<(), FileError> {
    replace_private_file(path, pem(path, key)?.as_bytes())
}

fn pem(path: &Path, key: &SoftwareKey) -> Result<Zeroizing<String>, FileError> {
    key.to_pkcs8_pem().map_err(|error| FileError::malformed(path, error))
}

/// Reads 32 secret octets from `path`, written as hexadecimal or base64 text. Refuses a file that others may read.
pub fn load_secret(path: &Path) -> Result<Zeroizing<[u8; 32]>, FileError> {
    let contents = read_private_file(path)?;
    let text = std::str::from_utf8(&contents).unwrap_or_default();
    secret(text.trim()).ok_or_else(|| {
        FileError::malformed(path, "expected 32 octets as 64 hexadecimal digits or as base64: something else")
    })
}

/// Writes 32 secret octets as hexadecimal text to `path`, where nothing is yet; for its owner alone.
pub fn create_secret(path: &Path, secret: &[u8; 32]) -> Result<(), FileError> {
    let mut text = Zeroizing::new(String::with_capacity(65));
    for octet in secret {
        for digit in [octet >> 4, octet & 15] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    text.push('\n');
    create_private_file(path, text.as_bytes())
}

fn secret(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut out = Zeroizing::new([0; 32]);
    let decoded = match text.len() {
        64 => return hex(text),
        44 => Base64::decode(text, &mut *out),
        43 => Base64Unpadded::decode(text, &mut *out),
        _ => return None,
    };
    let whole = decoded.ok()?.len() == 32;
    whole.then_some(out)
}

fn hex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut out = Zeroizing::new([0; 32]);
    for (slot, digits) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = digits.iter().map(|&digit| char::from(digit).to_digit(16));
        let value = digits.reduce(|high, low| Some(high? << 4 | low?))??;
        *slot = u8::try_from(value).ok()?;
    }
    Some(out)
}
