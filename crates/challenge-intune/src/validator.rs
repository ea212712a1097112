//! First enrollments that Intune decides upon.

use std::{fmt, sync::Arc};

use directory::Directory;
use enrollment::{Asked, AskedNames, ChallengeValidator, Outbox, Refusal, Validated};
use pki_core::BoxFuture;

use crate::{IntuneError, IntuneService, ScepTransaction, identity::Identity, notices};

/// What an [`IntuneChallenge`] is made of.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "required collaborators")]
pub struct IntuneChallengeParts {
    /// Is asked.
    pub service: IntuneService,
    /// Knows the devices and users.
    pub directory: Arc<dyn Directory>,
    /// Keeps what Intune is to be told.
    pub outbox: Arc<dyn Outbox>,
    /// The kind of its notices: those that an [`IntuneNotices`](crate::IntuneNotices) of the same kind carries.
    pub kind: String,
}

/// Has Intune decide, binds the certificate to the device or the user that the request names, and has Intune told what
/// became of it.
///
/// | the request names | the object |
/// |---|---|
/// | a user principal name, as alternative name | the user of that name |
/// | otherwise `IntuneDeviceId://UUID`, as alternative name | the Intune device |
/// | otherwise a UUID as commonName | the Intune device of that id, otherwise the Entra device |
///
/// The names may be believed, for Intune has compared them with those that it gave the device. All the same the object
/// must be in the directory. A challenge may be used again until it expires: Intune takes it for the same names only.
pub struct IntuneChallenge(IntuneChallengeParts);

impl IntuneChallenge {
    /// From its parts.
    pub fn new(parts: IntuneChallengeParts) -> Self {
        Self(parts)
    }

    async fn decide(&self, asked: &Asked<'_>) -> Result<Validated, Refusal> {
        if asked.challenge.is_none() {
            return Err(Refusal::ChallengeMissing);
        }
        let transaction = ScepTransaction::new(asked.transaction_id, asked.csr);
        self.0.service.validate(&transaction).await.map_err(refusal)?;
        match self.object(asked).await {
            Ok(object) => Ok(Validated {
                object: Some(object),
                asked_names: AskedNames::Proven,
                notice: notices::of_success(&self.0.kind, transaction),
                ..Validated::default()
            }),
            // Whoever asked does not hear of it: to them it was not let through.
            Err(refusal) => {
                self.tell_of(asked, &refusal).await;
                Err(refusal)
            }
        }
    }

    async fn object(&self, asked: &Asked<'_>) -> Result<serial_binding::BoundObject, Refusal> {
        let identity = Identity::of(asked.csr).map_err(|error| Refusal::Malformed(error.to_string()))?;
        let identity = identity.ok_or_else(|| {
            let problem = "expected CN={{DeviceId}}, CN={{AAD_Device_ID}}, the URI IntuneDeviceId://{{DeviceId}} or the \
                           user principal name: the request names nobody by these";
            Refusal::NamesNotAllowed(problem.into())
        })?;
        identity.find(&*self.0.directory).await?.ok_or(Refusal::ObjectUnknown)
    }

    async fn tell_of(&self, asked: &Asked<'_>, refusal: &Refusal) {
        let transaction = ScepTransaction::new(asked.transaction_id, asked.csr);
        let Some(notice) = notices::of_failure(&self.0.kind, transaction, refusal) else { return };
        if let Err(error) = self.0.outbox.post(asked.transaction, &notice).await {
            tracing::warn!(%error, code = refusal.code(), "Intune will not be told that there is no certificate");
        }
    }
}

impl ChallengeValidator for IntuneChallenge {
    fn validate<'a>(&'a self, asked: &'a Asked<'a>) -> BoxFuture<'a, Result<Validated, Refusal>> {
        Box::pin(self.decide(asked))
    }

    fn refused<'a>(&'a self, asked: &'a Asked<'a>, refusal: &'a Refusal) -> BoxFuture<'a, ()> {
        Box::pin(self.tell_of(asked, refusal))
    }
}

impl fmt::Debug for IntuneChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IntuneChallenge({:?})", self.0.service)
    }
}

/// Whatever is no clear no is an authority that cannot be asked now.
fn refusal(error: IntuneError) -> Refusal {
    match error {
        IntuneError::Rejected { code, why } => {
            Refusal::rejected_by("Intune", &format!("{}: {why}", code.name()))
        }
        IntuneError::Undecided { .. } | IntuneError::Unreachable(_) => {
            Refusal::AuthorityUnavailable(error.to_string())
        }
    }
}
