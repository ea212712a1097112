//! The checks, by what they look at.

mod algorithms;
mod attributes;
mod authorization;
mod ca_certificates;
mod capabilities;
mod cert_rep;
mod enrollment;
mod envelopes;
mod failures;
mod get;
mod next_ca;
mod queries;
mod renewal;
mod requests;
mod resources;
mod signatures;
mod transactions;
mod transport;

use super::Session;
use crate::Check;

type Checks = &'static [Check<Session>];

pub(super) const ALL: &[Checks] = &[
    algorithms::CHECKS,
    attributes::CHECKS,
    authorization::CHECKS,
    ca_certificates::CHECKS,
    capabilities::CHECKS,
    cert_rep::CHECKS,
    enrollment::CHECKS,
    envelopes::CHECKS,
    failures::CHECKS,
    get::CHECKS,
    next_ca::CHECKS,
    queries::CHECKS,
    renewal::CHECKS,
    requests::CHECKS,
    resources::CHECKS,
    signatures::CHECKS,
    transactions::CHECKS,
    transport::CHECKS,
];
