//! What profiles make of requests, end to end.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use pki_core::Certificate;
use support::{
    Server,
    device::{Answer, Device},
    run,
};
use testkit::keys;

fn issued(server: &Server, name: &str) -> Vec<Certificate> {
    let device = Device::new(&server.data(), keys::rsa(keys::DEVICE_PEM));
    let answer = device.request(name, &server.challenge(name), name).ask(&server.address());
    let Answer::Issued(certificates) = answer else { panic!("{answer:?}") };
    certificates
}

#[test]
fn names_follow_the_templates_of_the_profile() {
    let profile = "[{ subject = 'CN={name},OU={attributes.department}', names = 'directory', \
                   alternative_names = ['email:{email}', 'URI:urn:uuid:{id}'], security_identifier = 'both' }]";
    let directory = "[[users]]\nid = \"3ff8ce3c-6910-4114-8d92-22e466a629c1\"\nname = \"zoe\"\n\
                     emails = [\"zoe@example.com\"]\nstate = \"enabled\"\n\
                     attributes = { department = \"Motors, large\", sid = \"S-1-5-21-1-2-3-1104\" }\n";
    let server = Server::start_with_directory(directory, &[("SCEP_SERVER__PROFILE", profile)]);
    let certificate = issued(&server, "zoe").remove(0);
    assert_eq!(certificate.subject().to_string(), "CN=zoe,OU=Motors\\, large");
    let names: Vec<_> = certificate.subject_alt_names().unwrap().iter().map(ToString::to_string).collect();
    let expected = [
        "email:zoe@example.com",
        "URI:urn:uuid:3ff8ce3c-6910-4114-8d92-22e466a629c1",
        "URI:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-1104",
    ];
    assert_eq!(names, expected);
    assert!(certificate.extension("1.3.6.1.4.1.311.25.2".parse().unwrap()).is_some());
}

/// A CA of OpenSSL's below a root of OpenSSL's, in `data`.
fn below_a_root(data: &Path) {
    std::fs::create_dir(data).unwrap();
    std::fs::write(data.join("directory.toml"), support::DIRECTORY).unwrap();
    let ca = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign,digitalSignature\n\
              subjectKeyIdentifier=hash\n";
    std::fs::write(data.join("ca.cnf"), ca).unwrap();
    for command in [
        "req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -subj /CN=Root -days 30",
        "req -new -newkey rsa:2048 -nodes -keyout ca.key.pem -out ca.csr -subj /CN=Below",
        "x509 -req -in ca.csr -CA root.pem -CAkey root.key -CAcreateserial -days 20 -extfile ca.cnf -out ca.pem",
    ] {
        run(data, "openssl", &command.split(' ').collect::<Vec<_>>());
    }
    std::fs::set_permissions(data.join("ca.key.pem"), std::fs::Permissions::from_mode(0o600)).unwrap();
}

// clause: RFC 8894 M21, S2
#[test]
fn a_chain_goes_along_where_the_profile_says_so() {
    for (along, subjects) in [
        ("", &["CN=laptop-2"][..]),
        ("reply_with = 'ca'", &["CN=laptop-2", "CN=Below"]),
        (
            "reply_with = 'chain', get_ca_cert = 'chain', chain_file = 'root.pem'",
            &["CN=laptop-2", "CN=Below", "CN=Root"],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        below_a_root(&folder.path().join("data"));
        let server =
            Server::start_in(folder, "127.0.0.1:0", &[("SCEP_SERVER__PROFILE", &format!("[{{ {along} }}]"))]);
        let certificates = issued(&server, "laptop-2");
        let sent: Vec<_> = certificates.iter().map(|certificate| certificate.subject().to_string()).collect();
        assert_eq!(sent, subjects, "{along}");
        let url = format!("{}?operation=GetCACert", server.url("SCEP URL"));
        run(server.folder(), "curl", &["-sf", "-o", "cas.p7", &url]);
        let listed = run(
            server.folder(),
            "openssl",
            &["pkcs7", "-inform", "der", "-in", "cas.p7", "-print_certs", "-noout"],
        );
        let cas = if along.contains("get_ca_cert") { 3 } else { 2 };
        assert_eq!(listed.matches("subject=").count(), cas, "the RA and CAs: {listed}");
    }
}

#[test]
fn a_chain_that_leads_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    below_a_root(&folder.path().join("data"));
    let file = folder.path().join("scep-server.toml");
    for (chain, part) in [
        ("chain_file = 'ca.pem'", "expected the certificate of CN=Root"),
        ("chain_file = 'ca.cnf'", "expected certificates in PEM"),
        ("reply_with = 'chain'", "needs chain_file"),
        ("get_ca_cert = 'nothing'", "get_ca_cert"),
    ] {
        std::fs::write(&file, format!("[[profile]]\n{chain}\n")).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_scep-server"))
            .args(["--listen", "127.0.0.1:0", "--config", file.to_str().unwrap(), "--data"])
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains(part), "{chain}: {told}");
    }
}
