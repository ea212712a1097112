//! Tokens that were handed out.

use std::collections::HashMap;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use pki_core::UnixTime;
use serde_json::{Value, json};

use crate::sequence::Sequence;

/// A token that is older than this is forgotten rather than called expired, in seconds.
const REMEMBERED: u64 = 86_400;

#[derive(Debug, Default)]
pub(crate) struct Tokens(HashMap<String, Grant>);

#[derive(Debug)]
struct Grant {
    audience: String,
    expires: UnixTime,
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadToken {
    /// There is none.
    Missing,
    /// It was never handed out, or taken back.
    Unknown,
    /// It is for another service.
    Audience,
    /// It is too old.
    Expired,
}

impl Tokens {
    /// A token for `audience`, in the form of a JWT that nobody else signed.
    pub(crate) fn issue(
        &mut self,
        sequence: &Sequence,
        audience: &str,
        claims: &Value,
        now: UnixTime,
        seconds: u64,
    ) -> String {
        self.0.retain(|_, grant| now.0 < grant.expires.0.saturating_add(REMEMBERED));
        let part = |json: &Value| Base64UrlUnpadded::encode_string(json.to_string().as_bytes());
        let head = json!({"typ": "JWT", "alg": "RS256", "kid": "emulator"});
        let token = format!("{}.{}.{}", part(&head), part(claims), sequence.next_text());
        let expires = UnixTime(now.0.saturating_add(seconds));
        self.0.insert(token.clone(), Grant { audience: audience.to_owned(), expires });
        token
    }

    /// Whether `token` is for `audience`, and good at `now`.
    pub(crate) fn check(&self, token: Option<&str>, audience: &str, now: UnixTime) -> Result<(), BadToken> {
        let grant = self.0.get(token.ok_or(BadToken::Missing)?).ok_or(BadToken::Unknown)?;
        if grant.audience != audience {
            Err(BadToken::Audience)
        } else if grant.expires <= now {
            Err(BadToken::Expired)
        } else {
            Ok(())
        }
    }

    /// Takes one back.
    pub(crate) fn revoke(&mut self, token: &str) {
        self.0.remove(token);
    }

    /// Takes all back.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
