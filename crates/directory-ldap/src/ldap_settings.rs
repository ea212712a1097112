//! How a directory asks.

use std::time::Duration;

use serial_binding::{BoundObject, ObjectKind};

use crate::{Filter, LdapError, Login, Protection, Schema, filter::is_attribute};

/// How an [`LdapDirectory`](crate::LdapDirectory) asks.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct LdapSettings {
    /// What the directory is called in errors.
    pub name: String,
    /// URLs of servers that hold the same entries, the preferred one first: `ldaps://dc1.example.com`. One that cannot
    /// be asked is passed over, except when an entry is missing: then all of them must say so, for one may not have
    /// heard of it yet.
    pub servers: Vec<String>,
    /// What protects connections to `ldap://`.
    pub protection: Protection,
    /// The only certification authorities that are trusted, as PEM; empty for those of the system.
    pub trusted_cas: Vec<u8>,
    /// Who asks; `None` for nobody in particular.
    pub login: Option<Login>,
    /// The distinguished name below which the entries are. An entry that is moved out of there is gone.
    pub base: String,
    /// Where in an entry things are.
    pub schema: Schema,
    /// Entries that are disabled for another reason than the schema knows: `(nsAccountLock=TRUE)`.
    pub disabled: Option<Filter>,
    /// Attributes that templates of names may use.
    pub attributes: Vec<String>,
    /// An entry below the base that is never deleted. Without it no entry is ever taken for deleted: a server that has
    /// taken away our permission to read does not show anything either.
    pub canary: Option<BoundObject>,
    /// For how long an entry must have been missing; zero where `servers` are all there are. Not zero where a URL stands
    /// for several servers in turn, or servers fill themselves from others: as long as that may take.
    pub settle: Duration,
    /// A question or a connection that takes longer has failed.
    pub timeout: Duration,
}

impl LdapSettings {
    /// The defaults: 5 s, nobody in particular, the system's certification authorities, no canary.
    pub fn new(
        name: impl Into<String>,
        server: impl Into<String>,
        base: impl Into<String>,
        schema: Schema,
    ) -> Self {
        Self {
            name: name.into(),
            servers: vec![server.into()],
            protection: Protection::default(),
            trusted_cas: Vec::new(),
            login: None,
            base: base.into(),
            schema,
            disabled: None,
            attributes: Vec::new(),
            canary: None,
            settle: Duration::ZERO,
            timeout: Duration::from_secs(5),
        }
    }

    pub(crate) fn check(&self) -> Result<(), LdapError> {
        let wrong = |what, why: &str| Err(LdapError::Settings { what, why: why.into() });
        let Schema { id, common_names, dns_names, emails, upns, searches, .. } = &self.schema;
        let named = [common_names, dns_names, emails, upns, searches, &self.attributes];
        if self.servers.is_empty() {
            return wrong("servers", "expected the URL of a server: there is none");
        }
        if self.login.as_ref().is_some_and(|login| login.name.is_empty() || login.password.is_empty()) {
            return wrong(
                "login",
                "expected a name and a password: a server takes a name without one for nobody",
            );
        }
        if self.canary.is_some_and(|canary| canary.kind() != ObjectKind::LDAP_ENTRY) {
            return wrong("canary", "expected an ldap-entry");
        }
        if !named.into_iter().flatten().chain([id]).all(|attribute| is_attribute(attribute)) {
            return wrong("attributes", "expected names of attributes");
        }
        Ok(())
    }
}
