//! What runs out, and how the CRLs stand, for Prometheus.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use ledger::LedgerReader;
use pki_core::{Certificate, Clock, Crl, UnixTime};
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
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

/// What is told of CRLs.
#[derive(Debug, Clone, Default)]
pub(crate) struct CrlGauges {
    number: Family<Labels, Gauge<f64, AtomicU64>>,
    entries: Family<Labels, Gauge>,
    this_update: Family<Labels, Gauge>,
    next_update: Family<Labels, Gauge>,
    failures: Family<Labels, Counter>,
}

/// The same, of one generation of a CA.
#[derive(Debug, Clone)]
pub(crate) struct CaCrlGauges {
    gauges: CrlGauges,
    labels: Labels,
}

impl CrlGauges {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let Self { number, entries, this_update, next_update, failures } = self;
        registry.register("certbound_crl_number", "cRLNumber of the list in force", number.clone());
        registry.register("certbound_crl_entries", "Entries of the list in force", entries.clone());
        let help = "When the list in force was made, in seconds since 1970; its age is time() less this";
        registry.register("certbound_crl_this_update_seconds", help, this_update.clone());
        let help = "When the next list is there at the latest, in seconds since 1970";
        registry.register("certbound_crl_next_update_seconds", help, next_update.clone());
        let help = "Attempts to publish a list that failed; the last list serves until it runs out";
        registry.register("certbound_crl_publishing_failures", help, failures.clone());
    }

    /// Of the CA of that id and certificate, whose failures count from zero.
    pub(crate) fn of(&self, id: &str, certificate: &Certificate) -> CaCrlGauges {
        let key = certificate.public_key().key_identifier();
        let key = key.iter().take(8).fold(String::new(), |text, octet| format!("{text}{octet:02x}"));
        let labels = vec![("ca", id.to_owned()), ("key", key)];
        self.failures.get_or_create(&labels).inc_by(0);
        CaCrlGauges { gauges: self.clone(), labels }
    }
}

impl CaCrlGauges {
    /// That list is in force.
    pub(crate) fn show(&self, kind: &'static str, crl: &Crl) {
        let mut labels = self.labels.clone();
        labels.push(("kind", kind.to_owned()));
        let seconds = |time: UnixTime| i64::try_from(time.0).unwrap_or(i64::MAX);
        let number = crl.number().and_then(|number| number.to_string().parse().ok());
        self.gauges.number.get_or_create(&labels).set(number.unwrap_or_default());
        self.gauges.entries.get_or_create(&labels).set(i64::try_from(crl.len()).unwrap_or(i64::MAX));
        self.gauges.this_update.get_or_create(&labels).set(seconds(crl.this_update()));
        let next = crl.next_update().unwrap_or(UnixTime::MAX);
        self.gauges.next_update.get_or_create(&labels).set(seconds(next));
    }

    /// None could be published.
    pub(crate) fn count_failure(&self) {
        self.gauges.failures.get_or_create(&self.labels).inc();
    }
}
