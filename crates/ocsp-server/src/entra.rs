//! From settings to Microsoft Entra and Intune.

use std::{path::Path, sync::Arc, time::Duration};

use directory_entra::{
    Cloud, Compliance, DeletedUsers, DeviceDirectory, Endpoints, EntraDirectory, EntraParts, EntraPolicy,
    RiskLevel, Wiped, is_graph_not_found,
};
use keys_software::{AwsLc, SoftwareKey, load_key};
use pki_core::{Clock, SignatureAlgorithm, SigningKey};
use rest_client::{
    AssertionAlgorithm, Cached, ClientAssertion, ClientAssertionParts, ClientCredentials, ClientProof,
    ManagedIdentity, RestClient, RestSettings, TokenSource,
};
use serial_binding::{BoundObject, ObjectId};

use crate::{
    ServerError,
    data_folder::read_certificate,
    directories::{rest, secret},
    settings::{
        AssertionName, CloudName, ComplianceCheck, DeletedUserState, DevicesIn, DirectoryServiceSettings,
        EntraSettings, ManagedIdentityName, RiskName,
    },
};

/// What it is called in errors.
pub(crate) const NAME: &str = "Microsoft Graph";

/// Gets ready to ask. Nothing is asked yet.
pub(crate) fn open(
    settings: &DirectoryServiceSettings,
    data: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<EntraDirectory, ServerError> {
    let entra = &settings.entra;
    let endpoints = endpoints(settings);
    let tokens = tokens(settings, &endpoints, endpoints.resource(), data, clock)?;
    let graph =
        RestSettings { base: endpoints.graph, not_found: is_graph_not_found, ..rest(NAME, settings, data)? };
    Ok(EntraDirectory::new(EntraParts {
        client: RestClient::new(graph, Some(tokens)).map_err(ServerError::new)?,
        policy: policy(entra),
        tenant: entra.tenant.parse().ok().filter(|id| matches!(id, ObjectId::Uuid(_))),
        canaries: canaries(settings)?,
        max_lag: max_lag(settings),
        max_risk_age: Duration::from_secs(entra.risk_max_stale_seconds),
        clock: Arc::clone(clock),
    }))
}

/// What an app of Entra's needs to talk to another service than a directory.
#[derive(Debug)]
#[non_exhaustive]
pub struct EntraApp {
    /// Microsoft Graph, with tokens for it. Its base has the version.
    pub graph: RestClient,
    /// Tokens for the other service.
    pub tokens: Arc<dyn TokenSource>,
    /// How the other service is talked to, without its base.
    pub rest: RestSettings,
}

impl EntraApp {
    /// By the credentials that `settings` name; `resource` is what the tokens are for, `name` what the service is called in
    /// errors. Nothing is asked yet.
    pub fn open(
        name: &str,
        resource: &str,
        settings: &DirectoryServiceSettings,
        data: &Path,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ServerError> {
        let endpoints = endpoints(settings);
        let of_graph = tokens(settings, &endpoints, endpoints.resource(), data, clock)?;
        let graph =
            RestSettings { base: format!("{}/v1.0", endpoints.resource()), ..rest(NAME, settings, data)? };
        Ok(Self {
            graph: RestClient::new(graph, Some(of_graph)).map_err(ServerError::new)?,
            tokens: tokens(settings, &endpoints, resource, data, clock)?,
            rest: RestSettings { base: String::new(), ..rest(name, settings, data)? },
        })
    }
}

/// How old what was heard of changes may be before Graph is asked: one round may be missed. Zero where nothing is
/// followed.
pub(crate) fn max_lag(settings: &DirectoryServiceSettings) -> Duration {
    match settings.entra.follow_seconds {
        0 => Duration::ZERO,
        seconds => Duration::from_secs(seconds.saturating_mul(2).saturating_add(5)),
    }
}

fn endpoints(settings: &DirectoryServiceSettings) -> Endpoints {
    let cloud = match settings.entra.cloud {
        CloudName::Global => Cloud::Global,
        CloudName::UsGov => Cloud::UsGovernment,
        CloudName::UsDod => Cloud::UsDefense,
        CloudName::China => Cloud::China,
    };
    let own = cloud.endpoints();
    let or = |set: &String, own| if set.is_empty() { own } else { set.clone() };
    Endpoints { login: or(&settings.entra.login_url, own.login), graph: or(&settings.url, own.graph) }
}

fn policy(entra: &EntraSettings) -> EntraPolicy {
    EntraPolicy {
        devices: match entra.devices {
            DevicesIn::Entra => DeviceDirectory::Entra,
            DevicesIn::Intune => DeviceDirectory::Intune,
            DevicesIn::Both => DeviceDirectory::Both,
            DevicesIn::BothOpportunistic => DeviceDirectory::BothOpportunistic,
            DevicesIn::Agreeing => DeviceDirectory::Agreeing,
        },
        compliance: match entra.compliance {
            ComplianceCheck::Never => Compliance::Never,
            ComplianceCheck::Always => {
                let grace = Duration::from_secs(entra.compliance_grace_minutes.saturating_mul(60));
                Compliance::Always { grace }
            }
        },
        wiped: if entra.revoke_on_wipe { Wiped::Gone } else { Wiped::Ignored },
        deleted_users: match entra.deleted_users {
            DeletedUserState::Gone => DeletedUsers::Gone,
            DeletedUserState::Hold => DeletedUsers::Hold,
        },
        untolerated_risks: entra.untolerated_user_risks.iter().map(|risk| risk_level(*risk)).collect(),
    }
}

fn risk_level(name: RiskName) -> RiskLevel {
    match name {
        RiskName::Low => RiskLevel::Low,
        RiskName::Medium => RiskLevel::Medium,
        RiskName::High => RiskLevel::High,
    }
}

fn canaries(settings: &DirectoryServiceSettings) -> Result<Vec<BoundObject>, ServerError> {
    let all = [&settings.canary].into_iter().filter(|canary| !canary.is_empty());
    let all = all.chain(&settings.entra.further_canaries).map(|canary| canary.parse());
    all.collect::<Result<_, _>>().map_err(|error| ServerError::new(format_args!("canary: {error}")))
}

fn tokens(
    settings: &DirectoryServiceSettings,
    endpoints: &Endpoints,
    resource: &str,
    data: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn TokenSource>, ServerError> {
    if let Some(identity) = identity(settings, resource, clock)? {
        return Ok(Arc::new(Cached::new(identity, Arc::clone(clock))));
    }
    let (entra, client_id) = (&settings.entra, &settings.client_id);
    if entra.tenant.is_empty() || client_id.is_empty() {
        return Err(ServerError::new(
            "expected entra.tenant and client_id: whom the app belongs to, and its id",
        ));
    }
    let url = endpoints.token_url(&entra.tenant);
    let proof = if !settings.secret.as_os_str().is_empty() {
        ClientProof::Secret(secret(&data.join(&settings.secret))?)
    } else if entra.certificate.as_os_str().is_empty() {
        let problem = "expected a secret, or entra.certificate and entra.key, or entra.managed_identity: \
                       say how Entra knows us";
        return Err(ServerError::new(problem));
    } else {
        ClientProof::Assertion(assertion(entra, &url, data)?)
    };
    let login = RestSettings { base: endpoints.login.clone(), ..rest("Microsoft Entra", settings, data)? };
    let client = RestClient::new(login, None).map_err(ServerError::new)?;
    // Intune's resource ends with a slash, and its scope has two in a row.
    let scope = Some(format!("{resource}/.default"));
    let source = ClientCredentials::new(client, url, client_id.clone(), proof, scope, Arc::clone(clock));
    Ok(Arc::new(Cached::new(source, Arc::clone(clock))))
}

fn identity(
    settings: &DirectoryServiceSettings,
    resource: &str,
    clock: &Arc<dyn Clock>,
) -> Result<Option<ManagedIdentity>, ServerError> {
    let entra = &settings.entra;
    let client_id = Some(&*settings.client_id).filter(|id| !id.is_empty());
    let clock = Arc::clone(clock);
    let identity = match entra.managed_identity {
        ManagedIdentityName::None => return Ok(None),
        ManagedIdentityName::Machine => {
            ManagedIdentity::of_machine(&entra.identity_url, resource, client_id, clock)
        }
        ManagedIdentityName::App => {
            let told = |name: &str| {
                let problem = || format!("expected {name} in the environment, as App Service sets it");
                std::env::var(name).map_err(|_| ServerError::new(problem()))
            };
            let (endpoint, header) = (told("IDENTITY_ENDPOINT")?, told("IDENTITY_HEADER")?);
            ManagedIdentity::of_app(&endpoint, &header, resource, client_id, clock)
        }
    };
    identity.map(Some).map_err(ServerError::new)
}

fn assertion(entra: &EntraSettings, url: &str, data: &Path) -> Result<ClientAssertion, ServerError> {
    let path = data.join(&entra.key);
    let SoftwareKey::Rsa(key) = load_key(&path)? else {
        return Err(ServerError::of_file(&path, "expected an RSA key, which Entra asks for"));
    };
    let (algorithm, signature) = match entra.assertion {
        AssertionName::Ps256 => (AssertionAlgorithm::Ps256, SignatureAlgorithm::RsaPssSha256),
        AssertionName::Rs256 => (AssertionAlgorithm::Rs256, SignatureAlgorithm::RsaPkcs1Sha256),
    };
    let key = key.with_signature_algorithm(signature);
    let key: Arc<dyn SigningKey> = Arc::new(key.map_err(|error| ServerError::of_file(&path, error))?);
    let certificate_path = data.join(&entra.certificate);
    let certificate = read_certificate(&certificate_path)?;
    if certificate.public_key() != key.public_key() {
        return Err(ServerError::of_file(&certificate_path, "its key is another one than that of entra.key"));
    }
    Ok(ClientAssertion::new(ClientAssertionParts {
        service: NAME.into(),
        audience: url.to_owned(),
        certificate,
        key,
        algorithm,
        random: Arc::new(AwsLc),
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use directory::Directory as _;
    use pki_core::SystemClock;
    use testkit::{ScriptedService, TempDir, tempdir};

    use super::*;

    const USER: &str = "entra-user:87d349ed-44d7-43e1-9a83-5f2406dee5bd";

    /// Entra, Graph and a machine's identity service in one.
    fn cloud() -> ScriptedService {
        ScriptedService::start(|asked| {
            let body = match (&*asked.method, asked.authorization.as_deref()) {
                ("POST", _) | (_, None) => r#"{"access_token":"t0ken","expires_in":"3599"}"#,
                (_, Some("Bearer t0ken")) => {
                    r#"{"id":"87d349ed-44d7-43e1-9a83-5f2406dee5bd","accountEnabled":true}"#
                }
                _ => return (401, vec![], "{}".into()),
            };
            (200, vec![], if asked.method == "POST" { body.replace("\"3599\"", "3599") } else { body.into() })
        })
    }

    fn folder() -> TempDir {
        let folder = tempdir().unwrap();
        let app = testkit::rsa_ca();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        };
        write("secret.txt", "s3cret\n");
        write("app.pem", &app.certificate.to_pem());
        write("app.key", testkit::keys::RSA_CA_PEM);
        write("other.pem", &testkit::ca().certificate.to_pem());
        folder
    }

    fn settings(toml: &str) -> DirectoryServiceSettings {
        let settings = toml::from_str(&format!("kind = \"entra\"\n{toml}"));
        settings.unwrap_or_else(|error| panic!("{toml}: {error}"))
    }

    #[tokio::test]
    async fn entra_knows_us_by_a_secret_by_a_certificate_or_by_where_we_run() {
        let folder = folder();
        let ways = [
            ("secret = \"secret.txt\"", "", "client_secret=s3cret"),
            ("", "certificate = \"app.pem\"\nkey = \"app.key\"", "client_assertion=eyJ"),
            (
                "",
                "certificate = \"app.pem\"\nkey = \"app.key\"\nassertion = \"rs256\"",
                "client_assertion=eyJ",
            ),
            ("", "managed_identity = \"machine\"", ""),
        ];
        for (way, more, proof) in ways {
            let cloud = cloud();
            let url = &cloud.url;
            let settings = settings(&format!(
                "url = \"{url}\"\nclient_id = \"app\"\n{way}\n[entra]\ntenant = \"t\"\nlogin_url = \"{url}\"\n\
                 identity_url = \"{url}\"\n{more}"
            ));
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let directory = open(&settings, folder.path(), &clock).unwrap();
            let state = directory.state(USER.parse().unwrap()).await.unwrap();
            assert_eq!(state, Some(directory::ObjectState::Enabled), "{way}{more}");
            let asked = cloud.asked();
            let token = &asked[0];
            if proof.is_empty() {
                assert_eq!(token.header("metadata"), Some("true"));
                assert!(token.target.contains("/metadata/identity/oauth2/token?"), "{}", token.target);
            } else {
                assert_eq!(token.target, "/t/oauth2/v2.0/token");
                assert!(token.body.contains(proof) && token.body.contains("client_id=app"), "{}", token.body);
            }
        }
    }

    #[test]
    fn mistakes_are_told() {
        let folder = folder();
        let cases = [
            ("client_id = \"app\"", "expected entra.tenant"),
            ("client_id = \"app\"\nentra.tenant = \"t\"", "expected a secret"),
            ("client_id = \"app\"\nsecret = \"none.txt\"\nentra.tenant = \"t\"", "none.txt"),
            (
                "client_id = \"app\"\nentra = { tenant = \"t\", certificate = \"other.pem\", key = \"app.key\" }",
                "another one",
            ),
            (
                "client_id = \"app\"\nsecret = \"secret.txt\"\nentra = { tenant = \"t\", further_canaries = [\"x\"] }",
                "canary",
            ),
        ];
        for (toml, expected) in cases {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let error = open(&settings(toml), folder.path(), &clock).unwrap_err().to_string();
            assert!(error.contains(expected), "{toml}: {error}");
        }
    }

    #[test]
    fn every_setting_means_something() {
        let of = |toml: &str| policy(&settings(&format!("[entra]\n{toml}")).entra);
        assert_eq!(of(""), EntraPolicy::default());
        let always = of("compliance = \"always\"\ncompliance_grace_minutes = 90");
        assert_eq!(always.compliance, Compliance::Always { grace: Duration::from_secs(5400) });
        assert_eq!(of("revoke_on_wipe = false").wiped, Wiped::Ignored);
        assert_eq!(of("deleted_users = \"hold\"").deleted_users, DeletedUsers::Hold);
        let risks = of("untolerated_user_risks = [\"low\", \"medium\", \"high\"]").untolerated_risks;
        assert_eq!(risks, [RiskLevel::Low, RiskLevel::Medium, RiskLevel::High]);
        assert_eq!(max_lag(&settings("")), Duration::ZERO);
        assert_eq!(max_lag(&settings("[entra]\nfollow_seconds = 10")), Duration::from_secs(25));
        let devices = [
            ("entra", DeviceDirectory::Entra),
            ("intune", DeviceDirectory::Intune),
            ("both", DeviceDirectory::Both),
            ("both-opportunistic", DeviceDirectory::BothOpportunistic),
            ("agreeing", DeviceDirectory::Agreeing),
        ];
        for (name, expected) in devices {
            assert_eq!(of(&format!("devices = \"{name}\"")).devices, expected);
        }
        let clouds = [
            ("global", Cloud::Global),
            ("us-gov", Cloud::UsGovernment),
            ("us-dod", Cloud::UsDefense),
            ("china", Cloud::China),
        ];
        for (name, cloud) in clouds {
            assert_eq!(endpoints(&settings(&format!("[entra]\ncloud = \"{name}\""))), cloud.endpoints());
        }
    }
}
