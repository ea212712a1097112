//! From the settings of profiles to profiles.

use std::{fmt::Display, str::FromStr, sync::Arc, time::Duration};

use enrollment::{
    ApprovalPolicy, ChallengeAuthority, EnrollmentProfile, Identification, InvalidTemplate, ListedNames,
    MicrosoftIdsForm, NameChoice, NameRules, RenewalPolicy, SecurityIdentifierForm,
};
use issuance::{KeyPolicy, Profile, ProfileSettings as IssuanceSettings};
use ocsp_server::ServerError;
use pki_core::{Extension, KeyUsage, Oid, oids};
use scep_proto::{AlgorithmPolicy, Legacy};

use crate::settings::{
    ApprovalKind, ChallengeKind, IdentifierKind, IdentifyKind, KeyName, KeyUsageName, LegacyAlgorithm,
    NamesKind, ProfileSettings, RenewalKind, WishKind,
};

const DAY: u64 = 24 * 60 * 60;

/// Extended key usages that have names here.
const USAGES: [(&str, Oid); 7] = [
    ("client-auth", oids::KP_CLIENT_AUTH),
    ("server-auth", oids::KP_SERVER_AUTH),
    ("code-signing", Oid::new_unwrap("1.3.6.1.5.5.7.3.3")),
    ("email-protection", Oid::new_unwrap("1.3.6.1.5.5.7.3.4")),
    ("ipsec-ike", Oid::new_unwrap("1.3.6.1.5.5.7.3.17")),
    ("smartcard-logon", Oid::new_unwrap("1.3.6.1.4.1.311.20.2.2")),
    ("kdc", Oid::new_unwrap("1.3.6.1.5.2.3.5")),
];

/// Where certificates say that their status and their issuer are to be found.
#[derive(Debug)]
pub(crate) struct Urls {
    pub(crate) ocsp: String,
    pub(crate) ca: String,
    /// The full CRL, if there is one.
    pub(crate) crl: Option<String>,
    /// The delta CRL, if there is one.
    pub(crate) delta_crl: Option<String>,
}

/// A mistake in one key of a profile.
struct Mistake {
    key: &'static str,
    problem: String,
}

impl Mistake {
    fn new(key: &'static str, problem: impl Display) -> Self {
        Self { key, problem: problem.to_string() }
    }
}

/// The profile that `settings` describe, for those that `authority` lets enroll.
pub(crate) fn enrollment_profile(
    settings: &ProfileSettings,
    urls: &Urls,
    authority: ChallengeAuthority,
) -> Result<EnrollmentProfile, ServerError> {
    let wrong =
        |problem: &dyn Display| ServerError::new(format_args!("the profile {:?}: {problem}", settings.name));
    let mistaken = |Mistake { key, problem }: Mistake| wrong(&format_args!("{key}: {problem}"));
    let issuance = issuance_settings(settings, urls).map_err(mistaken)?;
    let issuance = Arc::new(Profile::new(issuance).map_err(|error| wrong(&error))?);
    let names = name_rules(settings).map_err(mistaken)?;
    let profile = EnrollmentProfile::new(issuance, authority).with_names(names);
    Ok(with_options(profile, settings, approval(settings)))
}

fn with_options(
    profile: EnrollmentProfile,
    settings: &ProfileSettings,
    approval: Option<ApprovalPolicy>,
) -> EnrollmentProfile {
    let profile = match approval {
        Some(policy) => profile.with_approval(policy),
        None => profile,
    };
    let profile = match settings.identify {
        IdentifyKind::Names => profile,
        IdentifyKind::JamfSubject => profile.identified_by(Identification::JamfSubject),
    };
    let profile = match settings.requested_validity {
        WishKind::PassedOver => profile,
        WishKind::Less => profile.granting_shorter_validity(),
    };
    let profile = match settings.requested_usages {
        WishKind::PassedOver => profile,
        WishKind::Less => profile.granting_fewer_usages(),
    };
    let profile = match (settings.renewal, settings.renewal_window_days) {
        (RenewalKind::Off, _) => profile,
        // sscep, certmonger and jscep renew with a PKCSReq.
        (RenewalKind::Certificate, None) => {
            profile.with_renewal(RenewalPolicy::default().accepting_pkcs_req())
        }
        (RenewalKind::Certificate, Some(window)) => {
            let policy = RenewalPolicy::default().accepting_pkcs_req();
            profile.with_renewal(policy.opening_before_expiry(days(window)))
        }
    };
    if settings.allow.contains(&LegacyAlgorithm::Sha1) { profile.accepting_sha1() } else { profile }
}

fn days(days: u32) -> Duration {
    Duration::from_secs(u64::from(days).saturating_mul(DAY))
}

pub(crate) fn approval(settings: &ProfileSettings) -> Option<ApprovalPolicy> {
    let policy = ApprovalPolicy::default().with_lifetime(days(settings.approval_days));
    match settings.approval {
        ApprovalKind::Automatic => None,
        ApprovalKind::Manual => Some(policy),
        ApprovalKind::ManualWithRenewals => Some(policy.including_renewals()),
    }
}

fn issuance_settings(settings: &ProfileSettings, urls: &Urls) -> Result<IssuanceSettings, Mistake> {
    let fixed_subject = match &*settings.subject_suffix {
        "" => None,
        suffix => Some(suffix.parse().map_err(|error| Mistake::new("subject_suffix", error))?),
    };
    if settings.crl && urls.crl.is_none() {
        return Err(Mistake::new("crl", "crl = true needs a CRL: set crl.enabled = true"));
    }
    let extended = settings.extended_key_usage.iter().map(|name| usage(name));
    Ok(IssuanceSettings {
        validity: days(settings.validity_days),
        backdating: Duration::from_secs(u64::from(settings.backdating_minutes).saturating_mul(60)),
        keys: key_policy(settings)?,
        key_usage: key_usage(&settings.key_usage)?,
        extended_key_usages: extended.collect::<Result<_, _>>()?,
        fixed_subject,
        ca_issuers: Some(urls.ca.clone()),
        ocsp: Some(urls.ocsp.clone()),
        crl: urls.crl.clone().filter(|_| settings.crl),
        freshest_crl: urls.delta_crl.clone().filter(|_| settings.crl),
        extensions: extensions(settings)?,
        ..IssuanceSettings::new(&settings.name)
    })
}

fn key_policy(settings: &ProfileSettings) -> Result<KeyPolicy, Mistake> {
    let [least, most] = settings.rsa_bits;
    let policy = KeyPolicy::default().with_rsa_bits(least..=most);
    let policy = policy.map_err(|error| Mistake::new("rsa_bits", error))?;
    let takes = |name| settings.keys.contains(&name);
    let policy = if takes(KeyName::Rsa) { policy } else { policy.without_rsa() };
    Ok(match (takes(KeyName::P256), takes(KeyName::P384)) {
        (true, true) => policy,
        (true, false) => policy.with_p256_alone(),
        (false, true) => policy.with_p384_alone(),
        (false, false) => policy.without_curves(),
    })
}

fn key_usage(names: &[KeyUsageName]) -> Result<KeyUsage, Mistake> {
    let usages = names.iter().map(|name| match name {
        KeyUsageName::DigitalSignature => KeyUsage::DIGITAL_SIGNATURE,
        KeyUsageName::NonRepudiation => KeyUsage::NON_REPUDIATION,
        KeyUsageName::KeyEncipherment => KeyUsage::KEY_ENCIPHERMENT,
        KeyUsageName::DataEncipherment => KeyUsage::DATA_ENCIPHERMENT,
        KeyUsageName::KeyAgreement => KeyUsage::KEY_AGREEMENT,
    });
    let all = usages.reduce(|some, more| some | more);
    all.ok_or_else(|| Mistake::new("key_usage", "expected one at least, such as \"digital-signature\""))
}

fn usage(name: &str) -> Result<Oid, Mistake> {
    let known = USAGES.iter().find(|(known, _)| *known == name).map(|(_, id)| *id);
    known.or_else(|| name.parse().ok()).ok_or_else(|| {
        let names = USAGES.map(|(name, _)| name).join(", ");
        let problem =
            format_args!("expected {names}, or an object identifier such as 1.3.6.1.5.5.7.3.2: {name:?}");
        Mistake::new("extended_key_usage", problem)
    })
}

fn extensions(settings: &ProfileSettings) -> Result<Vec<Extension>, Mistake> {
    let made = settings.extension.iter().map(|one| {
        let id: Oid = one.oid.parse().map_err(|_| {
            Mistake::new("extension.oid", format_args!("expected an object identifier: {:?}", one.oid))
        })?;
        let value = octets(&one.value).filter(|value| is_one_element(value)).ok_or_else(|| {
            Mistake::new("extension.value", format_args!("expected DER in hexadecimal: {:?}", one.value))
        })?;
        let extension = Extension::new(id, value);
        Ok(if one.critical { extension.critical() } else { extension })
    });
    made.collect()
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = hex.bytes().filter(|octet| !matches!(octet, b' ' | b':')).collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    let octet = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(octet).collect() } else { None }
}

fn is_one_element(der: &[u8]) -> bool {
    let cursor = pki_core::tlv::Cursor::over(der, "the value of an extension");
    cursor.and_then(|mut cursor| cursor.next().and_then(|_| cursor.finish())).is_ok()
}

/// Names that somebody else has validated are those of the request, whatever else is said of names.
fn check_validated_names(settings: &ProfileSettings) -> Result<(), Mistake> {
    let mistake = |problem| Err(Mistake::new("names", problem));
    if settings.names != NamesKind::Validated {
        return Ok(());
    }
    if settings.challenge != ChallengeKind::Intune {
        return mistake("names = \"validated\" needs challenge = \"intune\": nobody else validates them");
    }
    let templates = [&settings.subject, &settings.subject_suffix].iter().any(|text| !text.is_empty());
    if templates || settings.alternative_names.is_some() || !settings.whitelist.is_empty() {
        return mistake(
            "names = \"validated\" takes the names of the request: leave out subject, subject_suffix, \
                        alternative_names and whitelist",
        );
    }
    Ok(())
}

fn name_rules(settings: &ProfileSettings) -> Result<NameRules, Mistake> {
    check_validated_names(settings)?;
    let subject = match &*settings.subject {
        "" => None,
        _ if !settings.subject_suffix.is_empty() => {
            return Err(Mistake::new("subject", "it is the whole subject: leave subject_suffix out"));
        }
        template => Some(parsed("subject", template)?),
    };
    let alternative_names = settings.alternative_names.as_ref();
    let whitelist = settings.whitelist.iter().map(|listed| {
        let alternative_names = all_parsed("whitelist.alternative_names", &listed.alternative_names)?;
        Ok(ListedNames { subject: parsed("whitelist.subject", &listed.subject)?, alternative_names })
    });
    Ok(NameRules {
        subject,
        alternative_names: alternative_names
            .map(|names| all_parsed("alternative_names", names))
            .transpose()?,
        choice: match settings.names {
            NamesKind::Requester => NameChoice::Requester,
            NamesKind::Directory => NameChoice::Directory,
            NamesKind::Exact => NameChoice::Exact,
            NamesKind::Validated => NameChoice::Validated,
        },
        whitelist: whitelist.collect::<Result<_, _>>()?,
        security_identifier: match settings.security_identifier {
            IdentifierKind::None => SecurityIdentifierForm::None,
            IdentifierKind::Extension => SecurityIdentifierForm::Extension,
            IdentifierKind::Uri => SecurityIdentifierForm::Uri,
            IdentifierKind::Both => SecurityIdentifierForm::Both,
        },
        microsoft_ids: if settings.microsoft_extensions {
            MicrosoftIdsForm::Extensions
        } else {
            MicrosoftIdsForm::None
        },
    })
}

fn parsed<T: FromStr<Err = InvalidTemplate>>(key: &'static str, text: &str) -> Result<T, Mistake> {
    text.parse().map_err(|error| Mistake::new(key, error))
}

fn all_parsed<T: FromStr<Err = InvalidTemplate>>(
    key: &'static str,
    texts: &[String],
) -> Result<Vec<T>, Mistake> {
    texts.iter().map(|text| parsed(key, text)).collect()
}

/// The algorithms that messages of the profile may use.
pub(crate) fn algorithm_policy(settings: &ProfileSettings) -> AlgorithmPolicy {
    settings.allow.iter().fold(AlgorithmPolicy::default(), |policy, allowed| match allowed {
        LegacyAlgorithm::Sha1 => policy.with_legacy(Legacy::Sha1),
        LegacyAlgorithm::TripleDes => policy.with_legacy(Legacy::TripleDes),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use configuration::Configuration;
    use enrollment::ChallengeKey;

    use super::*;
    use crate::{authorities::Authorities, settings::Settings};

    fn read(text: &str) -> Result<Vec<EnrollmentProfile>, String> {
        let folder = tempfile::tempdir().unwrap();
        let secrets = [
            ("challenge.txt", "a challenge that all share\n"),
            ("webhook.secret", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n"),
        ];
        for (name, secret) in secrets {
            let path = folder.path().join(name);
            std::fs::write(&path, secret).unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let settings = Configuration::from_text(text).and_then(|text| text.read::<Settings>());
        let settings = settings.map_err(|error| error.to_string())?;
        let settings = Settings { data: folder.path().to_owned(), ..settings };
        let [ocsp, ca] = ["ocsp", "ca"].map(|path| format!("http://ca.example.com/{path}"));
        let urls = Urls { ocsp, ca, crl: None, delta_crl: None };
        let nobody = |_: &_| Err(String::from("nobody outside"));
        let authorities = Authorities::open(&settings, &ChallengeKey::new([1; 32]), nobody);
        let authorities = authorities.map_err(|error| error.to_string())?;
        let profiles = settings.profile.iter();
        let profiles = profiles.map(|profile| enrollment_profile(profile, &urls, authorities.of(profile)?));
        profiles.collect::<Result<_, _>>().map_err(|error| error.to_string())
    }

    #[test]
    fn every_example_of_the_documentation_makes_a_profile() {
        let page = include_str!("../../../docs/profiles.md");
        let examples: Vec<&str> =
            page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(examples.len() >= 7);
        for example in examples {
            let profiles = read(example).unwrap_or_else(|error| panic!("{error}\n{example}"));
            assert_eq!(profiles.len(), 1, "{example}");
        }
        for key in ["subject_suffix", "challenge_file", "requested_usages", "get_ca_cert", "whitelist"] {
            assert!(page.contains(key), "{key}");
        }
    }

    #[test]
    fn every_configuration_for_a_management_system_makes_a_profile() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/mdm");
        let mut pages = 0;
        for page in std::fs::read_dir(folder).unwrap() {
            let path = page.unwrap().path();
            let page = std::fs::read_to_string(&path).unwrap();
            let examples = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
            // Intune's is tested where its services are.
            let is_ours = !path.ends_with("intune.md");
            for example in examples.filter(|example| is_ours && example.contains("[[profile]]")) {
                let profiles =
                    read(example).unwrap_or_else(|error| panic!("{}: {error}\n{example}", path.display()));
                assert!(!profiles.is_empty(), "{example}");
                pages += 1;
            }
        }
        assert!(pages >= 12, "{pages}");
    }

    #[test]
    fn what_an_operator_sets_is_what_the_profile_has() {
        let text = "[[profile]]\nkeys = ['p256']\nkey_usage = ['digital-signature', 'key-agreement']\n\
                    extended_key_usage = ['kdc', '1.2.3']\nvalidity_days = 2\nbackdating_minutes = 3\n\
                    challenge = 'static'\nchallenge_file = 'challenge.txt'\nrenewal_window_days = 9\n\
                    [[profile.extension]]\noid = '1.2.3.4'\nvalue = '05:00'\ncritical = true\n";
        let profile = read(text).unwrap().remove(0);
        let made = profile.issuance().settings();
        assert_eq!(made.keys, KeyPolicy::default().without_rsa().with_p256_alone());
        assert_eq!(made.key_usage, KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_AGREEMENT);
        let usages: Vec<_> = made.extended_key_usages.iter().map(Oid::to_string).collect();
        assert_eq!(usages, ["1.3.6.1.5.2.3.5", "1.2.3"]);
        assert_eq!((made.validity.as_secs(), made.backdating.as_secs()), (2 * DAY, 180));
        let extension = Extension::new("1.2.3.4".parse().unwrap(), vec![5, 0]).critical();
        assert_eq!(made.extensions, [extension]);
        let renewal = RenewalPolicy::default().accepting_pkcs_req().opening_before_expiry(days(9));
        assert_eq!(profile.renewal(), Some(&renewal));
        assert!(matches!(profile.authority(), ChallengeAuthority::Static(_)));
    }

    #[test]
    fn mistakes_are_explained() {
        for (text, part) in [
            ("subject = 'CN={nmae}'", "subject: expected {name}"),
            ("subject = 'laptops'", "subject: expected a distinguished name"),
            ("subject = 'CN={name}'\nsubject_suffix = 'O=Example'", "leave subject_suffix out"),
            ("subject_suffix = 'CN=x'", "no CN"),
            ("alternative_names = ['{name}']", "expected an alternative name such as DNS:"),
            ("alternative_names = ['DNS:{dns}{upn}']", "has several"),
            ("keys = []", "takes no key"),
            ("keys = ['rsa1024']", "rsa1024"),
            ("rsa_bits = [1024, 2048]", "rsa_bits: expected lengths"),
            ("key_usage = []", "key_usage: expected one at least"),
            ("key_usage = ['key-cert-sign']", "key-cert-sign"),
            ("extended_key_usage = ['clientAuth']", "expected client-auth, server-auth"),
            ("extended_key_usage = ['1.3.6.1.5.5.7.3.9']", "never gives"),
            ("challenge = 'none'", "needs approval"),
            ("crl = true", "crl.enabled"),
            ("challenge = 'static'", "needs challenge_file"),
            (
                "challenge = 'webhook'\n[profile.webhook]\nurl = 'http://a.example'\nsecret_file = 'webhook.secret'",
                "expected https",
            ),
            ("[profile.jamf]\nhook = '/jamf'", "jamf.hook needs challenge"),
            ("challenge = 'ndes'\n[profile.ndes]\nencoding = 'utf-16'", "utf-16le"),
            ("names = 'any'", "any"),
            ("[[profile.extension]]\noid = 'x'", "extension.oid: expected an object identifier"),
            ("[[profile.extension]]\noid = '1.2.3'\nvalue = '0'", "extension.value: expected DER"),
            ("[[profile.extension]]\noid = '1.2.3'\nvalue = '050005'", "extension.value: expected DER"),
            ("[[profile.extension]]\noid = '2.5.29.19'\nvalue = '30030101ff'", "2.5.29.19 cannot be set"),
            ("[[profile.whitelist]]\nsubject = ''", "whitelist.subject"),
        ] {
            let error = read(&format!("[[profile]]\n{text}\n")).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
