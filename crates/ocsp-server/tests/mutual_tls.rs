//! A responder without any key of the CA, which shows a certificate to the `scep-server` that certifies its delegates.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};

use support::{Ca, Responder, curl, eventually};

/// A CA of nobody's but OpenSSL's, which certifies the server and responders, in files of `folder`.
fn other_ca(folder: &Path) {
    let openssl = |arguments: &str| testkit::run_in(folder, "openssl", arguments.split(' '));
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 -subj /CN=TLS -keyout tls-ca.key -out tls-ca.pem",
    );
    std::fs::write(
        folder.join("server.ext"),
        "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n",
    )
    .unwrap();
    std::fs::write(
        folder.join("client.ext"),
        "subjectAltName=DNS:ocsp-1.example.com\nextendedKeyUsage=clientAuth\n",
    )
    .unwrap();
    std::fs::write(folder.join("other.ext"), "extendedKeyUsage=clientAuth\n").unwrap();
    for (name, extensions, days) in [
        ("server", "server", "2"),
        ("responder", "client", "2"),
        ("other", "other", "2"),
        ("expired", "client", "-1"),
    ] {
        openssl(&format!(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr"
        ));
        // OpenSSL 3.0 takes no past end by -days; -startdate and -enddate are of `openssl ca` alone.
        if days == "-1" {
            expired(folder, name, extensions);
        } else {
            openssl(&format!(
                "x509 -req -in {name}.csr -CA tls-ca.pem -CAkey tls-ca.key -CAcreateserial -days {days} -extfile \
                 {extensions}.ext -out {name}.pem"
            ));
        }
    }
}

fn expired(folder: &Path, name: &str, extensions: &str) {
    std::fs::write(folder.join("index.txt"), "").unwrap();
    std::fs::write(
        folder.join("ca.conf"),
        "[ca]\ndefault_ca=a\n[a]\ndatabase=index.txt\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nnew_certs_dir=.\n\
         [p]\ncommonName=supplied\n",
    )
    .unwrap();
    let arguments = format!(
        "ca -batch -config ca.conf -cert tls-ca.pem -keyfile tls-ca.key -startdate 20200101000000Z -enddate \
         20210101000000Z -extfile {extensions}.ext -in {name}.csr -out {name}.pem -notext"
    );
    testkit::run_in(folder, "openssl", arguments.split_whitespace());
}

/// A server that certifies delegates for the responder of [`other_ca`], and that CA's folder.
fn start() -> Ca {
    Ca::start_prepared(other_ca, |settings| {
        let tls = &mut settings.ocsp.delegate_tls;
        tls.listen = "127.0.0.1:0".into();
        (tls.certificate, tls.key) = ("server.pem".into(), "server.key".into());
        tls.client_ca = "tls-ca.pem".into();
        tls.responders = vec!["ocsp-1.example.com".into()];
    })
}

/// A folder with all that a responder elsewhere has.
fn elsewhere(ca: &Ca, files: &[&str]) -> PathBuf {
    let folder = ca.folder().join("elsewhere");
    std::fs::create_dir(&folder).unwrap();
    for name in [&["ca.pem", "serial-0.key", "directory.toml"], files].concat() {
        std::fs::copy(ca.data().join(name), folder.join(name)).unwrap();
    }
    folder
}

/// Posts a sound request for a delegate with curl, which shows the certificate `shown`, if any; the status, or 000.
fn status(ca: &Ca, shown: Option<&str>, more: &[&str]) -> String {
    let data = ca.data();
    if !data.join("request").exists() {
        let arguments = "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -subj /CN=x -outform der -out request";
        testkit::run_in(&data, "openssl", arguments.split(' '));
    }
    let fingerprint = ca.certificate().fingerprint().map(|octet| format!("{octet:02x}")).concat();
    let url = format!("{}/ocsp-delegate/{fingerprint}", ca.delegate_tls_url());
    let request = format!("@{}", data.join("request").display());
    let file = |name: &str| data.join(name).display().to_string();
    let roots = file("tls-ca.pem");
    let mut arguments =
        vec!["-o", "/dev/null", "-w", "%{http_code}", "--cacert", &roots, "--data-binary", &request];
    let shown = shown.map(|name| [file(&format!("{name}.pem")), file(&format!("{name}.key"))]);
    if let Some([certificate, key]) = &shown {
        arguments.extend(["--cert", certificate, "--key", key]);
    }
    arguments.extend_from_slice(more);
    arguments.push(&url);
    let output = testkit::try_run_in(&data, "curl", [&["-sS"], &arguments[..]].concat());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

// clause: RFC 6960 16, 42
#[test]
fn a_responder_that_shows_its_certificate_gets_delegates_and_goes_on_while_the_issuer_is_away() {
    let mut ca = start();
    let (_, certificate) = ca.enroll("laptop-1");
    let folder = elsewhere(&ca, &["tls-ca.pem", "responder.pem", "responder.key"]);
    let issuer = ca.delegate_tls_url();
    let variables = [
        ("OCSP_SERVER__LEDGER", ""),
        ("OCSP_SERVER__DELEGATE__ISSUER", &*issuer),
        ("OCSP_SERVER__DELEGATE__CLIENT_CERTIFICATE", "responder.pem"),
        ("OCSP_SERVER__DELEGATE__CLIENT_KEY", "responder.key"),
        ("OCSP_SERVER__DELEGATE__ISSUER_CA", "tls-ca.pem"),
    ];
    let responder = Responder::start(&folder, &variables);
    let good = |ca: &Ca, url: &str| {
        let answer = ca.openssl(url, &certificate, &[]);
        assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{answer}");
    };
    good(&ca, &responder.url);
    assert_eq!(curl(&[&responder.page("readyz")]), "ready\n");

    ca.stop();
    good(&ca, &responder.url);
    assert_eq!(curl(&[&responder.page("readyz")]), "ready\n");
    let late = Responder::start(&folder, &variables);
    assert_eq!(curl(&[&late.page("readyz")]), "there is no valid OCSP delegate\n");
    ca.start_again();
    eventually(|| curl(&[&late.page("readyz")]), "ready\n");
    good(&ca, &late.url);

    // A certificate is not shown to whoever listens without TLS, nor to a server that another CA vouches for.
    let plain = ca.url();
    let with = |changed: (&'static str, &str)| {
        let variables =
            variables.map(|(name, value)| if name == changed.0 { (name, changed.1) } else { (name, value) });
        Responder::try_start(&folder, &variables)
    };
    let told = with(("OCSP_SERVER__DELEGATE__ISSUER", &plain)).err().unwrap();
    assert!(told.contains("https://"), "{told}");
    let other = with(("OCSP_SERVER__DELEGATE__ISSUER_CA", "ca.pem")).unwrap();
    assert_eq!(curl(&[&other.page("readyz")]), "there is no valid OCSP delegate\n");
    let told = with(("OCSP_SERVER__DELEGATE__CLIENT_KEY", "none.key")).err().unwrap();
    assert!(told.contains("none.key"), "{told}");
}

#[test]
fn only_the_certificate_of_a_responder_gets_a_delegate() {
    let ca = start();
    for version in ["--tlsv1.3", "--tls-max=1.2"] {
        let version = version.split('=').collect::<Vec<_>>();
        assert_eq!(status(&ca, Some("responder"), &version), "200", "{version:?}");
    }
    // The same CA vouches for it, but it is nobody's on the list.
    assert_eq!(status(&ca, Some("other"), &[]), "403");
    // The handshake fails: no certificate, one that is over, one for another use, one of another CA.
    for shown in [None, Some("expired"), Some("server")] {
        assert_eq!(status(&ca, shown, &[]), "000", "{shown:?}");
    }
    let foreign = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ocsp-1.example.com -keyout foreign.key -out foreign.pem";
    testkit::run_in(&ca.data(), "openssl", foreign.split(' '));
    assert_eq!(status(&ca, Some("foreign"), &[]), "000");
    assert_eq!(status(&ca, Some("responder"), &["--tls-max", "1.1"]), "000");
    // Nothing else is there, and it is not there without TLS.
    assert_eq!(status(&ca, Some("responder"), &["-X", "PUT"]), "405");
    let fingerprint = ca.certificate().fingerprint().map(|octet| format!("{octet:02x}")).concat();
    let plain = format!("{}/ocsp-delegate/{fingerprint}", ca.url());
    assert_eq!(curl(&["-o", "/dev/null", "-w", "%{http_code}", "-d", "x", &plain]), "404");
}

#[test]
fn certificates_of_our_own_ca_count_while_they_are_good() {
    let ca = Ca::start_prepared(other_ca, |settings| {
        let tls = &mut settings.ocsp.delegate_tls;
        tls.listen = "127.0.0.1:0".into();
        (tls.certificate, tls.key) = ("server.pem".into(), "server.key".into());
        tls.responders = vec!["laptop-1".into()];
    });
    for name in ["laptop-1", "laptop-2"] {
        ca.enroll(name);
        std::fs::copy(ca.folder().join(format!("{name}.pem")), ca.data().join(format!("{name}.pem")))
            .unwrap();
        support::write_private(&ca.data().join(format!("{name}.key")), testkit::keys::DEVICE_PEM);
    }
    assert_eq!(status(&ca, Some("laptop-1"), &[]), "200");
    assert_eq!(status(&ca, Some("laptop-2"), &[]), "403", "a device is no responder");
    assert_eq!(status(&ca, Some("responder"), &[]), "000", "another CA's");
    ca.set_state("laptop-1", "disabled");
    eventually(|| status(&ca, Some("laptop-1"), &[]), "403");
}
