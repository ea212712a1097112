//! What a service wants to see before it answers.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64ct::{Base64, Encoding as _};
use pki_core::{BoxFuture, Clock, UnixTime};
use zeroize::Zeroizing;

use crate::RestError;

/// Text that is not shown. Compare and print it nowhere.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(text.into())))
    }

    /// The text, for whoever sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The value of an Authorization header, and until when it is good.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by every source")]
pub struct Token {
    /// `Bearer ...` or the like.
    pub authorization: Secret,
    /// When it expires; `None` for never.
    pub expires: Option<UnixTime>,
}

impl Token {
    /// `Bearer token`, which lives for so long.
    pub fn bearer(token: &str, expires: Option<UnixTime>) -> Self {
        Self { authorization: Secret::new(format!("Bearer {token}")), expires }
    }
}

/// Fetches a token. Wrap it in [`Cached`], or it does so for each request.
pub trait TokenSource: fmt::Debug + Send + Sync {
    /// A token that is good now.
    fn token(&self) -> BoxFuture<'_, Result<Token, RestError>>;

    /// The service has refused the last one: do not give it again.
    fn forget(&self) {}
}

/// A token that never changes.
#[derive(Debug, Clone)]
pub struct FixedBearer(Token);

impl FixedBearer {
    /// `Bearer token`.
    pub fn new(token: &Secret) -> Self {
        Self(Token::bearer(token.expose(), None))
    }

    /// Another scheme than Bearer, such as Okta's `SSWS`.
    pub fn with_scheme(scheme: &str, token: &Secret) -> Self {
        Self(Token { authorization: Secret::new(format!("{scheme} {}", token.expose())), expires: None })
    }
}

impl TokenSource for FixedBearer {
    fn token(&self) -> BoxFuture<'_, Result<Token, RestError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

/// User and password with each request ([RFC 7617](https://www.rfc-editor.org/rfc/rfc7617)).
#[derive(Debug, Clone)]
pub struct Basic(Token);

impl Basic {
    /// The user's name has no colon.
    pub fn new(user: &str, password: &Secret) -> Self {
        let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
        let encoded = Base64::encode_string(pair.as_bytes());
        Self(Token { authorization: Secret::new(format!("Basic {encoded}")), expires: None })
    }
}

impl TokenSource for Basic {
    fn token(&self) -> BoxFuture<'_, Result<Token, RestError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

/// Keeps a token until shortly before it expires; many who need a new one at once share one request.
#[derive(Debug)]
pub struct Cached<S> {
    source: S,
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<Token>>,
    fetching: tokio::sync::Mutex<()>,
}

/// Tokens that expire sooner than this are not begun with: the request has to arrive, too.
const MARGIN: Duration = Duration::from_secs(60);

impl<S: TokenSource> Cached<S> {
    /// Keeps the tokens of `source`.
    pub fn new(source: S, clock: Arc<dyn Clock>) -> Self {
        Self { source, clock, kept: Mutex::default(), fetching: tokio::sync::Mutex::default() }
    }

    fn kept(&self) -> Option<Token> {
        let soon = self.clock.now().saturating_add(MARGIN);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        kept.expires.is_none_or(|expires| soon < expires).then_some(kept)
    }
}

impl<S: TokenSource> TokenSource for Cached<S> {
    fn token(&self) -> BoxFuture<'_, Result<Token, RestError>> {
        Box::pin(async move {
            if let Some(token) = self.kept() {
                return Ok(token);
            }
            let _turn = self.fetching.lock().await;
            if let Some(token) = self.kept() {
                return Ok(token);
            }
            let token = self.source.token().await?;
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
            Ok(token)
        })
    }

    fn forget(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.source.forget();
    }
}
