//! What the server remembers: what its ledger does, or nothing.

use std::sync::Arc;

use directory::{InMemoryTombstones, Tombstones};
use enrollment::EnrollmentStore;
use issuance::{CaParts, CertificateAuthority, Derivation, IssuanceLog};
use keys_software::{AwsLc, RepeatableKey, SoftwareKey};
use ledger::{Ledger, LedgerReader};
use ocsp_server::{ServerError, data_folder::LEDGER};
use pki_core::{Clock, SigningKey};
use serial_binding::{SerialBinding, SerialBindings, SerialKey};
use stateless_issuance::{DerivationKey, NoRecord, RequestDerivation};

use crate::{
    ca_folder::Generation,
    settings::{
        ApprovalKind, ChallengeKind, LedgerKind, ProfileSettings, RenewalKind, SerialLayout, Settings,
    },
};

/// Deletions remembered without a ledger: until the server ends, and the oldest first to go.
const TOMBSTONES: usize = 100_000;

/// The seams behind which things are remembered.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// Challenges and transactions.
    pub(crate) store: Arc<dyn EnrollmentStore>,
    /// Deletions that were seen.
    pub(crate) tombstones: Arc<dyn Tombstones>,
    log: Arc<dyn IssuanceLog>,
    /// Makes a repeat the same where none is on record.
    derivation: Option<Arc<dyn Derivation>>,
    ledger: Option<Ledger>,
}

impl State {
    /// All that there is to know is in the ledger.
    pub(crate) fn in_ledger(ledger: Ledger) -> Self {
        Self {
            store: Arc::new(ledger.clone()),
            tombstones: Arc::new(ledger.clone()),
            log: Arc::new(ledger.clone()),
            derivation: None,
            ledger: Some(ledger),
        }
    }

    /// Nothing is remembered; what `key` seals is what all instances have in common.
    pub(crate) fn nowhere(key: &SerialKey) -> Self {
        Self {
            store: Arc::new(NoRecord),
            tombstones: Arc::new(InMemoryTombstones::new(TOMBSTONES)),
            log: Arc::new(NoRecord),
            derivation: Some(Arc::new(RequestDerivation::new(DerivationKey::of(key)))),
            ledger: None,
        }
    }

    /// Without a ledger, and so without an outbox, what is issued goes through what `wrap` puts before the record.
    pub(crate) fn tell_at_once(&mut self, wrap: impl FnOnce(Arc<dyn IssuanceLog>) -> Arc<dyn IssuanceLog>) {
        if self.ledger.is_none() {
            self.log = wrap(Arc::clone(&self.log));
        }
    }

    /// The ledger, for what cannot be had without: lists, CRLs, notes of refusals.
    pub(crate) fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }

    /// The ledger as responders read it.
    pub(crate) fn reader(&self) -> Option<&LedgerReader> {
        self.ledger().map(Ledger::reader)
    }

    /// Reads of serial numbers what can be believed. Plain ones can where those that were issued are on record.
    pub(crate) fn reading(&self, sealed: SerialBindings) -> SerialBindings {
        if self.ledger.is_some() { sealed.with_plain() } else { sealed }
    }

    /// Issues for that generation of a CA.
    pub(crate) fn authority(
        &self,
        generation: &Generation,
        binding: Arc<dyn SerialBinding>,
        clock: Arc<dyn Clock>,
    ) -> Result<CertificateAuthority, ServerError> {
        let parts = CaParts {
            issuer: generation.issuer.clone(),
            key: self.issuing_key(&generation.ca_key)?,
            binding,
            log: Arc::clone(&self.log),
            clock,
            random: Arc::new(AwsLc),
        };
        let authority = CertificateAuthority::new(parts).map_err(ServerError::new)?;
        Ok(match &self.derivation {
            None => authority,
            // Of two signatures of one message, one of which went wrong, a key made repeatable can be computed.
            Some(derivation) => {
                authority.with_derivation(Arc::clone(derivation)).with_verifier(Arc::new(AwsLc))
            }
        })
    }

    fn issuing_key(&self, key: &Arc<SoftwareKey>) -> Result<Arc<dyn SigningKey>, ServerError> {
        if self.derivation.is_none() {
            return Ok(Arc::clone(key) as _);
        }
        let key = RepeatableKey::new(Arc::clone(key));
        Ok(Arc::new(key.map_err(|error| without_ledger(format_args!("the CA's key: {error}")))?))
    }
}

/// What cannot be had without a ledger is told before anything is made.
pub(crate) fn check(settings: &Settings) -> Result<(), ServerError> {
    if settings.ledger == LedgerKind::Sqlite {
        return Ok(());
    }
    if settings.crl.enabled {
        return Err(without_ledger("CRLs list what is on record: set crl.enabled = false"));
    }
    if settings.serial.layout == SerialLayout::Plain {
        return Err(without_ledger(
            "anybody could make up a plain serial number that is good: set serial.layout = \"sealed\"",
        ));
    }
    if settings.data.join(LEDGER).exists() {
        let problem = "here is a ledger, and nobody would look at what it says is revoked: publish that \
                       by a CRL (docs/without-a-ledger.md), and move the file away";
        return Err(ServerError::of_file(&settings.data.join(LEDGER), problem));
    }
    if settings.base_url.is_empty() {
        return Err(without_ledger(
            "the same certificate has the same URLs in it whichever server makes it: set base_url to the one that clients use",
        ));
    }
    if settings.intune.iter().any(|tenant| tenant.revocation_minutes > 0) {
        return Err(without_ledger(
            "what Intune wants revoked is kept in the ledger: set revocation_minutes = 0",
        ));
    }
    settings.profile.iter().try_for_each(|profile| {
        check_profile(profile)
            .map_err(|problem| without_ledger(format_args!("the profile {:?}: {problem}", profile.name)))
    })
}

fn check_profile(profile: &ProfileSettings) -> Result<(), &'static str> {
    match profile.challenge {
        ChallengeKind::Static | ChallengeKind::Sealed | ChallengeKind::Webhook | ChallengeKind::Intune => {}
        ChallengeKind::OneTime => {
            return Err("one-time challenges are kept in the ledger: set challenge = \"sealed\"");
        }
        ChallengeKind::Ndes => {
            return Err(
                "challenges of NDES are known to the server alone that handed them out: set challenge = \"sealed\"",
            );
        }
        ChallengeKind::None => {
            return Err("challenge = \"none\" needs approval, which is kept in the ledger: set a challenge");
        }
    }
    if profile.approval != ApprovalKind::Automatic {
        return Err("requests wait for approval in the ledger: set approval = \"automatic\"");
    }
    match (profile.renewal, profile.renewal_window_days) {
        (RenewalKind::Certificate, None) => Err(
            "a renewed certificate counts from the day on which its renewal opens: set renewal_window_days, or renewal = \"off\"",
        ),
        (RenewalKind::Certificate, Some(window)) if window > profile.validity_days / 2 => Err(
            "renewal opens before half of a certificate's life is over: set renewal_window_days to at most half of validity_days",
        ),
        (RenewalKind::Certificate, Some(_)) | (RenewalKind::Off, _) => Ok(()),
    }
}

/// What is wrong, and with what setting it goes together.
pub(crate) fn without_ledger(problem: impl std::fmt::Display) -> ServerError {
    ServerError::new(format_args!("{problem}; or leave out ledger = \"none\""))
}
