//! Issues without a record: a repeated request makes the same certificate, octet by octet, at any of a CA's instances.
//!
//! With a ledger, a repeated transaction gets the certificate on record. Without one, whatever chance and the clock would
//! have decided must follow from the request. [`RequestDerivation`] has the serial number's nonce and the dates follow
//! from it, under a [`DerivationKey`] that all instances of the CA have; a key whose signature of a message is always
//! the same does the rest. [`NoRecord`] stands where the ledger would: it remembers nothing, and says so.
//!
//! `docs/without-a-ledger.md` has the rules, and what a site without a ledger does not have.

mod derivation;
mod derivation_key;
mod moment;
mod no_record;

pub use derivation::RequestDerivation;
pub use derivation_key::DerivationKey;
pub use no_record::NoRecord;
