//! An OCSP responder over a table of statuses in memory.

use std::{collections::HashMap, sync::Arc, time::Duration};

use examples::{Failure, check};
use http_listener::{Listener, ListenerLimits};
use issuance::Issuer;
use keys_software::{AwsLc, EcdsaKey};
use ocsp_service::{DelegateKeeper, DelegateParts, FixedDelegate, OcspParts, OcspService};
use pki_core::{Clock as _, CrlReason, SerialNumber, SigningKey as _, SystemClock, UnixTime, Validity};
use revocation::{Standing, StatusReport, source_fn};

async fn serve(listener: Listener, statuses: HashMap<SerialNumber, Standing>) -> Result<(), Failure> {
    let (ca, clock, now) = (testkit::ca(), Arc::new(SystemClock), SystemClock.now());

    // The CA certifies a key for OCSP alone. A fixed one is good until it expires; a source of your own makes new ones.
    let key = EcdsaKey::generate_p256()?;
    let validity = Validity::new(now.saturating_sub(HOUR), now.saturating_add(DAY))?;
    let (name, issuer) = ("CN=Example OCSP".parse()?, Issuer::of_key(ca.certificate.clone(), &*ca.key)?);
    let delegate = issuer.create_ocsp_delegate(&name, key.public_key(), validity, &*ca.key, &AwsLc).await?;
    let keeper = DelegateKeeper::start(DelegateParts {
        issuer: ca.certificate,
        source: Arc::new(FixedDelegate::new(delegate, Arc::new(key))),
        clock: clock.clone(),
        verifier: Arc::new(AwsLc),
    })
    .await?;

    let source = source_fn(move |certificate| {
        let standing = statuses.get(&certificate.serial).copied().unwrap_or(Standing::NotMine);
        Ok(StatusReport { standing, known_at: SystemClock.now(), reliable_until: None })
    });
    let service = OcspService::new(OcspParts { issuers: vec![keeper], source: Arc::new(source), clock });
    listener.serve(service, std::future::pending()).await;
    Ok(())
}

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let revoked = Standing::Revoked { since: UnixTime(1_700_000_000), reason: CrlReason::KeyCompromise };
    let statuses = HashMap::from([("01".parse()?, Standing::Good), ("02".parse()?, revoked)]);
    let listener = Listener::bind("127.0.0.1:0", ListenerLimits::default()).await?;
    let address = listener.local_addr();
    let server = tokio::spawn(serve(listener, statuses));
    for serial in 1..=3 {
        let status = check(address, &testkit::ca().certificate, &[serial]).await?;
        println!("http://{address}/ says of certificate {serial}: {status:?}");
    }
    server.abort();
    Ok(())
}
