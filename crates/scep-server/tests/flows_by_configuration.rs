//! Flows that are profiles and nothing more: a web service that decides, domain controllers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

#[path = "support/flows.rs"]
mod flows;
mod support;

use std::path::PathBuf;

use flows::Told;
use support::{Server, assert_good_laptop_2, openssl_ocsp, run};
use testkit::ScriptedService;

const SECRET: &str = "a request password for controllers";

fn private(name: &str, text: &str) -> PathBuf {
    let path = tempfile::tempdir().unwrap().keep().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    path
}

#[test]
fn a_web_service_lets_one_in_and_not_another_and_certificates_follow_the_directory() {
    let service = ScriptedService::start(|asked| {
        let is_right = asked.body.contains(r#""scepChallenge":"let me in""#)
            && asked.header("x-smallstep-signature").is_some_and(|signature| signature.len() == 64);
        let body =
            if is_right { r#"{"allow":true}"# } else { r#"{"allow":false,"data":{"reason":"who are you"}}"# };
        (200, Vec::new(), body.into())
    });
    let secret = private("webhook.secret", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    let server = Server::start_with(&[
        ("SCEP_SERVER__PROFILE__0__CHALLENGE", "webhook"),
        ("SCEP_SERVER__PROFILE__0__WEBHOOK__URL", &format!("{}/scep", service.url)),
        ("SCEP_SERVER__PROFILE__0__WEBHOOK__SECRET_FILE", secret.to_str().unwrap()),
    ]);
    let told = |challenge| Told {
        url: server.url("SCEP URL"),
        challenge,
        subject: "CN=laptop-2",
        more: &["--san", "dns:laptop-2.example.com"],
    };
    let refused = flows::refused(&server, &told("anybody"), "stranger");
    assert!(refused.contains("the webhook does not allow this: who are you"), "{refused}");
    let certificate = flows::enrolled(&server, &told("let me in"), "friend");
    assert_good_laptop_2(&server, &certificate);
    let body: serde_json::Value = serde_json::from_str(&service.asked()[1].body).unwrap();
    assert_eq!(body["x509CertificateRequest"]["dnsNames"][0], "laptop-2.example.com");
    server.set_state("laptop-2", "disabled");
    let answer = support::eventually(
        || openssl_ocsp(&server, &certificate, &[]),
        |answer| answer.contains("certificateHold"),
    );
    assert!(answer.contains("certificateHold"), "{answer}");
}

#[test]
fn row_38_a_domain_controller_gets_its_directory_name_and_the_usages_of_kerberos() {
    let secret = private("challenge.txt", SECRET);
    let page = include_str!("../../../docs/mdm/domain-controllers.md");
    let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let profile = example.replace("challenge.txt", secret.to_str().unwrap()).replace("\"/dc\"", "\"/scep\"");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(
        data.join("directory.toml"),
        page.split("# directory.toml\n").nth(1).unwrap().split("```").next().unwrap(),
    )
    .unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(&file, format!("data = {data:?}\n{profile}")).unwrap();
    let server = Server::start_configured(folder, &file);
    let told = |subject, more| Told { url: server.url("SCEP URL"), challenge: SECRET, subject, more };
    let controller = flows::enrolled(&server, &told("CN=dc01", &["--san", "dns:admin.example.com"]), "dc01");
    let show = ["x509", "-in", controller.to_str().unwrap(), "-noout", "-text"];
    let text = run(server.folder(), "openssl", &show);
    assert!(text.contains("DNS:dc01.example.com") && !text.contains("admin.example.com"), "{text}");
    for usage in ["Signing KDC Response", "TLS Web Server Authentication", "TLS Web Client Authentication"] {
        assert!(text.contains(usage), "{usage}: {text}");
    }
    assert!(openssl_ocsp(&server, &controller, &[]).contains(": good"));
    let stranger = flows::refused(&server, &told("CN=dc02", &[]), "dc02");
    assert!(stranger.contains("no such object"), "{stranger}");
}
