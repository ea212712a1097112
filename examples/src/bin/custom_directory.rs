//! A directory of one's own: certificates are as good as the objects they are bound to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use directory::{
    Directory, DirectoryError, DirectoryRevocation, DirectoryRevocationParts, NoTombstones, ObjectNames,
    ObjectState,
};
use examples::Failure;
use keys_software::AwsLc;
use pki_core::{BoxFuture, CertRef, IssuerId, SystemClock};
use revocation::RevocationSource as _;
use serial_binding::{
    BoundObject, KeyId, ObjectId, ObjectKind, SerialBinding as _, SerialBindings, SerialKey,
};

/// Yours asks a database or a service. It must answer `Ok(None)` only when it knows that there is no such object.
#[derive(Debug, Default)]
struct Inventory(Mutex<HashMap<BoundObject, (String, ObjectState)>>);

impl Inventory {
    fn look<T>(
        &self,
        object: BoundObject,
        read: impl Fn(&(String, ObjectState)) -> T,
    ) -> BoxFuture<'_, Result<Option<T>, DirectoryError>>
    where
        T: Send + 'static,
    {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&object).map(read);
        Box::pin(std::future::ready(Ok(found)))
    }
}

impl Directory for Inventory {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        self.look(object, |(_, state)| *state)
    }

    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        self.look(object, |(name, _)| ObjectNames {
            common_names: vec![name.clone()],
            ..ObjectNames::default()
        })
    }

    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        let devices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = devices.iter().find(|(_, (its_name, _))| its_name == name).map(|(object, _)| *object);
        Box::pin(std::future::ready(Ok(found)))
    }

    fn epoch(&self) -> Option<u64> {
        None
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let laptop = BoundObject::new(ObjectKind::DEVICE, ObjectId::Uuid([0x5A; 16]))?;
    let (ca, inventory) = (testkit::ca(), Arc::new(Inventory::default()));
    let key = SerialKey::generate(KeyId::FIRST, &AwsLc)?;
    let binding = Arc::new(SerialBindings::sealed(&key, ca.certificate.public_key()));
    let certificate =
        CertRef { issuer: IssuerId::of(&ca.certificate), serial: binding.bind(&laptop, &AwsLc)? };
    println!("a certificate bound to {laptop} has the serial number {}", certificate.serial);

    let source = DirectoryRevocation::new(DirectoryRevocationParts {
        issuer: certificate.issuer,
        binding,
        directory: Arc::<Inventory>::clone(&inventory),
        tombstones: Arc::new(NoTombstones),
        clock: Arc::new(SystemClock),
    });
    for state in [Some(ObjectState::Enabled), Some(ObjectState::Disabled { since: None }), None] {
        {
            let mut devices = inventory.0.lock().unwrap_or_else(PoisonError::into_inner);
            match state {
                Some(state) => _ = devices.insert(laptop, ("laptop-1".into(), state)),
                None => _ = devices.remove(&laptop),
            }
        }
        let standing = source.status(certificate).await?.standing;
        println!("when the directory says {state:?}: {standing:?}");
    }
    Ok(())
}
