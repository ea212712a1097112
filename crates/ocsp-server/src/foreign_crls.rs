//! CRLs that somebody else publishes: fetched again and again, from files and from URLs.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use keys_software::AwsLc;
use pki_core::Clock;
use reqwest::{StatusCode, header};
use revocation::{CrlRevocations, CrlSourceParts, CrlSourceSettings, Deltas, TakenIn, Unlisted};

use crate::{
    ServerError,
    data_folder::read_certificate,
    settings::{ForeignCrlSettings, RevocationSettings, UnlistedCertificates},
};

/// How long a server of CRLs may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// A longer CRL is not read: two million entries have about as much.
const MAX_LEN: usize = 128 * 1024 * 1024;

/// Opens the sources that `settings` name, and begins to fetch; relative paths are below `data`. Runs within tokio, in
/// whose background fetching goes on.
pub fn follow_crls(
    settings: &RevocationSettings,
    data: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Arc<CrlRevocations>>, ServerError> {
    let mut sources = Vec::new();
    for (at, settings) in settings.crl.iter().enumerate() {
        let wrong = |problem: &dyn std::fmt::Display| {
            ServerError::new(format_args!("revocation.crl {at}: {problem}"))
        };
        if settings.full.is_empty() || settings.refresh_seconds == 0 {
            return Err(wrong(&"expected the place of a CRL in full, and refresh_seconds of one or more"));
        }
        let source = Arc::new(open(settings, data, Arc::clone(clock)).map_err(|error| wrong(&error))?);
        let places = [&settings.full, &settings.delta].into_iter().filter(|place| !place.is_empty());
        let places = places.map(|place| Place::new(place, data)).collect::<Result<_, _>>();
        let follower =
            Follower { source: Arc::clone(&source), places: places.map_err(|error| wrong(&error))? };
        tokio::spawn(follower.run(Duration::from_secs(settings.refresh_seconds)));
        sources.push(source);
    }
    Ok(sources)
}

fn open(
    settings: &ForeignCrlSettings,
    data: &Path,
    clock: Arc<dyn Clock>,
) -> Result<CrlRevocations, ServerError> {
    let source = CrlSourceSettings {
        unlisted: match settings.unlisted {
            UnlistedCertificates::Nothing => Unlisted::NotMine,
            UnlistedCertificates::Good => Unlisted::Good,
        },
        deltas: if settings.delta.is_empty() { Deltas::None } else { Deltas::Expected },
        distribution_point: Some(settings.distribution_point.clone()).filter(|uri| !uri.is_empty()),
    };
    let issuer = read_certificate(&data.join(&settings.issuer))?;
    let parts = CrlSourceParts { issuer, verifier: Arc::new(AwsLc), clock, settings: source };
    CrlRevocations::new(parts).map_err(ServerError::new)
}

/// Fetches the CRLs of one source.
#[derive(Debug)]
struct Follower {
    source: Arc<CrlRevocations>,
    /// The full CRL, then the delta CRL if there is one.
    places: Vec<Place>,
}

impl Follower {
    async fn run(mut self, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for place in &mut self.places {
                let place_name = place.to_string();
                match place.look(&self.source).await {
                    Ok(Some(TakenIn::New { entries, next_update })) => {
                        tracing::info!(place = place_name, entries, %next_update, "a CRL was taken over");
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::error!(place = place_name, %error, "a CRL could not be taken over");
                    }
                }
            }
        }
    }
}

/// Where a CRL is, and what of it was seen last.
#[derive(Debug)]
enum Place {
    File { path: PathBuf, seen: Option<(SystemTime, u64)> },
    Url { url: String, client: reqwest::Client, etag: Option<header::HeaderValue> },
}

impl Place {
    fn new(place: &str, data: &Path) -> Result<Self, ServerError> {
        if !place.starts_with("http://") && !place.starts_with("https://") {
            return Ok(Self::File { path: data.join(place), seen: None });
        }
        // A CRL vouches for itself, wherever it comes from; but nobody is to send this program around the network.
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::limited(3))
            .user_agent(concat!("certbound/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(ServerError::new)?;
        Ok(Self::Url { url: place.to_owned(), client, etag: None })
    }

    /// Takes over what is there, if it is something else than at the last look. What was refused is looked at again.
    async fn look(&mut self, source: &Arc<CrlRevocations>) -> Result<Option<TakenIn>, ServerError> {
        match self {
            Self::File { path, seen } => {
                let metadata = std::fs::metadata(&*path).map_err(ServerError::new)?;
                let now = metadata.modified().ok().map(|modified| (modified, metadata.len()));
                if now.is_some() && *seen == now {
                    return Ok(None);
                }
                if usize::try_from(metadata.len()).is_ok_and(|length| length > MAX_LEN) {
                    return Err(too_long());
                }
                let read = path.clone();
                let taken = taken_in(source, move || std::fs::read(read).map_err(ServerError::new)).await?;
                *seen = now;
                Ok(Some(taken))
            }
            Self::Url { url, client, etag } => {
                let mut request = client.get(&*url);
                if let Some(etag) = etag {
                    request = request.header(header::IF_NONE_MATCH, etag.clone());
                }
                let answer = request.send().await.map_err(ServerError::new)?;
                if answer.status() == StatusCode::NOT_MODIFIED {
                    return Ok(None);
                }
                let answer = answer.error_for_status().map_err(ServerError::new)?;
                let new_etag = answer.headers().get(header::ETAG).cloned();
                let octets = body(answer).await?;
                let taken = taken_in(source, move || Ok(octets)).await?;
                *etag = new_etag;
                Ok(Some(taken))
            }
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { path, .. } => write!(f, "{}", path.display()),
            Self::Url { url, .. } => f.write_str(url),
        }
    }
}

/// A long CRL takes a second, which nobody else is to wait for.
async fn taken_in(
    source: &Arc<CrlRevocations>,
    read: impl FnOnce() -> Result<Vec<u8>, ServerError> + Send + 'static,
) -> Result<TakenIn, ServerError> {
    let source = Arc::clone(source);
    let taking = move || source.take_in(read()?).map_err(ServerError::new);
    tokio::task::spawn_blocking(taking).await.map_err(ServerError::new)?
}

async fn body(mut answer: reqwest::Response) -> Result<Vec<u8>, ServerError> {
    let mut octets = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(ServerError::new)? {
        if octets.len().saturating_add(chunk.len()) > MAX_LEN {
            return Err(too_long());
        }
        octets.extend_from_slice(&chunk);
    }
    Ok(octets)
}

fn too_long() -> ServerError {
    ServerError::new(format_args!("expected a CRL of at most {MAX_LEN} octets"))
}
