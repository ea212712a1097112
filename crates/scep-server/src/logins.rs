//! Who asks, by HTTP Basic authentication ([RFC 7617](https://www.rfc-editor.org/rfc/rfc7617)).

use std::{
    collections::HashSet,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64ct::{Base64, Encoding as _};
use http_listener::{PeerAddr, TrustedProxies};
use hyper::{
    Request, StatusCode,
    header::{AUTHORIZATION, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use keys_software::{AwsLc, PasswordHash};
use ocsp_server::ServerError;
use pki_core::{Clock, DigestAlgorithm, SecureRandom as _};
use scep_service::{Rate, Throttle, ThrottleLimits};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::{
    pages::{Reply, text},
    users_file::{self, Users},
};

/// Wrong passwords of one source, and how many come back each minute.
const GUESSES: Rate = Rate { per_minute: 6, burst: 12 };

/// Passwords that were found right are remembered, so that an MDM that asks for each device costs no hash each time.
const MOST_REMEMBERED: usize = 256;

/// Longer credentials are not looked at.
const MAX_CREDENTIALS: usize = 1024;

/// Those who may log in, and how often they may try.
pub(crate) struct Logins {
    file: PathBuf,
    throttle: Throttle,
    proxies: TrustedProxies,
    clock: Arc<dyn Clock>,
    /// Only one hash is computed at a time: guessing must not keep the CA from its work.
    turn: Semaphore,
    /// Keyed digests of a stored hash and the password that belongs to it.
    right: Mutex<HashSet<[u8; 32]>>,
    key: Zeroizing<[u8; 32]>,
    /// What the password of somebody unknown is compared with, so that names cannot be found out by the time it takes.
    nobody: PasswordHash,
}

impl Logins {
    /// Those in `file`, which is read at each login.
    pub(crate) fn new(
        file: PathBuf,
        proxies: TrustedProxies,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ServerError> {
        users_file::read(&file)?;
        let mut key = Zeroizing::new([0; 32]);
        AwsLc.fill(&mut *key)?;
        Ok(Self {
            file,
            throttle: Throttle::new(ThrottleLimits { requests: None, undecryptable: Some(GUESSES) }),
            proxies,
            clock,
            turn: Semaphore::new(1),
            right: Mutex::default(),
            key,
            nobody: PasswordHash::of("")?,
        })
    }

    /// The name of whoever sent `request`; the error is what they are answered.
    pub(crate) async fn name<B>(&self, request: &Request<B>) -> Result<String, Reply> {
        let peer = request.extensions().get::<PeerAddr>().map(|peer| peer.0.ip());
        let source = peer.map(|peer| self.proxies.client(peer, request.headers()));
        let Some((name, password)) = request.headers().get(AUTHORIZATION).and_then(credentials) else {
            return Err(who());
        };
        if let Err(wait) = source.map_or(Ok(()), |source| self.throttle.admit(source, self.clock.now())) {
            return Err(later(wait));
        }
        let users = match users_file::read(&self.file) {
            Ok(users) => users,
            Err(error) => {
                tracing::error!(%error, "nobody can log in");
                return Err(text(StatusCode::SERVICE_UNAVAILABLE, "Nobody can log in now."));
            }
        };
        if self.is_right(&users, &name, &password).await {
            return Ok(name);
        }
        if let Some(source) = source {
            let is_last = self.throttle.undecryptable(source, self.clock.now());
            tracing::warn!(%source, user = name.escape_debug().to_string(), is_last, "a wrong name or password");
        }
        Err(who())
    }

    async fn is_right(&self, users: &Users, name: &str, password: &Zeroizing<String>) -> bool {
        let known = users.get(name);
        let digest = known.and_then(|hash| self.digest(hash, password));
        if digest.is_some_and(|digest| self.remembered().contains(&digest)) {
            return true;
        }
        let hash = known.unwrap_or(&self.nobody).clone();
        let password = password.clone();
        let Ok(_turn) = self.turn.acquire().await else { return false };
        let is_right = tokio::task::spawn_blocking(move || hash.is_of(&password)).await;
        let is_right = known.is_some() && is_right.unwrap_or(false);
        if let Some(digest) = digest.filter(|_| is_right) {
            let mut remembered = self.remembered();
            if remembered.len() >= MOST_REMEMBERED {
                remembered.clear();
            }
            remembered.insert(digest);
        }
        is_right
    }

    fn digest(&self, hash: &PasswordHash, password: &str) -> Option<[u8; 32]> {
        let octets =
            Zeroizing::new([&self.key[..], hash.to_string().as_bytes(), &[0], password.as_bytes()].concat());
        DigestAlgorithm::Sha256.digest(&octets)?.try_into().ok()
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashSet<[u8; 32]>> {
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logins({})", self.file.display())
    }
}

/// 401, with the one way to log in that there is: no NTLM and no Negotiate, which could be relayed.
fn who() -> Reply {
    let mut reply = text(StatusCode::UNAUTHORIZED, "A name and a password are needed.");
    let way = HeaderValue::from_static("Basic realm=\"Certbound\", charset=\"UTF-8\"");
    reply.headers_mut().insert(WWW_AUTHENTICATE, way);
    reply
}

/// 429.
fn later(wait: Duration) -> Reply {
    let mut reply = text(StatusCode::TOO_MANY_REQUESTS, "Too many wrong passwords: try again later.");
    let seconds = wait.as_secs().saturating_add(1);
    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    reply
}

fn credentials(header: &HeaderValue) -> Option<(String, Zeroizing<String>)> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") || encoded.len() > MAX_CREDENTIALS {
        return None;
    }
    let octets = Zeroizing::new(Base64::decode_vec(encoded.trim()).ok()?);
    let (name, password) = str::from_utf8(&octets).ok()?.split_once(':')?;
    Some((name.to_owned(), Zeroizing::new(password.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_read_and_nothing_else() {
        let read = |text: &'static str| {
            credentials(&HeaderValue::from_static(text))
                .map(|(name, password)| format!("{name} {}", *password))
        };
        assert_eq!(read("Basic bWRtOnNlY3JldDp4").as_deref(), Some("mdm secret:x"));
        assert_eq!(read("basic bWRtOg==").as_deref(), Some("mdm "));
        for text in
            ["", "Basic", "Basic bWRt", "Bearer bWRtOng=", "Basic !!!", "NTLM TlRMTVNTUAAB", "Basic /w=="]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
