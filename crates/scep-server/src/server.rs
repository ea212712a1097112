//! Puts the parts together, and serves.

use std::{collections::BTreeSet, net::SocketAddr};

use http_listener::Listener;
use ocsp_server::{ServerError, server::listen};
use tokio::sync::watch;

use crate::{
    banner::{Banner, BannerCa},
    commands::FirstRun,
    data_folder::{DataFolder, FolderLock},
    delegate_tls::{DelegatesByCertificate, MutualTls},
    demonstration,
    routes::{PagesOnly, Routes},
    settings::Settings,
    state,
    wiring::{Wiring, url},
};

/// A CA that listens.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    routes: Routes,
    /// What is read about the server, where that has an address of its own.
    aside: Option<(Listener, PagesOnly)>,
    /// Delegates over mutual TLS, which have an address of their own always.
    delegates: Option<(Listener, MutualTls, DelegatesByCertificate)>,
    banner: Banner,
    _lock: FolderLock,
}

impl Server {
    /// Makes or opens the data folder, starts the responder, and listens.
    pub async fn start(settings: &Settings, first_run: FirstRun) -> Result<Self, ServerError> {
        check_names(settings)?;
        state::check(settings)?;
        let lock = FolderLock::take(&settings.data)?;
        let folder = DataFolder::open_or_make(settings).await?;
        if first_run == FirstRun::Demonstration {
            demonstration::write_directory(&settings.data.join(&settings.directory.file))?;
        }
        let listener = listen(&settings.listen, &settings.limits).await?;
        let base = base_url(settings, listener.local_addr());
        let wiring = Wiring::new(settings, folder, base.clone())?;
        let responder = wiring.responder().await?;
        let crls = wiring.crls(&responder)?;
        let scep = wiring.scep(&responder, &crls).await?;
        let urls = settings.profile.iter().map(|profile| (profile.name.clone(), url(&base, &profile.path)));
        let banner = Banner {
            listens: (!settings.base_url.is_empty()).then(|| listener.local_addr()),
            scep: urls.collect(),
            ocsp: wiring.ocsp_url(),
            cas: banner_cas(&wiring, &base),
            data: std::path::absolute(&settings.data).unwrap_or_else(|_| settings.data.clone()),
            trial: wiring.trial(first_run).await?,
        };
        let pages = wiring.pages(&responder);
        let (aside, pages) = match &*settings.metrics.listen {
            "" => (None, pages),
            address => {
                let without = pages.without_metrics();
                (Some((listen(address, &settings.limits).await?, PagesOnly(pages))), without)
            }
        };
        wiring.start_outside();
        let delegates = match wiring.delegates_by_certificate(&responder)? {
            None => None,
            Some((tls, delegates)) => {
                let address = &settings.ocsp.delegate_tls.listen;
                Some((listen(address, &settings.limits).await?, tls, delegates))
            }
        };
        let routes =
            Routes::new(scep, responder.service, wiring.delegates()?, pages, crls, wiring.challenge_pages()?);
        let routes = routes.with_notifications(wiring.notifications());
        Ok(Self { listener, routes, aside, delegates, banner, _lock: lock })
    }

    /// What an operator needs to know first.
    pub fn banner(&self) -> impl std::fmt::Display {
        self.banner.to_string()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// Answers until `stop`, then finishes what has begun.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let stopping = watch::Sender::new(());
        let told = |mut receiver: watch::Receiver<()>| async move {
            // That nobody is left to tell is told as well.
            let _ = receiver.changed().await;
        };
        let aside = self.aside.map(|(listener, pages)| listener.serve(pages, told(stopping.subscribe())));
        let delegates = self
            .delegates
            .map(|(listener, tls, service)| listener.serve_over(tls, service, told(stopping.subscribe())));
        let serve = self.listener.serve(self.routes, told(stopping.subscribe()));
        let stop = async {
            stop.await;
            stopping.send_replace(());
        };
        tokio::join!(
            serve,
            stop,
            async {
                if let Some(aside) = aside {
                    aside.await;
                }
            },
            async {
                if let Some(delegates) = delegates {
                    delegates.await;
                }
            }
        );
    }

    /// Where metrics are shown, where that is an address of its own.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.aside.as_ref().map(|(listener, _)| listener.local_addr())
    }

    /// Where responders get delegates over mutual TLS, where they do.
    pub fn delegate_tls_address(&self) -> Option<SocketAddr> {
        self.delegates.as_ref().map(|(listener, ..)| listener.local_addr())
    }
}

fn base_url(settings: &Settings, address: SocketAddr) -> String {
    match settings.base_url.trim_end_matches('/') {
        "" => format!("http://{address}"),
        configured => configured.to_owned(),
    }
}

fn banner_cas(wiring: &Wiring<'_>, base: &str) -> Vec<BannerCa> {
    let cas = wiring.cas().iter().enumerate();
    cas.map(|(at, ca)| BannerCa {
        id: ca.id.clone(),
        url: if at == 0 { url(base, "/ca") } else { url(base, &format!("/ca/{}", ca.id)) },
        fingerprint: ca.current.issuer.certificate().fingerprint(),
    })
    .collect()
}

/// Two profiles or CAs of one name, or two profiles of one path, would be one by accident.
fn check_names(settings: &Settings) -> Result<(), ServerError> {
    let (mut names, mut paths, mut ids) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for ca in settings.ca.iter() {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if ca.id.is_empty() || ca.id.len() > 32 || !ca.id.chars().all(plain) {
            let problem = "expected 1 to 32 small letters, digits and hyphens";
            return Err(ServerError::new(format_args!("ca.id: {problem}: {:?}", ca.id)));
        }
        if !ids.insert(&*ca.id) {
            return Err(ServerError::new(format_args!("two CAs have the id {:?}", ca.id)));
        }
    }
    for profile in &settings.profile {
        if !names.insert(&profile.name) {
            return Err(ServerError::new(format_args!("two profiles are called {:?}", profile.name)));
        }
        if !paths.insert(profile.path.trim_matches('/')) {
            return Err(ServerError::new(format_args!("two profiles have the path {:?}", profile.path)));
        }
        if settings.ca.find(&profile.ca).is_none() {
            let (name, ca) = (&profile.name, &profile.ca);
            return Err(ServerError::new(format_args!(
                "the profile {name:?} names a CA that is not there: {ca:?}"
            )));
        }
    }
    if names.is_empty() { Err(ServerError::new("expected at least one [[profile]]")) } else { Ok(()) }
}
