//! Servers that hold the same entries, as a directory.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use directory::{Directory, DirectoryError, ObjectNames, ObjectState, SID_ATTRIBUTE};
use pki_core::{BoxFuture, Clock, GeneralName, UnixTime};
use serial_binding::{BoundObject, ObjectId, ObjectKind, ObjectKinds};

use crate::{
    Accounts, Filter, LdapError, LdapSettings, Schema,
    address::Address,
    connection::Found,
    message::{Control, Criticality, DOMAIN_SCOPE, Entry, SIZE_LIMIT_EXCEEDED, SUCCESS, Scope, Search},
    open::tls,
    server::Server,
    values::sid,
};

/// Objects whose absence is remembered while it is not believed yet.
const MAX_MISSING: usize = 10_000;
/// No attribute at all ([RFC 4511 §4.5.1.8](https://www.rfc-editor.org/rfc/rfc4511#section-4.5.1.8)).
const NO_ATTRIBUTE: &str = "1.1";
const OBJECT_SID: &str = "objectSid";
/// A computer's ends with a dollar sign.
const ACCOUNT_NAME: &str = "sAMAccountName";

/// Entries of an LDAP directory, as [`ObjectKind::LDAP_ENTRY`]. Each question goes to a server. Needs a tokio runtime
/// with time and network.
pub struct LdapDirectory {
    settings: LdapSettings,
    servers: Vec<Server>,
    /// Which one answered last.
    preferred: AtomicUsize,
    clock: Arc<dyn Clock>,
    /// Since when entries have been missing that are not taken for deleted yet.
    missing: Mutex<HashMap<BoundObject, UnixTime>>,
}

/// An entry, and whether it fits the filter of disabled ones.
#[derive(Debug)]
struct Hit {
    entry: Entry,
    fits_disabled: Option<bool>,
}

impl LdapDirectory {
    /// Fails when the settings cannot be used. No server is asked yet.
    pub fn new(settings: LdapSettings, clock: Arc<dyn Clock>) -> Result<Self, LdapError> {
        settings.check()?;
        let tls = tls(&settings.trusted_cas)?;
        let server = |url: &String| {
            let address = Address::parse(url, settings.protection)?;
            Ok(Server::new(address, Arc::clone(&tls), settings.login.clone(), settings.timeout))
        };
        let servers = settings.servers.iter().map(server).collect::<Result<_, LdapError>>()?;
        Ok(Self { settings, servers, preferred: AtomicUsize::new(0), clock, missing: Mutex::default() })
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.settings.schema
    }

    pub(crate) fn has_filter(&self) -> bool {
        self.settings.disabled.is_some()
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(crate) fn patience(&self) -> Duration {
        self.settings.timeout
    }

    /// The entry with those of its attributes; `None` when it is proven not to be there.
    async fn find(&self, object: BoundObject, attributes: &[String]) -> Result<Option<Hit>, LdapError> {
        let id = object.id();
        let mut hit = self.first(|server| self.look(server, id, attributes)).await?;
        if hit.is_none() {
            // On the heap: it is large, and seldom needed.
            hit = Box::pin(self.look_everywhere(id, attributes)).await?;
        }
        if hit.is_some() {
            self.missing().remove(&object);
        } else {
            self.settle(object)?;
        }
        Ok(hit)
    }

    /// Asks the server that answered last, then the others, until one of them answers.
    pub(crate) async fn first<'a, T, F>(&'a self, ask: impl Fn(&'a Server) -> F) -> Result<T, LdapError>
    where
        F: Future<Output = Result<T, LdapError>>,
    {
        let preferred = self.preferred.load(Ordering::Relaxed);
        let mut failed = None;
        for (at, server) in self.servers.iter().enumerate().cycle().skip(preferred).take(self.servers.len()) {
            match ask(server).await {
                Ok(answer) => {
                    self.preferred.store(at, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| LdapError::unavailable(&self.settings.name, "it has no server")))
    }

    /// Asks all servers, each of which must show base and canary.
    async fn look_everywhere(&self, id: ObjectId, attributes: &[String]) -> Result<Option<Hit>, LdapError> {
        let Some(canary) = self.settings.canary else {
            return Err(LdapError::unproven(
                &self.settings.name,
                "no canary is set that would be missing too",
            ));
        };
        for server in &self.servers {
            let (hit, base, canary) = tokio::join!(
                self.look(server, id, attributes),
                self.shows_base(server),
                self.look(server, canary.id(), &[]),
            );
            if let Some(hit) = hit? {
                return Ok(Some(hit));
            }
            if !base? {
                return Err(LdapError::unproven(server.name(), "it does not show the base either"));
            }
            if canary?.is_none() {
                return Err(LdapError::unproven(server.name(), "it does not show its canary either"));
            }
        }
        Ok(None)
    }

    async fn look(
        &self,
        server: &Server,
        id: ObjectId,
        attributes: &[String],
    ) -> Result<Option<Hit>, LdapError> {
        let schema = &self.settings.schema;
        let is_it = || schema.id_form.write(id).map(|value| Filter::equal(&*schema.id, value));
        let Some(search) = is_it().map(|filter| self.search(filter, attributes)) else { return Ok(None) };
        let (found, fits_disabled) = match (&self.settings.disabled, is_it()) {
            (Some(disabled), Some(is_it)) => {
                let (found, fits) = tokio::join!(server.search(&search), self.fits(server, is_it, disabled));
                (found?, Some(fits))
            }
            _ => (server.search(&search).await?, None),
        };
        let Some(entry) = self.only(server, found)? else { return Ok(None) };
        let said = entry.only(&schema.id).and_then(|value| schema.id_form.read(value));
        if said != Some(id) {
            return Err(LdapError::garbage(server.name(), format_args!("asked for {id}, it gave {said:?}")));
        }
        Ok(Some(Hit { entry, fits_disabled: fits_disabled.transpose()? }))
    }

    /// Whether the entry fits `filter`. One that neither fits it nor its opposite has an attribute that we may not read.
    async fn fits(&self, server: &Server, is_it: Filter, filter: &Filter) -> Result<bool, LdapError> {
        let none = [String::from(NO_ATTRIBUTE)];
        let yes = self.search(is_it.clone().and(filter.clone()), &none);
        let no = self.search(is_it.and(filter.clone().negated()), &none);
        let (yes, no) = tokio::join!(server.search(&yes), server.search(&no));
        match (yes?.entries.is_empty(), no?.entries.is_empty()) {
            (false, true) => Ok(true),
            (true, false) => Ok(false),
            (true, true) | (false, false) => Err(LdapError::garbage(
                server.name(),
                format_args!("it does not tell whether {filter} is true"),
            )),
        }
    }

    async fn shows_base(&self, server: &Server) -> Result<bool, LdapError> {
        let none = [String::from(NO_ATTRIBUTE)];
        let base = Search { scope: Scope::Base, ..self.search(Filter::present("objectClass"), &none) };
        Ok(server.search(&base).await?.entries.len() == 1)
    }

    /// Below the base; a second entry is asked for to see that there is none.
    pub(crate) fn search(&self, filter: Filter, attributes: &[String]) -> Search {
        let controls = match self.settings.schema.accounts {
            Accounts::ActiveDirectory => vec![Control::bare(DOMAIN_SCOPE, Criticality::Ignore)],
            Accounts::PasswordPolicy => Vec::new(),
        };
        let attributes =
            if attributes.is_empty() { std::slice::from_ref(&self.settings.schema.id) } else { attributes };
        let (base, attributes) = (self.settings.base.clone(), attributes.to_vec());
        Search { base, scope: Scope::Subtree, most: 2, filter, attributes, controls }
    }

    /// The one entry that was found, or none.
    fn only(&self, server: &Server, found: Found) -> Result<Option<Entry>, LdapError> {
        let elsewhere = found.references.iter().find(|url| !self.holds_no_accounts(url));
        let mut entries = found.entries.into_iter();
        match (entries.next(), entries.next(), elsewhere) {
            (Some(entry), None, _) => Ok(Some(entry)),
            (None, _, None) => Ok(None),
            (None, _, Some(url)) => {
                Err(LdapError::unproven(server.name(), format_args!("it refers us to {url}")))
            }
            (Some(_), Some(_), _) => Err(LdapError::garbage(server.name(), "it has two entries of one id")),
        }
    }

    /// Whether a reference leads to one of the parts of a forest in which there are never accounts. A domain refers to
    /// them whatever it is asked.
    fn holds_no_accounts(&self, url: &str) -> bool {
        let name = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, name)| name);
        let parts = ["CN=Configuration,", "DC=DomainDnsZones,", "DC=ForestDnsZones,"];
        let begins = |name: &str, part: &str| {
            name.get(..part.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(part))
        };
        self.settings.schema.accounts == Accounts::ActiveDirectory
            && name.is_some_and(|name| parts.iter().any(|part| begins(name, part)))
    }

    /// An error until the entry has been missing for long enough.
    fn settle(&self, object: BoundObject) -> Result<(), LdapError> {
        if self.settings.settle.is_zero() {
            return Ok(());
        }
        let now = self.clock.now();
        let mut missing = self.missing();
        // Whoever is forgotten waits once more.
        if missing.len() >= MAX_MISSING && !missing.contains_key(&object) {
            missing.clear();
        }
        let since = *missing.entry(object).or_insert(now);
        if now < since.saturating_add(self.settings.settle) {
            let why = format!(
                "it has been missing since {since} only, which is less than {} s",
                self.settings.settle.as_secs()
            );
            return Err(LdapError::unproven(&self.settings.name, why));
        }
        Ok(())
    }

    fn missing(&self) -> MutexGuard<'_, HashMap<BoundObject, UnixTime>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn state_of(&self, object: BoundObject) -> Result<Option<ObjectState>, LdapError> {
        let schema = &self.settings.schema;
        let Some(hit) = self.find(object, &schema.state_attributes()).await? else { return Ok(None) };
        let state = schema.state(&hit.entry, self.clock.now());
        let state = state.map_err(|why| LdapError::garbage(&hit.entry.name, why))?;
        Ok(Some(match state {
            ObjectState::Enabled if hit.fits_disabled == Some(true) => ObjectState::Disabled { since: None },
            state => state,
        }))
    }

    async fn names_of(&self, object: BoundObject) -> Result<Option<ObjectNames>, LdapError> {
        let Schema { id, common_names, dns_names, emails, upns, .. } = &self.settings.schema;
        let attributes = [common_names, dns_names, emails, upns].into_iter().flatten().chain([id]);
        let attributes: Vec<String> = attributes.cloned().collect();
        let Some(Hit { entry, .. }) = self.find(object, &attributes).await? else { return Ok(None) };
        let texts = |attributes: &[String]| {
            let texts = attributes.iter().flat_map(|attribute| entry.texts(attribute));
            texts.map(String::from).collect::<Vec<_>>()
        };
        let mut names = ObjectNames::default();
        for name in texts(common_names) {
            let name = name.strip_suffix('$').unwrap_or(&name);
            if !names.common_names.iter().any(|known| known == name) {
                names.common_names.push(name.into());
            }
        }
        names.alternative_names.extend(texts(dns_names).into_iter().map(GeneralName::Dns));
        names.alternative_names.extend(texts(emails).into_iter().map(GeneralName::Email));
        names.alternative_names.extend(texts(upns).into_iter().map(GeneralName::Upn));
        Ok(Some(names))
    }

    async fn attributes_of(&self, object: BoundObject) -> Result<BTreeMap<String, String>, LdapError> {
        let wanted = self.settings.attributes.iter().map(String::as_str);
        let wanted: Vec<String> =
            wanted.chain([&*self.settings.schema.id, OBJECT_SID]).map(String::from).collect();
        let Some(Hit { entry, .. }) = self.find(object, &wanted).await? else { return Ok(BTreeMap::new()) };
        let text = |attribute: &String| {
            let value = std::str::from_utf8(entry.only(attribute)?).ok()?;
            Some((attribute.clone(), String::from(value)))
        };
        let mut attributes: BTreeMap<_, _> = self.settings.attributes.iter().filter_map(text).collect();
        let sid = entry.only(OBJECT_SID).and_then(sid);
        attributes.extend(sid.map(|sid| (String::from(SID_ATTRIBUTE), sid)));
        Ok(attributes)
    }

    /// The entry that goes by `name`, in whatever way.
    async fn identified(&self, name: &str) -> Result<Identified, LdapError> {
        let Schema { id, id_form, searches, among, .. } = &self.settings.schema;
        let mut ways: Vec<Filter> =
            searches.iter().map(|attribute| Filter::equal(&**attribute, name)).collect();
        if searches.iter().any(|attribute| attribute.eq_ignore_ascii_case(ACCOUNT_NAME)) {
            ways.push(Filter::equal(ACCOUNT_NAME, format!("{name}$")));
        }
        let object =
            name.parse::<BoundObject>().ok().filter(|object| object.kind() == ObjectKind::LDAP_ENTRY);
        let by_id = object.map(BoundObject::id).or_else(|| name.parse().ok());
        ways.extend(by_id.and_then(|by_id| id_form.write(by_id)).map(|value| Filter::equal(&**id, value)));
        let search = self.search(among.clone().and(Filter::Or(ways)), &[]);
        let search = &search;
        let asked = self.first(|server| async move { Ok((server, server.try_search(search).await?)) });
        let (server, found) = asked.await?;
        match found.outcome.code {
            _ if found.entries.len() > 1 => return Ok(Identified::Several),
            SUCCESS => {}
            SIZE_LIMIT_EXCEEDED => return Ok(Identified::Several),
            _ => return Err(LdapError::refused(server.name(), &found.outcome)),
        }
        let Some(entry) = self.only(server, found)? else { return Ok(Identified::Nobody) };
        let id = entry.only(id).and_then(|value| id_form.read(value));
        let object = id.and_then(|id| BoundObject::new(ObjectKind::LDAP_ENTRY, id).ok());
        let unreadable = || LdapError::garbage(server.name(), format_args!("{:?} shows no id", entry.name));
        object.map(Identified::One).ok_or_else(unreadable)
    }
}

/// What goes by a name.
#[derive(Debug)]
enum Identified {
    Nobody,
    One(BoundObject),
    Several,
}

impl Directory for LdapDirectory {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        Box::pin(async move { self.state_of(object).await.map_err(|error| error.of(&self.settings.name)) })
    }

    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        Box::pin(async move { self.names_of(object).await.map_err(|error| error.of(&self.settings.name)) })
    }

    fn attributes(
        &self,
        object: BoundObject,
    ) -> BoxFuture<'_, Result<BTreeMap<String, String>, DirectoryError>> {
        Box::pin(
            async move { self.attributes_of(object).await.map_err(|error| error.of(&self.settings.name)) },
        )
    }

    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        Box::pin(async move {
            let directory = &self.settings.name;
            if name.is_empty() {
                return Ok(None);
            }
            match self.identified(name).await.map_err(|error| error.of(directory))? {
                Identified::Nobody => Ok(None),
                Identified::One(object) => Ok(Some(object)),
                Identified::Several => {
                    Err(DirectoryError::Ambiguous { directory: directory.clone(), name: name.to_owned() })
                }
            }
        })
    }

    fn epoch(&self) -> Option<u64> {
        None
    }

    fn kinds(&self) -> ObjectKinds {
        [ObjectKind::LDAP_ENTRY].into_iter().collect()
    }
}

impl fmt::Debug for LdapDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LdapDirectory").field(&self.servers).finish()
    }
}
