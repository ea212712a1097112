//! Enrolls with a challenge that was had elsewhere, as a device does that an MDM has configured.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::PathBuf;

use crate::support::{Server, attempt, run, scep_client};

/// What a device was told: where, with what, and as whom.
pub(crate) struct Told<'a> {
    pub(crate) url: &'a str,
    pub(crate) challenge: &'a str,
    pub(crate) subject: &'a str,
    /// More arguments of the client.
    pub(crate) more: &'a [&'a str],
}

impl Told<'_> {
    fn arguments(&self, server: &Server, key: &str, certificate: &str) -> Vec<String> {
        let told = [
            "enroll",
            self.url,
            "--ca-fingerprint",
            server.fingerprint(),
            "--challenge",
            self.challenge,
            "--subject",
            self.subject,
            "--key-out",
            key,
            "--cert-out",
            certificate,
        ];
        told.iter().chain(self.more).map(|argument| (*argument).to_owned()).collect()
    }
}

fn files(server: &Server, label: &str) -> [PathBuf; 2] {
    ["key", "pem"].map(|ending| server.folder().join(format!("{label}.{ending}")))
}

/// The file of the certificate that the device got.
pub(crate) fn enrolled(server: &Server, told: &Told<'_>, label: &str) -> PathBuf {
    let [key, certificate] = files(server, label);
    let arguments = told.arguments(server, key.to_str().unwrap(), certificate.to_str().unwrap());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run(server.folder(), scep_client().to_str().unwrap(), &arguments);
    certificate
}

/// What the device was told instead of a certificate.
pub(crate) fn refused(server: &Server, told: &Told<'_>, label: &str) -> String {
    let [key, certificate] = files(server, label);
    let arguments = told.arguments(server, key.to_str().unwrap(), certificate.to_str().unwrap());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (success, text) = attempt(server.folder(), scep_client().to_str().unwrap(), &arguments);
    assert!(!success, "it was enrolled: {text}");
    text
}

/// A page as curl got it.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) media_type: String,
    pub(crate) body: Vec<u8>,
    /// The same, as text.
    pub(crate) text: String,
    headers: String,
}

impl Page {
    /// The values of all headers of that name, which is in lower case.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let headers = self.headers.lines().filter_map(|line| line.split_once(": "));
        headers.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }
}

/// Has curl fetch `path`, with these arguments too.
pub(crate) fn fetch(server: &Server, path: &str, arguments: &[&str]) -> Page {
    let url = format!("http://{}{path}", server.address());
    let fixed = ["--silent", "--show-error", "--include", &url];
    let answer = testkit::run("curl", fixed.iter().chain(arguments));
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let (headers, body) = (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end + 4..].to_vec());
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    let text = String::from_utf8_lossy(&body).into_owned();
    let mut page = Page { status, media_type: String::new(), body, text, headers };
    page.media_type =
        page.header("content-type").first().map(|value| (*value).to_owned()).unwrap_or_default();
    page
}
