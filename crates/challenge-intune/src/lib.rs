//! Enrollment that Microsoft Intune has the say of.
//!
//! Devices that Intune manages get a SCEP profile, and with it a challenge that only Intune can read: it says which names,
//! usages and key a request may have. An [`IntuneService`] finds Intune's services through Microsoft Graph and asks them:
//! may this request have a certificate ([`IntuneService::validate`]), told what became of it
//! ([`IntuneService::notify_success`], [`IntuneService::notify_failure`]), and asks which certificates are to be revoked
//! ([`IntuneService::download_revocations`]).
//!
//! [`IntuneChallenge`] is that as the authority of an enrollment profile; [`IntuneNotices`] tells Intune what became of the
//! requests, again and again until it has heard.

mod identity;
mod notices;
mod result_code;
mod revocations;
mod scep_actions;
mod service;
mod validator;

use std::fmt::Write as _;

pub use notices::IntuneNotices;
pub use result_code::{ResultCode, Verdict};
pub use revocations::{IntuneRevocation, MAX_REVOCATIONS, RevocationResult};
pub use scep_actions::{HResult, IntuneError, ScepTransaction};
pub use service::{IntuneService, IntuneServiceParts};
pub use validator::{IntuneChallenge, IntuneChallengeParts};

/// In lower case.
fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        // Text in memory takes everything.
        let _ = write!(text, "{octet:02x}");
        text
    })
}
