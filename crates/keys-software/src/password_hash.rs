//! Passwords of those who log in, as they are kept.

use std::{fmt, num::NonZeroU32, str::FromStr};

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use base64ct::{Base64Unpadded, Encoding as _};
use pki_core::{RandomFailed, SecureRandom as _};

use crate::AwsLc;

/// Rounds of a new hash: a tenth of a second or so, as OWASP asks for.
const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();
/// More would keep whoever checks busy for seconds.
const MOST_ROUNDS: u32 = 10_000_000;
const SALT: usize = 16;
const NAME: &str = "pbkdf2-sha256";

/// PBKDF2 with HMAC-SHA-256 ([RFC 8018 §5.2](https://www.rfc-editor.org/rfc/rfc8018#section-5.2)) of a password, with its
/// salt and its rounds. Written `$pbkdf2-sha256$i=600000$SALT$HASH`, both in base64 without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordHash {
    rounds: NonZeroU32,
    salt: [u8; SALT],
    hash: [u8; 32],
}

impl PasswordHash {
    /// Of a new password. Takes about a tenth of a second.
    pub fn of(password: &str) -> Result<Self, RandomFailed> {
        let mut made = Self { rounds: ROUNDS, salt: [0; SALT], hash: [0; 32] };
        AwsLc.fill(&mut made.salt)?;
        pbkdf2::derive(PBKDF2_HMAC_SHA256, made.rounds, &made.salt, password.as_bytes(), &mut made.hash);
        Ok(made)
    }

    /// Whether this is the password, in time that does not depend on what of it is right: about a tenth of a second.
    pub fn is_of(&self, password: &str) -> bool {
        let Self { rounds, salt, hash } = self;
        pbkdf2::verify(PBKDF2_HMAC_SHA256, *rounds, salt, password.as_bytes(), hash).is_ok()
    }
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [salt, hash] = [&self.salt[..], &self.hash].map(Base64Unpadded::encode_string);
        write!(f, "${NAME}$i={}${salt}${hash}", self.rounds)
    }
}

impl FromStr for PasswordHash {
    type Err = NotAPasswordHash;

    fn from_str(text: &str) -> Result<Self, NotAPasswordHash> {
        let mut parts = text.strip_prefix('$').ok_or(NotAPasswordHash)?.split('$');
        let mut next = || parts.next().ok_or(NotAPasswordHash);
        let [name, rounds, salt, hash] = [next()?, next()?, next()?, next()?];
        let rounds = rounds.strip_prefix("i=").and_then(|rounds| rounds.parse().ok());
        let rounds = rounds.filter(|rounds: &NonZeroU32| rounds.get() <= MOST_ROUNDS);
        let (mut made, is_last) = (
            Self { rounds: rounds.ok_or(NotAPasswordHash)?, salt: [0; SALT], hash: [0; 32] },
            parts.next().is_none(),
        );
        let salt = Base64Unpadded::decode(salt, &mut made.salt).map(<[u8]>::len);
        let hash = Base64Unpadded::decode(hash, &mut made.hash).map(<[u8]>::len);
        let is_whole = salt == Ok(SALT) && hash == Ok(32);
        if name == NAME && is_last && is_whole { Ok(made) } else { Err(NotAPasswordHash) }
    }
}

/// Not the hash of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected $pbkdf2-sha256$i=600000$SALT$HASH with a salt of 16 octets and a hash of 32")]
pub struct NotAPasswordHash;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_by_its_hash_alone() {
        let hash = PasswordHash::of("correct horse").unwrap();
        let read: PasswordHash = hash.to_string().parse().unwrap();
        assert_eq!(read, hash);
        assert!(read.is_of("correct horse") && !read.is_of("correct horsf"));
        assert_ne!(PasswordHash::of("correct horse").unwrap(), hash, "a salt of its own");
    }

    #[test]
    fn is_the_pbkdf2_that_python_makes() {
        let script = "import hashlib,base64;s=bytes(range(16));b=lambda o:base64.b64encode(o).decode().rstrip('=');\
                      print('$pbkdf2-sha256$i=1000$'+b(s)+'$'+b(hashlib.pbkdf2_hmac('sha256',b'gr\\xc3\\xbcn',s,1000)),end='')";
        let made = String::from_utf8(testkit::run("python3", ["-c", script])).unwrap();
        let hash: PasswordHash = made.parse().unwrap();
        assert!(hash.is_of("grün") && !hash.is_of("grun"));
        assert_eq!(hash.to_string(), made);
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        let good = PasswordHash { rounds: ROUNDS, salt: [1; 16], hash: [2; 32] }.to_string();
        assert!(good.parse::<PasswordHash>().is_ok());
        for (old, new) in [
            ("$pbkdf2", "pbkdf2"),
            ("sha256", "sha1"),
            ("i=600000", "i=0"),
            ("i=600000", "i=10000001"),
            ("i=600000", "600000"),
            ("AQEBAQ", "AQEB"),
            ("AgICAg", "AgIC"),
            ("AgICAg", "$gICAg"),
            ("$AQEB", "$AQE="),
        ] {
            assert_eq!(
                good.replacen(old, new, 1).parse::<PasswordHash>(),
                Err(NotAPasswordHash),
                "{old} {new}"
            );
        }
        assert!(format!("{good}$").parse::<PasswordHash>().is_err());
    }
}
