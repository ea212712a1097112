//! How certificates of one kind are made.

use std::{borrow::Cow, time::Duration};

use pki_core::{Extension, KeyKind, KeyUsage, Name, Oid, PublicKey, distribution_points, oids, tlv};

use crate::{KeyNotAllowed, KeyPolicy, PrepareError, Usages};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// No certificate is valid for less.
pub(crate) const SHORTEST: Duration = Duration::from_secs(60);

/// What a [`Profile`] is made of. Start from [`ProfileSettings::new`] and change fields.
///
/// ```
/// # use std::time::Duration;
/// use issuance::{Profile, ProfileSettings};
///
/// let profile = Profile::new(ProfileSettings {
///     validity: Duration::from_secs(90 * 24 * 60 * 60),
///     ocsp: Some("http://ca.example.com/ocsp".into()),
///     ..ProfileSettings::new("devices")
/// })?;
/// # assert_eq!(profile.name(), "devices");
/// # Ok::<(), issuance::InvalidProfile>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct ProfileSettings {
    /// Names it in URLs, challenges and records: 1 to 64 letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// How long a certificate is valid from now; less when the CA's own certificate ends before. By default 365 days.
    pub validity: Duration,
    /// How long before now validity begins, for devices whose clocks are behind; never before the CA's own certificate
    /// begins. By default one hour.
    pub backdating: Duration,
    /// Which keys are certified.
    pub keys: KeyPolicy,
    /// keyUsage. By default digitalSignature and keyEncipherment. Keys on elliptic curves get it less keyEncipherment
    /// and dataEncipherment, RSA keys less keyAgreement: RFC 8813 §3 and RFC 3279 §2.3.1 forbid those.
    pub key_usage: KeyUsage,
    /// extKeyUsage. By default id-kp-clientAuth alone.
    pub extended_key_usages: Vec<Oid>,
    /// Parts of the subject that every certificate has before its commonName, such as `O=Example`.
    pub fixed_subject: Option<Name>,
    /// Where the CA's certificate can be fetched (id-ad-caIssuers); http.
    pub ca_issuers: Option<String>,
    /// Where status is answered (id-ad-ocsp); http.
    pub ocsp: Option<String>,
    /// Where the CA's full CRL is found (cRLDistributionPoints); http.
    pub crl: Option<String>,
    /// Where the CA's delta CRL is found (freshestCRL); http.
    pub freshest_crl: Option<String>,
    /// Further extensions that every certificate has, such as certificatePolicies. None that issuance makes itself, and
    /// none that gives powers.
    pub extensions: Vec<Extension>,
}

impl ProfileSettings {
    /// The defaults, under that name: a client certificate for a year.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            validity: DAY.saturating_mul(365),
            backdating: Duration::from_secs(60 * 60),
            keys: KeyPolicy::default(),
            key_usage: KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT,
            extended_key_usages: vec![oids::KP_CLIENT_AUTH],
            fixed_subject: None,
            ca_issuers: None,
            ocsp: None,
            crl: None,
            freshest_crl: None,
            extensions: Vec::new(),
        }
    }
}

/// How certificates of one kind are made. No profile makes a CA, a responder, or a certificate for every purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    settings: ProfileSettings,
    /// The DER of extKeyUsage.
    extended_key_usage: Vec<u8>,
    /// The DER of the extensions that are the same in every certificate: authorityInfoAccess, where CRLs are, and the
    /// profile's own.
    fixed_extensions: Vec<u8>,
}

impl Profile {
    /// Fails when certificates made like this would be unusable, or good for what no profile may give.
    pub fn new(settings: ProfileSettings) -> Result<Self, InvalidProfile> {
        check_name(&settings.name)?;
        check_validity(&settings)?;
        check_key_usage(&settings)?;
        check_extended_key_usages(&settings.extended_key_usages)?;
        if settings.fixed_subject.as_ref().is_some_and(|name| name.common_name().is_some()) {
            return Err(InvalidProfile::FixedCommonName);
        }
        let urls = [&settings.ca_issuers, &settings.ocsp, &settings.crl, &settings.freshest_crl];
        urls.into_iter().flatten().try_for_each(|url| check_url(url))?;
        check_extensions(&settings.extensions)?;
        let extended_key_usage = extended_key_usage(&settings.extended_key_usages);
        let locations = [authority_info_access(&settings), crl_locations(&settings)];
        let own = settings.extensions.iter().map(Extension::to_der);
        let fixed_extensions = locations.into_iter().chain(own).flatten().collect();
        Ok(Self { settings, extended_key_usage, fixed_extensions })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// What it is made of.
    pub fn settings(&self) -> &ProfileSettings {
        &self.settings
    }

    /// Whether `key` is one that this certifies.
    pub fn check_key(&self, key: &PublicKey) -> Result<(), KeyNotAllowed> {
        self.settings.keys.check(key)
    }

    /// The subject of a certificate for `common_name`: the fixed parts, then that.
    pub fn subject(&self, common_name: &str) -> Name {
        let own = Name::of_common_name(common_name);
        let Some(fixed) = &self.settings.fixed_subject else { return own };
        let parts = [fixed, &own].map(|name| {
            tlv::Cursor::over(name.as_der(), "a Name").and_then(|mut cursor| cursor.expect(tlv::SEQUENCE))
        });
        match parts {
            [Ok(fixed), Ok(common)] => {
                Name::from_der(&tlv::sequence([fixed.value, common.value])).unwrap_or(own)
            }
            _ => own,
        }
    }

    /// keyUsage for a key of that kind.
    pub(crate) fn key_usage(&self, kind: KeyKind) -> KeyUsage {
        usage_for(self.settings.key_usage, kind)
    }

    /// keyUsage and the DER of extKeyUsage for a key of that kind: the profile's, or fewer.
    pub(crate) fn usages(
        &self,
        kind: KeyKind,
        fewer: Option<&Usages>,
    ) -> Result<(KeyUsage, Cow<'_, [u8]>), PrepareError> {
        let all = self.key_usage(kind);
        let fewer_usages = fewer.and_then(|fewer| fewer.key_usage);
        let usage = fewer_usages.map_or(all, |asked| all.without(all.without(asked)));
        if usage.is_empty() {
            return Err(PrepareError::BeyondProfile("those key usages".into()));
        }
        match fewer.map(|fewer| &*fewer.extended) {
            None | Some([]) => Ok((usage, Cow::Borrowed(&self.extended_key_usage))),
            Some(asked) => {
                let given = &self.settings.extended_key_usages;
                match asked.iter().find(|usage| !given.contains(usage)) {
                    Some(usage) => {
                        Err(PrepareError::BeyondProfile(format!("the extended key usage {usage}")))
                    }
                    None => Ok((usage, Cow::Owned(extended_key_usage(asked)))),
                }
            }
        }
    }

    pub(crate) fn fixed_extensions(&self) -> &[u8] {
        &self.fixed_extensions
    }
}

fn usage_for(usage: KeyUsage, kind: KeyKind) -> KeyUsage {
    usage.without(match kind {
        KeyKind::Rsa { .. } => KeyUsage::KEY_AGREEMENT,
        _ => KeyUsage::KEY_ENCIPHERMENT | KeyUsage::DATA_ENCIPHERMENT,
    })
}

fn check_name(name: &str) -> Result<(), InvalidProfile> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=64).contains(&name.len()) && name.chars().all(plain) {
        return Ok(());
    }
    Err(InvalidProfile::Name(name.chars().take(80).collect()))
}

fn check_validity(settings: &ProfileSettings) -> Result<(), InvalidProfile> {
    if settings.validity < SHORTEST || settings.backdating > DAY.saturating_mul(30) {
        return Err(InvalidProfile::Validity);
    }
    Ok(())
}

fn check_key_usage(settings: &ProfileSettings) -> Result<(), InvalidProfile> {
    let (usage, keys) = (settings.key_usage, &settings.keys);
    if usage.without(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN) != usage {
        return Err(InvalidProfile::CaUsage);
    }
    let kinds = [(keys.takes_rsa(), KeyKind::Rsa { bits: 2048 }), (keys.takes_curves(), KeyKind::P256)];
    let mut taken = kinds.into_iter().filter(|(taken, _)| *taken).map(|(_, kind)| kind).peekable();
    if taken.peek().is_none() {
        return Err(InvalidProfile::NoKeys);
    }
    match taken.find(|kind| usage_for(usage, *kind).is_empty()) {
        Some(KeyKind::Rsa { .. }) => Err(InvalidProfile::NoUsage("RSA keys")),
        Some(_) => Err(InvalidProfile::NoUsage("keys on elliptic curves")),
        None => Ok(()),
    }
}

fn check_extended_key_usages(listed: &[Oid]) -> Result<(), InvalidProfile> {
    let reserved = [oids::ANY_EXTENDED_KEY_USAGE, oids::KP_OCSP_SIGNING];
    if let Some(id) = listed.iter().find(|id| reserved.contains(id)) {
        return Err(InvalidProfile::ReservedUsage(*id));
    }
    // Without the extension a certificate is good for everything.
    if listed.is_empty() { Err(InvalidProfile::NoExtendedUsage) } else { Ok(()) }
}

fn check_extensions(listed: &[Extension]) -> Result<(), InvalidProfile> {
    const RESERVED: [Oid; 19] = [
        oids::SUBJECT_KEY_IDENTIFIER,
        oids::KEY_USAGE,
        oids::SUBJECT_ALT_NAME,
        Oid::new_unwrap("2.5.29.18"), // issuerAltName
        oids::BASIC_CONSTRAINTS,
        Oid::new_unwrap("2.5.29.30"), // nameConstraints
        Oid::new_unwrap("2.5.29.31"), // cRLDistributionPoints
        Oid::new_unwrap("2.5.29.33"), // policyMappings
        oids::AUTHORITY_KEY_IDENTIFIER,
        Oid::new_unwrap("2.5.29.36"), // policyConstraints
        oids::EXTENDED_KEY_USAGE,
        Oid::new_unwrap("2.5.29.46"), // freshestCRL
        Oid::new_unwrap("2.5.29.54"), // inhibitAnyPolicy
        oids::AUTHORITY_INFO_ACCESS,
        oids::OCSP_NOCHECK,
        oids::NTDS_CA_SECURITY,
        oids::ENTRA_TENANT_ID,
        oids::ENTRA_DEVICE_ID,
        Oid::new_unwrap("1.3.6.1.4.1.311.21.10"), // application policies, which some read as extKeyUsage
    ];
    for (at, extension) in listed.iter().enumerate() {
        if RESERVED.contains(&extension.id()) {
            return Err(InvalidProfile::ReservedExtension(extension.id()));
        }
        if listed.iter().take(at).any(|earlier| earlier.id() == extension.id()) {
            return Err(InvalidProfile::SameExtension(extension.id()));
        }
    }
    Ok(())
}

fn check_url(url: &str) -> Result<(), InvalidProfile> {
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
    let printable = url.bytes().all(|octet| octet.is_ascii_graphic());
    if host.is_empty() || host.starts_with('/') || !printable || url.len() > 2048 {
        return Err(InvalidProfile::Url(url.chars().take(80).collect()));
    }
    Ok(())
}

/// ```text
/// ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF KeyPurposeId
/// ```
pub(crate) fn extended_key_usage(usages: &[Oid]) -> Vec<u8> {
    let mut distinct: Vec<Vec<u8>> = Vec::with_capacity(usages.len());
    for id in usages.iter().map(|id| tlv::oid(*id)) {
        if !distinct.contains(&id) {
            distinct.push(id);
        }
    }
    Extension::new(oids::EXTENDED_KEY_USAGE, tlv::wrap(tlv::SEQUENCE, &distinct.concat())).to_der()
}

/// Nothing when the profile has no URL.
///
/// ```text
/// AuthorityInfoAccessSyntax ::= SEQUENCE SIZE (1..MAX) OF AccessDescription
/// AccessDescription ::= SEQUENCE { accessMethod OBJECT IDENTIFIER, accessLocation GeneralName }
/// ```
fn authority_info_access(settings: &ProfileSettings) -> Vec<u8> {
    const URI: u8 = 0x86;
    let methods = [(oids::AD_OCSP, &settings.ocsp), (oids::AD_CA_ISSUERS, &settings.ca_issuers)];
    let descriptions: Vec<u8> = methods
        .into_iter()
        .filter_map(|(method, url)| Some((method, url.as_deref()?)))
        .flat_map(|(method, url)| tlv::sequence([&*tlv::oid(method), &tlv::wrap(URI, url.as_bytes())]))
        .collect();
    if descriptions.is_empty() {
        return Vec::new();
    }
    Extension::new(oids::AUTHORITY_INFO_ACCESS, tlv::wrap(tlv::SEQUENCE, &descriptions)).to_der()
}

/// cRLDistributionPoints and freshestCRL, as far as the profile has them.
fn crl_locations(settings: &ProfileSettings) -> Vec<u8> {
    let locations =
        [(oids::CRL_DISTRIBUTION_POINTS, &settings.crl), (oids::FRESHEST_CRL, &settings.freshest_crl)];
    let extensions = locations
        .into_iter()
        .filter_map(|(id, url)| Some(Extension::new(id, distribution_points([url.as_deref()?])).to_der()));
    extensions.flatten().collect()
}

/// Settings that make no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProfile {
    /// The name has other characters, none, or too many.
    #[error("expected a profile's name of 1 to 64 letters, digits, '-', '_' or '.': {0:?}")]
    Name(String),
    /// Validity under a minute, or backdating of more than 30 days.
    #[error("expected a validity of at least one minute and a backdating of at most 30 days")]
    Validity,
    /// keyCertSign or cRLSign.
    #[error("a profile gives neither keyCertSign nor cRLSign: those are the CA's")]
    CaUsage,
    /// Certificates for a kind of key that is taken would have an empty keyUsage.
    #[error("{0} would have no keyUsage left: add digitalSignature, or do not take such keys")]
    NoUsage(&'static str),
    /// No kind of key is taken.
    #[error("the profile takes no key: allow RSA keys or elliptic curves")]
    NoKeys,
    /// anyExtendedKeyUsage or id-kp-OCSPSigning.
    #[error(
        "a profile never gives the extended key usage {0}: it is the CA's to give to its responders, if at all"
    )]
    ReservedUsage(Oid),
    /// No extended key usage.
    #[error("expected at least one extended key usage, such as 1.3.6.1.5.5.7.3.2 (clientAuth): none")]
    NoExtendedUsage,
    /// An extension that issuance makes itself, or that gives powers.
    #[error("the extension {0} cannot be set by a profile: it is made here, or is none of a device's")]
    ReservedExtension(Oid),
    /// One extension twice.
    #[error("the extension {0} is there twice")]
    SameExtension(Oid),
    /// A commonName among the fixed parts of the subject.
    #[error("the fixed parts of the subject must have no CN: that names the device or user")]
    FixedCommonName,
    /// Not a URL that clients can follow.
    #[error("expected a URL such as http://ca.example.com/ocsp: {0:?}")]
    Url(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> ProfileSettings {
        ProfileSettings::new("devices")
    }

    fn with_extensions(ids: &[&str]) -> ProfileSettings {
        let extension = |id: &&str| Extension::new(id.parse().unwrap(), vec![5, 0]);
        ProfileSettings { extensions: ids.iter().map(extension).collect(), ..settings() }
    }

    #[test]
    fn names_are_good_for_urls_and_logs() {
        let long = "x".repeat(65);
        for name in ["", "a b", "a/b", "ä", "a\n", &long] {
            assert!(matches!(Profile::new(ProfileSettings::new(name)), Err(InvalidProfile::Name(_))));
        }
    }

    #[test]
    fn settings_that_make_no_profile() {
        let no_keys = KeyPolicy::default().without_rsa().without_curves();
        let cases = [
            (ProfileSettings { validity: Duration::from_secs(1), ..settings() }, "one minute"),
            (ProfileSettings { backdating: DAY * 31, ..settings() }, "30 days"),
            (ProfileSettings { key_usage: KeyUsage::KEY_CERT_SIGN, ..settings() }, "keyCertSign"),
            (ProfileSettings { key_usage: KeyUsage::KEY_ENCIPHERMENT, ..settings() }, "keys on elliptic"),
            (ProfileSettings { key_usage: KeyUsage::KEY_AGREEMENT, ..settings() }, "RSA keys would"),
            (ProfileSettings { extended_key_usages: vec![], ..settings() }, "at least one"),
            (ProfileSettings { keys: no_keys, ..settings() }, "takes no key"),
            (ProfileSettings { fixed_subject: "CN=x,O=y".parse().ok(), ..settings() }, "no CN"),
            (with_extensions(&["2.5.29.19"]), "2.5.29.19 cannot be set"),
            (with_extensions(&["1.3.6.1.4.1.311.21.10"]), "cannot be set"),
            (with_extensions(&["1.2.3", "1.2.4", "1.2.3"]), "1.2.3 is there twice"),
            (ProfileSettings { ocsp: Some("ftp://x".into()), ..settings() }, "expected a URL"),
            (ProfileSettings { crl: Some("ldap://x".into()), ..settings() }, "expected a URL"),
            (ProfileSettings { freshest_crl: Some("/crl".into()), ..settings() }, "expected a URL"),
            (ProfileSettings { ca_issuers: Some("http:///x".into()), ..settings() }, "expected a URL"),
            (ProfileSettings { ca_issuers: Some("http://x/ y".into()), ..settings() }, "expected a URL"),
        ];
        for (settings, expected) in cases {
            let error = Profile::new(settings).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn row_40_no_profile_gives_reserved_usages() {
        for id in [oids::ANY_EXTENDED_KEY_USAGE, oids::KP_OCSP_SIGNING] {
            let extended_key_usages = vec![oids::KP_CLIENT_AUTH, id];
            let made = Profile::new(ProfileSettings { extended_key_usages, ..settings() });
            assert_eq!(made, Err(InvalidProfile::ReservedUsage(id)));
        }
    }

    #[test]
    fn usages_follow_the_kind_of_key() {
        let profile = Profile::new(settings()).unwrap();
        assert_eq!(profile.key_usage(KeyKind::P384), KeyUsage::DIGITAL_SIGNATURE);
        let both = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
        assert_eq!(profile.key_usage(KeyKind::Rsa { bits: 2048 }), both);
    }

    #[test]
    fn fixed_parts_come_before_the_common_name() {
        let fixed_subject = Some("OU=Devices,O=Example".parse().unwrap());
        let profile = Profile::new(ProfileSettings { fixed_subject, ..settings() }).unwrap();
        assert_eq!(profile.subject("laptop-1").to_string(), "CN=laptop-1,OU=Devices,O=Example");
        assert_eq!(Profile::new(settings()).unwrap().subject("x").to_string(), "CN=x");
    }
}
