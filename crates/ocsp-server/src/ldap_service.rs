//! From settings to an LDAP directory.

use std::{path::Path, sync::Arc, time::Duration};

use directory_ldap::{Filter, LdapDirectory, LdapSettings, Locked, Login, Protection, Schema};
use pki_core::Clock;
use serial_binding::BoundObject;

use crate::{
    ServerError,
    directories::{file, secret},
    settings::{
        DirectoryKind, DirectoryServiceSettings, LdapProtection, LdapServiceSettings, LockedAccounts,
    },
};

/// Ready to ask; no server is asked yet.
pub(crate) fn open(
    name: &str,
    settings: &DirectoryServiceSettings,
    canary: Option<BoundObject>,
    data: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<LdapDirectory, ServerError> {
    let ldap = &settings.ldap;
    if ldap.base.is_empty() {
        return Err(ServerError::new(
            "ldap.base: expected the distinguished name below which the entries are",
        ));
    }
    let servers = std::iter::once(&settings.url).chain(&ldap.more_urls).cloned().collect();
    let settings = LdapSettings {
        servers,
        protection: match ldap.protection {
            LdapProtection::Required => Protection::Required,
            LdapProtection::NotOnLoopback => Protection::RequiredBeyondThisMachine,
            LdapProtection::None => Protection::None,
        },
        trusted_cas: file(&settings.trusted_cas, data)?,
        login: login(ldap, data)?,
        disabled: filter("disabled", &ldap.disabled)?,
        attributes: ldap.attributes.clone(),
        canary,
        settle: Duration::from_secs(ldap.settle_seconds),
        ..LdapSettings::new(name, "", &*ldap.base, schema(settings.kind, ldap)?)
    };
    LdapDirectory::new(settings, Arc::clone(clock)).map_err(ServerError::new)
}

fn schema(kind: DirectoryKind, ldap: &LdapServiceSettings) -> Result<Schema, ServerError> {
    let mut schema = match kind {
        DirectoryKind::ActiveDirectory => Schema::active_directory(),
        _ => Schema::rfc4519(),
    };
    schema.locked = match ldap.locked {
        LockedAccounts::Good => Locked::Good,
        LockedAccounts::Hold => Locked::Hold,
    };
    if !ldap.id.is_empty() {
        schema.id.clone_from(&ldap.id);
    }
    if let Some(among) = filter("among", &ldap.among)? {
        schema.among = among;
    }
    Ok(schema)
}

fn login(ldap: &LdapServiceSettings, data: &Path) -> Result<Option<Login>, ServerError> {
    match (&*ldap.bind_dn, ldap.password.as_os_str().is_empty()) {
        ("", true) => Ok(None),
        ("", false) => Err(ServerError::new("ldap.bind_dn: expected a name to the password")),
        (_, true) => Err(ServerError::new("ldap.password: expected the file of a password to the name")),
        (name, false) => {
            let password = secret(&data.join(&ldap.password))?;
            Ok(Some(Login { name: name.into(), password: String::from(password.expose()).into() }))
        }
    }
}

fn filter(what: &str, text: &str) -> Result<Option<Filter>, ServerError> {
    let filter = (!text.is_empty()).then(|| text.parse()).transpose();
    filter.map_err(|error| ServerError::new(format_args!("ldap.{what}: {error}")))
}
