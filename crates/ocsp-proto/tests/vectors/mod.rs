//! The vectors of `vectors/ocsp`.
#![allow(dead_code, reason = "each test uses its part")]

use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    task::{Context, Poll, Waker},
    time::Duration,
};

use keys_software::{AwsLc, SoftwareKey};
use ocsp_proto::{Delegate, Issuer, Response, SingleStatus, UnsignedResponse};
use pki_core::{BoxFuture, CertStatus, Certificate, SigningKey as _, UnixTime};

pub(crate) struct Vector {
    pub(crate) name: String,
    expect: toml::Table,
}

impl Vector {
    pub(crate) fn file(&self, name: &str) -> Vec<u8> {
        fs::read(folder().join(&self.name).join(name)).unwrap()
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.expect.get(key).map(|value| value.as_str().unwrap().into())
    }

    /// The CA that the vector is about.
    pub(crate) fn issuer(&self) -> String {
        self.text("issuer").unwrap_or_else(|| "ca".into())
    }

    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        let list = self.expect[key].as_array().unwrap().iter();
        list.map(|value| value.as_str().unwrap().into()).collect()
    }
}

/// The vectors whose folder's name begins with `prefix`; there are some.
pub(crate) fn vectors(prefix: &str) -> Vec<Vector> {
    let folders =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let vectors: Vec<_> = folders.filter(|name| name.starts_with(prefix)).map(|name| vector(&name)).collect();
    assert!(vectors.len() > 5);
    vectors
}

pub(crate) fn vector(name: &str) -> Vector {
    let expect = fs::read_to_string(folder().join(name).join("expect.toml")).unwrap();
    Vector { name: name.into(), expect: expect.parse().unwrap() }
}

/// A PEM file of the vectors' PKI.
pub(crate) fn pem(name: &str) -> String {
    fs::read_to_string(pki(name)).unwrap()
}

pub(crate) fn pki(name: &str) -> PathBuf {
    folder().join("pki").join(format!("{name}.pem"))
}

pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut out, octet| {
        let _ = write!(out, "{octet:02X}");
        out
    })
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/ocsp")
}

/// A certificate of the vectors' PKI.
pub(crate) fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(&pem(name)).unwrap()
}

/// A key of the vectors' PKI.
pub(crate) fn key(name: &str) -> SoftwareKey {
    SoftwareKey::from_pem(&pem(&format!("{name}.key"))).unwrap()
}

/// An hour into the lives of the vectors' certificates.
pub(crate) fn now() -> UnixTime {
    certificate("delegate").validity().not_before().saturating_add(Duration::from_secs(3600))
}

/// The sound delegate of that CA: `ca` or `rsa-ca`.
pub(crate) fn delegate(ca: &str) -> Delegate {
    let name = delegate_name(ca);
    let issuer = Issuer::new(certificate(ca));
    Delegate::new(certificate(name), issuer, key(delegate_key(ca)).algorithm(), now(), &AwsLc).unwrap()
}

pub(crate) fn delegate_name(ca: &str) -> &'static str {
    match ca {
        "ca" => "delegate",
        "sub-ca" => "delegate-of-sub-ca",
        _ => "rsa-delegate",
    }
}

/// The name of its key.
pub(crate) fn delegate_key(ca: &str) -> &'static str {
    if ca == "rsa-ca" { "rsa-delegate" } else { "delegate" }
}

/// Good, from now on for ten minutes.
pub(crate) fn good() -> SingleStatus {
    let next_update = Some(now().saturating_add(Duration::from_secs(600)));
    SingleStatus { status: CertStatus::Good, this_update: now(), next_update }
}

/// What a future that waits for nothing comes to.
pub(crate) fn ready<T>(mut future: BoxFuture<'_, T>) -> T {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a key in memory waits for nothing"),
    }
}

/// Signs with the key of that name.
pub(crate) fn signed(unsigned: UnsignedResponse, key_name: &str) -> Response {
    let signature = ready(key(key_name).sign(unsigned.tbs())).unwrap();
    unsigned.finish(&signature)
}
