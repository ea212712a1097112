//! SCEP ([RFC 8894](https://www.rfc-editor.org/rfc/rfc8894)): a client that behaves, and one that does not.

mod checks;
pub mod cms;
mod draft;
mod password;
mod reply;
mod sections;
mod session;
mod target;
mod weak;

use std::collections::BTreeSet;

pub use session::Session;
pub use target::{ApprovalSource, Approvals, ChallengeSource, Challenges, Keys, Target};

use crate::{Check, Report, clause::order, program::RunError};

/// Every check, in the order of the document.
pub fn checks() -> Vec<&'static Check<Session>> {
    let mut checks: Vec<_> = checks::ALL.iter().copied().flatten().collect();
    checks.sort_by_key(|check| order(&["RFC 8894"], check.clause.section));
    checks
}

/// Runs the checks whose names `wanted` wants, and tells `progress` each name before its check.
pub fn run(
    mut target: Target,
    wanted: impl Fn(&str) -> bool,
    progress: &mut dyn FnMut(&str),
) -> Result<Report, RunError> {
    let keys = match target.keys.take() {
        Some(keys) => keys,
        None => Keys::generate().map_err(|error| RunError::Local(error.to_string()))?,
    };
    let mut report = Report::new("SCEP", target.endpoint.to_string());
    let mut session = Session::new(target, keys);
    if let Err(error) = session.ask("GetCACaps").and_then(|_| session.ask("GetCACert")) {
        return Err(RunError::Unreachable(format!("{}: {error}", report.target)));
    }
    session.take_exchanges();
    report.judge(checks(), &mut session, Session::take_exchanges, wanted, progress);
    Ok(report)
}

/// The names of all checks.
pub fn check_names() -> BTreeSet<&'static str> {
    checks().into_iter().map(|check| check.id).collect()
}
