//! All of them together.

use std::{collections::HashMap, io, net::SocketAddr, sync::Arc};

use http_listener::{Listener, ListenerLimits};
use hyper::service::service_fn;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    Action, ChallengeTerms, ControlError, Credentials, Faulty, Kind, Options, Service, graph, intune, server,
    world::{Request, World},
};

/// Services that run until this is dropped.
///
/// Everything that the control interface does can be done here by call.
#[derive(Debug)]
pub struct Emulators {
    world: Arc<World>,
    tasks: JoinSet<()>,
}

impl Emulators {
    /// Starts all services. Must run within a tokio runtime with time and I/O enabled.
    pub async fn start(options: Options) -> io::Result<Self> {
        let mut listeners = Vec::new();
        for (service, at) in Service::ALL.into_iter().zip(0_u16..) {
            let port = if options.port == 0 { 0 } else { options.port.saturating_add(at) };
            let address = SocketAddr::new(options.address, port);
            let listener = Listener::bind(address, limits()).await;
            let explain = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
            listeners.push((service, listener.map_err(explain)?));
        }
        let urls: HashMap<_, _> = listeners
            .iter()
            .map(|(service, listener)| (*service, format!("http://{}", listener.local_addr())))
            .collect();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let world = Arc::new(World::new(options, urls, client.map_err(io::Error::other)?));
        let mut tasks = JoinSet::new();
        for (service, listener) in listeners {
            let world = Arc::clone(&world);
            let answer = service_fn(move |request| server::serve(Arc::clone(&world), service, request));
            tasks.spawn(listener.serve(answer, std::future::pending()));
        }
        tasks.spawn(graph::deliver(Arc::clone(&world)));
        Ok(Self { world, tasks })
    }

    /// Where tokens of Entra come from; stands for `https://login.microsoftonline.com`, and for the endpoint of a managed
    /// identity.
    pub fn entra(&self) -> &str {
        self.world.url(Service::Entra)
    }

    /// Stands for `https://graph.microsoft.com`.
    pub fn graph(&self) -> &str {
        self.world.url(Service::Graph)
    }

    /// Where Intune's services are; clients find them through Graph.
    pub fn intune(&self) -> &str {
        self.world.url(Service::Intune)
    }

    /// Stands for `https://example.jamfcloud.com`.
    pub fn jamf(&self) -> &str {
        self.world.url(Service::Jamf)
    }

    /// The SCIM service's base.
    pub fn scim(&self) -> String {
        format!("{}/scim/v2", self.scim_root())
    }

    /// Where the SCIM service's server is, without a path.
    pub fn scim_root(&self) -> &str {
        self.world.url(Service::Scim)
    }

    /// A secret for profiles with a static challenge, as the seed has it.
    pub(crate) fn challenge_for_everybody(&self) -> String {
        self.world.sequence.text("static challenge", 0)
    }

    /// The control interface.
    pub fn control(&self) -> &str {
        self.world.url(Service::Control)
    }

    /// Who is let in.
    pub fn credentials(&self) -> &Credentials {
        &self.world.credentials
    }

    /// The ids of all objects of a kind that live, the oldest first.
    pub fn ids(&self, kind: Kind) -> Vec<String> {
        self.world.state().objects.of(kind).ids(0, usize::MAX)
    }

    /// An object, by its id or another key, as its service shows it; `None` when there is none that lives.
    pub fn object(&self, kind: Kind, key: &str) -> Option<Value> {
        self.world.object(kind, key)
    }

    /// Makes an object and returns its id. `properties` are those that [`object`](Self::object) shows; what they leave out
    /// has a default. An `id` among them must be new.
    pub fn create(&self, kind: Kind, properties: &Value) -> Result<String, ControlError> {
        self.world.create(kind, properties)
    }

    /// Changes an object, and returns its id.
    pub fn act(&self, kind: Kind, key: &str, action: &Action) -> Result<String, ControlError> {
        self.world.act(kind, key, action)
    }

    /// Gives a service a bad day, in place of what it had.
    pub fn set_fault(&self, service: Service, fault: impl Into<Faulty>) {
        self.world.set_faults(service, vec![fault.into()]);
    }

    /// Ends a service's bad day.
    pub fn clear_faults(&self, service: Service) {
        self.world.set_faults(service, Vec::new());
    }

    /// The challenge that Intune gives to a device.
    pub fn challenge(&self, terms: ChallengeTerms) -> Result<String, ControlError> {
        intune::make_challenge(&self.world, terms)
    }

    /// What Intune was told of issued and refused certificates, in that order.
    pub fn notifications(&self) -> Vec<Value> {
        self.world.state().intune.notifications.clone()
    }

    /// No token that was handed out is good any more.
    pub fn revoke_tokens(&self) {
        self.world.state().tokens.clear();
    }

    /// Graph says of every delta token that it is too old.
    pub fn expire_delta_tokens(&self) {
        self.world.state().graph.expire_delta_tokens();
    }

    /// The last requests to all services.
    pub fn requests(&self) -> Vec<Request> {
        self.world.requests()
    }

    /// Runs until `stop` completes.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        stop.await;
        self.tasks.shutdown().await;
    }
}

/// Clients keep their connections for longer than devices do, and all come from one address.
fn limits() -> ListenerLimits {
    ListenerLimits {
        header_timeout: std::time::Duration::from_secs(600),
        max_connections_per_ip: None,
        ..ListenerLimits::default()
    }
}
