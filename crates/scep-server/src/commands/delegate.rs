//! `scep-server delegate`: lets an ocsp-server answer that has no key of the CA.

use std::{path::Path, sync::Arc, time::Duration};

use keys_software::{AwsLc, KeyAlgorithm, SoftwareKey, load_key, replace_key};
use ocsp_server::{
    SelfIssuedDelegates, ServerError,
    data_folder::{CA_CERTIFICATE, CA_KEY, read_certificate},
};
use pki_core::{SigningKey as _, SystemClock};

use super::{ca::chosen_ca, say};
use crate::{data_folder::write_over, settings::Settings};

/// Writes a fresh delegate's key and certificate to `folder`, over the ones before.
pub(super) async fn run(settings: &Settings, ca: &str, folder: &Path, days: u32) -> Result<(), ServerError> {
    let home = chosen_ca(settings, ca)?.1;
    let ca = read_certificate(&home.join(CA_CERTIFICATE))?;
    let ca_key = Arc::new(load_key(&home.join(CA_KEY))?);
    let life = Duration::from_secs(u64::from(days).saturating_mul(86_400));
    let delegates = SelfIssuedDelegates::new(ca, ca_key, life, Arc::new(SystemClock), Arc::new(AwsLc))?;
    let key = SoftwareKey::generate(KeyAlgorithm::P256)?;
    let certificate = delegates.certify(key.public_key()).await?;
    let [certificate_file, key_file] = ["delegate.pem", "delegate.key.pem"].map(|name| folder.join(name));
    replace_key(&key_file, &key)?;
    write_over(&certificate_file, certificate.to_pem().as_bytes())?;
    let end = certificate.validity().not_after();
    say(format_args!("{} and its key are good until {end}", certificate_file.display()))
}
