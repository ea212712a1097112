//! certmonger enrolls through its SCEP helper, told nothing but the URL.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::process::Command;

use support::Server;

/// Runs inside certmonger's private daemon, which ends when this does.
fn session(url: &str, challenge: &str, folder: &str) -> String {
    format!(
        r"
set -e
getcert add-scep-ca -c certbound -u {url}
# The daemon asks for the CA's capabilities and certificates before it can submit.
for attempt in $(seq 100); do
    getcert list-cas -c certbound -v | grep -q thumbprint && break
    sleep 0.1
done
getcert list-cas -v -c certbound
getcert request -c certbound -I one -k {folder}/key.pem -f {folder}/certificate.pem -g 2048 -L {challenge} \
    -N CN=laptop-2 -D laptop-2.example.com -w -v || true
getcert list -i one
"
    )
}

// clause: RFC 8894 M1, M2
#[test]
fn certmonger_enrolls_without_extra_flags() {
    let server = Server::start();
    let folder = server.folder().join("certmonger");
    for name in ["requests", "cas", "config", "tmp", "local"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    let script = folder.join("session.sh");
    let challenge = server.challenge("laptop-2");
    let session = session(server.url("SCEP URL"), &challenge, folder.to_str().unwrap());
    std::fs::write(&script, session).unwrap();
    let output = Command::new("timeout")
        .args(["60", "certmonger", "-L", "-P"])
        .arg(folder.join("socket"))
        .args(["-n", "-d", "1", "-c"])
        .arg(format!("sh {}", script.display()))
        .env("CERTMONGER_REQUESTS_DIR", folder.join("requests"))
        .env("CERTMONGER_CAS_DIR", folder.join("cas"))
        .env("CERTMONGER_CONFIG_DIR", folder.join("config"))
        .env("CERTMONGER_LOCAL_CA_DIR", folder.join("local"))
        .env("CERTMONGER_TMPDIR", folder.join("tmp"))
        .output();
    let output = output.expect("certmonger runs: `cargo xtask test` installs what the tests need");
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();

    let certificate = folder.join("certificate.pem");
    assert!(certificate.exists(), "{told}");
    support::assert_good_laptop_2(&server, &certificate);
}
