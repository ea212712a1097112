//! The CA's CRLs: gather, number, sign, record.

use std::{fmt, sync::Arc, time::Duration};

use pki_core::{Clock, Crl, IssuingDistributionPoint, KeyUsage, SigningKey, UnixTime};

use crate::{
    CandidatesUnavailable, CrlCandidates, CrlClaim, CrlLog, CrlName, CrlOutcome, CrlPublication, CrlRecord,
    CrlSignError, CrlState, Issuer, LogError, UnfitIssuer,
    crl_contents::{Certainty, Listing, Past},
    crl_list::{CrlHead, CrlKind, PreparedCrl},
};

/// So many times another server may come first before something other than chance must be the matter.
const MOST_TRIES: usize = 8;

/// What a [`CrlAuthority`] is made of.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "required collaborators")]
pub struct CrlParts {
    /// The CA's name, certificate and algorithm.
    pub issuer: Issuer,
    /// The CA's key, which signs nothing but CRLs here.
    pub key: Arc<dyn SigningKey>,
    /// Tells what is revoked.
    pub candidates: Arc<dyn CrlCandidates>,
    /// Numbers and keeps the lists.
    pub log: Arc<dyn CrlLog>,
    /// Tells when a list is issued.
    pub clock: Arc<dyn Clock>,
    /// How long lists are good for, and whether there are delta lists.
    pub settings: CrlSettings,
}

/// How a CA's lists are made. Start from `default()` and set fields.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct CrlSettings {
    /// From thisUpdate to nextUpdate of a full list; a new one is due after half of that. By default a day.
    pub validity: Duration,
    /// Delta lists, if there are to be any. By default none.
    pub delta: Option<DeltaSettings>,
    /// For the issuingDistributionPoint, which RFC 5280 wants where a list is one of several. By default none: the list
    /// is the only one and covers everything.
    pub scope: Option<IssuingDistributionPoint>,
}

/// How delta lists are made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct DeltaSettings {
    /// From thisUpdate to nextUpdate of a delta list; a new one is due after half of that.
    pub validity: Duration,
    /// Where they are found; goes into the freshestCRL extension of full lists.
    pub uri: Option<String>,
}

impl Default for CrlSettings {
    fn default() -> Self {
        Self { validity: Duration::from_secs(24 * 60 * 60), delta: None, scope: None }
    }
}

/// Why lists are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no other")]
pub enum CrlOccasion {
    /// It is time for a new full list; or something was revoked that everybody should know of at once. A delta list goes
    /// with it. In time, delta lists start from the full list before from then on, so that they go with every full list
    /// that is still good.
    Full,
    /// It is time for a new delta list.
    Delta,
}

/// The lists that are in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "there are two kinds of list")]
pub struct CurrentCrls {
    /// The full one.
    pub full: Option<Crl>,
    /// The delta one.
    pub delta: Option<Crl>,
}

/// Makes the CRLs of a CA. Nothing else does: a list can only be had by [`publish`](Self::publish), which numbers it
/// before it is signed and has it on record before it is handed out.
///
/// A list that is handed out is followed by none of a lower number, of an older thisUpdate, or of older knowledge:
/// whoever is overtaken while at work throws the work away and begins anew.
pub struct CrlAuthority {
    parts: CrlParts,
}

impl CrlAuthority {
    /// Fails when the key is not the issuer's, or the issuer's certificate does not let it sign CRLs (RFC 5280
    /// §4.2.1.3).
    pub fn new(parts: CrlParts) -> Result<Self, UnfitIssuer> {
        parts.issuer.check_key(&*parts.key)?;
        let usage = parts.issuer.certificate().key_usage()?;
        if usage.is_some_and(|usage| !usage.contains(KeyUsage::CRL_SIGN)) {
            return Err(UnfitIssuer::MayNotSignCrls);
        }
        Ok(Self { parts })
    }

    /// The CA.
    pub fn issuer(&self) -> &Issuer {
        &self.parts.issuer
    }

    /// How far the CA has come, by whichever server.
    pub async fn state(&self) -> Result<CrlState, CrlError> {
        Ok(self.parts.log.state(self.parts.issuer.id()).await?)
    }

    /// The lists that `state` names.
    pub async fn lists(&self, state: &CrlState) -> Result<CurrentCrls, CrlError> {
        let full = self.load(state.full.map(|record| CrlName::Full(record.number))).await?;
        let delta = self.load(state.delta.map(|record| CrlName::Delta(record.number))).await?;
        Ok(CurrentCrls { full, delta })
    }

    /// What is due at `now` in `state`.
    pub fn due(&self, state: &CrlState, now: UnixTime) -> Option<CrlOccasion> {
        let settings = &self.parts.settings;
        let is_due = |record: Option<CrlRecord>| record.is_none_or(|record| now >= record.half_time());
        if is_due(state.full) || settings.delta.is_some() && is_due(state.scheduled) {
            return Some(CrlOccasion::Full);
        }
        settings.delta.as_ref()?;
        // One that went with the full list is there already, or else there was no list to start from.
        let since_full = state.full.is_some_and(|full| now > full.this_update);
        (since_full && is_due(state.delta)).then_some(CrlOccasion::Delta)
    }

    /// Makes lists of what is revoked now, records them, and returns those that are in force afterwards.
    pub async fn publish(&self, occasion: CrlOccasion) -> Result<CurrentCrls, CrlError> {
        for _ in 0..MOST_TRIES {
            let state = self.state().await?;
            if let Some(lists) = self.attempt(&state, occasion).await? {
                return Ok(lists);
            }
        }
        Err(CrlError::Overtaken)
    }

    /// `None` when another server came first.
    async fn attempt(
        &self,
        state: &CrlState,
        occasion: CrlOccasion,
    ) -> Result<Option<CurrentCrls>, CrlError> {
        let CrlParts { issuer, log, clock, candidates, .. } = &self.parts;
        let now = clock.now();
        let own = issuer.certificate().validity();
        if !own.contains(now) {
            return Err(CrlError::CaNotValid { now, not_after: own.not_after() });
        }
        let claim = CrlClaim::after(state.claimed, now);
        if log.claim(issuer.id(), state.claimed, claim).await? == CrlOutcome::Overtaken {
            return Ok(None);
        }
        let before = self.lists(state).await?;
        let past = Past::new(before.full.as_ref(), before.delta.as_ref());
        // An entry stays until it was on one full list that was issued after the certificate's end (RFC 5280 §3.3).
        let ends_from = state.full.map_or(UnixTime(0), |full| full.this_update);
        let mut revoked = candidates.candidates(ends_from).await?;
        revoked.retain(|candidate| candidate.not_after >= ends_from);
        let (listing, certainty) = past.continued(revoked, claim.this_update);
        let good_until = match certainty {
            Certainty::Told => UnixTime::MAX,
            Certainty::Presumed => state.latest().map_or(UnixTime(0), |latest| latest.next_update),
        };
        if good_until <= claim.this_update {
            return Err(CrlError::NotTold);
        }
        let plan = self.plan(state, claim, occasion, good_until);
        let publication = self.sign(&plan, &listing, &past).await?;
        if log.publish(issuer.id(), &publication).await? == CrlOutcome::Overtaken {
            return Ok(None);
        }
        Ok(Some(in_force(before, publication)))
    }

    fn plan(&self, state: &CrlState, claim: CrlClaim, occasion: CrlOccasion, good_until: UnixTime) -> Plan {
        let settings = &self.parts.settings;
        let record = |validity| CrlRecord {
            number: claim.number,
            this_update: claim.this_update,
            next_update: claim.this_update.saturating_add(validity).min(good_until),
        };
        let full = record(settings.validity);
        let after = state.latest().map(|latest| latest.number);
        let Some(deltas) = &settings.delta else {
            let next = CrlState { full: Some(full), ..CrlState::default() };
            return Plan { after, full: Some(full), delta: None, base: None, next };
        };
        let delta = record(deltas.validity);
        let next = CrlState { delta: Some(delta), ..*state };
        match (occasion, state.base, state.scheduled) {
            (CrlOccasion::Delta, Some(base), _) => {
                Plan { after, full: None, delta: Some(delta), base: Some(base), next }
            }
            // One that comes early leaves the start of delta lists where it is. It is good for no longer than the one
            // that came in time, so that delta lists go with both for as long as they are good.
            (_, Some(base), Some(in_time)) if claim.this_update < in_time.half_time() => {
                let full = CrlRecord { next_update: full.next_update.min(in_time.next_update), ..full };
                let next = CrlState { full: Some(full), ..next };
                Plan { after, full: Some(full), delta: Some(delta), base: Some(base), next }
            }
            _ => {
                let base = state.scheduled.filter(|last| last.next_update > claim.this_update);
                let delta = base.map(|_| delta);
                let base_from_now = Some(base.unwrap_or(full));
                let (full, scheduled) = (Some(full), Some(full));
                let next = CrlState { full, delta, base: base_from_now, scheduled, ..next };
                Plan { after, full, delta, base, next }
            }
        }
    }

    async fn sign(&self, plan: &Plan, listing: &Listing, past: &Past) -> Result<CrlPublication, CrlError> {
        let mut lists = Vec::with_capacity(2);
        let deltas = self.parts.settings.delta.as_ref();
        if let Some(full) = plan.full {
            let kind = CrlKind::Full { freshest: deltas.and_then(|deltas| deltas.uri.as_deref()) };
            lists.push((CrlName::Full(full.number), self.sign_one(full, kind, listing).await?));
        }
        if let (Some(delta), Some(base)) = (plan.delta, plan.base) {
            let from = self.load(Some(CrlName::Full(base.number))).await?;
            let from = Listing::of(&from.ok_or(CrlError::NoBase(base.number))?);
            let changes = listing.since(&from, base.this_update, past, delta.this_update);
            let kind = CrlKind::Delta { base: base.number };
            lists.push((CrlName::Delta(delta.number), self.sign_one(delta, kind, &changes).await?));
        }
        Ok(CrlPublication { after: plan.after, lists, state: plan.next })
    }

    async fn sign_one(
        &self,
        record: CrlRecord,
        kind: CrlKind<'_>,
        listing: &Listing,
    ) -> Result<Crl, CrlError> {
        let CrlRecord { number, this_update, next_update } = record;
        let scope = self.parts.settings.scope.as_ref();
        let head = CrlHead { number, this_update, next_update, kind, scope };
        let prepared = PreparedCrl::new(&self.parts.issuer, &head, listing);
        Ok(prepared.sign_with(&*self.parts.key).await?)
    }

    async fn load(&self, name: Option<CrlName>) -> Result<Option<Crl>, CrlError> {
        match name {
            None => Ok(None),
            Some(name) => Ok(self.parts.log.crl(self.parts.issuer.id(), name).await?),
        }
    }
}

/// Which lists are made, and what comes of them.
#[derive(Debug)]
struct Plan {
    /// The number of the latest list so far.
    after: Option<u64>,
    full: Option<CrlRecord>,
    delta: Option<CrlRecord>,
    /// What the delta list starts from.
    base: Option<CrlRecord>,
    /// The state with them.
    next: CrlState,
}

impl CrlRecord {
    /// When its successor is due.
    fn half_time(&self) -> UnixTime {
        let half = self.next_update.saturating_since(self.this_update).as_secs() / 2;
        self.this_update.saturating_add(Duration::from_secs(half))
    }
}

fn in_force(before: CurrentCrls, publication: CrlPublication) -> CurrentCrls {
    let mut lists =
        CurrentCrls { full: before.full, delta: before.delta.filter(|_| publication.state.delta.is_some()) };
    for (name, crl) in publication.lists {
        match name {
            CrlName::Full(_) => lists.full = Some(crl),
            CrlName::Delta(_) => lists.delta = Some(crl),
        }
    }
    lists
}

impl fmt::Debug for CrlAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CrlAuthority({:?})", self.parts.issuer.certificate())
    }
}

/// No CRL was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrlError {
    /// The CA's own certificate has expired, or is not valid yet.
    #[error(
        "the CA's certificate is not valid at {now} (it ends at {not_after}): renew it, or correct the clock"
    )]
    CaNotValid {
        /// The time.
        now: UnixTime,
        /// When it ends.
        not_after: UnixTime,
    },
    /// What is revoked could not be found out at all.
    #[error(transparent)]
    Candidates(#[from] CandidatesUnavailable),
    /// The status of some certificates could not be told, and no list before says anything that still holds.
    #[error(
        "the status of some certificates cannot be told now, and the last CRL that told it has run out: see that the directory can be asked"
    )]
    NotTold,
    /// The full list that delta lists start from is not on record.
    #[error("the CRL of number {0}, which delta CRLs start from, is not on record")]
    NoBase(u64),
    /// Other servers came first, again and again.
    #[error(
        "other servers of this CA published first, {MOST_TRIES} times in a row: run fewer, or less often"
    )]
    Overtaken,
    /// The CA's key did not sign.
    #[error(transparent)]
    Sign(#[from] CrlSignError),
    /// The record failed; nothing was handed out.
    #[error(transparent)]
    Log(#[from] LogError),
}
