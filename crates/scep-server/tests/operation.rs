//! What those who run the server see of it, and what they can set.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use keys_software::KeyAlgorithm;
use scep_server::{
    commands::FirstRun,
    server,
    settings::{CaSettings, MetricsSettings, Settings},
};
use support::{
    Server,
    device::{self, Device},
    enroll,
};
use testkit::keys;

/// Certificates of five days.
const SHORT: (&str, &str) = ("SCEP_SERVER__PROFILE", "[{ validity_days = 5 }]");
const SMALL: (&str, &str) = ("SCEP_SERVER__CA__KEY", "p256");

fn shown(address: &str, target: &str) -> String {
    let (status, _, body) = device::get(address, target);
    assert_eq!(status, 200, "{target}");
    String::from_utf8(body).unwrap()
}

#[test]
fn metrics_tell_what_was_done_and_when_certificates_end() {
    let server = Server::start_with(&[SMALL]);
    enroll(&server, "demo-laptop");
    // The year that the certificate lives is more than any time that is watched.
    let server = server.kill_and_restart_with(&[SMALL, SHORT]);
    enroll(&server, "laptop-2");
    let server = server.kill_and_restart_with(&[SMALL]);
    enroll(&server, "zoe");
    let (_, media_type, _) = device::get(&server.address(), "/metrics");
    assert!(media_type.starts_with("application/openmetrics-text"), "{media_type}");
    let expiring =
        |within: &str| format!("certbound_certificates_expiring{{profile=\"default\",within=\"{within}\"}}");
    let text =
        support::eventually(|| shown(&server.address(), "/metrics"), |text| text.contains(&expiring("30d")));
    for start in [
        &*format!("{} 0", expiring("1d")),
        &format!("{} 1", expiring("7d")),
        &format!("{} 1", expiring("30d")),
        "certbound_ocsp_requests_total{",
        "certbound_scep_requests_total{profile=\"default\",operation=\"PKCSReq\",outcome=\"success\"} 1",
        "certbound_scep_requests_total{profile=\"default\",operation=\"GetCACert\",outcome=\"success\"} 1",
        "certbound_scep_stage_seconds_count{stage=\"decide\"} 1",
        "certbound_ca_certificate_end_seconds{ca=\"default\",generation=\"at-work\",certificate=\"ra\"} 2",
    ] {
        assert!(text.lines().any(|line| line.starts_with(start)), "{start} is missing:\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn metrics_can_have_an_address_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("directory.toml"), support::DIRECTORY).unwrap();
    let settings = Settings {
        listen: "127.0.0.1:0".into(),
        data: folder.path().to_owned(),
        ca: CaSettings { key: KeyAlgorithm::P256, ..CaSettings::default() }.into(),
        metrics: MetricsSettings { listen: "127.0.0.1:0".into() },
        ..Settings::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(server::Server::start(&settings, FirstRun::Configured)).unwrap();
    let [main, aside] =
        [server.address(), server.metrics_address().unwrap()].map(|address| address.to_string());
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let running = runtime.spawn(server.run(async move {
        let _ = tokio::task::spawn_blocking(move || stopped.recv()).await;
    }));
    assert_eq!(device::get(&main, "/metrics").0, 404);
    assert_eq!(device::get(&main, "/healthz").0, 200);
    assert!(shown(&aside, "/metrics").contains("certbound_scep_requests"));
    assert_eq!(shown(&aside, "/readyz"), "ready");
    assert_eq!(device::get(&aside, "/scep?operation=GetCACaps").0, 404, "nothing else is there");
    stop.send(()).unwrap();
    runtime.block_on(running).unwrap();
    assert!(std::net::TcpStream::connect(&aside).is_err(), "it stops with the server");
}

#[test]
fn row_11_guesses_are_slowed_down() {
    let server = Server::start_with(&[
        SMALL,
        ("SCEP_SERVER__THROTTLE__SOURCE_PER_MINUTE", "1"),
        ("SCEP_SERVER__THROTTLE__SOURCE_BURST", "3"),
    ]);
    let device = Device::new(&server.data(), keys::rsa(keys::DEVICE_PEM));
    for guess in 0..3 {
        let reply = device.request("demo-laptop", &format!("guess-{guess}"), &format!("{guess}"));
        assert!(reply.send(&server.address()).unwrap().is_err());
    }
    let right = device.request("demo-laptop", &server.challenge("demo-laptop"), "right");
    let (status, _) = device::post(device::connect(&server.address()).unwrap(), right.message()).unwrap();
    assert_eq!(status, 429);
    let text = shown(&server.address(), "/metrics");
    assert!(text.contains("operation=\"unknown\",outcome=\"throttled\"} 1"), "{text}");
}

#[test]
fn a_tolerance_is_switched_off_in_the_configuration() {
    for (off, expected) in [("false", 400), ("true", 200)] {
        let server = Server::start_with(&[SMALL, ("SCEP_SERVER__TOLERANCES__OPERATION_CASE", off)]);
        assert_eq!(device::get(&server.address(), "/scep?operation=getcacaps").0, expected);
        assert_eq!(device::get(&server.address(), "/scep?operation=GetCACaps").0, 200);
    }
}
