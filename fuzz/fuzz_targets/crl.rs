//! A CRL as a responder fetches it: what is believed is told as it stands there.
#![no_main]

use std::{
    pin::pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll, Waker},
};

use certbound_fuzz::Anything;
use libfuzzer_sys::fuzz_target;
use pki_core::{CertRef, Certificate, Clock, Crl, UnixTime};
use revocation::{
    CrlRevocations, CrlSourceParts, CrlSourceSettings, Deltas, RevocationSource as _, Standing, Unlisted,
};

#[derive(Debug)]
struct Then;

impl Clock for Then {
    fn now(&self) -> UnixTime {
        // Ten seconds after the CRLs of the vectors were issued.
        UnixTime(1_795_262_410)
    }
}

static ISSUER: LazyLock<Certificate> = LazyLock::new(|| {
    Certificate::from_pem(include_str!("../../vectors/crl/pki/ca.pem"))
        .expect("a certificate among the vectors")
});

fuzz_target!(|der: &[u8]| {
    let Ok(crl) = Crl::from_der(der) else { return };
    assert_eq!(crl.as_der(), der, "the octets are kept");
    assert_eq!(crl.entries().count(), crl.len(), "every entry is read again");
    assert!(crl.tbs().len() < der.len());
    let settings = CrlSourceSettings {
        unlisted: Unlisted::Good,
        deltas: Deltas::Expected,
        ..CrlSourceSettings::default()
    };
    let parts = CrlSourceParts {
        issuer: ISSUER.clone(),
        verifier: Arc::new(Anything),
        clock: Arc::new(Then),
        settings,
    };
    let source = CrlRevocations::new(parts).expect("an issuer of CRLs");
    if source.take_in(der.to_vec()).is_err() {
        return;
    }
    for serial in crl.entries().filter_map(|entry| entry.serial_number()).take(64) {
        let asking = pin!(source.status(CertRef { issuer: source.issuer(), serial }));
        let Poll::Ready(told) = { asking }.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("it answers at once")
        };
        assert!(
            !matches!(told.map(|report| report.standing), Ok(Standing::Good)) || crl.delta_base().is_some()
        );
    }
});
