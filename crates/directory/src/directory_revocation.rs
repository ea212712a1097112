//! Certificate status by way of the bound object's state.

use std::{sync::Arc, time::Duration};

use pki_core::{BoxFuture, CertRef, Clock, CrlReason, IssuerId, UnixTime};
use revocation::{RevocationSource, SourceError, Standing, StatusReport};
use serial_binding::{BoundObject, Resolution, SerialBinding};

use crate::{
    Directory, DirectoryError, ObjectState, Tombstone, Tombstones,
    first_seen::{FirstSeen, Trouble},
};

/// How long an answer of a directory without an epoch may be relied on.
const RELIABLE_FOR: Duration = Duration::from_secs(5);
/// Half of how many objects' first sightings are remembered.
const FIRST_SEEN_GENERATION: usize = 8192;

/// What a [`DirectoryRevocation`] is made of.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "built by every server")]
pub struct DirectoryRevocationParts {
    /// The CA whose certificates it knows; of others it says that they are not its own.
    pub issuer: IssuerId,
    /// Serial number to object.
    pub binding: Arc<dyn SerialBinding>,
    /// Object to state.
    pub directory: Arc<dyn Directory>,
    /// Which objects were deleted before.
    pub tombstones: Arc<dyn Tombstones>,
    /// Tells when an answer was given.
    pub clock: Arc<dyn Clock>,
}

/// Tells the status of a certificate from the state of the object that its serial number is bound to.
///
/// | object | status |
/// |---|---|
/// | enabled | good |
/// | disabled | on hold |
/// | gone, or not there | revoked for ever, cessationOfOperation |
/// | seen deleted before the certificate was issued here anew | revoked for ever, cessationOfOperation |
/// | serial number bound to nothing, foreign, or to a kind that the directory does not hold | not mine |
/// | the directory cannot be asked | an error, never good and never revoked |
///
/// Where the directory does not tell since when, it is since this first saw it.
#[derive(Debug)]
pub struct DirectoryRevocation {
    parts: DirectoryRevocationParts,
    first_seen: FirstSeen,
}

impl DirectoryRevocation {
    /// From its parts.
    pub fn new(parts: DirectoryRevocationParts) -> Self {
        Self { parts, first_seen: FirstSeen::new(FIRST_SEEN_GENERATION) }
    }

    fn object(&self, certificate: CertRef) -> Option<BoundObject> {
        let Resolution::Object(object) = self.parts.binding.resolve(&certificate.serial) else { return None };
        let is_mine = certificate.issuer == self.parts.issuer;
        (is_mine && self.parts.directory.kinds().contains(object.kind())).then_some(object)
    }

    async fn answer(&self, certificate: CertRef) -> Result<StatusReport, SourceError> {
        let asked_at = self.parts.clock.now();
        let Some(object) = self.object(certificate) else {
            return Ok(self.report(Standing::NotMine, asked_at, None));
        };
        if let Some(since) = self.buried(certificate, object).await? {
            return Ok(self.report(ended(since.min(asked_at)), asked_at, None));
        }
        let seen = self.parts.directory.observe(object).await.map_err(unavailable)?;
        let known_at = seen.known_at.unwrap_or(asked_at);
        let standing = self.standing(object, seen.state, known_at);
        Ok(self.report(standing, known_at, seen.reliable_until))
    }

    /// Since when the certificate is revoked because the object that it was issued for was deleted, whatever goes by its
    /// id now.
    async fn buried(
        &self,
        certificate: CertRef,
        object: BoundObject,
    ) -> Result<Option<UnixTime>, SourceError> {
        let Some(tombstone) = self.parts.tombstones.find(object) else { return Ok(None) };
        let issued_at = self.parts.tombstones.issued_at(certificate).await?;
        Ok(issued_at.is_none_or(|issued_at| issued_at <= tombstone.seen_at).then_some(tombstone.since))
    }

    fn standing(&self, object: BoundObject, state: Option<ObjectState>, known_at: UnixTime) -> Standing {
        match state {
            Some(ObjectState::Enabled) => {
                self.first_seen.clear(object);
                Standing::Good
            }
            Some(ObjectState::Disabled { since }) => {
                Standing::Hold { since: self.dated(object, Trouble::Disabled, since, known_at) }
            }
            Some(ObjectState::Gone { since }) => self.bury(object, since, known_at),
            None => self.bury(object, None, known_at),
        }
    }

    fn bury(&self, object: BoundObject, since: Option<UnixTime>, known_at: UnixTime) -> Standing {
        let since = self.dated(object, Trouble::Gone, since, known_at);
        self.parts.tombstones.record(object, Tombstone { seen_at: known_at, since });
        ended(since)
    }

    fn dated(
        &self,
        object: BoundObject,
        trouble: Trouble,
        since: Option<UnixTime>,
        known_at: UnixTime,
    ) -> UnixTime {
        since.unwrap_or_else(|| self.first_seen.note(object, trouble, known_at)).min(known_at)
    }

    fn report(&self, standing: Standing, known_at: UnixTime, until: Option<UnixTime>) -> StatusReport {
        let without_epoch =
            || self.epoch().is_none().then(|| self.parts.clock.now().saturating_add(RELIABLE_FOR));
        StatusReport { standing, known_at, reliable_until: until.or_else(without_epoch) }
    }
}

fn ended(since: UnixTime) -> Standing {
    Standing::Revoked { since, reason: CrlReason::CessationOfOperation }
}

fn unavailable(error: DirectoryError) -> SourceError {
    SourceError::unavailable("the directory", error)
}

impl RevocationSource for DirectoryRevocation {
    fn status(&self, certificate: CertRef) -> BoxFuture<'_, Result<StatusReport, SourceError>> {
        Box::pin(self.answer(certificate))
    }

    fn epoch(&self) -> Option<u64> {
        self.parts.directory.epoch()
    }

    fn name(&self) -> &'static str {
        "directory"
    }
}
