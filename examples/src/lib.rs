//! What the examples share: the other side of the wire, so that each can show itself at work.

use std::{error::Error, io, net::SocketAddr, sync::Arc, time::Duration};

use keys_software::{AwsLc, RsaKey};
use ocsp_proto::{Issuer, Question, REQUEST_MEDIA_TYPE};
use pki_core::{
    CertStatus, Certificate, ChallengePassword, Clock as _, DigestAlgorithm, RequestedExtensions, SystemClock,
};
use scep_client::{ClientKey, ClientParts, Enrollment, HttpTransport, Outcome, Patience, ScepClient, Trust};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// What an example may fail with.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Enrolls with the SCEP server at `url` for `CN=laptop-1`.
pub async fn enroll(url: &str, ca: &Certificate, challenge: &str) -> Result<Certificate, Failure> {
    let parts = ClientParts {
        transport: Arc::new(HttpTransport::new(Duration::from_secs(10))?),
        verifier: Arc::new(AwsLc),
        encryptor: Arc::new(AwsLc),
        random: Arc::new(AwsLc),
        clock: Arc::new(SystemClock),
    };
    let client = ScepClient::new(url, parts);
    let ca = client.ca(Trust::Fingerprint(ca.fingerprint())).await?;
    let wanted = Enrollment {
        subject: "CN=laptop-1".parse()?,
        challenge: Some(ChallengePassword::new(challenge.into())),
        extensions: RequestedExtensions::default(),
    };
    let key = ClientKey::new(Arc::new(RsaKey::generate_2048()?));
    match client.enroll(&ca, &wanted, &key).await?.complete(Patience::default()).await? {
        Outcome::Issued(certificate) => Ok(certificate),
        Outcome::Pending => Err("somebody has to approve it".into()),
    }
}

/// Asks the OCSP responder at `address` about one certificate, and believes the answer only if it may be believed.
pub async fn check(address: SocketAddr, issuer: &Certificate, serial: &[u8]) -> Result<CertStatus, Failure> {
    let question = Question::new(Issuer::new(issuer.clone()), DigestAlgorithm::Sha256, [serial])?;
    let response = post(address, REQUEST_MEDIA_TYPE, question.as_der()).await?;
    let verified = question.verify(&response, SystemClock.now(), Duration::from_secs(60), &AwsLc)?;
    let single = verified.statuses().first().ok_or("no status")?;
    Ok(single.status)
}

/// Posts to the root path and returns the body of the reply.
async fn post(address: SocketAddr, media_type: &str, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let head = format!("POST / HTTP/1.0\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await?;
    let end = reply.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(reply.len());
    Ok(reply.split_off(end.saturating_add(4).min(reply.len())))
}
