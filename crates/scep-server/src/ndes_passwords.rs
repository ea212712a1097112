//! Challenges as Microsoft's NDES hands them out: 16 hexadecimal digits, for whichever object asks, few at a time.

use std::{
    future::ready,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use enrollment::{Asked, ChallengeKey, ChallengeValidator, Refusal, RefusalClass, Validated};
use issuance::{ChallengeId, Spend, TransactionKey};
use pki_core::{BoxFuture, ChallengePassword, RandomFailed, SecureRandom, UnixTime};

/// The challenges of one profile that were handed out and not used. They are kept in memory, as NDES keeps them: a restart
/// forgets them, and instances do not know each other's.
#[derive(Debug)]
pub(crate) struct NdesPasswords {
    key: ChallengeKey,
    lifetime: Duration,
    most: usize,
    handed_out: Mutex<Vec<HandedOut>>,
}

#[derive(Debug)]
struct HandedOut {
    id: ChallengeId,
    expires: UnixTime,
    /// Who uses it. Nobody else can, whatever becomes of that.
    used_by: Option<TransactionKey>,
}

/// Why there is no challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPassword {
    /// As many as may are outstanding.
    Full,
    /// No randomness.
    Random,
}

impl From<RandomFailed> for NoPassword {
    fn from(_: RandomFailed) -> Self {
        Self::Random
    }
}

impl NdesPasswords {
    /// At most `most` outstanding at a time, each good for `lifetime`. Hashed with `key` in memory and on record.
    pub(crate) fn new(key: ChallengeKey, lifetime: Duration, most: usize) -> Self {
        Self { key, lifetime, most, handed_out: Mutex::default() }
    }

    /// A fresh one.
    pub(crate) fn hand_out(
        &self,
        random: &dyn SecureRandom,
        now: UnixTime,
    ) -> Result<ChallengePassword, NoPassword> {
        let mut octets = [0; 8];
        random.fill(&mut octets)?;
        let text = format!("{:016X}", u64::from_be_bytes(octets));
        let password = ChallengePassword::new(text);
        let mut handed_out = self.live(now);
        if handed_out.iter().filter(|one| one.used_by.is_none()).count() >= self.most {
            return Err(NoPassword::Full);
        }
        let expires = now.saturating_add(self.lifetime);
        handed_out.push(HandedOut { id: self.key.one_time_id(&password), expires, used_by: None });
        Ok(password)
    }

    fn live(&self, now: UnixTime) -> MutexGuard<'_, Vec<HandedOut>> {
        let mut handed_out = self.handed_out.lock().unwrap_or_else(PoisonError::into_inner);
        handed_out.retain(|one| one.expires >= now);
        handed_out
    }

    fn check(&self, asked: &Asked<'_>) -> Result<Validated, Refusal> {
        let id = self.key.one_time_id(asked.challenge.ok_or(Refusal::ChallengeMissing)?);
        let mut handed_out = self.live(asked.now);
        let found = handed_out.iter_mut().find(|one| one.id == id).ok_or(Refusal::ChallengeUnknown)?;
        if found.used_by.is_some_and(|user| user != asked.transaction) {
            return Err(Refusal::ChallengeUnknown);
        }
        found.used_by = Some(asked.transaction);
        let spends = Some(Spend::SelfChecking { id, expires: found.expires });
        Ok(Validated { spends, ..Validated::default() })
    }

    /// The user goes on without it for now, and may come again.
    fn give_back(&self, asked: &Asked<'_>) {
        let mut handed_out = self.live(asked.now);
        let used = handed_out.iter_mut().filter(|one| one.used_by == Some(asked.transaction));
        used.for_each(|one| one.used_by = None);
    }
}

impl ChallengeValidator for NdesPasswords {
    fn validate<'a>(&'a self, asked: &'a Asked<'a>) -> BoxFuture<'a, Result<Validated, Refusal>> {
        Box::pin(ready(self.check(asked)))
    }

    fn refused<'a>(&'a self, asked: &'a Asked<'a>, refusal: &'a Refusal) -> BoxFuture<'a, ()> {
        if refusal.class() == RefusalClass::TryLater {
            self.give_back(asked);
        }
        Box::pin(ready(()))
    }
}

#[cfg(test)]
mod tests {
    use pki_core::{
        CertificationRequest, Name, RequestedExtensions, SigningKey as _, UnsignedCertificationRequest,
    };
    use testkit::{NOW, SeededRandom, block_on};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn passwords() -> NdesPasswords {
        NdesPasswords::new(ChallengeKey::new([1; 32]), HOUR, 2)
    }

    fn csr() -> CertificationRequest {
        let (key, name) = (testkit::keys::p256(), Name::of_common_name("laptop-1"));
        let unsigned =
            UnsignedCertificationRequest::new(&name, key.public_key(), None, &RequestedExtensions::default());
        let signature = block_on(key.sign(unsigned.tbs())).unwrap();
        unsigned.finish(key.algorithm(), &signature).unwrap()
    }

    fn ask(
        passwords: &NdesPasswords,
        challenge: &ChallengePassword,
        id: u8,
        now: UnixTime,
    ) -> Result<Validated, Refusal> {
        let csr = csr();
        block_on(passwords.validate(&asked(&csr, challenge, id, now)))
    }

    fn asked<'a>(
        csr: &'a CertificationRequest,
        challenge: &'a ChallengePassword,
        id: u8,
        now: UnixTime,
    ) -> Asked<'a> {
        let transaction = TransactionKey::new("ndes", &[id], &[0; 32]);
        Asked { profile: "ndes", transaction_id: b"1", transaction, csr, challenge: Some(challenge), now }
    }

    #[test]
    fn five_or_so_are_outstanding_and_a_used_one_makes_room() {
        let (passwords, random) = (passwords(), SeededRandom::new(1));
        let first = passwords.hand_out(&random, NOW).unwrap();
        assert_eq!(first.expose().len(), 16);
        assert!(first.expose().bytes().all(|digit| digit.is_ascii_digit() || (b'A'..=b'F').contains(&digit)));
        passwords.hand_out(&random, NOW).unwrap();
        assert_eq!(passwords.hand_out(&random, NOW).unwrap_err(), NoPassword::Full);
        ask(&passwords, &first, 1, NOW).unwrap();
        passwords.hand_out(&random, NOW).unwrap();
        let later = NOW.saturating_add(HOUR + Duration::from_secs(1));
        passwords.hand_out(&random, later).unwrap();
        assert_eq!(passwords.handed_out.lock().unwrap().len(), 1, "what has expired is forgotten");
    }

    #[test]
    fn row_13_each_is_good_once_until_its_last_second() {
        let (passwords, random) = (passwords(), SeededRandom::new(2));
        let password = passwords.hand_out(&random, NOW).unwrap();
        let end = NOW.saturating_add(HOUR);
        let first = ask(&passwords, &password, 1, end).unwrap();
        assert!(matches!(first.spends, Some(Spend::SelfChecking { expires, .. }) if expires == end));
        assert_eq!(ask(&passwords, &password, 1, end), Ok(first), "a repeat of the same transaction");
        assert_eq!(ask(&passwords, &password, 2, end), Err(Refusal::ChallengeUnknown));
        let late = passwords.hand_out(&random, NOW).unwrap();
        let after = NOW.saturating_add(HOUR + Duration::from_secs(1));
        assert_eq!(ask(&passwords, &late, 3, after), Err(Refusal::ChallengeUnknown));
    }

    #[test]
    fn an_outage_gives_it_back_and_a_refusal_does_not() {
        let (passwords, random, csr) = (passwords(), SeededRandom::new(3), csr());
        let password = passwords.hand_out(&random, NOW).unwrap();
        let request = asked(&csr, &password, 1, NOW);
        for (refusal, other) in
            [(Refusal::DirectoryUnavailable("x".into()), true), (Refusal::ObjectUnknown, false)]
        {
            ask(&passwords, &password, 1, NOW).unwrap();
            block_on(passwords.refused(&request, &refusal));
            assert_eq!(ask(&passwords, &password, 2, NOW).is_ok(), other, "{refusal}");
            block_on(
                passwords.refused(&asked(&csr, &password, 2, NOW), &Refusal::StoreUnavailable("x".into())),
            );
        }
    }
}
