//! The body of an OCSP POST, as far as the response: every CertID comes back byte for byte.
#![no_main]

use std::{sync::LazyLock, time::Duration};

use certbound_fuzz::Anything;
use libfuzzer_sys::fuzz_target;
use ocsp_proto::{Delegate, Issuer, Request, SingleStatus};
use pki_core::{CertStatus, Certificate, SignatureAlgorithm, UnixTime};

static DELEGATE: LazyLock<(Delegate, UnixTime)> = LazyLock::new(|| {
    let certificate = |pem| Certificate::from_pem(pem).expect("a certificate among the vectors");
    let issuer = Issuer::new(certificate(include_str!("../../vectors/ocsp/pki/ca.pem")));
    let delegate = certificate(include_str!("../../vectors/ocsp/pki/delegate.pem"));
    let now = delegate.validity().not_before();
    let delegate = Delegate::new(delegate, issuer, SignatureAlgorithm::EcdsaSha256, now, &Anything);
    (delegate.expect("a delegate that may answer"), now)
});

fuzz_target!(|der: &[u8]| {
    let (delegate, now) = &*DELEGATE;
    let Ok(request) = Request::parse(der) else { return };
    assert!(!request.cert_ids().is_empty() && request.cert_ids().len() <= Request::DEFAULT_MAX_CERT_IDS);
    for cert_id in request.cert_ids() {
        let named = delegate.issuer().is_named_by(cert_id);
        assert!(named || delegate.issuer().resolve(cert_id).is_none());
    }
    let next_update = Some(now.saturating_add(Duration::from_secs(600)));
    let status = SingleStatus { status: CertStatus::Good, this_update: *now, next_update };
    let statuses = vec![status; request.cert_ids().len()];
    let Ok(unsigned) = delegate.respond(&request, &statuses, *now) else { return };
    let response = unsigned.finish(&[0; 64]);
    for cert_id in request.cert_ids() {
        let echoed =
            response.as_der().windows(cert_id.as_der().len()).any(|window| window == cert_id.as_der());
        assert!(echoed, "the CertID goes back byte for byte");
    }
});
