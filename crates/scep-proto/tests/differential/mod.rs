//! Whether our outer parser and rasn's take the same messages, and read the same in them. Shared with the fuzz target
//! `scep_differential`.
//!
//! Two laws. What we take, rasn takes as far as the frame goes, and finds the same content, signer and attributes. What
//! rasn takes, down to names and certificates, and what has the attributes of a pkiMessage, we take; the differences
//! allowed are listed in [`ALLOWED`].

use pki_core::tlv;
use rasn::prelude::*;
use scep_proto::{PkiMessage, ber};

/// What we refuse and rasn does not, by what our error says.
const ALLOWED: [(&str, &str); 8] = [
    ("not exactly one certificate of its signer", "rasn does not look for the signer's certificate"),
    ("a senderNonce of 8 to 64 octets", "a limit of ours"),
    ("octets where 1 to 256 belong", "a limit of ours"),
    ("expected SCEP attributes: more than", "a limit of ours"),
    ("expected a SignedData: more than", "limits of ours: certificates and signers"),
    ("expected one BER element", "rasn does not look into elements that it has no type for; limits of ours"),
    ("segments of an OCTET STRING", "the same"),
    ("expected an OBJECT IDENTIFIER", "const-oid has no arcs such as 2.999, nor any of 128 bits"),
];

#[derive(AsnType, Decode, Debug)]
struct Frame {
    _version: Integer,
    _digest_algorithms: SetOf<Any>,
    _encap_content_info: rasn_cms::EncapsulatedContentInfo,
    #[rasn(tag(0))]
    certificates: Option<SetOf<Any>>,
    #[rasn(tag(1))]
    _crls: Option<SetOf<Any>>,
    signer_infos: SetOf<FrameSigner>,
}

#[derive(AsnType, Decode, Debug, Clone, PartialEq, Eq, Hash)]
struct FrameSigner {
    version: Integer,
    sid: Any,
    digest_algorithm: Any,
    #[rasn(tag(0))]
    signed_attrs: SetOf<FrameAttribute>,
    signature_algorithm: Any,
    signature: OctetString,
    #[rasn(tag(1))]
    unsigned_attrs: Option<SetOf<Any>>,
}

#[derive(AsnType, Decode, Debug, Clone, PartialEq, Eq, Hash)]
struct FrameAttribute {
    id: ObjectIdentifier,
    values: SetOf<Any>,
}

const MESSAGE_TYPE: &[u32] = &[2, 16, 840, 1, 113_733, 1, 9, 2];
const SENDER_NONCE: &[u32] = &[2, 16, 840, 1, 113_733, 1, 9, 5];
const TRANSACTION_ID: &[u32] = &[2, 16, 840, 1, 113_733, 1, 9, 7];

/// What is wrong with one of us, if we differ.
pub fn disagreement(input: &[u8]) -> Option<String> {
    let ours = PkiMessage::parse(input);
    let frame = frame(input);
    match (&ours, &frame) {
        (Ok(_), Err(error)) => Some(format!("only we take it; rasn: {error}")),
        (Ok(message), Ok(frame)) => differs(message, frame),
        (Err(error), Ok(frame)) if is_whole(input, frame) => {
            let text = error.to_string();
            let allowed = ALLOWED.iter().any(|(part, _)| text.contains(part));
            (!allowed).then(|| format!("only rasn takes it; we: {text}"))
        }
        (Err(_), _) => None,
    }
}

fn frame(input: &[u8]) -> Result<Frame, String> {
    let text = |error: rasn::error::DecodeError| error.to_string();
    let info: rasn_cms::ContentInfo = rasn::ber::decode(input).map_err(text)?;
    if *info.content_type != *rasn_cms::CONTENT_SIGNED_DATA.as_ref() {
        return Err("content of another type".into());
    }
    rasn::ber::decode(info.content.as_bytes()).map_err(text)
}

/// Whether rasn takes all of it, and it has what a pkiMessage has.
fn is_whole(input: &[u8], frame: &Frame) -> bool {
    let typed = rasn::ber::decode::<rasn_cms::ContentInfo>(input)
        .and_then(|info| rasn::ber::decode::<rasn_cms::SignedData>(info.content.as_bytes()));
    let Some(signer) = signer(frame).filter(|_| typed.is_ok()) else { return false };
    let has = |id, tags: &[u8]| value(&signer, id).is_some_and(|(tag, _)| tags.contains(&tag));
    let texts = [0x0C, 0x13, 0x16];
    has(MESSAGE_TYPE, &texts) && has(TRANSACTION_ID, &texts) && has(SENDER_NONCE, &[0x04])
}

fn differs(message: &PkiMessage, frame: &Frame) -> Option<String> {
    let Some(signer) = signer(frame) else { return Some("rasn sees another number of signers".into()) };
    let exchange = message.exchange();
    for (id, ours) in
        [(SENDER_NONCE, exchange.sender_nonce()), (TRANSACTION_ID, exchange.transaction_id().as_bytes())]
    {
        let theirs = value(&signer, id).map(|(_, octets)| octets);
        if theirs.as_deref() != Some(ours) {
            return Some(format!("attribute {id:?}: rasn {theirs:02x?}, we {ours:02x?}"));
        }
    }
    let certificates = frame.certificates.iter().flat_map(SetOf::to_vec);
    let known = certificates.into_iter().any(|certificate| {
        let der = ber::normalize(certificate.as_bytes());
        der.is_ok_and(|der| *der == *exchange.signer().as_der())
    });
    (!known).then(|| "rasn does not see the signer's certificate".into())
}

fn signer(frame: &Frame) -> Option<FrameSigner> {
    let signers: Vec<_> = frame.signer_infos.to_vec().into_iter().cloned().collect();
    <[_; 1]>::try_from(signers).ok().map(|[signer]| signer)
}

/// Tag and content of the one value of the one attribute of that type, as DER.
fn value(signer: &FrameSigner, id: &[u32]) -> Option<(u8, Vec<u8>)> {
    let attributes: Vec<_> = signer.signed_attrs.to_vec();
    let mut found = attributes.iter().filter(|attribute| *attribute.id == *id);
    let (Some(attribute), None) = (found.next(), found.next()) else { return None };
    let values = attribute.values.to_vec();
    let [value] = values.as_slice() else { return None };
    let der = ber::normalize(value.as_bytes()).ok()?;
    tlv::Tlv::split_first(&der).map(|(element, _)| (element.tag, element.value.to_vec()))
}
