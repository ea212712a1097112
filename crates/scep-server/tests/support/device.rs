//! A device that says whatever a test wants it to: requests octet by octet, sent without a client's good manners.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::Duration,
};

use keys_software::{AwsLc, RsaKey};
use pki_core::{
    Certificate, CertificationRequest, ChallengePassword, Clock as _, DecryptionKey as _, Name,
    RequestedExtensions, SerialNumber, SigningKey as _, SystemClock, UnsignedCertificationRequest, Validity,
};
use scep_proto::{
    AlgorithmPolicy, CertRep, FailInfo, OutgoingRequest, RequestMessage, Requester, TransactionId,
    UnsignedSignerCertificate,
};
use testkit::block_on;

/// A key, and the RA that it sends to.
pub struct Device {
    key: Arc<RsaKey>,
    ra: Certificate,
}

/// A request, and what is needed to read the reply.
pub struct Prepared {
    key: Arc<RsaKey>,
    ra: Certificate,
    request: OutgoingRequest,
}

/// All that a CertRep can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Issued(Vec<Certificate>),
    Pending,
    Refused(FailInfo, String),
}

/// What a CertRep says: the certificate, or why not.
pub type Reply = Result<Certificate, FailInfo>;

impl Device {
    /// The holder of `key`, at the server whose data folder is `data`.
    pub fn new(data: &Path, key: Arc<RsaKey>) -> Self {
        Self::of_ra(&data.join("ra.pem"), key)
    }

    /// The holder of `key`, who encrypts to the certificate in that file.
    pub fn of_ra(ra: &Path, key: Arc<RsaKey>) -> Self {
        let pem = std::fs::read_to_string(ra).unwrap();
        Self { key, ra: Certificate::from_pem(&pem).unwrap() }
    }

    /// A CSR with `challenge` in it.
    pub fn csr(&self, common_name: &str, challenge: &str) -> CertificationRequest {
        let challenge = ChallengePassword::new(challenge.to_owned());
        let csr = UnsignedCertificationRequest::new(
            &Name::of_common_name(common_name),
            pki_core::SigningKey::public_key(&*self.key),
            Some(&challenge),
            &RequestedExtensions::default(),
        );
        let signature = block_on(self.key.sign(csr.tbs())).unwrap();
        csr.finish(self.key.algorithm(), &signature).unwrap()
    }

    /// A PKCSReq for `csr`, signed by a self-signed certificate of the key in it.
    pub fn pkcs_req(&self, csr: &CertificationRequest, transaction: &str) -> Prepared {
        self.message(&RequestMessage::PkcsReq(csr.clone()), self.self_signed(csr.subject()), transaction)
    }

    /// A CertPoll, signed by a self-signed certificate.
    pub fn poll(&self, common_name: &str, transaction: &str) -> Prepared {
        let subject = Name::of_common_name(common_name);
        let poll = RequestMessage::CertPoll { issuer: self.ra.issuer().clone(), subject: subject.clone() };
        self.message(&poll, self.self_signed(&subject), transaction)
    }

    /// A GetCert, signed by `signer`.
    pub fn get_cert(&self, serial: SerialNumber, signer: Certificate) -> Prepared {
        let get = RequestMessage::GetCert { issuer: self.ra.issuer().clone(), serial };
        self.message(&get, signer, "get-cert")
    }

    /// A self-signed certificate, as those have who have none yet.
    pub fn self_signed(&self, subject: &Name) -> Certificate {
        let (now, key) = (SystemClock.now(), &self.key);
        let day = Duration::from_secs(86_400);
        let validity = Validity::new(now.saturating_sub(day), now.saturating_add(day)).unwrap();
        let public_key = pki_core::SigningKey::public_key(&**key);
        let signer = UnsignedSignerCertificate::new(subject, public_key, key.algorithm(), validity, &AwsLc);
        let signer = signer.unwrap();
        let signature = block_on(key.sign(signer.tbs())).unwrap();
        signer.finish(&signature).unwrap()
    }

    /// Any message, signed by `signer`, which is of this device's key.
    pub fn message(&self, message: &RequestMessage, signer: Certificate, transaction: &str) -> Prepared {
        let (now, key) = (SystemClock.now(), &self.key);
        let requester = Requester::new(signer, key.algorithm(), self.ra.clone());
        let id = TransactionId::new(transaction).unwrap();
        let unsigned = requester.prepare(message, &id, &AwsLc, &AwsLc, now).unwrap();
        let signature = block_on(key.sign(unsigned.tbs())).unwrap();
        Prepared { key: Arc::clone(key), ra: self.ra.clone(), request: unsigned.finish(&signature) }
    }

    /// Both at once.
    pub fn request(&self, common_name: &str, challenge: &str, transaction: &str) -> Prepared {
        self.pkcs_req(&self.csr(common_name, challenge), transaction)
    }
}

impl Prepared {
    /// The octets to send.
    pub fn message(&self) -> &[u8] {
        &self.request.message
    }

    /// Sends it to the server at `address`. The error is one of the connection, as when the server is killed.
    pub fn send(&self, address: &str) -> io::Result<Reply> {
        self.send_to(address, "/scep?operation=PKIOperation")
    }

    /// The same, to another target.
    pub fn send_to(&self, address: &str, target: &str) -> io::Result<Reply> {
        let (status, body) = post_to(connect(address)?, target, self.message())?;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        Ok(self.read(&body))
    }

    /// Reads the body of a reply, which must be the one to this request.
    pub fn read(&self, body: &[u8]) -> Reply {
        match self.read_all(body) {
            Answer::Issued(certificates) => Ok(certificates[0].clone()),
            Answer::Refused(fail_info, _) => Err(fail_info),
            Answer::Pending => panic!("pending"),
        }
    }

    /// Sends it to the server at `address`, which answers with a CertRep.
    pub fn ask(&self, address: &str) -> Answer {
        let (status, body) = post(connect(address).unwrap(), self.message()).unwrap();
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        self.read_all(&body)
    }

    /// Reads the body of a reply whatever it says; a certificate for the device's key comes first.
    pub fn read_all(&self, body: &[u8]) -> Answer {
        let reply = self
            .request
            .awaited
            .read(body, std::slice::from_ref(&self.ra), &AwsLc, &AlgorithmPolicy::default())
            .unwrap();
        match reply {
            CertRep::Success(sealed) => {
                let key = block_on(self.key.unwrap_key(sealed.wrapped_key())).unwrap();
                let issued = sealed.open(&key).unwrap();
                let own = issued.certificate_for(pki_core::SigningKey::public_key(&*self.key)).unwrap();
                assert_eq!(Some(own), issued.certificates.first(), "iOS takes the first one");
                Answer::Issued(issued.certificates)
            }
            CertRep::Failure { fail_info, text } => Answer::Refused(fail_info, text.unwrap_or_default()),
            CertRep::Pending => Answer::Pending,
        }
    }
}

/// A connection that no test waits at for ever.
pub fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.set_write_timeout(Some(Duration::from_secs(60)))?;
    Ok(stream)
}

/// Posts a PKIOperation; the status and the whole body of the answer.
pub fn post(stream: TcpStream, message: &[u8]) -> io::Result<(u16, Vec<u8>)> {
    post_to(stream, "/scep?operation=PKIOperation", message)
}

/// The same, to another target.
pub fn post_to(mut stream: TcpStream, target: &str, message: &[u8]) -> io::Result<(u16, Vec<u8>)> {
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: ca\r\nConnection: close\r\n\
         Content-Type: application/x-pki-message\r\nContent-Length: {}\r\n\r\n",
        message.len()
    );
    stream.write_all(&[head.as_bytes(), message].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    whole(&answer).ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the answer is cut short"))
}

/// Gets `target`; the status, the media type and the whole body of the answer.
pub fn get(address: &str, target: &str) -> (u16, String, Vec<u8>) {
    let mut stream = connect(address).unwrap();
    let head = format!("GET {target} HTTP/1.1\r\nHost: ca\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let (status, body) = whole(&answer).unwrap();
    let head = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    let media_type = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
    (status, media_type.to_owned(), body)
}

/// `None` when less came than the header promises.
fn whole(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let body = answer[end..].to_vec();
    (body.len() == length.parse::<usize>().unwrap()).then_some((status, body))
}
