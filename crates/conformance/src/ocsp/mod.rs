//! OCSP ([RFC 6960](https://www.rfc-editor.org/rfc/rfc6960), [RFC 9919](https://www.rfc-editor.org/rfc/rfc9919),
//! [RFC 9654](https://www.rfc-editor.org/rfc/rfc9654)): a client that behaves, and one that does not.

mod checks;
pub mod message;
mod question;
mod sections;
mod session;

use std::collections::BTreeSet;

pub use session::{Session, Target};

use crate::{Check, Report, clause::order, program::RunError};

/// Every check, in the order of the documents.
pub fn checks() -> Vec<&'static Check<Session>> {
    let mut checks: Vec<_> = checks::ALL.iter().copied().flatten().collect();
    checks.sort_by_key(|check| order(&["RFC 6960", "RFC 9919", "RFC 9654"], check.clause.section));
    checks
}

/// Runs the checks whose names `wanted` wants, and tells `progress` each name before its check.
pub fn run(
    target: Target,
    wanted: impl Fn(&str) -> bool,
    progress: &mut dyn FnMut(&str),
) -> Result<Report, RunError> {
    let mut report = Report::new("OCSP", target.endpoint.to_string());
    let mut session = Session::new(target);
    let question = session.question();
    if let Err(error) = session.ask(&question) {
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
