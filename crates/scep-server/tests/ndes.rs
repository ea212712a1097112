//! The pages of NDES, read as management systems read them, and enrollments with what they say.
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

use flows::{Page, Told, fetch};
use support::{Server, assert_good_laptop_2, run};

const ADMIN: &str = "/certsrv/mscep_admin";

fn server(more: &[(&str, &str)]) -> Server {
    let ndes = [
        ("SCEP_SERVER__PROFILE__0__CHALLENGE", "ndes"),
        ("SCEP_SERVER__PROFILE__0__ALLOW", "['3des', 'sha-1']"),
        ("SCEP_SERVER__PROFILE__0__NDES__USERS", "['mdm']"),
    ];
    Server::start_with(&[&ndes, more].concat())
}

fn user(server: &Server, name: &str) -> String {
    format!("{name}:{}", server.succeed(&["user", "add", name]).trim())
}

fn page(server: &Server, login: &str) -> Page {
    let page = fetch(server, ADMIN, &["--user", login]);
    assert_eq!(page.status, 200, "{}", page.text);
    page
}

/// What a program finds in a page with one of Python's regular expressions, which are Go's here.
fn found(server: &Server, page: &Page, encoding: &str, pattern: &str) -> String {
    let file = server.folder().join("page");
    std::fs::write(&file, &page.body).unwrap();
    let script = "import re,sys\nprint(re.search(sys.argv[3], open(sys.argv[1], encoding=sys.argv[2]).read()).group(1))";
    let arguments = ["-c", script, file.to_str().unwrap(), encoding, pattern];
    run(server.folder(), "python3", &arguments).trim().to_owned()
}

/// Fleet's.
const PASSWORD: &str = r"(?i)The enrollment challenge password is: <B> (?P<password>\S*)";
const THUMBPRINT: &str = r"The thumbprint \(hash value\) for the CA certificate is: <B> ([0-9A-F ]{35}) </B>";

#[test]
fn a_scraper_finds_challenge_and_thumbprint_and_devices_enroll_with_them() {
    let server = server(&[]);
    let login = user(&server, "mdm");
    let shown = page(&server, &login);
    assert_eq!(shown.media_type, "text/html; charset=utf-8");
    assert!(shown.text.contains("used only once") && shown.text.contains("within 60 minutes"));
    let thumbprint = found(&server, &shown, "utf-8", THUMBPRINT);
    let ca = server.ca_pem();
    let show = ["x509", "-in", ca.to_str().unwrap(), "-noout", "-fingerprint", "-md5"];
    let openssl = run(server.folder(), "openssl", &show);
    let expected = openssl.trim().split_once('=').unwrap().1.replace(':', "");
    assert_eq!(thumbprint.replace(' ', ""), expected);
    assert_eq!(thumbprint.split(' ').map(str::len).collect::<Vec<_>>(), [8; 4]);

    let challenge = found(&server, &shown, "utf-8", PASSWORD);
    assert_eq!(challenge.len(), 16);
    let url = format!("http://{}/CertSrv/mscep/mscep.dll/pkiclient.exe", server.address());
    let told = |challenge| Told { url: &url, challenge, subject: "CN=laptop-2", more: &[] };
    flows::enrolled(&server, &told(&challenge), "windows");
    let refused = flows::refused(&server, &told(&challenge), "again");
    assert!(refused.contains("not known, has expired or was used before"), "{refused}");
}

#[test]
fn strongswan_enrolls_with_the_challenge_of_the_page() {
    let server = server(&[]);
    let challenge = found(&server, &page(&server, &user(&server, "mdm")), "utf-8", PASSWORD);
    let url = format!("http://{}/certsrv/mscep/mscep.dll", server.address());
    let folder = server.folder();
    let get = ["--scepca", "--url", &url, "--outform", "pem", "--caout", "ca.pem", "--raout", "ra.pem"];
    run(folder, "pki", &get);
    run(folder, "openssl", &["genrsa", "-out", "swan.key", "2048"]);
    let ask = ["--scep", "--url", &url, "--in", "swan.key", "--dn", "CN=laptop-2", "--cipher", "des3"];
    let more = ["--san", "laptop-2.example.com", "--password", &challenge, "--outform", "pem"];
    let cas = ["--cacert-enc", "ra.pem", "--cacert-sig", "ca.pem"];
    let printed = run(folder, "pki", &[&ask[..], &more, &cas].concat());
    let certificate = folder.join("swan.pem");
    std::fs::write(&certificate, &printed[printed.find("-----BEGIN").unwrap()..]).unwrap();
    assert_good_laptop_2(&server, &certificate);
}

#[test]
fn as_microsoft_does_the_page_can_be_in_utf_16() {
    let server = server(&[("SCEP_SERVER__PROFILE__0__NDES__ENCODING", "utf-16le")]);
    let shown = page(&server, &user(&server, "mdm"));
    assert_eq!(shown.media_type, "text/html");
    assert_eq!(&shown.body[..4], b"<\0H\0", "without a mark");
    assert_eq!(found(&server, &shown, "utf-16-le", PASSWORD).len(), 16);
    assert_eq!(found(&server, &shown, "utf-16-le", THUMBPRINT).len(), 35);
}

#[test]
fn five_are_outstanding_and_then_the_cache_is_full() {
    let server = server(&[]);
    let login = user(&server, "mdm");
    let challenges: Vec<_> =
        (0..5).map(|_| found(&server, &page(&server, &login), "utf-8", PASSWORD)).collect();
    assert!(page(&server, &login).text.contains("The password cache is full."));
    let url = server.url("SCEP URL");
    let told = Told { url, challenge: &challenges[2], subject: "CN=laptop-2", more: &[] };
    flows::enrolled(&server, &told, "one");
    assert!(page(&server, &login).text.contains("challenge password is"), "one was used");
}

#[test]
fn who_may_not_have_challenges_is_told_so_in_the_words_of_ndes() {
    let server = server(&[]);
    let shown = page(&server, &user(&server, "guest"));
    assert!(shown.text.contains("You do not have sufficient permission to enroll with SCEP."));
    assert!(!shown.text.contains("challenge password"));
}

#[test]
fn row_18_nobody_gets_in_without_a_password_and_there_is_no_ntlm() {
    let server = server(&[]);
    let login = user(&server, "mdm");
    for arguments in [
        &[][..],
        &["--user", "mdm:wrong"],
        &["--user", "nobody:"],
        &["--header", "Authorization: NTLM TlRMTVNTUAABAAAA"],
        &["--header", "Authorization: Negotiate YII="],
    ] {
        let page = fetch(&server, ADMIN, arguments);
        assert_eq!(page.status, 401, "{arguments:?}");
        assert_eq!(page.header("www-authenticate"), ["Basic realm=\"Certbound\", charset=\"UTF-8\""]);
        assert!(!page.text.contains("challenge password"));
    }
    assert_eq!(server.succeed(&["user", "list"]), "mdm\n");
    page(&server, &login);
    server.succeed(&["user", "remove", "mdm"]);
    assert_eq!(fetch(&server, ADMIN, &["--user", &login]).status, 401);
}

#[test]
fn row_11_guesses_at_passwords_are_slowed_down() {
    let server = server(&[]);
    let login = user(&server, "mdm");
    let statuses: Vec<u16> =
        (0..14).map(|_| fetch(&server, ADMIN, &["--user", "mdm:wrong"]).status).collect();
    assert_eq!(statuses[..12], [401; 12]);
    assert!(statuses[12..].contains(&429), "{statuses:?}");
    let held_back = fetch(&server, ADMIN, &["--user", &login]);
    assert_eq!(held_back.status, 429, "even with the right one");
    assert_eq!(held_back.header("retry-after").len(), 1);
}

#[test]
fn whoever_opens_the_url_of_devices_is_told_what_it_is() {
    let server = server(&[]);
    for path in ["/certsrv/mscep/mscep.dll", "/CertSrv/mscep/mscep.dll/"] {
        let page = fetch(&server, path, &[]);
        assert_eq!((page.status, &*page.media_type), (200, "text/html; charset=utf-8"));
        assert!(page.text.contains("This URL is used by network devices to submit certificate requests"));
        assert!(page.text.contains("/certsrv/mscep_admin"), "{}", page.text);
    }
    let capabilities = fetch(&server, "/certsrv/mscep/mscep.dll?operation=GetCACaps", &[]);
    assert!(capabilities.text.contains("SCEPStandard"));
}
