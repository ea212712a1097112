//! A web server lets a device in as long as the directory does: nginx, client certificates and its OCSP check.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use support::{
    Server, attempt,
    daemon::{Daemon, self_signed},
    enroll, eventually,
};

/// At a socket in its folder, so that it needs no port.
const CONFIGURATION: &str = "\
daemon off;
worker_processes 1;
pid FOLDER/nginx.pid;
error_log stderr info;
events {}
http {
    access_log off;
    client_body_temp_path FOLDER/body;
    proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi;
    uwsgi_temp_path FOLDER/uwsgi;
    scgi_temp_path FOLDER/scgi;
    server {
        listen unix:FOLDER/nginx.sock ssl;
        ssl_certificate FOLDER/localhost.pem;
        ssl_certificate_key FOLDER/localhost.key;
        ssl_client_certificate CA;
        ssl_verify_client on;
        ssl_ocsp leaf;
        RESPONDER
        location / {
            return 200 \"$ssl_client_s_dn\\n\";
        }
    }
}
";

/// With `responder` as a directive of its own.
fn start_nginx(server: &Server, responder: &str) -> Daemon {
    let folder = server.folder();
    self_signed(folder, "localhost");
    let configuration = CONFIGURATION
        .replace("FOLDER", folder.to_str().unwrap())
        .replace("CA;", &format!("{};", server.ca_pem().display()))
        .replace("RESPONDER", responder);
    std::fs::write(folder.join("nginx.conf"), configuration).unwrap();
    let path = folder.to_str().unwrap();
    let arguments = ["-p", path, "-e", "stderr", "-c", "nginx.conf"];
    let nginx = Daemon::start(folder, "nginx", &arguments, "start worker process ");
    nginx.unwrap_or_else(|log| panic!("nginx does not start:\n{log}"))
}

/// The status of a page that the device called `name` asks for, and the page.
fn visit(server: &Server, name: &str) -> String {
    let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
    let arguments =
        ["-s", "--unix-socket", "nginx.sock", "--cacert", "localhost.pem", "--cert", &certificate];
    let more = ["--key", &key, "-w", "%{http_code}", "https://localhost/"];
    attempt(server.folder(), "curl", &[&arguments[..], &more].concat()).1
}

// clause: RFC 6960 67, 68
#[test]
fn a_device_is_served_while_the_directory_says_so() {
    let server = Server::start();
    enroll(&server, "laptop-2");
    // It asks the responder that the certificate names.
    let nginx = start_nginx(&server, "");
    let visit = || visit(&server, "laptop-2");

    let page = visit();
    assert!(page.ends_with("200") && page.contains("CN=laptop-2"), "{page}\n{}", nginx.log());

    server.set_state("laptop-2", "disabled");
    let page = eventually(visit, |page| page.ends_with("400"));
    assert!(page.ends_with("400"), "{page}\n{}", nginx.log());
    assert!(nginx.log().contains("certificate revoked"), "{}", nginx.log());

    server.set_state("laptop-2", "enabled");
    let page = eventually(visit, |page| page.ends_with("200"));
    assert!(page.ends_with("200"), "{page}\n{}", nginx.log());
}

#[test]
fn without_a_responder_nobody_is_served() {
    let server = Server::start();
    enroll(&server, "laptop-2");
    let nginx = start_nginx(&server, &format!("ssl_ocsp_responder {}/;", server.url("OCSP URL")));
    assert!(visit(&server, "laptop-2").ends_with("200"), "{}", nginx.log());
    server.stop_where_it_stands();
    let page = visit(&server, "laptop-2");
    assert!(!page.ends_with("200"), "{page}\n{}", nginx.log());
}

#[test]
fn the_directives_in_the_readme_are_those_that_are_tested() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, shown) = readme.split_once("```text\nssl_client_certificate certbound-ca.pem;\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    for line in shown.lines() {
        assert!(CONFIGURATION.lines().any(|tested| tested.trim() == line), "{line}");
    }
}
