//! What runs out, for Prometheus.

use std::{sync::Arc, time::Duration};

use ledger::LedgerReader;
use pki_core::Clock;
use prometheus_client::{
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::ca_folder::{CaFolder, Generation};

/// Counting reads all of the table of certificates.
const COUNT_EVERY: Duration = Duration::from_secs(300);

const DAY: Duration = Duration::from_secs(86_400);

/// What is counted as running out soon.
const HORIZONS: [(Duration, &str); 3] =
    [(DAY, "1d"), (DAY.saturating_mul(7), "7d"), (DAY.saturating_mul(30), "30d")];

type Labels = Vec<(&'static str, String)>;

/// When the certificates of CAs and RAs end, so that somebody is told in time.
pub(crate) fn register_ends(registry: &mut Registry, cas: &[CaFolder]) {
    let ends = Family::<Labels, Gauge>::default();
    let show = |ca: &CaFolder, generation: &'static str, of: &Generation| {
        for (what, certificate) in [("ca", of.issuer.certificate()), ("ra", &of.ra_certificate)] {
            let labels = [("ca", &*ca.id), ("generation", generation), ("certificate", what)];
            let labels = labels.map(|(name, value)| (name, value.to_owned())).to_vec();
            let end = i64::try_from(certificate.validity().not_after().0).unwrap_or(i64::MAX);
            ends.get_or_create(&labels).set(end);
        }
    };
    for ca in cas {
        show(ca, "at-work", &ca.current);
        ca.next.iter().for_each(|next| show(ca, "next", next));
    }
    let help = "When certificates of CAs and RAs end, in seconds since 1970";
    registry.register("certbound_ca_certificate_end_seconds", help, ends);
}

/// Counts from now on, for as long as the runtime lives, the certificates that run out and have no successor.
pub(crate) fn watch_expiring(registry: &mut Registry, ledger: LedgerReader, clock: Arc<dyn Clock>) {
    let gauge = Family::<Labels, Gauge>::default();
    let help = "Certificates that end within a time, are not revoked and have no successor";
    registry.register("certbound_certificates_expiring", help, gauge.clone());
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(COUNT_EVERY);
        loop {
            ticks.tick().await;
            let (ledger, clock, gauge) = (ledger.clone(), Arc::clone(&clock), gauge.clone());
            let counted = tokio::task::spawn_blocking(move || count_expiring(&ledger, &*clock, &gauge)).await;
            if let Ok(Err(error)) = counted {
                tracing::warn!(%error, "certificates that run out cannot be counted");
            }
        }
    });
}

fn count_expiring(
    ledger: &LedgerReader,
    clock: &dyn Clock,
    gauge: &Family<Labels, Gauge>,
) -> Result<(), ledger::LedgerError> {
    for counted in ledger.expiring(clock.now(), &HORIZONS.map(|(horizon, _)| horizon))? {
        for (count, (_, within)) in counted.within.iter().zip(HORIZONS) {
            let labels = vec![("profile", counted.profile.clone()), ("within", within.to_owned())];
            gauge.get_or_create(&labels).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
    }
    Ok(())
}
