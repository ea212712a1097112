//! Where management systems get challenges, once they have logged in.

use std::{fmt, sync::Arc};

use hyper::{Method, Request, StatusCode, body::Incoming};
use pki_core::{BoxFuture, Clock};

use crate::{
    jamf_hook::JamfHook,
    logins::Logins,
    ndes_page::{NdesPage, for_devices},
    pages::{Reply, nothing, text},
};

/// Where devices of NDES enroll.
const NDES: &str = "certsrv/mscep/mscep.dll";

/// Pages and hooks by their paths. Cheap to clone; by default there are none.
#[derive(Clone, Default)]
pub(crate) struct ChallengePages(Option<Arc<Parts>>);

/// What they are made of.
pub(crate) struct Parts {
    pub(crate) logins: Logins,
    pub(crate) ndes: Vec<NdesPage>,
    /// The profile of each page, in the same order.
    pub(crate) ndes_profiles: Vec<String>,
    pub(crate) jamf: Vec<JamfHook>,
    /// The URL under which clients reach the server.
    pub(crate) base: String,
    pub(crate) clock: Arc<dyn Clock>,
}

impl ChallengePages {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Some(Arc::new(parts)))
    }

    /// The profile that enrolls where devices of NDES look.
    pub(crate) fn ndes_profile(&self, path: &str) -> Option<&str> {
        let is_there = is_ndes(path);
        self.0.as_ref().filter(|_| is_there)?.ndes_profiles.first().map(String::as_str)
    }

    /// The page or hook at `path`, which has no leading slash.
    pub(crate) fn page(&self, method: &Method, path: &str, query: &str) -> Option<ChallengePage> {
        let parts = self.0.as_ref()?;
        let asks = || query.to_ascii_lowercase().contains("operation=");
        let which = if *method == Method::GET && is_ndes(path) && !parts.ndes.is_empty() && !asks() {
            Which::ForDevices
        } else {
            parts.which(path)?
        };
        Some(ChallengePage { parts: Arc::clone(parts), which })
    }
}

/// One of the pages.
pub(crate) struct ChallengePage {
    parts: Arc<Parts>,
    which: Which,
}

#[derive(Clone, Copy)]
enum Which {
    /// What is shown where devices enroll.
    ForDevices,
    Ndes(usize),
    Jamf(usize),
}

impl ChallengePage {
    /// Answers.
    pub(crate) fn answer(self, request: Request<Incoming>) -> BoxFuture<'static, Reply> {
        Box::pin(async move { self.parts.shown(self.which, request).await })
    }
}

impl Parts {
    fn which(&self, path: &str) -> Option<Which> {
        let path = path.trim_matches('/').to_ascii_lowercase();
        let ndes = self.ndes.iter().position(|page| page.path == path).map(Which::Ndes);
        ndes.or_else(|| self.jamf.iter().position(|hook| hook.path == path).map(Which::Jamf))
    }

    async fn shown(&self, which: Which, request: Request<Incoming>) -> Reply {
        if let (Which::ForDevices, Some(first)) = (which, self.ndes.first()) {
            return for_devices(&format!("{}/{}", self.base, first.path), first.encoding);
        }
        let user = match self.logins.name(&request).await {
            Ok(user) => user,
            Err(reply) => return reply,
        };
        match which {
            Which::Ndes(at) if *request.method() == Method::GET => {
                self.ndes.get(at).map_or_else(nothing, |page| page.show(&user, &*self.clock))
            }
            Which::Ndes(_) => text(StatusCode::METHOD_NOT_ALLOWED, "This can be read with GET only."),
            Which::Jamf(at) => match self.jamf.get(at) {
                Some(hook) => hook.answer(&user, request, &*self.clock).await,
                None => nothing(),
            },
            Which::ForDevices => nothing(),
        }
    }
}

impl fmt::Debug for ChallengePages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.as_ref().map_or(0, |parts| parts.ndes.len().saturating_add(parts.jamf.len()));
        write!(f, "ChallengePages({count})")
    }
}

fn is_ndes(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.strip_prefix(NDES).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
