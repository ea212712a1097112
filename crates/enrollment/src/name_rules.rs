//! What a profile says of names.

use std::str::FromStr;

use pki_core::{GeneralName, Name, Oid, oids, tlv};

use crate::{
    InvalidTemplate, Refusal, Template, TextFlaw,
    name_text::{check_alternative_name, check_subject_text},
    template::Known,
};

/// Which names the certificates of a profile carry. By default: the commonName and the alternative names that the request
/// asks for and the directory has of the object; a request for others is refused.
///
/// ```
/// use enrollment::{NameChoice, NameRules};
///
/// let rules = NameRules {
///     subject: Some("CN={name},OU={attributes.department},O=Example".parse()?),
///     alternative_names: Some(vec!["DNS:{name}.example.com".parse()?, "UPN:{upn}".parse()?]),
///     choice: NameChoice::Directory,
///     ..NameRules::default()
/// };
/// # Ok::<(), enrollment::InvalidTemplate>(())
/// ```
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct NameRules {
    /// The whole subject. `None`: the fixed parts of the issuance profile and the commonName.
    pub subject: Option<SubjectTemplate>,
    /// The alternative names that a certificate may carry, those left out for which nothing is known. `None`: all that
    /// the directory has.
    pub alternative_names: Option<Vec<AlternativeNameTemplate>>,
    /// Whose choice it is.
    pub choice: NameChoice,
    /// Where it is not empty, a request must ask for exactly the names of one of these, letter by letter. That allows
    /// none that are not the object's.
    pub whitelist: Vec<ListedNames>,
    /// How the object's Windows account is named, if the directory knows it.
    pub security_identifier: SecurityIdentifierForm,
    /// Whether the object's tenant and device in Microsoft Entra are named, if the directory knows them.
    pub microsoft_ids: MicrosoftIdsForm,
}

/// Who chooses among the names that a certificate may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "there is no fifth way")]
pub enum NameChoice {
    /// The requester, among those; it is refused if it asks for another.
    #[default]
    Requester,
    /// Nobody: a certificate carries all of them, whatever the request asks for.
    Directory,
    /// Nobody: a certificate carries all of them, and the request must ask for exactly that.
    Exact,
    /// The authority outside that has compared the names in the request with its own: a certificate carries these, all
    /// of them, whatever the directory has and the other rules say. A renewal carries those among them that the
    /// certificate renewed has. For authorities that say so ([`AskedNames::Proven`](crate::AskedNames::Proven)); the
    /// others are refused.
    Validated,
}

/// How a Windows account is named: for domain controllers that map certificates to accounts strongly (KB5014754).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "there is no fifth way")]
pub enum SecurityIdentifierForm {
    /// Not at all.
    #[default]
    None,
    /// By the extension 1.3.6.1.4.1.311.25.2.
    Extension,
    /// By an alternative name, `URI:tag:microsoft.com,2022-09-14:sid:…`.
    Uri,
    /// By both.
    Both,
}

/// Whether certificates name the tenant and the device of Microsoft Entra.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum MicrosoftIdsForm {
    /// They do not.
    #[default]
    None,
    /// By the extensions 1.2.840.113556.5.14 and 1.2.840.113556.1.5.284.2.
    Extensions,
}

/// The names of one entry of a whitelist.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by whoever configures")]
pub struct ListedNames {
    /// The subject.
    pub subject: SubjectTemplate,
    /// All alternative names.
    pub alternative_names: Vec<AlternativeNameTemplate>,
}

/// A distinguished name whose values are templates, such as `CN={name},O=Example`. What is put into a place stays one
/// value, whatever characters it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectTemplate(Vec<Vec<Attribute>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Attribute {
    oid: Oid,
    tag: u8,
    value: Template,
}

/// An alternative name that is a template, such as `DNS:{name}.example.com`, `email:{email}`, `URI:urn:uuid:{id}` or
/// `UPN:{upn}`.
#[derive(Debug, Clone)]
pub struct AlternativeNameTemplate {
    form: fn(String) -> GeneralName,
    text: Template,
}

impl NameRules {
    /// Whether the directory must be asked for attributes.
    pub(crate) fn need_attributes(&self) -> bool {
        let listed = self.whitelist.iter();
        let alternative = self.alternative_names.iter().flatten();
        self.security_identifier != SecurityIdentifierForm::None
            || self.microsoft_ids != MicrosoftIdsForm::None
            || self
                .subject
                .iter()
                .chain(listed.clone().map(|names| &names.subject))
                .any(SubjectTemplate::needs_attributes)
            || alternative
                .chain(listed.flat_map(|names| &names.alternative_names))
                .any(|name| name.text.needs_attributes())
    }
}

impl SubjectTemplate {
    /// The subject of what is known; each value fit to stand in a certificate.
    pub(crate) fn fill(&self, known: &Known<'_>) -> Result<Name, Refusal> {
        let rdns = self.0.iter().map(|rdn| {
            let mut attributes = rdn.iter().map(|one| one.fill(known)).collect::<Result<Vec<_>, _>>()?;
            // A SET OF in DER is ordered.
            attributes.sort();
            Ok(tlv::wrap(tlv::SET, &attributes.concat()))
        });
        let rdns = rdns.collect::<Result<Vec<_>, Refusal>>()?;
        Name::from_der(&tlv::wrap(tlv::SEQUENCE, &rdns.concat()))
            .map_err(|error| Refusal::Internal(error.to_string()))
    }

    fn needs_attributes(&self) -> bool {
        self.0.iter().flatten().any(|attribute| attribute.value.needs_attributes())
    }
}

impl Attribute {
    fn fill(&self, known: &Known<'_>) -> Result<Vec<u8>, Refusal> {
        const PRINTABLE: u8 = 0x13;
        const IA5: u8 = 0x16;
        let filled = self.value.fill(known).map_err(|nothing| Refusal::nothing_known(&nothing))?;
        let text = filled.into_iter().next().unwrap_or_default();
        let is_printable = |c: char| c.is_ascii_alphanumeric() || " '()+,-./:=?".contains(c);
        let is_of_type = match self.tag {
            PRINTABLE => text.chars().all(is_printable),
            IA5 => text.is_ascii(),
            _ => true,
        };
        let flaw = if is_of_type { check_subject_text(self.oid, &text) } else { Err(TextFlaw::StringType) };
        flaw.map_err(|flaw| Refusal::NameInvalid { which: "what the directory has for the subject", flaw })?;
        Ok(tlv::sequence([&*tlv::oid(self.oid), &tlv::wrap(self.tag, text.as_bytes())]))
    }
}

impl AlternativeNameTemplate {
    /// The names of what is known; none where something is not. Each is fit to stand in a certificate.
    pub(crate) fn fill(&self, known: &Known<'_>) -> Result<Vec<GeneralName>, Refusal> {
        let Ok(texts) = self.text.fill(known) else { return Ok(Vec::new()) };
        texts.into_iter().map(|text| fit((self.form)(text))).collect()
    }
}

/// A name that comes from the directory.
pub(crate) fn fit(name: GeneralName) -> Result<GeneralName, Refusal> {
    let is_text_of_its_type = match &name {
        GeneralName::Dns(text) | GeneralName::Email(text) | GeneralName::Uri(text) => text.is_ascii(),
        _ => true,
    };
    let flaw = if is_text_of_its_type { check_alternative_name(&name) } else { Err(TextFlaw::StringType) };
    flaw.map_err(|flaw| Refusal::NameInvalid {
        which: "the directory's alternative name of the object",
        flaw,
    })?;
    Ok(name)
}

impl FromStr for SubjectTemplate {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, InvalidTemplate> {
        let name: Name = text.parse()?;
        let rdns = name.rdns().into_iter().map(|rdn| {
            let attributes = rdn.into_iter().map(|attribute| {
                let value = attribute.text().unwrap_or_default().parse()?;
                Ok(Attribute { oid: attribute.oid(), tag: attribute.tag(), value })
            });
            attributes.collect::<Result<_, InvalidTemplate>>()
        });
        Ok(Self(rdns.collect::<Result<_, _>>()?))
    }
}

impl SubjectTemplate {
    /// Whether certificates have a commonName.
    pub fn has_common_name(&self) -> bool {
        self.0.iter().flatten().any(|attribute| attribute.oid == oids::COMMON_NAME)
    }
}

impl FromStr for AlternativeNameTemplate {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, InvalidTemplate> {
        let unknown = || InvalidTemplate::Form(text.chars().take(80).collect());
        let (form, name) = text.split_once(':').ok_or_else(unknown)?;
        let form: fn(String) -> GeneralName = match &*form.to_ascii_lowercase() {
            "dns" => GeneralName::Dns,
            "email" => GeneralName::Email,
            "uri" => GeneralName::Uri,
            "upn" => GeneralName::Upn,
            _ => return Err(unknown()),
        };
        Ok(Self { form, text: name.parse()? })
    }
}
