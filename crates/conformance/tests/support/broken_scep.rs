//! SCEP servers that are sound but for one thing.

use std::{collections::HashMap, sync::Mutex};

use conformance::scep::cms::{self, EnvelopedMessage, SignedMessage};
use pki_core::{Certificate, CertificationRequest, Oid, PublicKey, decode_url_base64, oids, tlv};

use super::{
    Sound,
    authority::{self, Authority, degenerate, open_as_client, seal},
    proxy::{Incoming, Outgoing, Proxy},
};

/// What is broken.
#[derive(Clone, Copy)]
pub enum Break {
    /// The answer to any request is changed.
    Http(fn(&Incoming, &mut Outgoing, &Authority)),
    /// Such requests are answered with that status and no CertRep.
    Status(u16, fn(&Loose) -> bool),
    /// Such requests are granted, with whatever they ask for.
    Grant(fn(&Loose) -> bool),
    /// Such requests are refused.
    Refuse(fn(&Loose) -> bool),
    /// Such requests are left pending, with an envelope.
    Pend(fn(&Loose) -> bool),
    /// Such requests get that CRL.
    GiveCrl(fn(&Loose) -> bool, fn(&Authority) -> Vec<u8>),
    /// Such requests get the certificate of the first one that was granted.
    GiveAway(fn(&Loose) -> bool),
    /// Every CertRep is changed before it is signed.
    Reply(fn(&mut SignedMessage, &Loose)),
    /// Every CertRep is changed after it was signed.
    Signed(fn(&mut SignedMessage)),
    /// What a SUCCESS delivers is changed before it is encrypted.
    Deliver(fn(&mut SignedMessage, &Authority)),
    /// The envelope of every SUCCESS is changed.
    Envelope(fn(&mut EnvelopedMessage, &Certificate)),
}

/// A PKIOperation as an all too friendly server reads it.
pub struct Loose {
    pub http: String,
    pub target: String,
    pub body: Vec<u8>,
    pub signed: Option<SignedMessage>,
    pub envelope: Option<EnvelopedMessage>,
    /// The content key, if it unwraps.
    pub content_key: Option<Vec<u8>>,
    pub plain: Option<Vec<u8>>,
    pub csr: Option<CertificationRequest>,
    /// The certificate that the signer is named after.
    pub signer: Option<Certificate>,
    pub ca: Certificate,
    /// What came before it.
    pub seen: Seen,
}

/// What is known of earlier requests.
#[expect(clippy::struct_excessive_bools, reason = "four questions that have nothing to do with each other")]
#[derive(Clone, Copy, Default)]
pub struct Seen {
    /// The very octets came before.
    pub message: bool,
    /// The transactionID did.
    pub transaction: bool,
    /// The transactionID came before with another key in its CSR.
    pub transaction_of_another_key: bool,
    /// The challenge came before with another key in its CSR.
    pub challenge_of_another_key: bool,
    /// How many CertPolls under the transactionID came before.
    pub polls: usize,
}

impl Loose {
    pub fn attribute(&self, id: Oid) -> Option<Vec<u8>> {
        self.signed.as_ref()?.signer()?.attribute(id).map(<[u8]>::to_vec)
    }

    pub fn text(&self, id: Oid) -> Option<String> {
        let value = self.signed.as_ref()?.signer()?.attribute_value(id)?;
        Some(String::from_utf8_lossy(&value).into_owned())
    }

    pub fn is_type(&self, text: &str) -> bool {
        self.text(cms::MESSAGE_TYPE).as_deref() == Some(text)
    }

    pub fn count(&self, id: Oid) -> usize {
        let signer = self.signed.as_ref().and_then(SignedMessage::signer);
        signer.map_or(0, |signer| signer.signed_attributes.iter().filter(|(known, _)| *known == id).count())
    }

    pub fn is_self_signed(&self) -> bool {
        self.signer.as_ref().is_some_and(|one| one.issuer() == one.subject())
    }

    /// Whether its signer has a certificate of the CA's, by name at least.
    pub fn names_the_ca(&self) -> bool {
        self.signer.as_ref().is_some_and(|one| one.issuer().matches(self.ca.subject()))
    }

    /// The tags and contents of the challengePasswords, however many.
    pub fn challenges(&self) -> Vec<(u8, Vec<u8>)> {
        let Some(plain) = &self.plain else { return Vec::new() };
        let attribute = tlv::oid(oids::CHALLENGE_PASSWORD);
        let starts = plain.windows(attribute.len()).enumerate().filter(|(_, window)| *window == attribute);
        let value = |at: usize| {
            let mut fields = tlv::Cursor::over(&plain[at + attribute.len()..], "a challenge").ok()?;
            let element = fields.enter(tlv::SET).ok()?.next().ok()?;
            Some((element.tag, element.value.to_vec()))
        };
        starts.filter_map(|(at, _)| value(at)).collect()
    }

    pub fn csr_is_signed(&self) -> bool {
        self.csr.as_ref().is_some_and(|csr| csr.verify(&keys_software::AwsLc).is_ok())
    }

    /// Whether the CSR asks for an extension of that type whose value has `part` in it.
    pub fn asks_for(&self, id: Oid, part: &[u8]) -> bool {
        let extensions = self.csr.iter().flat_map(CertificationRequest::extensions);
        let mut asked = extensions.filter(|extension| extension.id() == id);
        asked.any(|extension| part.is_empty() || extension.value().windows(part.len()).any(|it| it == part))
    }

    fn read(request: &Incoming, authority: &Authority, memory: &Memory) -> Self {
        let message = request.query().split('&').find_map(|pair| pair.strip_prefix("message="));
        let body = match (&*request.method, message) {
            ("GET", Some(text)) => decode_url_base64(text.as_bytes()).unwrap_or_default(),
            _ => request.body.clone(),
        };
        let signed = SignedMessage::read(&body).ok();
        let content = signed.as_ref().and_then(|signed| signed.content.clone());
        let envelope = content.as_ref().and_then(|content| EnvelopedMessage::read(content).ok());
        let (content_key, plain) =
            envelope.as_ref().map_or((None, None), |envelope| authority.open_envelope(envelope));
        let csr = plain.as_ref().and_then(|plain| CertificationRequest::from_der(plain).ok());
        let certificate = signed.as_ref().and_then(|signed| {
            let id = &signed.signer()?.id;
            signed.parsed_certificates().into_iter().find(|one| cms::issuer_and_serial(one) == *id)
        });
        let mut loose = Self {
            http: request.head.clone(),
            target: request.target.clone(),
            body,
            signed,
            envelope,
            content_key,
            plain,
            csr,
            signer: certificate,
            ca: authority.ca.clone(),
            seen: Seen::default(),
        };
        loose.seen = memory.meet(&loose);
        loose
    }
}

/// Earlier requests.
#[derive(Default)]
struct Memory(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    messages: Vec<Vec<u8>>,
    transactions: HashMap<Vec<u8>, PublicKey>,
    challenges: HashMap<Vec<u8>, PublicKey>,
    polls: HashMap<Vec<u8>, usize>,
    first: Option<Vec<u8>>,
}

impl Memory {
    fn meet(&self, loose: &Loose) -> Seen {
        let mut known = self.0.lock().unwrap();
        let mut seen = Seen { message: known.messages.contains(&loose.body), ..Seen::default() };
        known.messages.push(loose.body.clone());
        let transaction = loose.attribute(cms::TRANSACTION_ID).unwrap_or_default();
        seen.transaction = known.transactions.contains_key(&transaction);
        if loose.is_type("20") {
            let polls = known.polls.entry(transaction.clone()).or_default();
            seen.polls = *polls;
            *polls += 1;
        }
        let Some(csr) = &loose.csr else { return seen };
        let key = csr.public_key().clone();
        let first = known.transactions.entry(transaction).or_insert_with(|| key.clone());
        seen.transaction_of_another_key = *first != key;
        if let [(_, challenge)] = loose.challenges().as_slice() {
            let first = known.challenges.entry(challenge.clone()).or_insert_with(|| key.clone());
            seen.challenge_of_another_key = *first != key;
        }
        seen
    }
}

/// `sound` but for what is broken.
pub fn start(sound: &Sound, what: Break) -> Proxy {
    let upstream = sound.base.trim_start_matches("http://").to_owned();
    let authority = Authority::open(&sound.data());
    let memory = Memory::default();
    Proxy::start(move |request| {
        let through = || request.forward(&upstream).ok();
        if let Break::Http(change) = what {
            let mut answer = through()?;
            change(request, &mut answer, &authority);
            return Some(answer);
        }
        let is_operation = request.method == "POST" || request.query().starts_with("operation=PKIOperation");
        if !is_operation {
            return through();
        }
        let loose = Loose::read(request, &authority, &memory);
        answer(what, &loose, &authority, &memory, through)
    })
}

fn answer(
    what: Break,
    loose: &Loose,
    authority: &Authority,
    memory: &Memory,
    through: impl Fn() -> Option<Outgoing>,
) -> Option<Outgoing> {
    let request = loose.signed.clone();
    match what {
        Break::Status(status, such) if such(loose) => Some(Outgoing::new(status, "text/plain", "oops")),
        Break::Grant(such) if such(loose) => {
            let key = loose.csr.as_ref().map(CertificationRequest::public_key);
            let key = key.or(loose.signer.as_ref().map(Certificate::public_key));
            let key = key.unwrap_or(authority.ra.public_key());
            let issued = authority.issue(loose.csr.as_ref(), key);
            Some(delivered(loose, authority, &degenerate(&[issued], Vec::new())))
        }
        Break::GiveCrl(such, crl) if such(loose) => {
            Some(delivered(loose, authority, &degenerate(&[], vec![crl(authority)])))
        }
        Break::Refuse(such) if such(loose) => {
            let mut reply = authority.reply(&request?, "2", Vec::new());
            reply.change(|signer| signer.add(cms::FAIL_INFO, cms::printable("2")));
            Some(finish(reply, authority))
        }
        Break::Pend(such) if such(loose) => {
            Some(finish(authority.reply(&request?, "3", b"an envelope".to_vec()), authority))
        }
        Break::GiveAway(such) => {
            let first = memory.0.lock().unwrap().first.clone();
            if let Some(first) = first.filter(|_| such(loose)) {
                return Some(delivered(loose, authority, &SignedMessage::read(&first).unwrap()));
            }
            let answer = through()?;
            let content = SignedMessage::read(&answer.body).ok().and_then(|reply| reply.content);
            let envelope = content.and_then(|content| EnvelopedMessage::read(&content).ok());
            if let Some(plain) = envelope.and_then(|envelope| open_as_client(&envelope)) {
                memory.0.lock().unwrap().first.get_or_insert(plain);
            }
            Some(answer)
        }
        Break::Reply(_) | Break::Signed(_) | Break::Deliver(_) | Break::Envelope(_) => {
            let answer = through()?;
            let Ok(reply) = SignedMessage::read(&answer.body) else { return Some(answer) };
            Some(changed(what, reply, loose, authority))
        }
        _ => through(),
    }
}

fn changed(what: Break, mut reply: SignedMessage, loose: &Loose, authority: &Authority) -> Outgoing {
    let envelope = reply.content.as_ref().and_then(|content| EnvelopedMessage::read(content).ok());
    match (what, envelope) {
        (Break::Reply(change), _) => change(&mut reply, loose),
        (Break::Signed(change), _) => {
            change(&mut reply);
            return Outgoing::new(200, "application/x-pki-message", reply.encode());
        }
        (_, Some(envelope)) => {
            if let (Some(plain), Some(signer)) = (open_as_client(&envelope), &loose.signer) {
                reply.put_content(resealed(what, &plain, signer, authority).encode());
            }
        }
        _ => {}
    }
    finish(reply, authority)
}

/// What was delivered, changed, for who asked, and under a key that is known.
fn resealed(what: Break, plain: &[u8], signer: &Certificate, authority: &Authority) -> EnvelopedMessage {
    match what {
        Break::Deliver(change) => {
            let mut delivery = SignedMessage::read(plain).unwrap();
            change(&mut delivery, authority);
            seal(&delivery.encode(), signer)
        }
        Break::Envelope(change) => {
            let mut envelope = seal(plain, signer);
            change(&mut envelope, signer);
            envelope
        }
        _ => seal(plain, signer),
    }
}

/// A SUCCESS for whoever signed the request, or for the RA if nobody did.
fn delivered(loose: &Loose, authority: &Authority, delivery: &SignedMessage) -> Outgoing {
    let nothing = degenerate(&[], Vec::new());
    let request = loose.signed.as_ref().unwrap_or(&nothing);
    let recipient = loose.signer.as_ref().filter(|one| one.public_key().can_encipher());
    let envelope = seal(&delivery.encode(), recipient.unwrap_or(&authority.ra));
    finish(authority.reply(request, "0", envelope.encode()), authority)
}

fn finish(mut reply: SignedMessage, authority: &Authority) -> Outgoing {
    authority.sign(&mut reply);
    Outgoing::new(200, "application/x-pki-message", reply.encode())
}

/// One that was due for the next in 2021.
pub fn old_crl(authority: &Authority) -> Vec<u8> {
    crl(authority, authority.ca.subject(), &["200101000000Z", "210101000000Z"])
}

/// One that is due for the next in 2049, in somebody else's name.
pub fn crl_of_another_name(authority: &Authority) -> Vec<u8> {
    crl(authority, &pki_core::Name::of_common_name("Another CA"), &["260101000000Z", "491231235959Z"])
}

/// One that nobody signed.
pub fn crl_with_a_false_signature(authority: &Authority) -> Vec<u8> {
    let mut crl = crl(authority, authority.ca.subject(), &["260101000000Z", "491231235959Z"]);
    *crl.last_mut().unwrap() ^= 1;
    crl
}

/// One that is good for ever.
pub fn crl_without_an_end(authority: &Authority) -> Vec<u8> {
    crl(authority, authority.ca.subject(), &["260101000000Z"])
}

fn crl(authority: &Authority, issuer: &pki_core::Name, times: &[&str]) -> Vec<u8> {
    use pki_core::SigningKey as _;
    let algorithm = authority.ca_key.algorithm().to_der();
    let times: Vec<u8> = times.iter().flat_map(|text| tlv::wrap(tlv::UTC_TIME, text.as_bytes())).collect();
    let tbs = tlv::sequence([&[tlv::INTEGER, 1, 1][..], &algorithm, issuer.as_der(), &times]);
    let signature = testkit::block_on(authority.ca_key.sign(&tbs)).unwrap();
    let bits = tlv::wrap(tlv::BIT_STRING, &[&[0], &*signature].concat());
    tlv::sequence([&*tbs, &algorithm, &bits])
}

/// The answer to GetCACert with other certificates in the place of the CA's and the RA's.
pub fn put_certificates(request: &Incoming, answer: &mut Outgoing, certificates: &[Certificate]) {
    if request.method == "GET" && request.query().starts_with("operation=GetCACert") {
        let (media_type, body) = scep_proto::ca_certificates::encode(certificates);
        *answer = Outgoing::new(200, media_type, body);
    }
}

/// The answer to GetCACaps.
pub fn put_capabilities(request: &Incoming, answer: &mut Outgoing, change: impl FnOnce(&str) -> String) {
    if request.query().starts_with("operation=GetCACaps") {
        answer.body = change(&String::from_utf8_lossy(&answer.body)).into_bytes();
    }
}

/// Whether that is the certificate of somebody else's key.
pub fn is_strangers(certificate: Option<&Certificate>) -> bool {
    let key = testkit::keys::rsa(testkit::keys::STRANGER_PEM);
    certificate.is_some_and(|one| one.public_key() == pki_core::SigningKey::public_key(&*key))
}

/// Whether the message is signed by that key, which is not its certificate's.
pub fn is_signed_by_stranger(loose: &Loose) -> bool {
    let key = testkit::keys::rsa(testkit::keys::STRANGER_PEM);
    let Some(message) = &loose.signed else { return false };
    let Some(signer) = message.signer() else { return false };
    let key = pki_core::SigningKey::public_key(&*key);
    !is_strangers(loose.signer.as_ref())
        && authority::is_signed_by(key, &message.to_be_signed(), &signer.signature)
}
