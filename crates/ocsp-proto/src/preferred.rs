//! Which of several delegates answers a request.

use alloc::vec::Vec;

use pki_core::{DecodeError, PublicKey, SignatureAlgorithm, tlv};

use crate::{
    Delegate, Request,
    reader::{Reader, SEQUENCE},
    writer::BackWriter,
};

const WHAT: &str = "PreferredSignatureAlgorithms";

/// More than this many preferences in one request are refused.
const MAX_PREFERENCES: usize = 32;

/// `PreferredSignatureAlgorithms` ([RFC 6960 §4.4.7.1](https://www.rfc-editor.org/rfc/rfc6960#section-4.4.7.1)): what a
/// client would have its response signed with, the dearest first.
///
/// ```text
/// PreferredSignatureAlgorithms ::= SEQUENCE OF PreferredSignatureAlgorithm
/// PreferredSignatureAlgorithm ::= SEQUENCE {
///     sigIdentifier AlgorithmIdentifier, pubKeyAlgIdentifier SMIMECapability OPTIONAL }
/// SMIMECapability ::= SEQUENCE { capabilityID OBJECT IDENTIFIER, parameters ANY OPTIONAL }
/// ```
///
/// Algorithms that are not known are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Preferences<'a> {
    der: &'a [u8],
}

struct Preference<'a> {
    /// `None` for one that is not known.
    signature: Option<SignatureAlgorithm>,
    /// The DER of the SMIMECapability.
    key: Option<&'a [u8]>,
}

impl<'a> Preferences<'a> {
    /// Checks the form of all of it.
    pub(crate) fn from_extension_value(der: &'a [u8]) -> Result<Self, DecodeError> {
        let mut list = Reader::into(der, SEQUENCE, WHAT)?;
        for _ in 0..MAX_PREFERENCES {
            if list.is_empty() {
                return Ok(Self { der });
            }
            Preference::read(&mut list)?;
        }
        if list.is_empty() { Ok(Self { der }) } else { Err(list.error("too many preferences")) }
    }

    pub(crate) fn signatures(self) -> Vec<SignatureAlgorithm> {
        self.iter().filter_map(|preference| preference.signature).collect()
    }

    fn iter(self) -> impl Iterator<Item = Preference<'a>> {
        let mut list = Reader::into(self.der, SEQUENCE, WHAT).ok();
        core::iter::from_fn(move || Preference::read(list.as_mut()?).ok())
    }
}

impl<'a> Preference<'a> {
    fn read(list: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut fields = list.enter(SEQUENCE)?;
        let signature = fields.expect(SEQUENCE)?.bytes;
        Reader::into(signature, SEQUENCE, WHAT)?.oid()?;
        let key = match fields.optional(SEQUENCE)? {
            None => None,
            Some(capability) => {
                Reader::over(capability.value, WHAT).oid()?;
                Some(capability.bytes)
            }
        };
        fields.finish()?;
        Ok(Self { signature: SignatureAlgorithm::from_der(signature).ok(), key })
    }

    fn is_met_by(&self, delegate: &Delegate) -> bool {
        self.signature == Some(delegate.algorithm())
            && self.key.is_none_or(|key| is_of_kind(delegate.certificate().public_key(), key))
    }
}

impl Request<'_> {
    /// Which of `delegates` should answer this, by the order of
    /// [RFC 6960 §4.4.7.2.1](https://www.rfc-editor.org/rfc/rfc6960#section-4.4.7.2.1): the first whose signatures are
    /// what the client prefers; else the first that signs as the CA signs its CRLs; else as the request is signed; else
    /// the first of all. `None` when there is none.
    pub fn choose<D: AsRef<Delegate>>(&self, delegates: &[D]) -> Option<usize> {
        // Nearly every responder has one, and need not look any further.
        let [first, _, ..] = delegates else { return (!delegates.is_empty()).then_some(0) };
        let position = |test: &dyn Fn(&Delegate) -> bool| delegates.iter().position(|one| test(one.as_ref()));
        let preferred = self.preferences().and_then(|preferences| {
            preferences.iter().find_map(|preference| position(&|delegate| preference.is_met_by(delegate)))
        });
        let by = |algorithm: Option<SignatureAlgorithm>| {
            algorithm.and_then(|algorithm| position(&|delegate| delegate.algorithm() == algorithm))
        };
        // The CA signs its CRLs as it signed its delegate's certificate.
        let crl = || by(first.as_ref().certificate().signature_algorithm().ok());
        preferred.or_else(crl).or_else(|| by(self.signature_algorithm())).or(Some(0))
    }
}

/// Whether the capability names the algorithm of `key`, and its parameters if it has any but NULL.
fn is_of_kind(key: &PublicKey, capability: &[u8]) -> bool {
    let [wanted, own] = [capability, key_algorithm(key)].map(algorithm_and_parameters);
    match (wanted, own) {
        (Some((wanted, parameters)), Some((own, own_parameters))) => {
            wanted == own && parameters.is_none_or(|parameters| Some(parameters) == own_parameters)
        }
        _ => false,
    }
}

/// The DER of the AlgorithmIdentifier.
fn key_algorithm(key: &PublicKey) -> &[u8] {
    Reader::into(key.as_der(), SEQUENCE, WHAT)
        .and_then(|mut fields| fields.expect(SEQUENCE))
        .map_or(&[], |algorithm| algorithm.bytes)
}

/// The identifier's content, and the parameters unless they are absent or NULL.
fn algorithm_and_parameters(der: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let mut fields = Reader::into(der, SEQUENCE, WHAT).ok()?;
    let id = fields.oid().ok()?;
    Some((id, Some(fields.rest()).filter(|rest| !rest.is_empty() && *rest != [5, 0])))
}

/// The content of the extension that prefers these.
pub(crate) fn encode(algorithms: &[SignatureAlgorithm]) -> Vec<u8> {
    let mut out = BackWriter::with_capacity(128);
    out.wrap(SEQUENCE, |out| {
        algorithms.iter().rev().for_each(|algorithm| out.put(&tlv::sequence([&*algorithm.to_der()])));
    });
    out.finish()
}
