//! Challenges and transactions.

use enrollment::{
    EarlierRequest, EnrollmentStore, PendingRequest, QueueOutcome, QueuedRequest, StoreError, StoredChallenge,
};
use issuance::{ChallengeId, TransactionKey};
use pki_core::{BoxFuture, CertRef, Certificate, UnixTime};
use rusqlite::{OptionalExtension as _, Row, params};

use crate::{Ledger, challenges, encoding, issuance_log, pending};

impl EnrollmentStore for Ledger {
    fn recall(
        &self,
        transaction: TransactionKey,
        not_before: UnixTime,
    ) -> BoxFuture<'_, Result<Option<EarlierRequest>, StoreError>> {
        let read = self
            .reader()
            .read(|connection| issuance_log::earlier(connection, transaction.as_bytes(), not_before));
        let earlier = read.map(|found| found.map(|(request, outcome)| EarlierRequest { request, outcome }));
        Box::pin(std::future::ready(earlier.map_err(StoreError::new)))
    }

    fn add_challenge<'a>(&'a self, challenge: &'a StoredChallenge) -> BoxFuture<'a, Result<(), StoreError>> {
        const SQL: &str =
            "INSERT INTO challenge (id, profile, object, created, expires) VALUES (?, ?, ?, ?, ?)";
        let challenge = challenge.clone();
        Box::pin(async move {
            let written = self.writer().write(move |connection| {
                connection.prepare_cached(SQL)?.execute(params![
                    challenge.id.as_bytes(),
                    challenge.profile,
                    encoding::object_octets(challenge.object),
                    encoding::seconds(challenge.created),
                    encoding::seconds(challenge.expires),
                ])
            });
            written.await.map(drop).map_err(StoreError::new)
        })
    }

    fn live_challenge(
        &self,
        id: ChallengeId,
        now: UnixTime,
    ) -> BoxFuture<'_, Result<Option<StoredChallenge>, StoreError>> {
        const SQL: &str = "SELECT profile, object, created, expires FROM challenge \
                           WHERE id = ? AND spent_by IS NULL AND burnt IS NULL AND expires >= ?";
        let read = self.reader().read(|connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            statement
                .query_row(params![id.as_bytes(), encoding::seconds(now)], |row| challenge(id, row))
                .optional()
        });
        Box::pin(std::future::ready(read.map_err(StoreError::new)))
    }

    fn profile_of(&self, certificate: CertRef) -> BoxFuture<'_, Result<Option<String>, StoreError>> {
        const SQL: &str = "SELECT profile FROM certificate \
                           WHERE serial = ? AND issuer = (SELECT id FROM issuer WHERE octets = ?)";
        let read = self.reader().read(|connection| {
            let key = params![certificate.serial.as_be_bytes(), certificate.issuer.as_bytes()];
            connection.prepare_cached(SQL)?.query_row(key, |row| row.get("profile")).optional()
        });
        Box::pin(std::future::ready(read.map_err(StoreError::new)))
    }

    fn certificate(&self, certificate: CertRef) -> BoxFuture<'_, Result<Option<Certificate>, StoreError>> {
        let found = self.reader().certificate(certificate);
        let found = found.map(|record| record.and_then(|record| record.issued));
        Box::pin(std::future::ready(found.map_err(StoreError::new)))
    }

    fn queue<'a>(&'a self, request: &'a PendingRequest) -> BoxFuture<'a, Result<QueueOutcome, StoreError>> {
        let request = request.clone();
        Box::pin(async move {
            let written = self.writer().write(move |connection| pending::enqueue(connection, &request));
            written.await.map_err(StoreError::new)
        })
    }

    fn queued(
        &self,
        transaction: TransactionKey,
    ) -> BoxFuture<'_, Result<Option<QueuedRequest>, StoreError>> {
        let found = self.reader().read(|connection| pending::of_transaction(connection, transaction));
        Box::pin(std::future::ready(found.map_err(StoreError::new)))
    }

    fn polled(&self, poll: TransactionKey) -> BoxFuture<'_, Result<Option<QueuedRequest>, StoreError>> {
        let found = self.reader().read(|connection| pending::of_poll(connection, poll));
        Box::pin(std::future::ready(found.map_err(StoreError::new)))
    }

    fn burn_challenge<'a>(
        &'a self,
        id: ChallengeId,
        now: UnixTime,
        why: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        const SQL: &str = "UPDATE challenge SET burnt = ?, why = ? \
                           WHERE id = ? AND spent_by IS NULL AND burnt IS NULL AND expires >= ?";
        let why = why.to_owned();
        Box::pin(async move {
            let now = encoding::seconds(now);
            let written = self.writer().write(move |connection| {
                connection.prepare_cached(SQL)?.execute(params![now, why, id.as_bytes(), now])
            });
            written.await.map(|burnt| burnt == 1).map_err(StoreError::new)
        })
    }

    fn burn_unseen<'a>(
        &'a self,
        challenge: &'a StoredChallenge,
        why: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (challenge, why) = (challenge.clone(), why.to_owned());
        Box::pin(async move {
            let written =
                self.writer().write(move |connection| challenges::burn_unseen(connection, &challenge, &why));
            written.await.map_err(StoreError::new)
        })
    }
}

fn challenge(id: ChallengeId, row: &Row<'_>) -> rusqlite::Result<StoredChallenge> {
    Ok(StoredChallenge {
        id,
        profile: row.get("profile")?,
        object: encoding::object(row, "object")?.ok_or_else(|| encoding::damaged("object", "an object"))?,
        expires: encoding::time(row, "expires")?,
        created: encoding::time(row, "created")?,
    })
}
