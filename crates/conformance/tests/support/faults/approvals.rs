//! Requests that wait for a person. The client polls once while its request waits, a stranger does, and the client polls
//! again when it is approved.

use super::Fault;
use crate::support::broken_scep::{
    Break::{Grant, Refuse},
    is_strangers,
};

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(
        Refuse(|loose| loose.is_type("20") && loose.seen.polls == 0 && !is_strangers(loose.signer.as_ref())),
        &["approval-waiting"],
    ),
    Fault::new(
        Grant(|loose| loose.is_type("20") && is_strangers(loose.signer.as_ref())),
        &["approval-foreign"],
    ),
    Fault::new(Refuse(|loose| loose.is_type("20") && loose.seen.polls == 2), &["approval-issued"]),
];
