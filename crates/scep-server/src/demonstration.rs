//! What a server that was told nothing puts into its data folder, so that there is something to try it with.

use std::{io::ErrorKind, path::Path};

use ocsp_server::ServerError;

/// The device that the demonstration enrolls.
pub(crate) const DEVICE: &str = "demo-laptop";

const DIRECTORY: &str = r#"# The devices and users whose certificates are good. This file is read again whenever it changes:
#
#   state = "enabled"     certificates of the object are good
#   state = "disabled"    they are on hold
#   state = "gone", or the whole entry deleted: they are revoked for ever
#
# Beside its name an object can have dns, emails, upns, uris and common_names that its certificates may carry.

[[devices]]
id = "0a4c6b7e-5d1f-4c2a-9a53-0f6f2d1c8e01"
name = "demo-laptop"
state = "enabled"

[[devices]]
id = "0a4c6b7e-5d1f-4c2a-9a53-0f6f2d1c8e02"
name = "demo-phone"
dns = ["demo-phone.example.com"]
state = "enabled"

[[users]]
id = "0a4c6b7e-5d1f-4c2a-9a53-0f6f2d1c8e03"
name = "demo-user"
emails = ["demo-user@example.com"]
state = "enabled"
"#;

/// Writes the directory file of the demonstration, unless there is a file.
pub(crate) fn write_directory(path: &Path) -> Result<(), ServerError> {
    match std::fs::OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => std::io::Write::write_all(&mut file, DIRECTORY.as_bytes()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
    .map_err(|error| ServerError::of_file(path, error))
}
