//! Serves what the settings describe.

use std::{cmp::Reverse, collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use http_listener::{Listener, ListenerLimits};
use ocsp_service::OcspService;
use pki_core::{Clock, SystemClock};
use tokio::sync::watch;

use crate::{
    NotificationPages, ServerError,
    pages::{Pages, Routes},
    responder::{Responder, start_together},
    settings::{EndpointSettings, LimitSettings, Settings},
    wiring::Wiring,
};

/// A responder that listens.
#[derive(Debug)]
pub struct Server {
    /// The first is the one that the settings begin with.
    listeners: Vec<(Listener, Routes)>,
    metrics: Option<SocketAddr>,
}

impl Server {
    /// Opens what the settings name, gets the first delegates, and listens. Where a CA elsewhere certifies delegates and
    /// does not answer, it is asked again and again, and clients are told to try later.
    pub async fn start(settings: &Settings) -> Result<Self, ServerError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let parts = Wiring::new(settings, Arc::clone(&clock)).parts()?;
        let notifications: NotificationPages =
            parts.iter().map(|part| part.directories.notifications()).collect();
        let Responder { service, services, .. } = start_together(parts).await?;
        let pages = Pages::new(service.clone(), services, clock);
        let own_metrics = !settings.metrics.listen.is_empty();
        let beside = if own_metrics { pages.without_metrics() } else { pages.clone() };
        let mut listeners = Vec::new();
        for (address, responders) in by_address(settings, &service)? {
            let listener = listen(&address, &settings.limits).await?;
            let routes = Routes::new(beside.clone(), responders).with_notifications(notifications.clone());
            listeners.push((listener, routes));
        }
        let mut metrics = None;
        if own_metrics {
            let listener = listen(&settings.metrics.listen, &settings.limits).await?;
            metrics = Some(listener.local_addr());
            listeners.push((listener, Routes::new(pages, Vec::new())));
        }
        Ok(Self { listeners, metrics })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        let first = self.listeners.first();
        first.map_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)), |(listener, _)| listener.local_addr())
    }

    /// Where else it listens: for the endpoints that have addresses of their own, in the order of the settings.
    pub fn further_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        let addresses = self.listeners.iter().map(|(listener, _)| listener.local_addr()).skip(1);
        addresses.filter(|address| Some(*address) != self.metrics)
    }

    /// Where metrics are shown, where that is an address of its own.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// Answers until `stop`, then finishes what has begun.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let stopping = watch::Sender::new(());
        let mut serving = tokio::task::JoinSet::new();
        for (listener, routes) in self.listeners {
            let mut told = stopping.subscribe();
            serving.spawn(listener.serve(routes, async move {
                // That nobody is left to tell is told as well.
                let _ = told.changed().await;
            }));
        }
        stop.await;
        stopping.send_replace(());
        serving.join_all().await;
    }
}

/// Responders by path, the longest first.
type ByPath = BTreeMap<Reverse<(usize, String)>, OcspService>;

/// Which responders answer at which address: the first address first, the longest path of each first.
fn by_address(
    settings: &Settings,
    service: &OcspService,
) -> Result<Vec<(String, Vec<OcspService>)>, ServerError> {
    let first = EndpointSettings { path: settings.path.clone(), ..EndpointSettings::default() };
    let mut addresses: Vec<(String, ByPath)> = Vec::new();
    for endpoint in [&first].into_iter().chain(&settings.endpoint) {
        let address = if endpoint.listen.is_empty() { &settings.listen } else { &endpoint.listen };
        let base = endpoint.path.parse::<ocsp_proto::BasePath>();
        let base = base.map_err(|error| ServerError::new(format_args!("endpoint.path: {error}")))?;
        let place = Reverse((base.as_str().len(), base.as_str().to_owned()));
        let mut responder = service.clone().with_base_path(base);
        if let Some(nonces) = endpoint.nonces {
            responder = responder.with_nonces(nonces.into());
        }
        if !addresses.iter().any(|(known, _)| known == address) {
            addresses.push((address.clone(), ByPath::new()));
        }
        let paths = addresses.iter_mut().find(|(known, _)| known == address).map(|(_, paths)| paths);
        if paths.and_then(|paths| paths.insert(place, responder)).is_some() {
            let problem = format_args!("two endpoints of {address} have the path {:?}", endpoint.path);
            return Err(ServerError::new(problem));
        }
    }
    Ok(addresses.into_iter().map(|(address, paths)| (address, paths.into_values().collect())).collect())
}

/// Listens at `address` within `limits`.
pub async fn listen(address: &str, limits: &LimitSettings) -> Result<Listener, ServerError> {
    let limits = ListenerLimits {
        header_timeout: Duration::from_secs(limits.header_seconds),
        max_connections: limits.connections,
        max_connections_per_ip: Some(limits.connections_per_address),
        ..ListenerLimits::default()
    };
    Listener::bind(address, limits).await.map_err(|error| {
        ServerError::new(format_args!(
            "cannot listen on {address}: {error}; name another address with --listen, such as 127.0.0.1:0 for any free port"
        ))
    })
}
