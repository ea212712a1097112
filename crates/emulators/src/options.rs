//! What the emulators start with.

use std::{net::IpAddr, net::Ipv4Addr, sync::Arc};

use pki_core::{Certificate, Clock, SystemClock};

/// How to start [`Emulators`](crate::Emulators). The default: ten devices and users of seed 1 on ports that the system
/// chooses.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct Options {
    /// Population, credentials, tokens and challenges are the same for the same seed.
    pub seed: u64,
    /// How many devices each service has.
    pub devices: usize,
    /// How many users each service has; at least one.
    pub users: usize,
    /// How many objects a page of a list has, unless the client asks for fewer.
    pub page_size: usize,
    /// The certificate that Entra has on file for the application, for those who sign instead of telling a secret.
    pub certificate: Option<Certificate>,
    /// When Graph asks for patience.
    pub limits: GraphLimits,
    /// How long tokens of Entra live, in seconds.
    pub token_seconds: u64,
    /// Where to listen.
    pub address: IpAddr,
    /// The first of six ports; 0 for any.
    pub port: u16,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            devices: 10,
            users: 10,
            page_size: 100,
            certificate: None,
            limits: GraphLimits::default(),
            token_seconds: 3599,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            clock: Arc::new(SystemClock),
        }
    }
}

/// How much Graph takes before it asks for patience.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct GraphLimits {
    /// Resource units in ten seconds; a question costs one or two.
    pub units: u32,
    /// Questions about risk in a second.
    pub risk: u32,
}

impl Default for GraphLimits {
    /// A large tenant's: 8000 units, one question about risk.
    fn default() -> Self {
        Self { units: 8000, risk: 1 }
    }
}
