//! From the BER that clients send to the DER that everything else here reads.
//!
//! Java, Apple and Cisco clients send indefinite lengths, lengths of more octets than needed and strings in segments.
//! [`normalize`] undoes that and nothing else: it re-sorts no SET and touches no INTEGER, so that what was signed or
//! is to be echoed keeps its octets. It looks neither into primitive elements nor at what they mean; the content of an
//! OCTET STRING that holds BER again is normalized by a call of its own.
//!
//! It walks with a stack of its own of at most [`limits::MAX_DEPTH`] entries, so no nesting can exhaust the thread's.

use alloc::{borrow::Cow, vec::Vec};

use pki_core::{DecodeError, tlv};

use crate::{cms_oids, limits};

const WHAT: &str = "one BER element";

const CONSTRUCTED: u8 = 0x20;
const SEGMENTED_OCTET_STRING: u8 = tlv::OCTET_STRING | CONSTRUCTED;

/// The same element with definite, minimal lengths and unsegmented octet strings. DER is returned borrowed.
///
/// Segments are joined in OCTET STRINGs and in the `encryptedContent [0]` of an EncryptedContentInfo of id-data, the one
/// implicitly tagged string that clients send in segments.
///
/// ```
/// # use scep_proto::ber;
/// let indefinite = [0x30, 0x80, 0x24, 0x80, 0x04, 1, b'a', 0x04, 1, b'b', 0, 0, 0, 0];
/// assert_eq!(ber::normalize(&indefinite)?, &[0x30, 4, 0x04, 2, b'a', b'b'][..]);
/// # Ok::<(), pki_core::DecodeError>(())
/// ```
///
/// # Errors
/// For anything but one whole element: bad lengths, trailing octets, a tag number above 30, segments of another type
/// than their string. For nesting deeper than [`limits::MAX_DEPTH`], an OBJECT IDENTIFIER longer than
/// [`limits::MAX_OID_LEN`], an INTEGER longer than [`limits::MAX_INTEGER_LEN`], and input longer than
/// [`limits::MAX_REPLY_LEN`].
pub fn normalize(ber: &[u8]) -> Result<Cow<'_, [u8]>, DecodeError> {
    if ber.len() > limits::MAX_REPLY_LEN {
        return Err(DecodeError::new(WHAT, format_args!("{} octets", ber.len())));
    }
    let mut walk = Walk::new(ber);
    while walk.next()?.is_some() {}
    if walk.is_der { Ok(Cow::Borrowed(ber)) } else { rewrite(ber).map(Cow::Owned) }
}

/// Writes from the last octet to the first, because a length is known only once its content is written.
fn rewrite(ber: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut events = Vec::new();
    let mut walk = Walk::new(ber);
    while let Some(event) = walk.next()? {
        events.push(event);
    }
    let mut reversed = Vec::with_capacity(ber.len());
    let mut ends = Vec::new();
    for event in events.into_iter().rev() {
        match event {
            Event::Close => ends.push(reversed.len()),
            Event::Open(tag) => {
                let length = reversed.len().saturating_sub(ends.pop().unwrap_or_default());
                push_header(&mut reversed, tag, length);
            }
            Event::OpenSegments => {
                ends.pop();
            }
            Event::Primitive(tag, content) => {
                reversed.extend(content.iter().rev());
                push_header(&mut reversed, tag, content.len());
            }
            Event::Segment(content) => reversed.extend(content.iter().rev()),
        }
    }
    reversed.reverse();
    Ok(reversed)
}

/// Tag and minimal length, last octet first.
fn push_header(reversed: &mut Vec<u8>, tag: u8, length: usize) {
    if length < 0x80 {
        reversed.extend(length.to_le_bytes().first());
    } else {
        let octets = length.to_le_bytes();
        let count = octets.iter().rposition(|&octet| octet != 0).map_or(0, |last| last.saturating_add(1));
        reversed.extend(octets.iter().take(count));
        reversed.push(0x80 | u8::try_from(count).unwrap_or_default());
    }
    reversed.push(tag);
}

#[derive(Clone, Copy)]
enum Event<'a> {
    /// A constructed element begins, to be written under this tag.
    Open(u8),
    /// Segments within segments begin; written without a header of their own.
    OpenSegments,
    /// What was opened last ends.
    Close,
    Primitive(u8, &'a [u8]),
    /// Part of the string that was opened.
    Segment(&'a [u8]),
}

/// An element that was opened and not yet closed.
struct Frame {
    /// Where it ends, or must have ended when its length is indefinite.
    limit: usize,
    indefinite: bool,
    /// Its elements are the segments of one string.
    joins: bool,
    seen: Seen,
}

/// How much of the beginning of an EncryptedContentInfo the elements of a frame have been so far.
///
/// ```text
/// EncryptedContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER,
///     contentEncryptionAlgorithm AlgorithmIdentifier, encryptedContent [0] IMPLICIT OCTET STRING OPTIONAL }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    ContentType,
    Algorithm,
    SomethingElse,
}

impl Seen {
    fn then(self, tag: u8, content: &[u8]) -> Self {
        match (self, tag) {
            (Self::Nothing, tlv::OBJECT_IDENTIFIER) if content == cms_oids::DATA.as_content() => {
                Self::ContentType
            }
            (Self::ContentType, tlv::SEQUENCE) => Self::Algorithm,
            _ => Self::SomethingElse,
        }
    }
}

/// Goes through an element and all within, in order.
struct Walk<'a> {
    ber: &'a [u8],
    position: usize,
    open: Vec<Frame>,
    is_der: bool,
}

impl<'a> Walk<'a> {
    fn new(ber: &'a [u8]) -> Self {
        Self { ber, position: 0, open: Vec::new(), is_der: true }
    }

    fn next(&mut self) -> Result<Option<Event<'a>>, DecodeError> {
        if self.closes() {
            self.open.pop();
            return Ok(Some(Event::Close));
        }
        if !self.open.is_empty() || self.position == 0 {
            return self.element().map(Some);
        }
        if self.position == self.ber.len() { Ok(None) } else { Err(DecodeError::new(WHAT, "trailing bytes")) }
    }

    /// Whether the innermost open element ends here; steps over its end-of-contents octets.
    fn closes(&mut self) -> bool {
        let Some(frame) = self.open.last() else { return false };
        let ends_here = if frame.indefinite {
            let after = self.position.saturating_add(2);
            after <= frame.limit && self.ber.get(self.position..after) == Some(&[0, 0])
        } else {
            self.position == frame.limit
        };
        if ends_here && frame.indefinite {
            self.position = self.position.saturating_add(2);
        }
        ends_here
    }

    fn element(&mut self) -> Result<Event<'a>, DecodeError> {
        let limit = self.open.last().map_or(self.ber.len(), |frame| frame.limit);
        let tag = self.octet(limit)?;
        if tag & 0x1F == 0x1F || tag == 0 {
            return Err(DecodeError::new(WHAT, format_args!("tag {tag:#04x}")));
        }
        let (start_of, constructed) = (self.length(limit)?, tag & CONSTRUCTED != 0);
        match start_of {
            Some(length) if constructed => {
                let end = self.end(length, limit)?;
                self.open(tag, end, false)
            }
            None if constructed => {
                self.is_der = false;
                self.open(tag, limit, true)
            }
            Some(length) => self.primitive(tag, length, limit),
            None => Err(DecodeError::new(WHAT, "a primitive element of indefinite length")),
        }
    }

    fn primitive(&mut self, tag: u8, length: usize, limit: usize) -> Result<Event<'a>, DecodeError> {
        let end = self.end(length, limit)?;
        let content = self.ber.get(self.position..end).unwrap_or_default();
        self.position = end;
        let longest = match tag {
            tlv::OBJECT_IDENTIFIER => limits::MAX_OID_LEN,
            tlv::INTEGER => limits::MAX_INTEGER_LEN,
            _ => usize::MAX,
        };
        if length > longest {
            return Err(DecodeError::new(WHAT, format_args!("tag {tag:#04x} with {length} octets")));
        }
        match self.open.last_mut() {
            Some(Frame { joins: true, .. }) if tag == tlv::OCTET_STRING => Ok(Event::Segment(content)),
            Some(Frame { joins: true, .. }) => Err(wrong_segment(tag)),
            Some(frame) => {
                frame.seen = frame.seen.then(tag, content);
                Ok(Event::Primitive(tag, content))
            }
            None => Ok(Event::Primitive(tag, content)),
        }
    }

    fn open(&mut self, tag: u8, limit: usize, indefinite: bool) -> Result<Event<'a>, DecodeError> {
        if self.open.len() >= limits::MAX_DEPTH {
            return Err(DecodeError::new(WHAT, format_args!("more than {} levels", limits::MAX_DEPTH)));
        }
        let parent = self.open.last_mut();
        let event = match &parent {
            Some(Frame { joins: true, .. }) if tag == SEGMENTED_OCTET_STRING => Event::OpenSegments,
            Some(Frame { joins: true, .. }) => return Err(wrong_segment(tag)),
            Some(Frame { seen: Seen::Algorithm, .. }) if tag == 0xA0 => Event::Open(0x80),
            _ if tag == SEGMENTED_OCTET_STRING => Event::Open(tlv::OCTET_STRING),
            _ => Event::Open(tag),
        };
        if let Some(parent) = parent {
            parent.seen = parent.seen.then(tag, &[]);
        }
        let joins = !matches!(event, Event::Open(written) if written == tag);
        self.is_der &= !joins;
        self.open.push(Frame { limit, indefinite, joins, seen: Seen::Nothing });
        Ok(event)
    }

    /// Reads a length; `None` when it is indefinite.
    fn length(&mut self, limit: usize) -> Result<Option<usize>, DecodeError> {
        let first = self.octet(limit)?;
        let count = usize::from(first & 0x7F);
        match first {
            0..0x80 => return Ok(Some(count)),
            0x80 => return Ok(None),
            0xFF => return Err(DecodeError::new(WHAT, "a reserved length")),
            _ => {}
        }
        let mut length = 0_usize;
        for place in 0..count {
            let octet = self.octet(limit)?;
            self.is_der &= place != 0 || octet != 0;
            length = length.checked_mul(256).ok_or_else(past_the_end)?;
            length |= usize::from(octet);
        }
        self.is_der &= length >= 0x80;
        Ok(Some(length))
    }

    fn end(&self, length: usize, limit: usize) -> Result<usize, DecodeError> {
        let end = self.position.checked_add(length).filter(|&end| end <= limit);
        end.ok_or_else(past_the_end)
    }

    fn octet(&mut self, limit: usize) -> Result<u8, DecodeError> {
        let octet = self.ber.get(self.position).filter(|_| self.position < limit).ok_or_else(past_the_end)?;
        self.position = self.position.saturating_add(1);
        Ok(*octet)
    }
}

fn past_the_end() -> DecodeError {
    DecodeError::new(WHAT, "a length past the end")
}

fn wrong_segment(tag: u8) -> DecodeError {
    DecodeError::new("segments of an OCTET STRING", format_args!("tag {tag:#04x}"))
}
