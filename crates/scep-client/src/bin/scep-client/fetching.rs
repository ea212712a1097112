//! Getting and showing what a CA has.

use keys_software::AwsLc;
use pki_core::{Certificate, Clock as _, Crl, Name, SystemClock};
use scep_client::{Identity, Trust, TrustedCa, distribution_points};

use crate::{
    arguments::{Capabilities, Fingerprint, GetCa, GetCert, GetCrl, GetNextCa},
    connection::{self, Generation, Vouched, vouched},
    failure::Failure,
    files,
    keys::Key,
    outputs::refuse_existing,
    report::{Outcome, Report},
    terminal::Terminal,
};

/// The certificates of a CA, whoever vouches for it.
pub(crate) async fn ca(command: &GetCa) -> Result<Report, Failure> {
    let client = connection::client(&command.server, &command.algorithms)?;
    let vouched = vouched(command.vouching.ca_fingerprint, command.vouching.ca_cert.as_deref())?;
    let certificates = client.ca_certificates().await?;
    let trust = match &vouched {
        Vouched::Fingerprint(Fingerprint(fingerprint)) => Trust::Fingerprint(*fingerprint),
        Vouched::Certificate(certificate) => Trust::Fingerprint(certificate.fingerprint()),
        Vouched::ByNobody => Trust::FirstSeen,
    };
    let judged = TrustedCa::new(&certificates, trust, &AwsLc, SystemClock.now());
    let judged = match (judged, &vouched) {
        (Ok(ca), _) => Some(ca),
        (Err(problem), Vouched::ByNobody) => {
            Terminal::warn(problem);
            None
        }
        (Err(problem), _) => return Err(scep_client::ClientError::from(problem).into()),
    };
    let mut report = Report::new("get-ca", Outcome::Fetched);
    for certificate in &certificates {
        let vouched_for = !matches!(vouched, Vouched::ByNobody)
            && judged.as_ref().is_some_and(|ca| ca.certificate() == certificate);
        let trusted = vouched_for.then_some("trusted");
        let roles = trusted.into_iter().chain(roles(certificate, judged.as_ref())).collect();
        report = report.with_ca_certificate(certificate, roles);
    }
    if let Some(path) = &command.out {
        let anchor = judged.as_ref().map(TrustedCa::certificate).or(certificates.first());
        if let Some(anchor) = anchor {
            files::replace(path, anchor.to_pem().as_bytes())?;
            report = report.with_ca(anchor, Some(path));
        }
    }
    Ok(report)
}

fn roles(certificate: &Certificate, ca: Option<&TrustedCa>) -> Vec<&'static str> {
    let Some(ca) = ca else { return vec!["unknown"] };
    let roles = [
        (certificate == ca.issuer(), "issues certificates"),
        (certificate == ca.recipient(), "requests are encrypted to it"),
        (ca.reply_signers().contains(certificate), "may sign replies"),
    ];
    let roles: Vec<_> = roles.into_iter().filter(|(has, _)| *has).map(|(_, role)| role).collect();
    if roles.is_empty() { vec!["not used"] } else { roles }
}

/// The CA that takes over.
pub(crate) async fn next_ca(command: &GetNextCa, terminal: Terminal) -> Result<Report, Failure> {
    let vouched = command.vouching.read()?;
    let client = connection::client(&command.server, &command.algorithms)?;
    let next = connection::issuing_ca(&client, &vouched, Generation::Next, terminal).await?.ca;
    if let Some(path) = &command.out {
        files::replace(path, next.certificate().to_pem().as_bytes())?;
    }
    Ok(Report::new("get-next-ca", Outcome::Fetched).with_ca(next.certificate(), command.out.as_deref()))
}

/// The CRL on which a certificate would be.
pub(crate) async fn crl(command: &GetCrl, terminal: Terminal) -> Result<Report, Failure> {
    let certificate = files::certificate(&command.cert)?;
    let vouched = command.vouching.read()?;
    let client = connection::client(&command.server, &command.algorithms)?;
    let ca = connection::trusted_ca(&client, &vouched, terminal).await?;
    let points = if command.scep { Vec::new() } else { distribution_points(&certificate) };
    let (crl, source): (Crl, String) = match (points.first(), &command.key) {
        (Some(url), _) => (client.crl_at(&ca, url).await?, url.clone()),
        (None, Some(key)) => {
            let identity = Identity::new(certificate.clone(), Key::read(key)?.for_client())?;
            (client.crl(&ca, &certificate, &identity).await?, "GetCRL".into())
        }
        (None, None) => {
            return Err(Failure::local(format_args!(
                "{} does not say where its CRL is: give --key, to ask for it over SCEP",
                command.cert.display()
            )));
        }
    };
    files::replace(&command.out, crl.as_der())?;
    Ok(Report::new("get-crl", Outcome::Fetched).with_crl(&crl, source, &certificate, &command.out))
}

/// A certificate by its number.
pub(crate) async fn certificate(command: &GetCert, terminal: Terminal) -> Result<Report, Failure> {
    if !command.force {
        refuse_existing(&command.out, "write elsewhere with --out, or replace it with --force")?;
    }
    let (vouched, key) = (command.vouching.read()?, Key::read(&command.key)?.for_client());
    let client = connection::client(&command.server, &command.algorithms)?;
    let identity = if let Some(path) = &command.cert {
        Identity::new(files::certificate(path)?, key)?
    } else {
        client.self_signed(&Name::of_common_name("scep-client"), &key).await?
    };
    let ca = connection::trusted_ca(&client, &vouched, terminal).await?;
    let certificate = client.find_certificate(&ca, &command.serial, &identity).await?;
    files::replace(&command.out, certificate.to_pem().as_bytes())?;
    Ok(Report::new("get-cert", Outcome::Fetched).with_certificate(&certificate, Some(&command.out)))
}

/// What the server says it can.
pub(crate) async fn capabilities(command: &Capabilities) -> Result<Report, Failure> {
    let capabilities = connection::client(&command.server, &command.algorithms)?.capabilities().await?;
    let keywords = capabilities.iter().map(scep_proto::Capability::keyword).collect();
    let report = Report::new("capabilities", Outcome::Fetched).with_capabilities(keywords);
    if capabilities == scep_proto::Capabilities::default() {
        return Ok(report.with_message(
            "none: an old server, or one on the way that hides them. Messages go by GET, renewals as PKCSReq",
        ));
    }
    Ok(report)
}
