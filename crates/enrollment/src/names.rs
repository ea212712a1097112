//! Which names a certificate gets: those of the directory that the request asks for.

use std::borrow::Cow;

use directory::ObjectNames;
use pki_core::{Certificate, CertificationRequest, GeneralName, Name, oids};

use crate::{
    Refusal,
    name_text::{self, check_alternative_name, check_common_name},
};

/// The names that a request asks for, each of them fit to stand in a certificate.
#[derive(Debug)]
pub(crate) struct RequestedNames {
    /// `None` leaves it to the directory.
    pub(crate) common_name: Option<String>,
    pub(crate) alternative_names: Vec<GeneralName>,
}

/// The names that a certificate gets, in the directory's spelling.
#[derive(Debug)]
pub(crate) struct GrantedNames {
    pub(crate) common_name: String,
    pub(crate) alternative_names: Vec<GeneralName>,
}

impl RequestedNames {
    /// What `csr` asks for. Other parts of the subject are passed over: the profile has its own. So is a security
    /// identifier as an URI, which no requester may choose.
    pub(crate) fn of(csr: &CertificationRequest) -> Result<Self, Refusal> {
        let alternative_names = csr.subject_alt_names().map_err(Refusal::malformed)?;
        let alternative_names: Vec<_> =
            alternative_names.into_iter().filter(|name| !is_security_identifier(name)).collect();
        for name in &alternative_names {
            check_alternative_name(name)
                .map_err(|flaw| Refusal::NameInvalid { which: "an alternative name", flaw })?;
        }
        Ok(Self { common_name: common_name(csr.subject())?, alternative_names })
    }

    /// As names that an object may be looked up by: the commonName, then the alternative names.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let alternative = self.alternative_names.iter().filter_map(|name| match name {
            GeneralName::Dns(text)
            | GeneralName::Email(text)
            | GeneralName::Upn(text)
            | GeneralName::Uri(text) => Some(&**text),
            _ => None,
        });
        self.common_name.as_deref().into_iter().chain(alternative)
    }

    /// Those among `allowed` that are asked for. Fails when one that is asked for is not among them.
    pub(crate) fn granted(self, allowed: &ObjectNames) -> Result<GrantedNames, Refusal> {
        let common_names = &allowed.common_names;
        let common_name = match &self.common_name {
            Some(asked) => common_names.iter().find(|known| same_text(known, asked)),
            None => common_names.first(),
        };
        let common_name =
            common_name.ok_or_else(|| Refusal::name_not_allowed("CN", self.common_name.as_deref()))?;
        check_common_name(common_name)
            .map_err(|flaw| Refusal::NameInvalid { which: "the directory's name of the object", flaw })?;
        let mut alternative_names: Vec<GeneralName> = Vec::with_capacity(self.alternative_names.len());
        for asked in &self.alternative_names {
            let known = allowed.alternative_names.iter().find(|known| same_name(known, asked));
            let known = known
                .ok_or_else(|| Refusal::name_not_allowed("alternative name", Some(&asked.to_string())))?;
            if !alternative_names.contains(known) {
                alternative_names.push(known.clone());
            }
        }
        Ok(GrantedNames { common_name: common_name.clone(), alternative_names })
    }
}

/// Those among `allowed` that `certificate` has as well: what its renewal may have.
pub(crate) fn kept(allowed: ObjectNames, certificate: &Certificate) -> Result<ObjectNames, Refusal> {
    let ObjectNames { mut common_names, mut alternative_names } = allowed;
    let held = certificate.subject().common_name();
    common_names.retain(|name| held.as_deref().is_some_and(|held| same_text(name, held)));
    let held = certificate.subject_alt_names().map_err(Refusal::malformed)?;
    alternative_names.retain(|name| held.iter().any(|held| same_name(name, held)));
    Ok(ObjectNames { common_names, alternative_names })
}

/// The most specific commonName; all of them must be fit, so that none can be smuggled past a reader who takes another.
fn common_name(subject: &Name) -> Result<Option<String>, Refusal> {
    let mut most_specific = None;
    for attribute in subject.rdns().iter().flatten().filter(|attribute| attribute.oid() == oids::COMMON_NAME)
    {
        let text = name_text::common_name(attribute);
        most_specific = Some(text.map_err(|flaw| Refusal::NameInvalid { which: "the CN", flaw })?);
    }
    Ok(most_specific)
}

/// Whether it claims a Windows account by its security identifier.
fn is_security_identifier(name: &GeneralName) -> bool {
    const PREFIX: &str = "tag:microsoft.com,2022-09-14:sid:";
    let GeneralName::Uri(uri) = name else { return false };
    uri.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// Case makes no difference in names of devices and people, and the directory's spelling is the one that is issued.
fn same_text(one: &str, other: &str) -> bool {
    fn folded(text: &str) -> Cow<'_, str> {
        if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
    }
    folded(one).eq_ignore_ascii_case(&folded(other))
}

fn same_name(one: &GeneralName, other: &GeneralName) -> bool {
    match (one, other) {
        (GeneralName::Dns(one), GeneralName::Dns(other))
        | (GeneralName::Email(one), GeneralName::Email(other))
        | (GeneralName::Upn(one), GeneralName::Upn(other)) => same_text(one, other),
        (GeneralName::Directory(one), GeneralName::Directory(other)) => one.matches(other),
        _ => one == other,
    }
}
