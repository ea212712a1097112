//! CRLs of other issuers as a source of status.

use std::{
    future::ready,
    sync::{Arc, PoisonError, RwLock},
};

use pki_core::{
    BoxFuture, CertRef, Certificate, Clock, Crl, CrlNumber, CrlReason, IssuerId, SignatureVerifier, UnixTime,
};

use crate::{
    CrlRefused, NoCrlIssuer, RevocationSource, SourceError, Standing, StatusReport,
    crl_acceptance::Acceptance,
    crl_index::{CrlIndex, Found},
};

/// What a [`CrlRevocations`] is made of.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by every server")]
pub struct CrlSourceParts {
    /// The CA whose certificates are told of, and which signs the CRLs.
    pub issuer: Certificate,
    /// Checks signatures.
    pub verifier: Arc<dyn SignatureVerifier>,
    /// Tells whether a CRL is still good.
    pub clock: Arc<dyn Clock>,
    /// Which CRLs, and what they mean.
    pub settings: CrlSourceSettings,
}

/// Which CRLs are used, and what they mean. Start from `default()` and set fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct CrlSourceSettings {
    /// What is said of a certificate that is not on the CRL.
    pub unlisted: Unlisted,
    /// Whether there are delta CRLs; then one is needed.
    pub deltas: Deltas,
    /// The URI in the issuingDistributionPoint of the CRL, for an issuer that has several. Others are refused.
    pub distribution_point: Option<String>,
}

/// What is said of a certificate that is not on the CRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "there is no third answer")]
pub enum Unlisted {
    /// Nothing: a CRL does not know what was issued. Another source must say that it is good.
    #[default]
    NotMine,
    /// That it is good, though it may never have been issued. For issuers of which nothing is known but their CRL.
    Good,
}

/// Whether there are delta CRLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "there are or there are not")]
pub enum Deltas {
    /// There are none; one that comes is refused.
    #[default]
    None,
    /// There are: without one that is good and goes with the full CRL, status cannot be told.
    Expected,
}

/// What became of a CRL that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TakenIn {
    /// It is used from now on.
    New {
        /// Entries on it.
        entries: usize,
        /// Until when it is good.
        next_update: UnixTime,
    },
    /// It is the one that was there before.
    Unchanged,
}

/// Tells status from a CRL of one issuer, and from a delta CRL over it.
///
/// Whoever can fetch feeds this with what was fetched, full or delta: [`take_in`](Self::take_in). A CRL is believed when
/// its issuer, its key, its signature, its scope and its times are as they must be, and it is not older than the one
/// before it. Indirect CRLs, those of some reasons only, and those with critical extensions unknown here are refused.
///
/// | certificate | status |
/// |---|---|
/// | of another issuer | not mine |
/// | on the CRL | revoked, or on hold |
/// | on it as removed, or not on it | as [`Unlisted`] says |
/// | whatever of these, while there is no CRL that is good now | an error, save for what was revoked for ever |
#[derive(Debug)]
pub struct CrlRevocations {
    acceptance: Acceptance,
    issuer: IssuerId,
    title: String,
    verifier: Arc<dyn SignatureVerifier>,
    clock: Arc<dyn Clock>,
    unlisted: Unlisted,
    deltas: Deltas,
    held: RwLock<Held>,
}

#[derive(Debug, Default)]
struct Held {
    full: Option<List>,
    delta: Option<List>,
    epoch: u64,
}

/// A CRL that is believed.
#[derive(Debug)]
struct List {
    index: CrlIndex,
    number: Option<CrlNumber>,
    /// For a delta CRL: where it starts.
    base: Option<CrlNumber>,
    /// The DER of the issuingDistributionPoint, and the authority key: those of a pair are the same.
    scope: (Option<Vec<u8>>, Option<Vec<u8>>),
    this_update: UnixTime,
    next_update: UnixTime,
}

/// The lists that status is told from now.
enum InForce<'a> {
    Full(&'a List),
    Combined { full: &'a List, delta: &'a List },
}

impl CrlRevocations {
    /// Knows nothing until it has taken in a CRL. Fails when the issuer may not sign CRLs.
    pub fn new(parts: CrlSourceParts) -> Result<Self, NoCrlIssuer> {
        let CrlSourceParts { issuer, verifier, clock, settings } = parts;
        let CrlSourceSettings { unlisted, deltas, distribution_point } = settings;
        let (id, title) = (IssuerId::of(&issuer), format!("the CRL of {}", issuer.subject()));
        let acceptance = Acceptance::new(issuer, distribution_point)?;
        let held = RwLock::default();
        Ok(Self { acceptance, issuer: id, title, verifier, clock, unlisted, deltas, held })
    }

    /// The issuer whose certificates this tells of.
    pub fn issuer(&self) -> IssuerId {
        self.issuer
    }

    /// Whose CRL it is, for people: `the CRL of CN=...`.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Takes over a CRL, full or delta, as DER or PEM; or refuses it, and keeps what it had. Takes a second for a million
    /// entries: not to be called where that is in anybody's way.
    pub fn take_in(&self, fetched: Vec<u8>) -> Result<TakenIn, CrlRefused> {
        let crl = match std::str::from_utf8(&fetched) {
            Ok(text) if text.contains("-----BEGIN") => Crl::from_pem(text)?,
            _ => Crl::from_vec(fetched)?,
        };
        let now = self.clock.now();
        let is_delta = crl.delta_base().is_some();
        if is_delta && (self.deltas == Deltas::None || crl.number().is_none()) {
            return Err(CrlRefused::UnexpectedDelta);
        }
        if self.read(|held| held.slot(is_delta).is_some_and(|list| list.is(&crl))) {
            return Ok(TakenIn::Unchanged);
        }
        let next_update = self.acceptance.check(&crl, now, &*self.verifier)?;
        let list = List::new(&crl, next_update);
        if !is_delta && list.index.removes() {
            return Err(CrlRefused::Partial("entries removed from it, which only a delta CRL has"));
        }
        let entries = list.index.len();
        self.replace(list, is_delta, now)?;
        Ok(TakenIn::New { entries, next_update })
    }

    fn replace(&self, list: List, is_delta: bool, now: UnixTime) -> Result<(), CrlRefused> {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        // One that has run out protects nobody, and an issuer that was set up anew may count anew.
        let later = held.slot(is_delta).filter(|last| last.next_update >= now && last.is_later_than(&list));
        if let Some(last) = later {
            return Err(CrlRefused::Older { found: list.number, held: last.number });
        }
        let slot = if is_delta { &mut held.delta } else { &mut held.full };
        *slot = Some(list);
        held.epoch = held.epoch.wrapping_add(1);
        Ok(())
    }

    fn answer(&self, certificate: CertRef) -> Result<StatusReport, SourceError> {
        let now = self.clock.now();
        let report = |standing, known_at, reliable_until| StatusReport { standing, known_at, reliable_until };
        if certificate.issuer != self.issuer {
            return Ok(report(Standing::NotMine, now, None));
        }
        self.read(|held| {
            let in_force = self.in_force(held, now);
            let found = match &in_force {
                Ok(in_force) => in_force.find(certificate),
                // Whatever time it is, and whatever else may be missing.
                Err(_) => held.find_permanent(certificate),
            };
            if let Some(Found { reason, since }) = found.filter(Found::is_permanent) {
                return Ok(report(Standing::Revoked { since: since.min(now), reason }, now, None));
            }
            let (this_update, next_update) = in_force.map_err(|why| self.unavailable(why))?.times();
            let known_at = this_update.min(now);
            let standing = match (found, self.unlisted) {
                (Some(hold), _) => Standing::Hold { since: hold.since.min(known_at) },
                (None, Unlisted::Good) => Standing::Good,
                (None, Unlisted::NotMine) => Standing::NotMine,
            };
            Ok(report(standing, known_at, Some(next_update)))
        })
    }

    fn unavailable(&self, why: String) -> SourceError {
        SourceError::unavailable(&*self.title, why)
    }

    /// What to tell status from at `now`, or why there is nothing.
    fn in_force<'a>(&self, held: &'a Held, now: UnixTime) -> Result<InForce<'a>, String> {
        let full = held.full.as_ref().ok_or("it was not read yet")?;
        let delta = match (self.deltas, &held.delta) {
            (Deltas::None, _) => None,
            (Deltas::Expected, Some(delta)) if delta.number <= full.number => None,
            (Deltas::Expected, Some(delta)) => Some(delta),
            (Deltas::Expected, None) => return Err("its delta was not read yet".into()),
        };
        let Some(delta) = delta else {
            full.check_time(now)?;
            return Ok(InForce::Full(full));
        };
        if !delta.goes_with(full) {
            return Err(format!(
                "its delta starts from {:?}, and it has the number {:?} or another scope",
                delta.base, full.number
            ));
        }
        // Together they are as good as the delta (RFC 5280 §5.2.4).
        delta.check_time(now)?;
        Ok(InForce::Combined { full, delta })
    }

    fn read<T>(&self, read: impl FnOnce(&Held) -> T) -> T {
        read(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Held {
    fn slot(&self, is_delta: bool) -> Option<&List> {
        if is_delta { self.delta.as_ref() } else { self.full.as_ref() }
    }

    fn find_permanent(&self, certificate: CertRef) -> Option<Found> {
        let lists = self.full.iter().chain(&self.delta);
        lists.filter_map(|list| list.index.find(&certificate.serial)).find(Found::is_permanent)
    }
}

impl List {
    fn new(crl: &Crl, next_update: UnixTime) -> Self {
        Self {
            index: CrlIndex::of(crl),
            number: crl.number(),
            base: crl.delta_base(),
            scope: scope(crl),
            this_update: crl.this_update(),
            next_update,
        }
    }

    fn is(&self, crl: &Crl) -> bool {
        self.number.is_some() && (self.number, self.this_update) == (crl.number(), crl.this_update())
    }

    fn is_later_than(&self, other: &Self) -> bool {
        self.this_update > other.this_update || self.number > other.number
    }

    /// Whether this delta CRL may be combined with `full`, whose number is lower (RFC 5280 §5.2.4).
    fn goes_with(&self, full: &Self) -> bool {
        self.base.is_some() && self.base <= full.number && self.scope == full.scope
    }

    fn check_time(&self, now: UnixTime) -> Result<(), String> {
        if now <= self.next_update {
            return Ok(());
        }
        let kind = if self.base.is_some() { "its delta" } else { "it" };
        Err(format!("{kind} was good until {}, and no later one has come", self.next_update))
    }
}

fn scope(crl: &Crl) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let distribution_point = crl.scope().map(|scope| scope.as_der().to_vec());
    (distribution_point, crl.authority_key().map(<[u8]>::to_vec))
}

impl InForce<'_> {
    fn find(&self, certificate: CertRef) -> Option<Found> {
        let found = match self {
            Self::Full(full) => full.index.find(&certificate.serial),
            Self::Combined { full, delta } => {
                delta.index.find(&certificate.serial).or_else(|| full.index.find(&certificate.serial))
            }
        };
        found.filter(|found| found.reason != CrlReason::RemoveFromCrl)
    }

    fn times(&self) -> (UnixTime, UnixTime) {
        let (Self::Full(list) | Self::Combined { delta: list, .. }) = self;
        (list.this_update, list.next_update)
    }
}

impl Found {
    fn is_permanent(&self) -> bool {
        !matches!(self.reason, CrlReason::CertificateHold | CrlReason::RemoveFromCrl)
    }
}

impl RevocationSource for CrlRevocations {
    fn name(&self) -> &'static str {
        "crl"
    }

    fn status(&self, certificate: CertRef) -> BoxFuture<'_, Result<StatusReport, SourceError>> {
        Box::pin(ready(self.answer(certificate)))
    }

    /// `None` while there is no CRL that is good now.
    fn epoch(&self) -> Option<u64> {
        let now = self.clock.now();
        self.read(|held| self.in_force(held, now).ok().map(|_| held.epoch))
    }
}
