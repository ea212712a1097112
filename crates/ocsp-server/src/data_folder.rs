//! The names that files have in a data folder, and how they are read.

use std::{io::ErrorKind, path::Path};

use keys_software::load_secret;
use pki_core::{Certificate, PublicKey};
use serial_binding::{KeyId, SerialBindings, SerialKey};

use crate::ServerError;

/// The CA's certificate.
pub const CA_CERTIFICATE: &str = "ca.pem";
/// The CA's key.
pub const CA_KEY: &str = "ca.key.pem";
/// The ledger.
pub const LEDGER: &str = "ledger.sqlite";

/// Reads a certificate from a PEM file.
pub fn read_certificate(path: &Path) -> Result<Certificate, ServerError> {
    let pem = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => ServerError::of_file(
            path,
            "no such file: name the folder of a CA with --data, or start scep-server to make one",
        ),
        _ => ServerError::of_file(path, error),
    })?;
    Certificate::from_pem(&pem).map_err(|error| ServerError::of_file(path, error))
}

/// The name of the file of a serial key.
pub fn serial_key_name(id: KeyId) -> String {
    format!("serial-{id}.key")
}

/// Reads every serial key in `folder`; fails when there is none.
pub fn read_serial_keys(folder: &Path) -> Result<Vec<SerialKey>, ServerError> {
    let mut keys = Vec::new();
    for id in (0..16).filter_map(KeyId::new) {
        let secret = match load_secret(&folder.join(serial_key_name(id))) {
            Err(error) if error.is_not_found() => continue,
            secret => secret?,
        };
        keys.push(SerialKey::from_slice(id, &*secret)?);
    }
    if keys.is_empty() {
        let problem = format_args!(
            "no serial key; expected {} with 64 hexadecimal digits",
            serial_key_name(KeyId::FIRST)
        );
        return Err(ServerError::of_file(folder, problem));
    }
    Ok(keys)
}

/// The binding that reads what any of `keys` sealed for `issuer`, and seals with the first of them.
pub fn sealed_binding(keys: &[SerialKey], issuer: &PublicKey) -> Result<SerialBindings, ServerError> {
    let (first, earlier) = keys.split_first().ok_or_else(|| ServerError::new("no serial key"))?;
    let sealed = SerialBindings::sealed(first, issuer);
    Ok(earlier.iter().try_fold(sealed, SerialBindings::with_earlier_key)?)
}
