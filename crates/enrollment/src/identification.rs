//! How an object is found that neither a challenge nor an authority names.

use pki_core::{GeneralName, Name, NameAttribute, Oid, oids};

/// What of a request the directory is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Identification {
    /// The common name, then the alternative names, one after the other until one is found.
    #[default]
    Names,
    /// What the subject says in the way that profiles of Jamf Pro are written for SCEPman:
    ///
    /// | subject | asked for |
    /// |---|---|
    /// | `CN=17,OU=computers` | `jamf-computer:17` |
    /// | `CN=17,OU=devices` | `jamf-mobile-device:17` |
    /// | `CN=17,OU=users-on-computers` and an email address | `jamf-user-on-computer:17/alice@example.com` |
    /// | `CN=17,OU=users-on-devices` and an email address | `jamf-user-on-mobile-device:17/alice@example.com` |
    ///
    /// Of several common names, the first that is a number is the id. A subject without such an OU finds nothing.
    JamfSubject,
}

/// The kinds of object by their OU.
const SINGLE: [(&str, &str); 2] = [("computers", "jamf-computer"), ("devices", "jamf-mobile-device")];
const PAIRS: [(&str, &str); 2] =
    [("users-on-computers", "jamf-user-on-computer"), ("users-on-devices", "jamf-user-on-mobile-device")];

/// What the directory is asked for, for [`Identification::JamfSubject`].
pub(crate) fn jamf_text(subject: &Name, alternative_names: &[GeneralName]) -> Option<String> {
    let is_number = |text: &String| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let id = texts(subject, oids::COMMON_NAME).into_iter().find(is_number)?;
    let units = texts(subject, oids::ORGANIZATIONAL_UNIT_NAME);
    let kind_in = |kinds: [(&'static str, &'static str); 2]| {
        let known = |(unit, _): &(&str, &str)| units.iter().any(|text| text.eq_ignore_ascii_case(unit));
        kinds.into_iter().find(known).map(|(_, kind)| kind)
    };
    if let Some(kind) = kind_in(SINGLE) {
        return Some(format!("{kind}:{id}"));
    }
    let email = alternative_names.iter().find_map(|name| match name {
        GeneralName::Email(email) => Some(email),
        _ => None,
    })?;
    kind_in(PAIRS).map(|kind| format!("{kind}:{id}/{email}"))
}

fn texts(subject: &Name, kind: Oid) -> Vec<String> {
    let rdns = subject.rdns();
    let of_kind = rdns.iter().flatten().filter(|attribute| attribute.oid() == kind);
    of_kind.filter_map(NameAttribute::text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_of_jamf_are_read() {
        let email = [GeneralName::Dns("x".into()), GeneralName::Email("alice@example.com".into())];
        for (subject, names, expected) in [
            ("CN=17,OU=computers", &[][..], Some("jamf-computer:17")),
            ("OU=Devices,CN=17,O=Example", &[], Some("jamf-mobile-device:17")),
            ("CN=17,OU=users-on-computers", &email, Some("jamf-user-on-computer:17/alice@example.com")),
            ("CN=17,OU=users-on-devices", &email, Some("jamf-user-on-mobile-device:17/alice@example.com")),
            ("CN=17,OU=computers,CN=Wifi profile", &[], Some("jamf-computer:17")),
            ("CN=Wifi profile,CN=17,OU=computers", &[], Some("jamf-computer:17")),
            ("CN=17,OU=users-on-computers", &[], None),
            ("CN=17", &email, None),
            ("CN=17,OU=printers", &email, None),
            ("CN=alice,OU=computers", &[], None),
            ("OU=computers", &[], None),
        ] {
            let text = jamf_text(&subject.parse().unwrap(), names);
            assert_eq!(text.as_deref(), expected, "{subject}");
        }
    }
}
