//! `scep-server crl`: the CRL in force.

use std::path::Path;

use issuance::CrlName;
use ocsp_server::{
    ServerError,
    data_folder::{CA_CERTIFICATE, read_certificate},
};
use pki_core::IssuerId;

use super::{ca::chosen_ca, say};
use crate::{
    data_folder::{Records, write_over},
    settings::Settings,
};

/// Which list.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Full,
    Delta,
}

/// Prints the list, or writes it to `out`, over what is there. It is the one on record: nothing is signed here.
pub(super) fn run(settings: &Settings, ca: &str, kind: Kind, out: Option<&Path>) -> Result<(), ServerError> {
    let home = chosen_ca(settings, ca)?.1;
    let issuer = IssuerId::of(&read_certificate(&home.join(CA_CERTIFICATE))?);
    let records = Records::open(settings)?;
    let state = records.ledger.reader().crl_state(issuer)?;
    let name = match kind {
        Kind::Full => state.full.map(|record| CrlName::Full(record.number)),
        Kind::Delta => state.delta.map(|record| CrlName::Delta(record.number)),
    };
    let crl = name.map(|name| records.ledger.reader().crl(issuer, name)).transpose()?.flatten();
    let crl = crl.ok_or_else(|| {
        ServerError::new(match kind {
            Kind::Full => "there is no CRL yet: a running scep-server makes it, unless crl.enabled = false",
            Kind::Delta => "there is no delta CRL: crl.delta_minutes asks for them",
        })
    })?;
    let Some(path) = out else { return say(format_args!("{}", crl.to_pem().trim_end())) };
    if path.extension().is_some_and(|extension| extension == "pem") {
        write_over(path, crl.to_pem().as_bytes())
    } else {
        write_over(path, crl.as_der())
    }
}
