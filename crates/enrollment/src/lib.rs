//! Decides who may have a certificate.

mod store;

pub use store::{EarlierRequest, EnrollmentStore, StoreError, StoredChallenge};
