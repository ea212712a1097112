//! strongSwan's `pki` as the client (Debian packages strongswan-pki, libstrongswan-extra-plugins).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::{fs, sync::Arc};

use http_listener::{Listener, ListenerLimits};
use pki_core::Certificate;
use scep_proto::{AlgorithmPolicy, Legacy};
use scep_service::ScepParts;
use support::{CHALLENGE, world_with};

// clause: RFC 8894 M1
#[tokio::test(flavor = "multi_thread")]
async fn strongswan_enrolls() {
    let policy = AlgorithmPolicy::default().with_legacy(Legacy::TripleDes);
    let world = Arc::new(world_with(|parts| ScepParts { policy, ..parts }));
    let listener = Listener::bind("127.0.0.1:0", ListenerLimits::default()).await.unwrap();
    let url = format!("http://{}/scep", listener.local_addr());
    tokio::spawn(listener.serve(world.service.clone(), std::future::pending()));

    let folder = testkit::tempdir().unwrap();
    let path = folder.path().to_owned();
    let certificate = tokio::task::spawn_blocking(move || {
        fs::write(path.join("key.pem"), testkit::keys::DEVICE_PEM).unwrap();
        let fetch = ["--scepca", "--url", &url, "--caout", "ca.pem", "--raout", "ra.pem", "--outform", "pem"];
        testkit::run_in(&path, "pki", fetch);
        // Version 5.9.8 reads no capabilities right and knows AES only from them.
        let ra = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let ra = ra.filter(|name| name.starts_with("ra")).min().unwrap();
        let enroll = [
            "--scep",
            "--url",
            &url,
            "--in",
            "key.pem",
            "--dn",
            "O=Example, CN=laptop-1",
            "--password",
            CHALLENGE,
            "--cacert-enc",
            &ra,
            "--cacert-sig",
            "ca.pem",
            "--cipher",
            "des3",
            "--outform",
            "pem",
        ];
        String::from_utf8(testkit::run_in(&path, "pki", enroll)).unwrap()
    });
    let certificate = Certificate::from_pem(&certificate.await.unwrap()).unwrap();
    assert_eq!(certificate.subject().to_string(), "CN=laptop-1,O=Example");
    assert_eq!(world.issued(), 1);
}
