//! Takes captured bytes apart, offline, and says which clauses they break: a request, a reply, an answer to GetCACert,
//! GetNextCACert or GetCACaps, the target of a GET, or a whole HTTP message with one of these in it.
//!
//! ```
//! # use scep_proto::explain::{Aids, explain};
//! let told = explain(b"GET /scep?operation=GetCACert HTTP/1.0\r\n\r\n", &Aids::default());
//! assert_eq!(told.title(), "GetCACert by GET");
//! assert!(told.findings().is_empty());
//! let told = explain(b"\x30\x80", &Aids::default());
//! assert_eq!(told.findings()[0].code(), "not-asn1");
//! ```
//!
//! Nothing here is on the way of a request, and nothing here decides anything: what a server refuses is for
//! [`PkiMessage`](crate::PkiMessage). The codes of findings are stable: those of [`Tolerance::name`] and
//! [`RejectReason::code`](crate::RejectReason::code), and those that `docs/divergences.md` lists.

mod answers;
mod content;
mod input;
mod message;
mod oid_names;
mod schema;
mod tree;

use alloc::{
    borrow::ToOwned as _,
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use core::fmt;

use pki_core::{ChallengePassword, ContentKey, SignatureVerifier, WrappedKey};

use crate::{Tolerance, Tolerances};

pub use tree::Line;

/// Takes `input` apart as far as it goes. Never fails: what cannot be read is a finding.
pub fn explain(input: &[u8], aids: &Aids<'_>) -> Explanation {
    let mut told = Explanation::default();
    input::explain(input, aids, &mut told);
    told
}

/// What helps to see more: without any, signatures are not checked and nothing is decrypted.
#[derive(Clone, Copy, Default)]
pub struct Aids<'a> {
    verifier: Option<&'a dyn SignatureVerifier>,
    unwrap: Option<Unwrap<'a>>,
    challenge: Option<&'a ChallengePassword>,
}

type Unwrap<'a> = &'a dyn Fn(&WrappedKey) -> Option<ContentKey>;

impl<'a> Aids<'a> {
    /// The same, checking signatures.
    #[must_use]
    pub fn with_verifier(self, verifier: &'a dyn SignatureVerifier) -> Self {
        Self { verifier: Some(verifier), ..self }
    }

    /// The same, opening envelopes with what unwraps their content keys: the key of the RA for a request, that of the
    /// requester for a reply.
    #[must_use]
    pub fn with_unwrap(self, unwrap: Unwrap<'a>) -> Self {
        Self { unwrap: Some(unwrap), ..self }
    }

    /// The same, opening envelopes that a challenge closed.
    #[must_use]
    pub fn with_challenge(self, challenge: &'a ChallengePassword) -> Self {
        Self { challenge: Some(challenge), ..self }
    }
}

impl fmt::Debug for Aids<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verifier, unwrap, challenge } = self;
        let there = (verifier.is_some(), unwrap.is_some(), challenge.is_some());
        write!(f, "Aids {there:?}")
    }
}

/// What was found in some bytes. `Display` is for a terminal: no octet of the input reaches it unescaped, and no
/// challenge at all.
#[derive(Debug, Clone, Default)]
pub struct Explanation {
    title: String,
    sections: Vec<Section>,
    findings: Vec<Finding>,
}

/// An annotated structure, or a list of facts.
#[derive(Debug, Clone)]
pub struct Section {
    title: String,
    lines: Vec<Line>,
}

/// Something that departs from a standard, or is worth knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    code: &'static str,
    weight: Weight,
    clause: &'static str,
    text: String,
}

/// What a [`Finding`] means to a server or client that keeps to the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Weight {
    /// It breaks a clause that binds, and is refused.
    Breaks,
    /// It departs from a clause, and is read all the same.
    Tolerated,
    /// It keeps to the standard, yet is worth knowing.
    Note,
}

impl Explanation {
    /// What it is, in a few words.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The parts, outermost first.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The findings, as they came up.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    fn section(&mut self, title: impl Into<String>, lines: Vec<Line>) {
        self.sections.push(Section { title: title.into(), lines });
    }

    fn breaks(&mut self, code: &'static str, clause: &'static str, text: impl fmt::Display) {
        self.find(code, Weight::Breaks, clause, text);
    }

    fn note(&mut self, code: &'static str, clause: &'static str, text: impl fmt::Display) {
        self.find(code, Weight::Note, clause, text);
    }

    fn find(&mut self, code: &'static str, weight: Weight, clause: &'static str, text: impl fmt::Display) {
        let finding = Finding { code, weight, clause, text: text.to_string() };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn tolerated(&mut self, needed: Tolerances) {
        for tolerance in needed.iter() {
            let weight = if tolerance.is_default() { Weight::Tolerated } else { Weight::Breaks };
            self.find(tolerance.name(), weight, tolerance.clause(), about(tolerance));
        }
    }
}

fn about(tolerance: Tolerance) -> &'static str {
    match tolerance {
        Tolerance::GetRawPlus => "a + that is not percent-encoded, or became a space",
        Tolerance::GetUrlAlphabet => "base64 in the alphabet for URLs",
        Tolerance::GetLineBreaks => "line breaks in the base64",
        Tolerance::GetMissingPadding => "base64 without its padding",
        Tolerance::PostWithoutOperation => "a POST that names no operation",
        Tolerance::OperationCase => "the operation in another case",
        Tolerance::Ber => "BER where DER would do",
        Tolerance::NonceLength => "a senderNonce of another length than 16 octets",
        Tolerance::UnsortedAttributes => "signed attributes in another order than DER's",
        Tolerance::MissingContentType => "no contentType among the signed attributes",
        Tolerance::AttributeStringType => "messageType, pkiStatus or failInfo is no PrintableString",
        Tolerance::TransactionIdStringType => "the transactionID is no PrintableString",
        Tolerance::TransactionIdCharacters => "the transactionID has characters that no PrintableString has",
        Tolerance::Md5TransactionId => "a transactionID of 32 hexadecimal digits, as MD5 makes them of a key",
        Tolerance::RsaEncryptionSignature => "signatureAlgorithm names the key and not the signature",
        Tolerance::CriticalAuthorityKeyIdentifier => "the signer's authorityKeyIdentifier is critical",
        Tolerance::SignerSerialNumber => "the signer's serial number is none that RFC 5280 allows",
        Tolerance::ReEncodedIssuer => "an issuer's name in other octets than in the certificate",
        Tolerance::RequestVersion => "a certification request of a version that does not exist",
        Tolerance::RequestWithoutAttributes => "a certification request without the attributes field",
        Tolerance::LegacyExtensionRequest => "extensions under the attribute type of SCEP's drafts",
        Tolerance::ChallengeStringType => "the challengePassword is neither PrintableString nor UTF8String",
        Tolerance::ReplyContent => "a reply without messageData that has content",
        Tolerance::ReplyNonce => "a reply without a fresh senderNonce",
    }
}

impl Section {
    /// Its heading.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Its lines.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }
}

impl Finding {
    /// Stable, for machines.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// How bad it is.
    pub fn weight(&self) -> Weight {
        self.weight
    }

    /// The clause, such as `RFC 8894 §3.2.1.5`.
    pub fn clause(&self) -> &'static str {
        self.clause
    }

    /// What was expected and what came; for people.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Breaks => "breaks",
            Self::Tolerated => "tolerated",
            Self::Note => "note",
        })
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for section in &self.sections {
            writeln!(f, "\n== {}", section.title)?;
            section.lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        }
        writeln!(f, "\n== findings")?;
        for finding in &self.findings {
            let Finding { code, weight, clause, text } = finding;
            writeln!(f, "{weight:<9}  {code:<33}  {clause:<18}  {text}")?;
        }
        if self.findings.is_empty() {
            writeln!(f, "none")?;
        }
        Ok(())
    }
}

/// A fact, without a place in the input.
fn fact(label: &str, value: impl fmt::Display) -> Line {
    Line { offset: None, depth: 0, label: label.to_owned(), value: format!("{value}") }
}
