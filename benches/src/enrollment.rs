//! A whole enrollment: a PKCSReq over loopback to a CA in this process, with a durable ledger, and its CertRep back.

use std::{fmt::Write as _, fs, net::SocketAddr, path::PathBuf, thread};

use keys_software::{KeyAlgorithm, create_private_file};
use pki_core::{Certificate, ChallengePassword, Clock as _, SystemClock};
use scep_proto::{PKI_MESSAGE_MEDIA_TYPE, ca_certificates, ca_certificates::RaCertificates};
use scep_server::{
    commands::FirstRun,
    server::Server,
    settings::{CaSettings, ChallengeKind, ProfileSettings, Settings, ThrottleSettings},
};
use testkit::{TempDir, keys, tempdir};

use crate::{
    Operation, Run,
    connection::{Connection, get, post},
    scep::Client,
};

/// The operations of this group.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "enrollment/over loopback, RSA-2048 CA", prepare: || enroll(KeyAlgorithm::Rsa2048) },
    Operation { name: "enrollment/over loopback, P-256 CA", prepare: || enroll(KeyAlgorithm::P256) },
];

/// So many that no object gets more certificates than its serial numbers have room for.
const DEVICES: u32 = 2000;
const CHALLENGE: &str = "a static challenge of some length";
const PATH: &str = "/scep";

/// The id of the device of that number.
pub fn device_id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// A file directory with devices `laptop-1` to `laptop-<count>`, all enabled.
pub fn directory_of(count: u32) -> String {
    (1..=count).fold(String::new(), |mut text, n| {
        let id = device_id(n);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "[[devices]]\nid = \"{id}\"\nname = \"laptop-{n}\"\nstate = \"enabled\"\n");
        text
    })
}

fn enroll(ca: KeyAlgorithm) -> Run {
    let folder = tempdir().expect("a folder");
    let address = serve(settings(folder.path().into(), ca));
    let mut connection = Connection::open(address).expect("connects");
    let ra = ra_certificate(&mut connection);
    let mut next = 0_u32;
    let make = move || {
        next = next.wrapping_add(1);
        let subject = format!("CN=laptop-{}", next.wrapping_rem(DEVICES).saturating_add(1));
        let client =
            Client::new(keys::rsa(keys::DEVICE_PEM), subject.parse().expect("a name"), SystemClock.now());
        let message = client.request(Some(&ChallengePassword::new(CHALLENGE.into())), &ra).message;
        post("localhost", &format!("{PATH}?operation=PKIOperation"), PKI_MESSAGE_MEDIA_TYPE, &message)
    };
    let run = move |request: Vec<u8>| {
        let _: &TempDir = &folder;
        let reply = connection.exchange(&request).expect("a reply");
        // A CertRep with a certificate is the only one of that size.
        assert!(reply.status == 200 && reply.body.len() > 2000, "HTTP {}: no certificate", reply.status);
    };
    Run::Fed { make: Box::new(make), run: Box::new(run) }
}

fn settings(data: PathBuf, ca: KeyAlgorithm) -> Settings {
    fs::write(data.join("directory.toml"), directory_of(DEVICES)).expect("a directory");
    create_private_file(&data.join("challenge"), CHALLENGE.as_bytes()).expect("a challenge");
    let profile = ProfileSettings {
        path: PATH.into(),
        challenge: ChallengeKind::Static,
        challenge_file: Some("challenge".into()),
        ..ProfileSettings::default()
    };
    Settings {
        listen: "127.0.0.1:0".into(),
        data,
        ca: CaSettings { key: ca, ..CaSettings::default() }.into(),
        profile: vec![profile],
        throttle: ThrottleSettings { source_per_minute: 0, ..ThrottleSettings::default() },
        ..Settings::default()
    }
}

/// On threads of its own, for as long as the process lives.
fn serve(settings: Settings) -> SocketAddr {
    let (tell, told) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let server = Server::start(&settings, FirstRun::Configured).await.expect("a server");
            tell.send(server.address()).expect("somebody listens");
            server.run(std::future::pending()).await;
        });
    });
    told.recv().expect("an address")
}

fn ra_certificate(connection: &mut Connection) -> Certificate {
    let reply = connection.exchange(&get("localhost", &format!("{PATH}?operation=GetCACert")));
    let certificates = ca_certificates::parse(&reply.expect("a reply").body).expect("certificates");
    RaCertificates::pick(&certificates).expect("an RA").encryption
}
