//! Where Intune's services are, and how they are spoken to.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use pki_core::SecureRandom;
use rest_client::{RestClient, RestError, RestSettings, TokenSource};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Intune, as Microsoft Graph names it among applications.
const INTUNE_APP_ID: &str = "0000000a-0000-0000-c000-000000000000";

/// What an [`IntuneService`] is made of.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "required collaborators")]
pub struct IntuneServiceParts {
    /// Microsoft Graph, with tokens for it, where Intune's services are looked up. Its base has the version, as
    /// `https://graph.microsoft.com/v1.0` has.
    pub graph: RestClient,
    /// Tokens for Intune itself: of the scope `https://api.manage.microsoft.com//.default`.
    pub tokens: Arc<dyn TokenSource>,
    /// How the services are talked to; `base` is passed over for the address that Graph gives.
    pub rest: RestSettings,
    /// Who we say that we are, such as `Certbound 0.1.0`.
    pub caller: String,
    /// Feeds the ids of requests.
    pub random: Arc<dyn SecureRandom>,
}

/// Intune's services for certification authorities of others. Cheap to clone.
///
/// Their addresses differ from tenant to tenant and change: Graph is asked for them, and asked again after a failure.
#[derive(Clone)]
pub struct IntuneService(Arc<Inner>);

struct Inner {
    parts: IntuneServiceParts,
    found: Mutex<Option<Locations>>,
    looking: tokio::sync::Mutex<()>,
}

type Locations = HashMap<Provider, RestClient>;

/// One of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Provider {
    /// Decides about requests, and hears what became of them.
    Validation,
    /// Passes on which certificates are to be revoked.
    Connector,
}

impl Provider {
    /// Graph spells them in whatever case.
    fn of(name: &str) -> Option<Self> {
        [Self::Validation, Self::Connector].into_iter().find(|known| known.name().eq_ignore_ascii_case(name))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Validation => "ScepRequestValidationFEService",
            Self::Connector => "PkiConnectorFEService",
        }
    }

    fn api_version(self) -> &'static str {
        match self {
            Self::Validation => "2018-02-20",
            Self::Connector => "5019-05-05",
        }
    }
}

impl IntuneService {
    /// Nothing is asked yet.
    pub fn new(parts: IntuneServiceParts) -> Self {
        let (found, looking) = (Mutex::default(), tokio::sync::Mutex::default());
        Self(Arc::new(Inner { parts, found, looking }))
    }

    /// Who we say that we are.
    pub(crate) fn caller(&self) -> &str {
        &self.0.parts.caller
    }

    /// What the service is called in errors.
    pub(crate) fn name(&self) -> &str {
        &self.0.parts.rest.service
    }

    /// POST of JSON. What is sent may arrive twice: when the place where the service was does not answer, it is asked for
    /// anew and tried again.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        provider: Provider,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, RestError> {
        let (client, remembered) = match self.remembered(provider) {
            Some(client) => (client, true),
            None => (self.find(provider).await?, false),
        };
        match self.post_to(&client, provider, path, body).await {
            Err(error) if is_of_place(&error) => {
                self.forget();
                if !remembered {
                    return Err(error);
                }
                let client = self.find(provider).await?;
                self.post_to(&client, provider, path, body).await
            }
            answered => answered,
        }
    }

    async fn post_to<T: DeserializeOwned>(
        &self,
        client: &RestClient,
        provider: Provider,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, RestError> {
        let id = self.request_id()?;
        let headers = [("client-request-id", &*id), ("api-version", provider.api_version())];
        let answer = client.post_with(path, body, &headers).await?;
        answer.ok_or_else(|| self.garbage(format!("{} has no {path}", provider.name())))
    }

    fn remembered(&self, provider: Provider) -> Option<RestClient> {
        let found = self.0.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.as_ref()?.get(&provider).cloned()
    }

    fn forget(&self) {
        *self.0.found.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Asks Graph, once for all who want to know.
    async fn find(&self, provider: Provider) -> Result<RestClient, RestError> {
        let _turn = self.0.looking.lock().await;
        if let Some(client) = self.remembered(provider) {
            return Ok(client);
        }
        let graph = &self.0.parts.graph;
        let path = format!("/servicePrincipals/appId={INTUNE_APP_ID}/endpoints");
        let id = self.request_id()?;
        let listed = graph.get_with::<Listed>(&path, &[("client-request-id", &*id)]).await?;
        let listed = listed.ok_or_else(|| {
            let why = "this tenant has no Intune: Graph does not know its service principal";
            RestError::Garbage { service: graph.service().to_owned(), why: why.to_owned() }
        })?;
        let ours = listed.value.into_iter();
        let ours = ours.filter_map(|location| Some((Provider::of(&location.provider_name)?, location.uri)));
        let locations = ours.map(|location| self.client_of(location)).collect::<Result<Locations, _>>()?;
        *self.0.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(locations);
        self.remembered(provider)
            .ok_or_else(|| self.garbage(format!("Graph lists no {} of Intune's", provider.name())))
    }

    fn client_of(&self, (provider, uri): (Provider, String)) -> Result<(Provider, RestClient), RestError> {
        let parts = &self.0.parts;
        // The token goes there.
        if parts.graph.is_encrypted() && !uri.starts_with("https://") {
            return Err(
                self.garbage(format!("Graph says that {} is at {uri:?}: expected https", provider.name()))
            );
        }
        let settings = RestSettings { base: uri, ..parts.rest.clone() };
        let client = RestClient::new(settings, Some(Arc::clone(&parts.tokens)))?;
        Ok((provider, client))
    }

    /// A random UUID (RFC 9562 §5.4), by which Microsoft's support finds the request.
    fn request_id(&self) -> Result<String, RestError> {
        let mut octets = [0; 16];
        let filled = self.0.parts.random.fill(&mut octets);
        filled.map_err(|why| RestError::Unavailable {
            service: self.name().to_owned(),
            why: why.to_string(),
        })?;
        let [.., version, _, variant, _, _, _, _, _, _, _] = &mut octets;
        *version = *version & 0x0F | 0x40;
        *variant = *variant & 0x3F | 0x80;
        Ok(serial_binding::ObjectId::Uuid(octets).to_string())
    }

    fn garbage(&self, why: String) -> RestError {
        RestError::Garbage { service: self.name().to_owned(), why }
    }
}

impl fmt::Debug for IntuneService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IntuneService(by {:?})", self.0.parts.graph)
    }
}

/// Whether the service may have moved.
fn is_of_place(error: &RestError) -> bool {
    matches!(error, RestError::Unavailable { .. } | RestError::Garbage { .. })
}

#[derive(Deserialize)]
struct Listed {
    value: Vec<Location>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    provider_name: String,
    uri: String,
}

#[cfg(test)]
mod tests {
    use keys_software::AwsLc;
    use rest_client::{FixedBearer, Secret};

    use super::*;

    #[test]
    fn a_token_goes_nowhere_in_the_clear_when_graph_is_asked_over_tls() {
        let service = |graph: &str| {
            let tokens: Arc<dyn TokenSource> = Arc::new(FixedBearer::new(&Secret::new("t0ken")));
            let graph = RestClient::new(RestSettings::new("Graph", graph), Some(Arc::clone(&tokens)));
            IntuneService::new(IntuneServiceParts {
                graph: graph.unwrap(),
                tokens,
                rest: RestSettings::new("Intune", ""),
                caller: String::from("test"),
                random: Arc::new(AwsLc),
            })
        };
        let place = |uri: &str| (Provider::Validation, uri.to_owned());
        let over_tls = service("https://graph.example.com/v1.0");
        let error = over_tls.client_of(place("http://elsewhere.example.com/")).unwrap_err();
        assert!(error.to_string().contains("expected https"), "{error}");
        assert!(over_tls.client_of(place("https://fef.example.com/RACerts")).is_ok());
        assert!(service("http://127.0.0.1:1").client_of(place("http://127.0.0.1:2")).is_ok());
    }
}
