//! Requests in targets, and responses in caches.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

mod vectors;

use std::{process::Command, time::Duration};

use ocsp_proto::{
    BasePath, CacheHeaders, Issuer, Question, Request, SingleStatus, cache_control, decode_get, get_url,
};
use pki_core::{CertStatus, DigestAlgorithm, UnixTime};
use proptest::prelude::*;
use vectors::{certificate, delegate, now, signed, vector};

proptest! {
    // clause: RFC 6960 66
    // clause: RFC 9919 98
    #[test]
    fn row_37_every_spelling_of_a_target_is_the_same_request(
        serial in prop::collection::vec(any::<u8>(), 1..=20),
        base in prop::sample::select(&["", "/ocsp", "/a/b"][..]),
    ) {
        let question = Question::new(Issuer::new(certificate("ca")), DigestAlgorithm::Sha256, [&*serial]).unwrap();
        let url = get_url(&format!("http://host{base}"), question.as_der());
        let encoded = url.strip_prefix("http://host").unwrap();
        let raw = encoded.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
        let prefixed = |text: &str| text.replacen(base, &format!("{base}/"), 1);
        let base: BasePath = base.parse().unwrap();
        for target in [
            encoded.to_string(),
            encoded.replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d"),
            raw.clone(),
            raw.replace('+', "%20"),
            raw.trim_end_matches('=').to_string(),
            raw.replacen('M', "%4D", 1),
            format!("{}{}", &raw[..=base.as_str().len()], raw[base.as_str().len() + 1..].replace('+', "-")),
            format!("/{raw}"),
            prefixed(&raw),
            prefixed(encoded),
        ] {
            let rest = base.rest_of(&target).expect("below the base path");
            prop_assert_eq!(decode_get(rest).unwrap(), question.as_der(), "{}", target);
        }
    }
}

// clause: RFC 6960 66
// clause: RFC 9919 98
#[test]
fn row_37_two_slashes_in_a_row_are_kept() {
    // Serial numbers such that the base64 holds "//" and "+".
    let question = Question::new(
        Issuer::new(certificate("ca")),
        DigestAlgorithm::Sha1,
        [&[0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFB, 0xEF, 0xBE][..]],
    )
    .unwrap();
    let url = get_url("", question.as_der());
    assert!(url.contains("%2F%2F") && url.contains("%2B"), "{url}");
    let raw = url.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let rest = BasePath::default().rest_of(&raw).map(str::to_string);
    assert_eq!(decode_get(&rest.unwrap()).unwrap(), question.as_der());
}

// clause: RFC 6960 66
#[test]
fn base_paths_end_where_they_end() {
    for (base, target, rest) in [
        ("/", "/ME", Some("ME")),
        ("/", "//ME", Some("ME")),
        ("", "/", Some("")),
        ("/ocsp/", "/ocsp/ME/x", Some("ME/x")),
        ("ocsp", "/ocsp", Some("")),
        ("/ocsp", "//ocsp//ME", Some("ME")),
        ("/ocsp", "/ocspME", None),
        ("/ocsp", "/ME", None),
        ("/a/b", "/a/ME", None),
    ] {
        assert_eq!(base.parse::<BasePath>().unwrap().rest_of(target), rest, "{base} {target}");
    }
    for text in ["/a//b", "/a b", "/a?b", "/a%2Fb", "/ä"] {
        assert!(text.parse::<BasePath>().is_err(), "{text}");
    }
}

// clause: RFC 6960 65
// clause: RFC 9919 97
#[test]
fn short_questions_go_by_get_and_long_ones_by_post() {
    let issuer = Issuer::new(certificate("ca"));
    let question = Question::new(issuer, DigestAlgorithm::Sha256, [&[0x30; 16][..]]).unwrap();
    let url = question.get_url("http://ocsp.example.com/").unwrap();
    assert!(url.starts_with("http://ocsp.example.com/M") && url.len() <= 255);
    assert_eq!(question.with_nonce(&[0xFF; 64]).unwrap().get_url("http://ocsp.example.com/"), None);
}

fn headers(request: &str, single: SingleStatus) -> Option<CacheHeaders> {
    let der = vector(request).file("input.der");
    let request = Request::parse(&der).unwrap();
    CacheHeaders::of(&signed(delegate("ca").respond(&request, &[single], now()).unwrap(), "delegate"))
}

fn single(status: CertStatus) -> SingleStatus {
    let this_update = now().saturating_sub(Duration::from_secs(60));
    SingleStatus { status, this_update, next_update: Some(now().saturating_add(Duration::from_secs(600))) }
}

// clause: RFC 9919 99, 100, 101
#[test]
fn caches_are_told_the_times_of_the_response() {
    let headers = headers("request-sha1", single(CertStatus::Good)).unwrap();
    assert_eq!(headers.last_modified(), by_date(now()));
    assert_eq!(headers.expires(), by_date(now().saturating_add(Duration::from_secs(600))));
    // Half way, so that who comes back then finds a newer one: thisUpdate < now + max-age < nextUpdate.
    let max_age = headers.max_age(now());
    assert!((270..=300).contains(&max_age), "{max_age}");
    assert_eq!(headers.refresh_at(), now().saturating_add(Duration::from_secs(max_age)));
    assert_eq!(headers.max_age(now().saturating_add(Duration::from_secs(max_age - 1))), 1);
    assert_eq!(headers.max_age(now().saturating_add(Duration::from_secs(999))), 0);
    assert_eq!(cache_control(300), "max-age=300,public,no-transform,must-revalidate");
}

// clause: RFC 9919 100
#[test]
fn what_was_made_together_is_not_renewed_together() {
    let ages: std::collections::BTreeSet<_> =
        (0..40).map(|_| headers("request-sha1", single(CertStatus::Good)).unwrap().max_age(now())).collect();
    assert!(ages.len() > 5 && ages.iter().all(|age| (270..=300).contains(age)), "{ages:?}");
}

/// What the program `date` calls that time.
fn by_date(time: UnixTime) -> String {
    let output = Command::new("date")
        .env("LC_ALL", "C")
        .args(["-u", "-d", &format!("@{}", time.0), "+%a, %d %b %Y %H:%M:%S GMT"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().into()
}

// clause: RFC 9919 99, 101
#[test]
fn the_etag_is_the_digest_of_the_response() {
    let der = vector("request-sha1").file("input.der");
    let request = Request::parse(&der).unwrap();
    let response =
        signed(delegate("ca").respond(&request, &[single(CertStatus::Good)], now()).unwrap(), "delegate");
    let digest = vectors::hex(&DigestAlgorithm::Sha256.digest(response.as_der()).unwrap()).to_lowercase();
    assert_eq!(CacheHeaders::of(&response).unwrap().etag(), format!("\"{digest}\""));
}

// clause: RFC 9919 102
#[test]
fn row_62_what_is_made_for_one_client_is_kept_by_no_cache() {
    assert_eq!(headers("request-sha1-nonce", single(CertStatus::Good)), None, "nonce");
    assert_eq!(headers("request-sha1", single(CertStatus::Unknown)), None, "may be issued in a minute");
    let not_issued = SingleStatus::not_issued(now(), single(CertStatus::Good).next_update);
    assert_eq!(headers("request-sha1", not_issued), None);
    assert_eq!(headers("request-sha1", SingleStatus { next_update: None, ..single(CertStatus::Good) }), None);
}
