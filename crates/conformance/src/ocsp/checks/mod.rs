//! The checks, by what they look at.

mod headers;
mod nonces;
mod questions;
mod requests;
mod responses;
mod signers;
pub(super) mod spelling;
mod statuses;
mod times;
mod transport;

use super::Session;
use crate::Check;

type Checks = &'static [Check<Session>];

pub(super) const ALL: &[Checks] = &[
    headers::CHECKS,
    nonces::CHECKS,
    questions::CHECKS,
    requests::CHECKS,
    responses::CHECKS,
    signers::CHECKS,
    spelling::CHECKS,
    statuses::CHECKS,
    times::CHECKS,
    transport::CHECKS,
];
