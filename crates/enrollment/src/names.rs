//! Which names a certificate gets: those of the directory, and of these as many as the profile's rules and the request
//! say.

use std::{borrow::Cow, collections::BTreeMap};

use directory::{DEVICE_ATTRIBUTE, ObjectNames, SID_ATTRIBUTE, TENANT_ATTRIBUTE};
use issuance::{MicrosoftIds, Profile, SecurityIdentifier};
use pki_core::{Certificate, CertificationRequest, GeneralName, Name, oids};
use serial_binding::{BoundObject, ObjectId};

use crate::{
    AskedNames, ListedNames, MicrosoftIdsForm, NameChoice, NameRules, Refusal, SecurityIdentifierForm,
    identification::jamf_text,
    name_rules::fit,
    name_text::{self, check_alternative_name, check_common_name},
    template::{Known, text_of},
};

/// The names that a request asks for.
#[derive(Debug)]
pub(crate) struct RequestedNames {
    subject: Name,
    /// `None` leaves it to the directory.
    common_name: Option<String>,
    alternative_names: Vec<GeneralName>,
}

/// The names that a certificate gets, in the directory's spelling.
#[derive(Debug)]
pub(crate) struct GrantedNames {
    pub(crate) subject: Name,
    pub(crate) alternative_names: Vec<GeneralName>,
    /// For an extension.
    pub(crate) security_identifier: Option<SecurityIdentifier>,
    /// For extensions.
    pub(crate) microsoft_ids: MicrosoftIds,
}

impl GrantedNames {
    fn new(subject: Name, alternative_names: Vec<GeneralName>) -> Self {
        Self { subject, alternative_names, security_identifier: None, microsoft_ids: MicrosoftIds::default() }
    }
}

/// Everything that names are granted by.
#[derive(Debug)]
pub(crate) struct Naming<'a> {
    pub(crate) rules: &'a NameRules,
    pub(crate) profile: &'a Profile,
    pub(crate) object: BoundObject,
    pub(crate) names: ObjectNames,
    pub(crate) attributes: BTreeMap<String, String>,
    /// The certificate that is renewed: what it does not have, its successor does not get.
    pub(crate) held: Option<&'a Certificate>,
    /// The names that the authority has allowed at most; `None` for all.
    pub(crate) only: Option<&'a [String]>,
    /// What the authority says of the names in the request.
    pub(crate) asked_names: AskedNames,
}

impl RequestedNames {
    /// What `csr` asks for, each name fit to stand in a certificate. A security identifier as an URI is passed over: no
    /// requester may choose that.
    pub(crate) fn of(csr: &CertificationRequest) -> Result<Self, Refusal> {
        let alternative_names = csr.subject_alt_names().map_err(Refusal::malformed)?;
        let alternative_names: Vec<_> =
            alternative_names.into_iter().filter(|name| !is_security_identifier(name)).collect();
        for name in &alternative_names {
            check_alternative_name(name)
                .map_err(|flaw| Refusal::NameInvalid { which: "an alternative name", flaw })?;
        }
        let common_name = common_name(csr.subject())?;
        Ok(Self { subject: csr.subject().clone(), common_name, alternative_names })
    }

    /// What profiles of Jamf Pro write into a subject, as the directory is asked for it.
    pub(crate) fn jamf_text(&self) -> Option<String> {
        jamf_text(&self.subject, &self.alternative_names)
    }

    /// As names that an object may be looked up by: the commonName, then the alternative names.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.common_name.as_deref().into_iter().chain(self.alternative_names.iter().filter_map(text_of))
    }

    /// Whether these are the same, letter by letter, in whatever string types and order of alternative names.
    fn are_exactly(&self, subject: &Name, alternative_names: &[GeneralName]) -> bool {
        let asked = &self.alternative_names;
        same_letters(&self.subject, subject)
            && asked.len() == alternative_names.len()
            && alternative_names.iter().all(|name| asked.contains(name))
    }
}

impl Naming<'_> {
    /// The names that the certificate gets.
    pub(crate) fn grant(&self, requested: &RequestedNames) -> Result<GrantedNames, Refusal> {
        if self.rules.choice == NameChoice::Validated {
            return self.with_ids(self.proven(requested)?);
        }
        self.check_listed(requested)?;
        let allowed = self.allowed()?;
        let (common_name, alternative_names) = match self.rules.choice {
            NameChoice::Requester => chosen(requested, &allowed)?,
            NameChoice::Directory | NameChoice::Exact | NameChoice::Validated => {
                let first = allowed.common_names.first();
                let names = allowed.alternative_names.iter().cloned().map(fit).collect::<Result<_, _>>()?;
                (first.ok_or_else(|| Refusal::name_not_allowed("CN", None))?, names)
            }
        };
        let subject = self.subject(common_name)?;
        if self.rules.choice == NameChoice::Exact && !requested.are_exactly(&subject, &alternative_names) {
            return Err(Refusal::names_not_exact(&subject, &alternative_names));
        }
        self.with_ids(GrantedNames::new(subject, alternative_names))
    }

    /// The names in the request, if the authority has vouched for them, or the certificate that is renewed has them.
    fn proven(&self, requested: &RequestedNames) -> Result<GrantedNames, Refusal> {
        if let Some(held) = self.held {
            let held_names = held.subject_alt_names().map_err(Refusal::malformed)?;
            let names = among(&requested.alternative_names, &held_names)?;
            if !requested.subject.matches(held.subject()) {
                return Err(Refusal::name_not_allowed("subject", Some(&requested.subject.to_string())));
            }
            return Ok(GrantedNames::new(held.subject().clone(), names));
        }
        if self.asked_names != AskedNames::Proven {
            let problem = "the profile takes the names that an authority outside has validated: it has not";
            return Err(Refusal::Internal(problem.into()));
        }
        for attribute in requested.subject.rdns().iter().flatten() {
            let checked = name_text::subject_text(attribute);
            checked.map_err(|flaw| Refusal::NameInvalid { which: "the subject", flaw })?;
        }
        let plain =
            |name: &&GeneralName| !matches!(name, GeneralName::Directory(_) | GeneralName::Other { .. });
        if let Some(odd) = requested.alternative_names.iter().find(|name| !plain(name)) {
            return Err(Refusal::name_not_allowed("alternative name", Some(&odd.to_string())));
        }
        Ok(GrantedNames::new(requested.subject.clone(), requested.alternative_names.clone()))
    }

    fn with_ids(&self, names: GrantedNames) -> Result<GrantedNames, Refusal> {
        let names = self.with_security_identifier(names)?;
        if self.rules.microsoft_ids == MicrosoftIdsForm::None {
            return Ok(names);
        }
        let [tenant, device] = [TENANT_ATTRIBUTE, DEVICE_ATTRIBUTE].map(|name| self.uuid(name));
        Ok(GrantedNames { microsoft_ids: MicrosoftIds { tenant: tenant?, device: device? }, ..names })
    }

    /// An attribute that is a UUID; `None` where the directory has none.
    fn uuid(&self, name: &str) -> Result<Option<[u8; 16]>, Refusal> {
        match self.attributes.get(name).map(|text| (text, text.parse())) {
            None => Ok(None),
            Some((_, Ok(ObjectId::Uuid(octets)))) => Ok(Some(octets)),
            Some((text, _)) => Err(Refusal::AttributeUnusable(format!("{name}: expected a UUID: {text:?}"))),
        }
    }

    fn known<'k>(&'k self, common_name: &'k str) -> Known<'k> {
        Known { object: self.object, common_name, names: &self.names, attributes: &self.attributes }
    }

    fn first_name(&self) -> &str {
        self.names.common_names.first().map(String::as_str).unwrap_or_default()
    }

    fn check_listed(&self, requested: &RequestedNames) -> Result<(), Refusal> {
        if self.rules.whitelist.is_empty() {
            return Ok(());
        }
        let common_name = requested.common_name.as_deref().unwrap_or_else(|| self.first_name());
        let common_name = self.own_name(common_name).unwrap_or_else(|| self.first_name());
        let known = self.known(common_name);
        for ListedNames { subject, alternative_names } in &self.rules.whitelist {
            // An entry for which nothing is known is none for this object.
            let Ok(subject) = subject.fill(&known) else { continue };
            let names =
                alternative_names.iter().map(|name| name.fill(&known)).collect::<Result<Vec<_>, _>>()?;
            if requested.are_exactly(&subject, &names.concat()) {
                return Ok(());
            }
        }
        Err(Refusal::NamesNotListed)
    }

    /// The names that the object has or templates make, less those that a certificate that is renewed has not.
    fn allowed(&self) -> Result<ObjectNames, Refusal> {
        let known = self.known(self.first_name());
        let mut allowed = self.names.clone();
        if let Some(templates) = &self.rules.alternative_names {
            let names =
                templates.iter().map(|template| template.fill(&known)).collect::<Result<Vec<_>, _>>()?;
            allowed.alternative_names = names.concat();
        }
        if let Some(template) = &self.rules.subject {
            allowed.common_names.extend(template.fill(&known)?.common_name());
        }
        if let Some(only) = self.only {
            let listed = |text: &str| only.iter().any(|name| same_text(name, text));
            allowed.common_names.retain(|name| listed(name));
            allowed
                .alternative_names
                .retain(|name| text_of(name).is_some_and(listed) || listed(&name.to_string()));
        }
        match self.held {
            Some(certificate) => kept(allowed, certificate),
            None => Ok(allowed),
        }
    }

    /// One of the object's own names, in its own spelling.
    fn own_name(&self, name: &str) -> Option<&str> {
        self.names.common_names.iter().find(|own| same_text(own, name)).map(String::as_str)
    }

    fn subject(&self, common_name: &str) -> Result<Name, Refusal> {
        let Some(template) = &self.rules.subject else {
            check_common_name(common_name)
                .map_err(|flaw| Refusal::NameInvalid { which: "the directory's name of the object", flaw })?;
            return Ok(self.profile.subject(common_name));
        };
        let name = self.own_name(common_name).unwrap_or_else(|| self.first_name());
        let subject = template.fill(&self.known(name))?;
        // The template may take another name of the object than the one that was kept.
        let (new, held) = (subject.common_name(), self.held.map(|held| held.subject().common_name()));
        match (new, held.flatten()) {
            (Some(new), Some(held)) if !same_text(&new, &held) => {
                Err(Refusal::name_not_allowed("CN", Some(&new)))
            }
            _ => Ok(subject),
        }
    }

    fn with_security_identifier(&self, names: GrantedNames) -> Result<GrantedNames, Refusal> {
        use SecurityIdentifierForm::{Both, Extension, None as Nothing, Uri};
        let form = self.rules.security_identifier;
        let known = self.attributes.get(SID_ATTRIBUTE).filter(|_| form != Nothing);
        let Some(text) = known else { return Ok(names) };
        let identifier: SecurityIdentifier =
            text.parse().map_err(|error| Refusal::AttributeUnusable(format!("{SID_ATTRIBUTE}: {error}")))?;
        let mut names = names;
        if matches!(form, Uri | Both) {
            names.alternative_names.push(identifier.to_uri());
        }
        names.security_identifier = matches!(form, Extension | Both).then_some(identifier);
        Ok(names)
    }
}

/// Those among `allowed` that are asked for. Fails when one that is asked for is not among them.
fn chosen<'a>(
    requested: &RequestedNames,
    allowed: &'a ObjectNames,
) -> Result<(&'a String, Vec<GeneralName>), Refusal> {
    let common_names = &allowed.common_names;
    let common_name = match &requested.common_name {
        Some(asked) => common_names.iter().find(|known| same_text(known, asked)),
        None => common_names.first(),
    };
    let common_name =
        common_name.ok_or_else(|| Refusal::name_not_allowed("CN", requested.common_name.as_deref()))?;
    Ok((common_name, among(&requested.alternative_names, &allowed.alternative_names)?))
}

/// The names `asked` for, in the spelling of those `known`, each once. Fails when one is not among these.
fn among(asked: &[GeneralName], known: &[GeneralName]) -> Result<Vec<GeneralName>, Refusal> {
    let mut names: Vec<GeneralName> = Vec::with_capacity(asked.len());
    for asked in asked {
        let found = known.iter().find(|known| same_name(known, asked));
        let found =
            found.ok_or_else(|| Refusal::name_not_allowed("alternative name", Some(&asked.to_string())))?;
        if !names.contains(found) {
            names.push(found.clone());
        }
    }
    Ok(names)
}

/// Those among `allowed` that `certificate` has as well: what its renewal may have.
fn kept(allowed: ObjectNames, certificate: &Certificate) -> Result<ObjectNames, Refusal> {
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

/// Whether two subjects have the same parts in the same order and the same case; string types may differ, for a client
/// chooses its own.
fn same_letters(one: &Name, other: &Name) -> bool {
    let (one, other) = (one.rdns(), other.rdns());
    one.len() == other.len()
        && one.iter().zip(&other).all(|(one, other)| {
            let has = |attribute: &pki_core::NameAttribute| {
                other.iter().any(|other| other.oid() == attribute.oid() && other.text() == attribute.text())
            };
            one.len() == other.len() && one.iter().all(has)
        })
}
