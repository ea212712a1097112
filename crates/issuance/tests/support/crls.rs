//! A log of CRLs in memory, a list of what is revoked, and what the lists say.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use issuance::{
    CandidatesUnavailable, CrlAuthority, CrlCandidate, CrlCandidates, CrlClaim, CrlLog, CrlName, CrlOutcome,
    CrlParts, CrlPublication, CrlSettings, CrlStanding, CrlState, DeltaSettings, Issuer, LogError,
};
use pki_core::{BoxFuture, Clock, Crl, CrlReason, IssuerId, SerialNumber, SigningKey, UnixTime};
use testkit::FixedClock;

pub const HOUR: Duration = Duration::from_secs(60 * 60);

/// What the lists are made from; may be changed between them.
#[derive(Debug, Default)]
pub struct Table {
    pub rows: Mutex<BTreeMap<SerialNumber, CrlCandidate>>,
    pub fails: Mutex<Option<CandidatesUnavailable>>,
    /// Runs once, while the candidates are being gathered.
    pub meanwhile: Mutex<Option<Meanwhile>>,
}

pub struct Meanwhile(pub Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meanwhile")
    }
}

impl Table {
    pub fn set(&self, serial: u32, not_after: UnixTime, standing: CrlStanding) {
        let serial = number(serial);
        self.rows.lock().unwrap().insert(serial, CrlCandidate { serial, not_after, standing });
    }

    pub fn revoke(&self, serial: u32, since: UnixTime, reason: CrlReason) {
        self.set(serial, UnixTime::MAX, CrlStanding::Revoked { since, reason });
    }

    pub fn clear(&self, serial: u32) {
        self.rows.lock().unwrap().remove(&number(serial));
    }
}

impl CrlCandidates for Table {
    fn candidates(
        &self,
        _ends_from: UnixTime,
    ) -> BoxFuture<'_, Result<Vec<CrlCandidate>, CandidatesUnavailable>> {
        let rows: Vec<_> = self.rows.lock().unwrap().values().rev().copied().collect();
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            (meanwhile.0)();
        }
        let answer = self.fails.lock().unwrap().clone().map_or(Ok(rows), Err);
        Box::pin(std::future::ready(answer))
    }
}

#[derive(Debug, Default)]
pub struct MemoryCrlLog(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    state: CrlState,
    lists: BTreeMap<CrlName, Crl>,
}

impl CrlLog for MemoryCrlLog {
    fn state(&self, _: IssuerId) -> BoxFuture<'_, Result<CrlState, LogError>> {
        let state = self.0.lock().unwrap().state;
        Box::pin(std::future::ready(Ok(state)))
    }

    fn crl(&self, _: IssuerId, name: CrlName) -> BoxFuture<'_, Result<Option<Crl>, LogError>> {
        let crl = self.0.lock().unwrap().lists.get(&name).cloned();
        Box::pin(std::future::ready(Ok(crl)))
    }

    fn claim(
        &self,
        _: IssuerId,
        after: Option<CrlClaim>,
        claim: CrlClaim,
    ) -> BoxFuture<'_, Result<CrlOutcome, LogError>> {
        let mut kept = self.0.lock().unwrap();
        let first = kept.state.claimed == after;
        if first {
            kept.state.claimed = Some(claim);
        }
        Box::pin(std::future::ready(Ok(outcome(first))))
    }

    fn publish<'a>(
        &'a self,
        _: IssuerId,
        publication: &'a CrlPublication,
    ) -> BoxFuture<'a, Result<CrlOutcome, LogError>> {
        let mut kept = self.0.lock().unwrap();
        let first = kept.state.latest().map(|latest| latest.number) == publication.after;
        if first {
            kept.state = CrlState { claimed: kept.state.claimed, ..publication.state };
            kept.lists.extend(publication.lists.iter().cloned());
            let state = kept.state;
            let fulls = [state.full, state.base, state.scheduled].map(|record| record.map(|r| r.number));
            kept.lists.retain(|name, _| match name {
                CrlName::Full(number) => fulls.contains(&Some(*number)),
                CrlName::Delta(number) => state.delta.map(|delta| delta.number) == Some(*number),
            });
        }
        Box::pin(std::future::ready(Ok(outcome(first))))
    }
}

fn outcome(first: bool) -> CrlOutcome {
    if first { CrlOutcome::Done } else { CrlOutcome::Overtaken }
}

/// A CA with a table and a clock.
#[derive(Debug)]
pub struct Fixture {
    pub table: Arc<Table>,
    pub clock: Arc<FixedClock>,
    pub log: Arc<MemoryCrlLog>,
}

impl Fixture {
    pub fn new() -> Self {
        Self { table: Arc::default(), clock: Arc::default(), log: Arc::default() }
    }

    pub fn authority(&self, settings: CrlSettings) -> CrlAuthority {
        let ca = testkit::ca();
        let clock: Arc<dyn Clock> = self.clock.clone();
        self.authority_of(super::issuer(&ca), ca.key, clock, settings)
    }

    pub fn authority_of(
        &self,
        issuer: Issuer,
        key: Arc<dyn SigningKey>,
        clock: Arc<dyn Clock>,
        settings: CrlSettings,
    ) -> CrlAuthority {
        let (candidates, log) = (self.table.clone(), self.log.clone());
        CrlAuthority::new(CrlParts { issuer, key, candidates, log, clock, settings }).unwrap()
    }
}

/// Full lists for a day, delta lists for an hour.
pub fn with_deltas() -> CrlSettings {
    let delta = DeltaSettings { validity: HOUR, uri: Some("http://ca.example.com/crl/delta".into()) };
    CrlSettings { delta: Some(delta), ..CrlSettings::default() }
}

pub fn number(serial: u32) -> SerialNumber {
    SerialNumber::from_be_bytes(&[&[0][..], &serial.to_be_bytes()].concat()).unwrap()
}

pub type Entries = BTreeMap<SerialNumber, (UnixTime, Option<CrlReason>)>;

pub fn entries(crl: &Crl) -> Entries {
    let entries =
        crl.entries().map(|entry| (entry.serial_number().unwrap(), (entry.revoked_at(), entry.reason())));
    entries.collect()
}

/// What is on `full` once `delta` has changed it (RFC 5280 §5.2.4).
pub fn combined(full: &Crl, delta: &Crl) -> Entries {
    let (number, base) = (full.number().unwrap(), delta.delta_base().unwrap());
    assert!(base <= number && number < delta.number().unwrap(), "{base} {number} {:?}", delta.number());
    let mut combined = entries(full);
    for (serial, entry) in entries(delta) {
        if entry.1 == Some(CrlReason::RemoveFromCrl) {
            combined.remove(&serial);
        } else {
            combined.insert(serial, entry);
        }
    }
    combined
}
