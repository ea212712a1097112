//! Which users are at risk.

use std::{
    collections::HashSet,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use pki_core::UnixTime;
use rest_client::{RestClient, RestError};
use serde::Deserialize;
use serial_binding::ObjectId;

use crate::records::{Page, uuid};

/// Between two questions about risk: a tenant has one a second.
const PACE: Duration = Duration::from_millis(1100);
/// Pages of 500 in one round.
const MAX_PAGES: usize = 2000;
const LIST: &str = "/v1.0/identityProtection/riskyUsers?$select=id,riskLevel,riskState&$top=500";
/// Those who are at risk now, where the service can tell them from those who once were.
const AT_RISK: &str = "&$filter=riskState%20eq%20'atRisk'%20or%20riskState%20eq%20'confirmedCompromised'";

/// How much a user is at risk, as Entra ID Protection has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "as the service has them")]
pub enum RiskLevel {
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
}

impl RiskLevel {
    fn named(name: &str) -> Option<Self> {
        match name {
            "low" => Some(Self::Low),
            "medium" => Some(Self::Medium),
            "high" => Some(Self::High),
            _ => None,
        }
    }
}

/// The users at an untolerated risk, and when that was asked.
#[derive(Debug, Default)]
pub(crate) struct Risks(RwLock<Option<(HashSet<ObjectId>, UnixTime)>>);

impl Risks {
    /// `None` when it is not known, or was known before `oldest` only.
    pub(crate) fn is_at_risk(&self, user: ObjectId, oldest: UnixTime) -> Option<bool> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (users, as_of) = known.as_ref()?;
        (oldest <= *as_of).then(|| users.contains(&user))
    }

    /// Takes over; returns who has come to be at risk, or is not any more.
    pub(crate) fn replace(&self, users: HashSet<ObjectId>, as_of: UnixTime) -> Vec<ObjectId> {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = known.take().map(|(users, _)| users).unwrap_or_default();
        let changed = before.symmetric_difference(&users).copied().collect();
        *known = Some((users, as_of));
        changed
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RiskyUser {
    id: String,
    risk_level: String,
    risk_state: String,
}

/// All users who are at one of these risks.
pub(crate) async fn users_at_risk(
    client: &RestClient,
    untolerated: &[RiskLevel],
) -> Result<HashSet<ObjectId>, RestError> {
    let told = list(client, format!("{LIST}{AT_RISK}"), untolerated).await;
    if matches!(told, Err(RestError::Refused { status: 400, .. })) {
        tokio::time::sleep(PACE).await;
        return list(client, LIST.to_owned(), untolerated).await;
    }
    told
}

async fn list(
    client: &RestClient,
    mut link: String,
    untolerated: &[RiskLevel],
) -> Result<HashSet<ObjectId>, RestError> {
    let garbage = |why: String| RestError::Garbage { service: client.service().to_owned(), why };
    let mut users = HashSet::new();
    for _ in 0..MAX_PAGES {
        let page = client.get::<Page<RiskyUser>>(&link).await?;
        let page = page.ok_or_else(|| garbage("there is no list of risky users".into()))?;
        for RiskyUser { id, risk_level, risk_state } in page.value {
            let is_now = matches!(&*risk_state, "atRisk" | "confirmedCompromised");
            let is_too_much = RiskLevel::named(&risk_level).is_some_and(|level| untolerated.contains(&level));
            if is_now && is_too_much {
                users.insert(uuid(&id).ok_or_else(|| garbage(format!("expected a user's id: {id:?}")))?);
            }
        }
        let Some(next) = page.next else { return Ok(users) };
        tokio::time::sleep(PACE).await;
        link = next;
    }
    Err(garbage("its list of risky users has no end".into()))
}
