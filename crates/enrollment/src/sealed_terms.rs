//! What a sealed challenge says, octet by octet: `docs/sealed-challenges.md`, section 3.

use pki_core::UnixTime;
use serial_binding::{BoundObject, ObjectId, ObjectKind};

const OBJECT: u8 = 1;
const KEY: u8 = 2;
const NAMES: u8 = 4;

/// The last second that five octets can name.
const LAST: u64 = (1 << 40) - 1;

/// What a sealed challenge is good for. Whatever is left out is not limited by it: the directory and the profile decide.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a frozen format")]
pub struct SealedTerms {
    /// Last second at which it can be used.
    pub expires: UnixTime,
    /// The object that it enrolls; `None`: the one that the directory finds by the names in the request.
    pub object: Option<BoundObject>,
    /// SHA-256 of the SubjectPublicKeyInfo of the key that it enrolls; `None` for any.
    pub key: Option<[u8; 32]>,
    /// The names that the certificate may carry at most, of 1 to 255 octets each; none for all that the object has.
    pub names: Vec<String>,
}

impl SealedTerms {
    /// Until `expires`, for whatever the directory finds.
    pub fn until(expires: UnixTime) -> Self {
        Self { expires, object: None, key: None, names: Vec::new() }
    }

    /// The octets that are sealed. Fails for a time beyond the year 36000, and for a name that is empty or too long.
    pub fn encode(&self) -> Result<Vec<u8>, InvalidTerms> {
        let Self { expires: UnixTime(expires), object, key, names } = self;
        let flag = |flag, is_set| if is_set { flag } else { 0 };
        let flags =
            flag(OBJECT, object.is_some()) | flag(KEY, key.is_some()) | flag(NAMES, !names.is_empty());
        if *expires > LAST {
            return Err(InvalidTerms::Time);
        }
        let mut octets = vec![flags];
        octets.extend(expires.to_be_bytes().iter().skip(3));
        if let Some(object) = object {
            octets.push(object.kind().number());
            match object.id() {
                ObjectId::Uuid(id) => octets.extend(id),
                ObjectId::Number(id) => octets.extend(id.to_be_bytes()),
            }
        }
        octets.extend(key.iter().flatten());
        for name in names {
            let length = u8::try_from(name.len()).ok().filter(|length| *length > 0);
            octets.push(length.ok_or(InvalidTerms::Name)?);
            octets.extend(name.as_bytes());
        }
        Ok(octets)
    }

    /// Reads what [`encode`](Self::encode) writes, and nothing else: whatever reads is written the same again.
    pub fn decode(octets: &[u8]) -> Result<Self, InvalidTerms> {
        let mut octets = Octets(octets);
        let [flags] = octets.take()?;
        if flags & !(OBJECT | KEY | NAMES) != 0 {
            return Err(InvalidTerms::Flags);
        }
        let time: [u8; 5] = octets.take()?;
        let expires = UnixTime(time.iter().fold(0, |seconds, octet| seconds << 8 | u64::from(*octet)));
        let object = (flags & OBJECT != 0).then(|| octets.object()).transpose()?;
        let key = (flags & KEY != 0).then(|| octets.take()).transpose()?;
        let names = if flags & NAMES == 0 { Vec::new() } else { octets.names()? };
        if octets.0.is_empty() { Ok(Self { expires, object, key, names }) } else { Err(InvalidTerms::Length) }
    }
}

/// Octets that are read from the front.
struct Octets<'a>(&'a [u8]);

impl Octets<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], InvalidTerms> {
        let (first, rest) = self.0.split_first_chunk::<N>().ok_or(InvalidTerms::Length)?;
        self.0 = rest;
        Ok(*first)
    }

    fn object(&mut self) -> Result<BoundObject, InvalidTerms> {
        let [kind] = self.take()?;
        let kind = ObjectKind::new(kind).ok_or(InvalidTerms::Object)?;
        let id = if kind.is_numeric() {
            ObjectId::Number(u64::from_be_bytes(self.take()?))
        } else {
            ObjectId::Uuid(self.take()?)
        };
        BoundObject::new(kind, id).map_err(|_| InvalidTerms::Object)
    }

    /// One at least, up to the end.
    fn names(&mut self) -> Result<Vec<String>, InvalidTerms> {
        let mut names = Vec::new();
        loop {
            let [length] = self.take()?;
            let (name, rest) = self.0.split_at_checked(length.into()).ok_or(InvalidTerms::Length)?;
            let name = str::from_utf8(name).ok().filter(|name| !name.is_empty()).ok_or(InvalidTerms::Name)?;
            names.push(name.to_owned());
            self.0 = rest;
            if rest.is_empty() {
                return Ok(names);
            }
        }
    }
}

/// Not the terms of a sealed challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTerms {
    /// They expire too late.
    #[error("expected a time before the year 36000")]
    Time,
    /// Flags that version 1 does not have.
    #[error("expected flags of version 1 alone")]
    Flags,
    /// An object of an unknown kind.
    #[error("expected an object of a known kind")]
    Object,
    /// A name of the wrong length, or no text.
    #[error("expected names of 1 to 255 octets of UTF-8")]
    Name,
    /// Too few octets, or too many.
    #[error("expected as many octets as the flags tell")]
    Length,
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    fn objects() -> impl Strategy<Value = BoundObject> {
        (0u8..16, any::<[u8; 16]>(), any::<u64>()).prop_filter_map("a kind", |(kind, uuid, number)| {
            let kind = ObjectKind::new(kind)?;
            let id = if kind.is_numeric() { ObjectId::Number(number) } else { ObjectId::Uuid(uuid) };
            BoundObject::new(kind, id).ok()
        })
    }

    fn all_terms() -> impl Strategy<Value = SealedTerms> {
        let names = vec(".{1,20}", 0..4);
        (0..=LAST, option::of(objects()), option::of(any::<[u8; 32]>()), names).prop_map(
            |(expires, object, key, names)| SealedTerms { expires: UnixTime(expires), object, key, names },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn what_is_written_is_read_again(terms in all_terms()) {
            prop_assert_eq!(SealedTerms::decode(&terms.encode().unwrap()), Ok(terms));
        }

        #[test]
        fn whatever_reads_is_written_the_same(octets in vec(any::<u8>(), 0..80), flags in 0u8..9) {
            let octets = [&[flags][..], &octets].concat();
            if let Ok(terms) = SealedTerms::decode(&octets) {
                prop_assert_eq!(terms.encode().unwrap(), octets);
            }
        }

        #[test]
        fn nothing_that_is_cut_short_reads(terms in all_terms()) {
            let octets = terms.encode().unwrap();
            let shorter = octets.split_last().unwrap().1;
            // Less a whole name, it may.
            prop_assert!(SealedTerms::decode(shorter).is_err() || !terms.names.is_empty());
        }
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        let until = SealedTerms::until;
        assert_eq!(until(UnixTime(LAST + 1)).encode(), Err(InvalidTerms::Time));
        for name in [String::new(), "x".repeat(256)] {
            assert_eq!(
                SealedTerms { names: vec![name], ..until(UnixTime(0)) }.encode(),
                Err(InvalidTerms::Name)
            );
        }
        for (octets, error) in [
            (&[][..], InvalidTerms::Length),
            (&[8, 0, 0, 0, 0, 0], InvalidTerms::Flags),
            (&[0, 0, 0, 0, 0, 0, 0], InvalidTerms::Length),
            (&[1, 0, 0, 0, 0, 0, 7, 0], InvalidTerms::Object),
            (&[4, 0, 0, 0, 0, 0], InvalidTerms::Length),
            (&[4, 0, 0, 0, 0, 0, 0], InvalidTerms::Name),
            (&[4, 0, 0, 0, 0, 0, 1, 0xFF], InvalidTerms::Name),
        ] {
            assert_eq!(SealedTerms::decode(octets), Err(error), "{octets:?}");
        }
    }
}
