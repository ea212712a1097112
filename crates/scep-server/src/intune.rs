//! From settings to the Intune of each tenant.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use challenge_intune::{
    IntuneChallenge, IntuneChallengeParts, IntuneNotices, IntuneService, IntuneServiceParts,
};
use directory::Directory;
use enrollment::{ChallengeValidator, NoticeCarrier, Outbox};
use keys_software::AwsLc;
use ocsp_server::{EntraApp, ServerError};
use pki_core::Clock;

use crate::settings::{ApprovalKind, ChallengeKind, IntuneSettings, ProfileSettings, Settings};

/// The tenants, by the names that profiles call them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tenants(BTreeMap<String, Tenant>);

/// One tenant.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) service: IntuneService,
    /// How long certificates are held back; `None` when they are not.
    pub(crate) patience: Option<Duration>,
    /// How often revocations are asked for; `None` when they are not.
    pub(crate) revocations: Option<Duration>,
    /// The names of the profiles that it decides for.
    pub(crate) profiles: Vec<String>,
}

impl Tenants {
    /// Gets ready to ask. Nothing is asked yet.
    pub(crate) fn open(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Self, ServerError> {
        let mut tenants = BTreeMap::new();
        for one in &settings.intune {
            let wrong = |problem: ServerError| {
                ServerError::new(format_args!("the intune tenant {:?}: {problem}", one.name))
            };
            let service = service(one, &settings.data, clock).map_err(wrong)?;
            let time =
                |count: u64, unit: u64| (count > 0).then(|| Duration::from_secs(count.saturating_mul(unit)));
            let asks = |profile: &&ProfileSettings| {
                tenant_of(settings, profile).is_some_and(|tenant| tenant.name == one.name)
            };
            let profiles = settings.profile.iter().filter(asks).map(|profile| profile.name.clone());
            let tenant = Tenant {
                service,
                patience: time(one.wait_seconds, 1),
                revocations: time(one.revocation_minutes, 60),
                profiles: profiles.collect(),
            };
            if tenants.insert(one.name.clone(), tenant).is_some() {
                return Err(ServerError::new(format_args!("two intune tenants are called {:?}", one.name)));
            }
        }
        Ok(Self(tenants))
    }

    /// The one that decides for the profile of that name.
    pub(crate) fn of_profile(&self, profile: &str) -> Option<&Tenant> {
        self.0.values().find(|tenant| tenant.profiles.iter().any(|name| name == profile))
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Tenant> {
        self.0.values()
    }

    /// What decides for `profile`, which says `challenge = "intune"`.
    pub(crate) fn authority(
        &self,
        profile: &ProfileSettings,
        directory: &Arc<dyn Directory>,
        outbox: Arc<dyn Outbox>,
    ) -> Result<Arc<dyn ChallengeValidator>, String> {
        if profile.approval != ApprovalKind::Automatic {
            return Err(String::from("challenge = \"intune\" takes no approval: Intune waits for nobody"));
        }
        let found = self.0.iter().find(|(_, tenant)| tenant.profiles.contains(&profile.name));
        let (name, tenant) = found.ok_or_else(|| match &*profile.intune {
            "" => String::from("challenge = \"intune\" needs an [[intune]], a tenant to ask"),
            name => format!("there is no [[intune]] of the name {name:?}"),
        })?;
        Ok(Arc::new(IntuneChallenge::new(IntuneChallengeParts {
            service: tenant.service.clone(),
            directory: Arc::clone(directory),
            outbox,
            kind: kind(name),
        })))
    }

    /// What carries notices to each of them, and how long certificates are held back until it has.
    pub(crate) fn carriers(&self) -> impl Iterator<Item = (Arc<dyn NoticeCarrier>, Option<Duration>)> {
        self.0.iter().map(|(name, tenant)| {
            let carrier = IntuneNotices::new(tenant.service.clone(), kind(name));
            (Arc::new(carrier) as Arc<dyn NoticeCarrier>, tenant.patience)
        })
    }
}

/// The kind of notices for the tenant of that name.
fn kind(name: &str) -> String {
    format!("intune/{name}")
}

/// The tenant that a profile asks; the first one where it names none.
fn tenant_of<'a>(settings: &'a Settings, profile: &ProfileSettings) -> Option<&'a IntuneSettings> {
    let mut tenants = settings.intune.iter().filter(|_| profile.challenge == ChallengeKind::Intune);
    tenants.find(|tenant| profile.intune.is_empty() || tenant.name == profile.intune)
}

fn service(
    settings: &IntuneSettings,
    data: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<IntuneService, ServerError> {
    let app = EntraApp::open("Intune", &settings.resource, &settings.app(), data, clock)?;
    Ok(IntuneService::new(IntuneServiceParts {
        graph: app.graph,
        tokens: app.tokens,
        rest: app.rest,
        caller: String::from(concat!("Certbound ", env!("CARGO_PKG_VERSION"))),
        random: Arc::new(AwsLc),
    }))
}
