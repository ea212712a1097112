//! HTTPS: which web server is trusted.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{fs, net::SocketAddr, sync::Arc};

use pki_core::{Extension, GeneralName, Name, SigningKey as _, oids};
use support::{
    CHALLENGE, certificate_of,
    program::{World, assert_code, world},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

/// TLS in front of `plain`, with a certificate for 127.0.0.1 that the example RSA CA issued.
async fn tls_before(plain: SocketAddr) -> SocketAddr {
    let (web_ca, key) = (testkit::rsa_ca(), testkit::keys::p256());
    let names = GeneralName::list_to_der(&[GeneralName::Ip(vec![127, 0, 0, 1])]);
    let extensions = [Extension::new(oids::SUBJECT_ALT_NAME, names)];
    let (issuer, subject) = (web_ca.certificate.subject(), Name::of_common_name("web"));
    let certificate = certificate_of(9, issuer, &*web_ca.key, &subject, key.public_key(), &extensions).await;
    let chain = vec![CertificateDer::from(certificate.as_der().to_vec())];
    let key = PrivateKeyDer::try_from(key.to_pkcs8_der().unwrap().to_vec()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that refuses the certificate goes away.
                let Ok(mut outer) = acceptor.accept(stream).await else { return };
                let mut inner = TcpStream::connect(plain).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
            });
        }
    });
    address
}

async fn enroll(world: &World, address: SocketAddr, more: &[&str], code: i32) -> String {
    let (url, fingerprint) = (format!("https://{address}/scep"), world.fingerprint());
    let fixed = ["enroll", &url, "--ca-fingerprint", &fingerprint, "--subject", "CN=laptop-1"];
    let arguments = [&fixed[..], &["--challenge-file", "challenge"], more].concat();
    assert_code(&world.run(&arguments).await, code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_server_is_trusted_by_the_ca_that_is_named_for_tls() {
    let world = world().await;
    let address = tls_before(world.address).await;
    fs::write(world.path("challenge"), CHALLENGE).unwrap();
    fs::write(world.path("web-ca.pem"), testkit::rsa_ca().certificate.to_pem()).unwrap();
    fs::write(world.path("other-ca.pem"), testkit::ca().certificate.to_pem()).unwrap();
    fs::write(world.path("no-ca.pem"), "nothing\n").unwrap();

    // The CA that issues does not vouch for the web server, nor does the system.
    for tls in [&["--tls-ca", "other-ca.pem"][..], &[]] {
        let text = enroll(&world, address, tls, 3).await;
        assert!(text.contains("certificate"), "{text}");
    }
    let text = enroll(&world, address, &["--tls-ca", "no-ca.pem"], 1).await;
    assert!(text.contains("expected certificates of CAs for TLS"), "{text}");
    assert!(world.files().iter().all(|name| !name.starts_with("key")), "no key was made for it");

    enroll(&world, address, &["--tls-ca", "web-ca.pem"], 0).await;
    let subject = world.certificate("cert.pem").subject().to_string();
    assert_eq!(subject, "CN=laptop-1");
}
