//! The CAs that are answered for, each with its delegates.

use std::sync::Arc;

use ocsp_proto::{CertId, Delegate, Issuer, Request};

use crate::{DelegateKeeper, Refusal, delegate_keeper::ActiveDelegate};

/// Every CA that is answered for.
#[derive(Debug, Clone)]
pub(crate) struct Issuers(Vec<Delegates>);

/// The delegates of one CA, in the order in which they are preferred.
#[derive(Debug, Clone)]
struct Delegates {
    issuer: Issuer,
    keepers: Vec<Arc<DelegateKeeper>>,
}

/// The delegate that is to answer a request, and which of its CA's it is.
pub(crate) struct Chosen<'a> {
    pub(crate) issuer: &'a Issuer,
    pub(crate) active: Arc<ActiveDelegate>,
    pub(crate) index: usize,
}

impl Issuers {
    /// Keepers of one CA belong together, wherever they stand.
    pub(crate) fn new(keepers: Vec<Arc<DelegateKeeper>>) -> Self {
        let mut issuers: Vec<Delegates> = Vec::new();
        for keeper in keepers {
            let issuer = keeper.issuer();
            match issuers.iter_mut().find(|delegates| delegates.issuer.id() == issuer.id()) {
                Some(delegates) => delegates.keepers.push(keeper),
                None => issuers.push(Delegates { issuer: issuer.clone(), keepers: vec![keeper] }),
            }
        }
        Self(issuers)
    }

    pub(crate) fn keepers(&self) -> impl Iterator<Item = &Arc<DelegateKeeper>> {
        self.0.iter().flat_map(|delegates| &delegates.keepers)
    }

    /// Whether every CA has a delegate that is valid now, but for those whose own certificate is over: nobody asks about
    /// what they issued any more. Where there are CAs, one at least must be left.
    pub(crate) fn are_ready(&self) -> bool {
        let is_over = |delegates: &Delegates| delegates.keepers.iter().all(|keeper| keeper.issuer_is_over());
        let is_ready = |delegates: &Delegates| delegates.keepers.iter().any(|keeper| keeper.is_ready());
        let is_left = self.0.is_empty() || !self.0.iter().all(is_over);
        is_left && self.0.iter().all(|delegates| is_over(delegates) || is_ready(delegates))
    }

    /// The delegate that answers `request`: of the one CA that every CertID names (RFC 6960 §4.2.2.2: a delegate answers
    /// for its own CA), and of that CA's the one that the client prefers.
    pub(crate) fn choose(&self, request: &Request<'_>) -> Result<Chosen<'_>, Refusal> {
        let cert_ids = request.cert_ids();
        let names_all =
            |delegates: &&Delegates| cert_ids.iter().all(|cert_id| delegates.issuer.is_named_by(cert_id));
        let delegates = self.0.iter().find(names_all).ok_or_else(|| self.why_none(cert_ids))?;
        delegates.choose(request)
    }

    fn why_none(&self, cert_ids: &[CertId<'_>]) -> Refusal {
        let is_served = |cert_id| self.0.iter().any(|delegates| delegates.issuer.is_named_by(cert_id));
        if cert_ids.iter().any(|cert_id| cert_id.digest().is_none()) {
            Refusal::UnknownDigest
        } else if cert_ids.iter().all(is_served) {
            Refusal::SeveralIssuers
        } else {
            Refusal::IssuerNotServed
        }
    }
}

impl Delegates {
    fn choose(&self, request: &Request<'_>) -> Result<Chosen<'_>, Refusal> {
        if let [only] = &*self.keepers {
            let active = only.current().ok_or(Refusal::NoDelegate)?;
            return Ok(Chosen { issuer: &self.issuer, active, index: 0 });
        }
        // One that has ended, or was never had, is no choice.
        let held = self.keepers.iter().enumerate().filter(|(_, keeper)| keeper.is_ready());
        let held: Vec<_> =
            held.filter_map(|(index, keeper)| keeper.current().map(|active| (index, active))).collect();
        let delegates: Vec<&Delegate> = held.iter().map(|(_, active)| &active.delegate).collect();
        let chosen = request.choose(&delegates).and_then(|at| held.get(at));
        let (index, active) = chosen.ok_or(Refusal::NoDelegate)?;
        Ok(Chosen { issuer: &self.issuer, active: Arc::clone(active), index: *index })
    }
}
