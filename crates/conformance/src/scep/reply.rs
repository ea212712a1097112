//! Answers, read without an opinion: each check has its own.

use keys_software::RsaKey;
use pki_core::{Certificate, DecodeError, DecryptionKey as _, KeyTransport, Oid, WrappedKey, tlv};

use super::{
    cms::{self, EnvelopedMessage, SignedMessage},
    draft::at_once,
    password,
    weak::Cipher,
};
use crate::{Judgement, http::HttpError, http::HttpResponse};

/// What came back upon a PKIOperation.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// HTTP 200 with a SignedData that has a signer.
    Reply(Box<CertRep>),
    /// Another status.
    Refused(HttpResponse),
    /// HTTP 200 with something else.
    Odd(String),
    /// Nothing.
    Silence(HttpError),
}

/// pkiStatus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    Success,
    Failure,
    Pending,
    Missing,
    Other(String),
}

/// A CertRep and how it came.
#[derive(Debug, Clone)]
pub(crate) struct CertRep {
    pub(crate) http: HttpResponse,
    pub(crate) message: SignedMessage,
}

impl Answer {
    pub(crate) fn read(response: Result<HttpResponse, HttpError>) -> Self {
        let http = match response {
            Err(error) => return Self::Silence(error),
            Ok(response) if response.status != 200 => return Self::Refused(response),
            Ok(response) => response,
        };
        match SignedMessage::read(&http.body) {
            Ok(message) if !message.signers.is_empty() => Self::Reply(Box::new(CertRep { http, message })),
            Ok(_) => Self::Odd("HTTP 200 with a SignedData that nobody signed".into()),
            Err(error) => Self::Odd(format!("HTTP 200 with what is no CertRep: {error}")),
        }
    }

    /// What it comes to, for a person.
    pub(crate) fn summary(&self) -> String {
        match self {
            Self::Reply(reply) => reply.summary(),
            Self::Refused(response) => response.summary(),
            Self::Odd(text) => text.clone(),
            Self::Silence(error) => error.to_string(),
        }
    }

    pub(crate) fn is_granted(&self) -> bool {
        matches!(self, Self::Reply(reply) if reply.status() == Status::Success)
    }

    pub(crate) fn is_pending(&self) -> bool {
        matches!(self, Self::Reply(reply) if reply.status() == Status::Pending)
    }

    /// The verdict on a message that must not be granted.
    pub(crate) fn must_be_refused(&self) -> Result<Judgement, Judgement> {
        let summary = self.summary();
        match self {
            Self::Reply(reply) => match reply.status() {
                Status::Failure => Ok(Judgement::pass(summary)),
                Status::Success => Err(Judgement::fail(format!("granted: {summary}"))),
                _ => Err(Judgement::fail(summary)),
            },
            Self::Refused(response) => match response.status {
                429 | 503 => Err(Judgement::not_judged(format!("the server has no time: {summary}"))),
                400..=499 => Ok(Judgement::pass(summary)),
                _ => Err(Judgement::fail(summary)),
            },
            Self::Odd(_) | Self::Silence(_) => Err(Judgement::fail(summary)),
        }
    }

    /// The verdict on a message that some servers take: taken or refused, but not with an error of the server's.
    pub(crate) fn may_be_granted(&self, why: &str) -> Result<Judgement, Judgement> {
        if self.is_granted() {
            return Ok(Judgement::tolerated(format!("granted: {why}")));
        }
        self.must_be_refused()
    }

    /// The verdict on a message that asks for something optional.
    pub(crate) fn is_optional(&self) -> Result<Judgement, Judgement> {
        if self.is_granted() {
            return Ok(Judgement::pass(self.summary()));
        }
        self.must_be_refused().map(|refused| Judgement::not_offered(refused.reason))
    }

    /// The reply, where one came.
    pub(crate) fn reply(&self) -> Result<&CertRep, Judgement> {
        match self {
            Self::Reply(reply) => Ok(reply),
            _ => Err(Judgement::fail(format!("no CertRep came: {}", self.summary()))),
        }
    }
}

impl CertRep {
    pub(crate) fn text(&self, id: Oid) -> Option<String> {
        let value = self.message.signer()?.attribute_value(id)?;
        Some(String::from_utf8_lossy(&value).into_owned())
    }

    pub(crate) fn status(&self) -> Status {
        match self.text(cms::PKI_STATUS) {
            None => Status::Missing,
            Some(text) => match &*text {
                "0" => Status::Success,
                "2" => Status::Failure,
                "3" => Status::Pending,
                _ => Status::Other(text),
            },
        }
    }

    pub(crate) fn summary(&self) -> String {
        match self.status() {
            Status::Success => "CertRep SUCCESS".into(),
            Status::Pending => "CertRep PENDING".into(),
            Status::Missing => "a CertRep without pkiStatus".into(),
            Status::Other(text) => format!("a CertRep of pkiStatus {text:?}"),
            Status::Failure => {
                let info = self.text(cms::FAIL_INFO);
                let name = info.as_deref().map_or("without failInfo", fail_info_name);
                let text = self.text(cms::FAIL_INFO_TEXT).map(|text| format!(": {text}")).unwrap_or_default();
                format!("CertRep FAILURE {name}{text}")
            }
        }
    }

    /// The envelope in it, opened with the key of who asked.
    pub(crate) fn open(&self, key: &RsaKey) -> Result<Delivery, String> {
        self.open_by(|_, transports| {
            let unwrap = |recipient: &Recipient| at_once(key.unwrap_key(&recipient.wrapped))?.ok();
            let found = transports.iter().find_map(unwrap).ok_or("no recipient is the requester")?;
            Ok(found.expose().to_vec())
        })
    }

    /// The envelope in it, opened with the challenge of who asked.
    pub(crate) fn open_by_password(&self, challenge: &str) -> Result<Delivery, String> {
        self.open_by(|envelope, _| {
            let mut recipients = envelope.recipients.iter();
            let recipient = recipients.find(|der| der.first() == Some(&password::TAG));
            password::unwrap(recipient.ok_or("there is no PasswordRecipientInfo")?, challenge)
        })
    }

    fn open_by(
        &self,
        unwrap: impl FnOnce(&EnvelopedMessage, &[Recipient]) -> Result<Vec<u8>, String>,
    ) -> Result<Delivery, String> {
        let content = self.message.content.as_deref().filter(|content| !content.is_empty());
        let content = content.ok_or("there is no content")?;
        let envelope = EnvelopedMessage::read(content).map_err(|error| error.to_string())?;
        let transports: Vec<Recipient> =
            envelope.recipients.iter().filter_map(|der| Recipient::read(der).ok()).collect();
        let cipher = Cipher::from_oid(envelope.cipher)
            .ok_or_else(|| format!("the cipher {} is none that SCEP knows", envelope.cipher))?;
        let content_key = unwrap(&envelope, &transports)?;
        let plain = cipher.decrypt(&content_key, &envelope.iv, &envelope.ciphertext);
        let plain = plain.ok_or("the content does not decrypt")?;
        let degenerate =
            SignedMessage::read(&plain).map_err(|error| format!("the content is no SignedData: {error}"))?;
        Ok(Delivery { envelope, cipher, recipients: transports, degenerate })
    }
}

/// The name of a failInfo.
pub(crate) fn fail_info_name(text: &str) -> &str {
    match text {
        "0" => "badAlg",
        "1" => "badMessageCheck",
        "2" => "badRequest",
        "3" => "badTime",
        "4" => "badCertId",
        _ => "of an unknown failInfo",
    }
}

/// What a SUCCESS delivers.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) envelope: EnvelopedMessage,
    pub(crate) cipher: Cipher,
    /// Those that are KeyTransRecipientInfos.
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) degenerate: SignedMessage,
}

impl Delivery {
    pub(crate) fn certificates(&self) -> Vec<Certificate> {
        self.degenerate.parsed_certificates()
    }
}

/// A KeyTransRecipientInfo.
#[derive(Debug, Clone)]
pub(crate) struct Recipient {
    /// The DER of the RecipientIdentifier.
    pub(crate) id: Vec<u8>,
    pub(crate) transport: KeyTransport,
    pub(crate) wrapped: WrappedKey,
}

impl Recipient {
    fn read(der: &[u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "a KeyTransRecipientInfo";
        let mut fields = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
        fields.expect(tlv::INTEGER)?;
        let id = fields.next()?.bytes.to_vec();
        let algorithm = fields.expect(tlv::SEQUENCE)?.bytes;
        let transport = KeyTransport::from_der(algorithm).map_err(|error| DecodeError::new(WHAT, error))?;
        let wrapped = WrappedKey::new(transport, fields.expect(tlv::OCTET_STRING)?.value.to_vec());
        Ok(Self { id, transport, wrapped })
    }
}
