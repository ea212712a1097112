//! SCEP in front of a CA of one's own. Here OpenSSL is that CA: it gets a certification request and gives a certificate.

use std::{process::Stdio, sync::Arc};

use examples::{Failure, enroll};
use http_listener::{Listener, ListenerLimits};
use keys_software::AwsLc;
use pki_core::{Certificate, CertificationRequest, SystemClock};
use scep_proto::{AlgorithmPolicy, RequestMessage::PkcsReq};
use scep_service::{Decision, Renewal, ScepParts, ScepService, Submission, handler_fn};
use tokio::{io::AsyncWriteExt as _, process::Command};

async fn decide(submission: Submission) -> Decision {
    match submission.request.message {
        PkcsReq(csr) if csr.challenge_password().is_some_and(|secret| secret.expose() == "s3cret") => {
            match my_ca(&csr).await {
                Ok(certificate) => Decision::Issue(vec![certificate]),
                Err(error) => Decision::bad_request(format!("the CA says no: {error}")),
            }
        }
        _ => Decision::bad_request("a PKCSReq with the right challenge, please"),
    }
}

async fn serve(listener: Listener) -> Result<(), Failure> {
    let authority = testkit::ca();
    let service = ScepService::new(ScepParts {
        ra_certificate: authority.ra_certificate,
        ca_certificates: vec![authority.certificate],
        signing_key: authority.ra_key.clone(),
        decryption_key: authority.ra_key,
        handler: Arc::new(handler_fn(decide)),
        verifier: Arc::new(AwsLc),
        encryptor: Arc::new(AwsLc),
        clock: Arc::new(SystemClock),
        random: Arc::new(AwsLc),
        policy: AlgorithmPolicy::default(),
        renewal: Renewal::Refused,
    })?;
    listener.serve(service, std::future::pending()).await;
    Ok(())
}

/// Your CA. It decides about names and extensions too: take from the request only what you would sign.
async fn my_ca(csr: &CertificationRequest) -> Result<Certificate, Failure> {
    let pem = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/testkit/pem");
    let (ca, key) = (format!("{pem}/ca.cert.pem"), format!("{pem}/ca.key.pem"));
    let mut openssl = Command::new("openssl")
        .args(["x509", "-req", "-inform", "DER", "-days", "30", "-CA", &ca, "-CAkey", &key])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut input = openssl.stdin.take().ok_or("no input")?;
    input.write_all(csr.as_der()).await?;
    drop(input);
    let output = openssl.wait_with_output().await?;
    Ok(Certificate::from_pem(&String::from_utf8(output.stdout)?)?)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let listener = Listener::bind("127.0.0.1:0", ListenerLimits::default()).await?;
    let url = format!("http://{}/scep", listener.local_addr());
    let server = tokio::spawn(serve(listener));
    let certificate = enroll(&url, &testkit::ca().certificate, "s3cret").await?;
    println!("{url} issued a certificate for {}, signed by {}", certificate.subject(), certificate.issuer());
    match enroll(&url, &testkit::ca().certificate, "wrong").await {
        Ok(_) => return Err("a wrong challenge must not enroll".into()),
        Err(refused) => println!("and refused: {refused}"),
    }
    server.abort();
    Ok(())
}
