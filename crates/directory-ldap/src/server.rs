//! One server, connected to when it is asked, and left alone for a while when it cannot be.

use std::{fmt, sync::Arc, time::Duration};

use rustls::ClientConfig;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use zeroize::Zeroizing;

use crate::{
    Filter, LdapError,
    address::Address,
    connection::{Connection, Found},
    message::{Control, Entry, SUCCESS, Scope, Search, next_page},
    open::open,
};

/// A connection that nobody used for so long may have been forgotten by something on the way.
const MAX_IDLE: Duration = Duration::from_secs(60);
/// After the first failure; doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Pages of one search.
const MAX_PAGES: usize = 100_000;
/// Never longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A server.
pub(crate) struct Server {
    address: Address,
    name: String,
    tls: Arc<ClientConfig>,
    login: Option<Login>,
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<Arc<Connection>>,
    failures: u32,
    /// It is not tried before then, for that reason.
    pause: Option<(Instant, LdapError)>,
}

impl Server {
    pub(crate) fn new(
        address: Address,
        tls: Arc<ClientConfig>,
        login: Option<Login>,
        patience: Duration,
    ) -> Self {
        let name = address.to_string();
        Self { address, name, tls, login, patience, state: Mutex::default() }
    }

    /// Its URL.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Searches, on a new connection if the last one has ended; the outcome is success.
    pub(crate) async fn search(&self, search: &Search) -> Result<Found, LdapError> {
        let found = self.try_search(search).await?;
        if found.outcome.code == SUCCESS {
            Ok(found)
        } else {
            Err(LdapError::refused(&self.name, &found.outcome))
        }
    }

    /// The same, whatever the outcome.
    pub(crate) async fn try_search(&self, search: &Search) -> Result<Found, LdapError> {
        let (connection, is_new) = self.connection().await?;
        let asked_at = Instant::now();
        let found = connection.search(search).await;
        // Servers end connections as they like. One that does not answer at all is not asked twice.
        let may_repeat = !is_new && connection.has_ended() && asked_at.elapsed() < self.patience;
        if found.is_err() && may_repeat {
            return self.connection().await?.0.search(search).await;
        }
        found
    }

    /// Searches page by page, and shows each entry.
    pub(crate) async fn pages(
        &self,
        search: &Search,
        size: u32,
        mut each: impl FnMut(&Entry),
    ) -> Result<(), LdapError> {
        let mut cookie = Vec::new();
        for _ in 0..MAX_PAGES {
            let mut page = search.clone();
            page.controls.push(Control::page(size, &cookie));
            let found = self.search(&page).await?;
            found.entries.iter().for_each(&mut each);
            match next_page(&found.controls).map_err(|why| LdapError::garbage(&self.name, why))? {
                Some(next) => cookie = next,
                None => return Ok(()),
            }
        }
        Err(LdapError::garbage(&self.name, format_args!("more than {MAX_PAGES} pages")))
    }

    /// The connection, and whether it was made just now. Those who ask meanwhile wait for it.
    async fn connection(&self) -> Result<(Arc<Connection>, bool), LdapError> {
        let mut state = self.state.lock().await;
        let is_usable =
            |connection: &&Arc<Connection>| !connection.has_ended() && connection.idle() < MAX_IDLE;
        if let Some(connection) = state.connection.as_ref().filter(is_usable) {
            return Ok((Arc::clone(connection), false));
        }
        if let Some((until, why)) = state.pause.as_ref().filter(|(until, _)| Instant::now() < *until) {
            let left = until.saturating_duration_since(Instant::now());
            tracing::trace!(target: "directory", server = self.name, ?left, "not tried again yet");
            return Err(why.clone());
        }
        state.connection = None;
        match Box::pin(self.connect()).await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                *state = State { connection: Some(Arc::clone(&connection)), ..State::default() };
                Ok((connection, true))
            }
            Err(error) => {
                let pause =
                    FIRST_PAUSE.saturating_mul(2u32.saturating_pow(state.failures)).min(LONGEST_PAUSE);
                state.failures = state.failures.saturating_add(1);
                state.pause = Instant::now().checked_add(pause).map(|until| (until, error.clone()));
                Err(error)
            }
        }
    }

    async fn connect(&self) -> Result<Connection, LdapError> {
        let made = async {
            let connection = open(&self.address, &self.tls, self.patience).await?;
            if let Some(Login { name, password }) = &self.login {
                connection.bind(name, password).await?;
            }
            self.check_synchronized(&connection).await?;
            Ok(connection)
        };
        let too_late = |_| LdapError::unavailable(&self.name, "it takes too long to connect");
        timeout(self.patience.saturating_mul(2), made).await.map_err(too_late)?
    }

    /// A domain controller says when it has not heard yet of everything that the others know.
    async fn check_synchronized(&self, connection: &Connection) -> Result<(), LdapError> {
        let root = Search {
            base: String::new(),
            scope: Scope::Base,
            most: 1,
            filter: Filter::present("objectClass"),
            attributes: vec![SYNCHRONIZED.into()],
            controls: Vec::new(),
        };
        // A server that does not show its root says nothing of the kind.
        let found = connection.search(&root).await?;
        let says_no =
            found.entries.iter().flat_map(|root| root.texts(SYNCHRONIZED)).any(|said| said != "TRUE");
        if says_no {
            return Err(LdapError::unavailable(
                &self.name,
                "it is not synchronized with the other servers yet",
            ));
        }
        Ok(())
    }
}

/// ([MS-ADTS 3.1.1.3.2.33](https://learn.microsoft.com/openspecs/windows_protocols/ms-adts))
const SYNCHRONIZED: &str = "isSynchronized";

/// Who asks.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by every program")]
pub struct Login {
    /// A distinguished name; for Active Directory also a user principal name.
    pub name: String,
    /// Never empty: a server takes a name without a password for nobody, and lets it in.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.name)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.name)
    }
}
