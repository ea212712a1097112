//! Challenges that are good for one certificate.

use std::{sync::Arc, time::Duration};

use pki_core::{ChallengePassword, Clock, RandomFailed, SecureRandom};
use serial_binding::BoundObject;

use crate::{ChallengeKey, EnrollmentStore, StoreError, StoredChallenge, challenge_text};

/// Makes challenges that are good for one certificate, of one profile, bound to one object, until they expire.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "required collaborators")]
pub struct OneTimeChallenges {
    /// Remembers them.
    pub store: Arc<dyn EnrollmentStore>,
    /// Under which they are remembered; the key of the [`Enroller`](crate::Enroller) that will check them.
    pub key: ChallengeKey,
    /// Tells when they expire.
    pub clock: Arc<dyn Clock>,
    /// Where they come from.
    pub random: Arc<dyn SecureRandom>,
}

impl OneTimeChallenges {
    /// Makes a challenge for `object` and the profile of that name. Only its keyed hash is stored: the text that this
    /// returns (28 letters and digits in groups of four, 140 bits) is shown to its user and is nowhere else.
    pub async fn create(
        &self,
        object: BoundObject,
        profile: &str,
        lifetime: Duration,
    ) -> Result<ChallengePassword, ChallengeError> {
        let challenge = challenge_text::generate(&*self.random)?;
        let now = self.clock.now();
        let stored = StoredChallenge {
            id: self.key.one_time_id(&challenge),
            profile: profile.to_owned(),
            object,
            expires: now.saturating_add(lifetime),
            created: now,
        };
        self.store.add_challenge(&stored).await?;
        Ok(challenge)
    }
}

/// No challenge was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChallengeError {
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomFailed),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}
