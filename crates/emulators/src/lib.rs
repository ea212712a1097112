//! Services that Certbound asks, as far as a client can tell: Entra's tokens, Microsoft Graph, Intune's services for
//! certification authorities, Jamf Pro, and a SCIM 2.0 service.
//!
//! They stand on loopback, share one population that is the same for the same seed, and refuse what the real ones
//! refuse. A test, or a person at the control interface, disables and deletes and wipes, and tells a service to have a
//! bad day. The program of the same name serves them for trying things without a tenant; `docs/emulators.md` says how.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use emulators::{Action, Emulators, Fault, Kind, Options, Service};
//!
//! let emulators = Emulators::start(Options { devices: 3, ..Options::default() }).await?;
//! let device = emulators.ids(Kind::IntuneDevice).remove(0);
//! emulators.act(Kind::IntuneDevice, &device, &Action::Wipe)?;
//! emulators.set_fault(Service::Graph, Fault::Throttled { retry_after: Some(5) });
//! assert!(emulators.graph().starts_with("http://127.0.0.1:"));
//! # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
//! ```

mod action;
mod control;
mod credentials;
mod emulators;
mod entities;
mod entra;
mod fault;
mod graph;
mod http;
mod intune;
mod jamf;
mod kind;
mod objects;
mod options;
mod population;
mod quickstart;
mod records;
mod scim;
mod sequence;
mod server;
mod service;
mod tokens;
mod world;

pub use action::{Action, ControlError};
pub use credentials::Credentials;
pub use emulators::Emulators;
pub use fault::{Fault, Faulty};
pub use intune::ChallengeTerms;
pub use kind::Kind;
pub use options::{GraphLimits, Options};
pub use quickstart::Quickstart;
pub use service::Service;
pub use world::Request;
