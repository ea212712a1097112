//! Follows what changes in a directory, so that its guard need not ask about each object again and again.

use std::{collections::HashMap, convert::Infallible, fmt, sync::Arc, time::Duration};

use directory::GuardedDirectory;
use pki_core::UnixTime;
use serial_binding::{BoundObject, ObjectKind};

use crate::{
    Accounts, Filter, LdapDirectory, LdapError, Schema,
    message::{Control, Criticality, Entry, SHOW_DELETED, Scope, Search},
    server::Server,
};

/// Entries of one page.
const PAGE: u32 = 500;
/// What an entry carries that says when it was changed last.
const MODIFIED: &str = "modifyTimestamp";
/// The same in Active Directory: a number that each server counts for itself.
const USN: &str = "uSNChanged";
const HIGHEST_USN: &str = "highestCommittedUSN";
const DEFAULT_CONTEXT: &str = "defaultNamingContext";

/// Asks every now and then what has changed, and tells the guard. Begins with all entries, page by page
/// ([RFC 2696](https://www.rfc-editor.org/rfc/rfc2696)).
///
/// | the directory | what is noticed | what is not |
/// |---|---|---|
/// | Active Directory | every change; deletions where the account may see deleted objects | an account that expires |
/// | others | changes that set `modifyTimestamp` | deletions, locks because of wrong passwords |
///
/// What is not noticed comes to light when the guard asks anew, after
/// [`GuardSettings::fresh_while_followed`](directory::GuardSettings::fresh_while_followed).
pub struct LdapFollower {
    directory: Arc<LdapDirectory>,
    guarded: GuardedDirectory,
    every: Duration,
    /// How far each server has been followed.
    marks: HashMap<String, Mark>,
}

/// How far a server has been followed: what is asked for next is at least that.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    from: String,
    /// Since when every change has been heard.
    since: UnixTime,
}

impl LdapFollower {
    /// Follows `directory`, before which `guarded` stands, asking it `every` so often.
    pub fn new(directory: Arc<LdapDirectory>, guarded: GuardedDirectory, every: Duration) -> Self {
        Self { directory, guarded, every, marks: HashMap::new() }
    }

    /// Follows until it is dropped. A round that fails is made up for by the next one.
    pub async fn follow(mut self) -> Infallible {
        let mut is_well = true;
        loop {
            match self.round().await {
                Ok(_) => is_well = true,
                // Once for each trouble, not once for each round.
                Err(error) if std::mem::take(&mut is_well) => {
                    tracing::warn!(target: "directory", directory = self.guarded.name(), why = %error, "its changes cannot be followed");
                }
                Err(_) => {}
            }
            tokio::time::sleep(self.every).await;
        }
    }

    /// Asks once, and tells the guard; how many entries had changed.
    pub async fn round(&mut self) -> Result<usize, LdapError> {
        let (directory, marks) = (Arc::clone(&self.directory), &self.marks);
        let began = directory.now();
        let guarded = &self.guarded;
        let (server, mark, heard) = directory
            .first(|server| {
                let mark = marks.get(server.name());
                let directory = &directory;
                async move {
                    let (from, heard) = directory.changes(server, mark, guarded).await?;
                    Ok((server.name().to_owned(), from, heard))
                }
            })
            .await?;
        let since = self.marks.get(&server).map_or(began, |mark| mark.since);
        // Twice, so that one round may be late.
        let until = began.saturating_add(self.every.saturating_mul(2)).saturating_add(directory.patience());
        self.guarded.keeps_up(since, began, until);
        // An empty directory has nothing to go on from.
        if !mark.is_empty() {
            self.marks.insert(server, Mark { from: mark, since });
        }
        Ok(heard)
    }
}

impl LdapDirectory {
    /// Tells the guard what has changed since `mark`, or everything; where to begin the next time, and how many entries
    /// it were.
    async fn changes(
        &self,
        server: &Server,
        mark: Option<&Mark>,
        guarded: &GuardedDirectory,
    ) -> Result<(String, usize), LdapError> {
        match self.schema().accounts {
            Accounts::ActiveDirectory => self.changes_by_number(server, mark, guarded).await,
            Accounts::PasswordPolicy => self.changes_by_time(server, mark, guarded).await,
        }
    }

    async fn changes_by_number(
        &self,
        server: &Server,
        mark: Option<&Mark>,
        guarded: &GuardedDirectory,
    ) -> Result<(String, usize), LdapError> {
        // Before the entries: what changes meanwhile is heard twice, and not lost.
        let root = self.root(server, &[HIGHEST_USN, DEFAULT_CONTEXT]).await?;
        let text = |attribute: &str| root.texts(attribute).next().map(String::from);
        let highest: Option<u64> = text(HIGHEST_USN).and_then(|usn| usn.parse().ok());
        let unreadable = || LdapError::garbage(server.name(), format_args!("it shows no {HIGHEST_USN}"));
        let next = highest.ok_or_else(unreadable)?.saturating_add(1);
        // A server that counts from the beginning again was made anew: then everything is.
        let mark = mark.filter(|mark| mark.from.parse().is_ok_and(|from: u64| from <= next));
        let since = mark.map(|mark| Filter::AtLeast(USN.into(), mark.from.clone().into()));
        let mut heard = self.tell(server, since.clone(), guarded).await?.1;
        if let (Some(since), Some(context)) = (since, text(DEFAULT_CONTEXT)) {
            heard = heard.saturating_add(self.tell_deleted(server, since, context, guarded).await?);
        }
        Ok((next.to_string(), heard))
    }

    async fn changes_by_time(
        &self,
        server: &Server,
        mark: Option<&Mark>,
        guarded: &GuardedDirectory,
    ) -> Result<(String, usize), LdapError> {
        let since = mark.map(|mark| Filter::AtLeast(MODIFIED.into(), mark.from.clone().into()));
        let (latest, heard) = self.tell(server, since, guarded).await?;
        let before = mark.map(|mark| mark.from.clone()).unwrap_or_default();
        Ok((latest.max(before), heard))
    }

    /// Tells the guard of the entries that fit; the latest of their times, and how many there are.
    async fn tell(
        &self,
        server: &Server,
        since: Option<Filter>,
        guarded: &GuardedDirectory,
    ) -> Result<(String, usize), LdapError> {
        let mut attributes = self.schema().state_attributes();
        attributes.push(MODIFIED.into());
        let filter = Filter::And(std::iter::once(self.schema().among.clone()).chain(since).collect());
        let search = Search { most: 0, ..self.search(filter, &attributes) };
        let (mut latest, mut heard) = (String::new(), 0usize);
        let each = |entry: &Entry| {
            let modified = entry.texts(MODIFIED).max().unwrap_or_default();
            if modified > &*latest {
                latest = modified.into();
            }
            heard = heard.saturating_add(1);
            self.tell_of(entry, guarded);
        };
        server.pages(&search, PAGE, each).await?;
        Ok((latest, heard))
    }

    /// What the filter of disabled entries says is not known here: then the guard asks.
    fn tell_of(&self, entry: &Entry, guarded: &GuardedDirectory) {
        let Some(object) = self.object(entry) else { return };
        match self.schema().state(entry, self.now()) {
            Ok(state) if !self.has_filter() => guarded.learn(object, state),
            _ => guarded.forget_freshness(object),
        }
    }

    /// The guard asks about them anew: whether they are gone is proven there.
    async fn tell_deleted(
        &self,
        server: &Server,
        since: Filter,
        context: String,
        guarded: &GuardedDirectory,
    ) -> Result<usize, LdapError> {
        let filter = Filter::equal("isDeleted", "TRUE").and(since);
        let controls = vec![Control::bare(SHOW_DELETED, Criticality::Refuse)];
        let search = Search { base: context, most: 0, controls, ..self.search(filter, &[]) };
        let mut heard = 0usize;
        let each = |entry: &Entry| {
            heard = heard.saturating_add(1);
            if let Some(object) = self.object(entry) {
                guarded.forget_freshness(object);
            }
        };
        match server.pages(&search, PAGE, each).await {
            // Not everybody may see them.
            Ok(()) | Err(LdapError::Refused { .. }) => Ok(heard),
            Err(error) => Err(error),
        }
    }

    async fn root(&self, server: &Server, attributes: &[&str]) -> Result<Entry, LdapError> {
        let attributes: Vec<String> = attributes.iter().copied().map(String::from).collect();
        let filter = Filter::present("objectClass");
        let root = Search { base: String::new(), scope: Scope::Base, ..self.search(filter, &attributes) };
        let found = server.search(&root).await?.entries.into_iter().next();
        found.ok_or_else(|| LdapError::garbage(server.name(), "it does not show its root"))
    }

    fn object(&self, entry: &Entry) -> Option<BoundObject> {
        let Schema { id, id_form, .. } = self.schema();
        let id = entry.only(id).and_then(|value| id_form.read(value))?;
        BoundObject::new(ObjectKind::LDAP_ENTRY, id).ok()
    }
}

impl fmt::Debug for LdapFollower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LdapFollower").field("directory", &self.directory).finish_non_exhaustive()
    }
}
