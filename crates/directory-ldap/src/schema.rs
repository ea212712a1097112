//! Where in an entry things are, and what they mean.

use directory::ObjectState;
use pki_core::UnixTime;

use crate::{
    Filter,
    message::Entry,
    values::{IdForm, Moment, filetime, generalized_time},
};

/// Where in an entry things are. Built from one of the ready-made ones.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct Schema {
    /// The attribute that is the id, of one value, never changed and never given again.
    pub id: String,
    /// How it stands there.
    pub id_form: IdForm,
    /// What tells whether an account is disabled.
    pub accounts: Accounts,
    /// Whether an account that was locked for a time, because of wrong passwords, has its certificates on hold. Anybody
    /// who can guess wrongly can lock an account.
    pub locked: Locked,
    /// Attributes whose values a common name may have, the preferred one first. A dollar sign at the end is left out.
    pub common_names: Vec<String>,
    /// Attributes that are names of hosts.
    pub dns_names: Vec<String>,
    /// Attributes that are addresses for mail.
    pub emails: Vec<String>,
    /// Attributes that are user principal names.
    pub upns: Vec<String>,
    /// Attributes by which an entry is found by name.
    pub searches: Vec<String>,
    /// Among which entries a name is searched for.
    pub among: Filter,
}

/// What tells whether an account is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum Accounts {
    /// `userAccountControl`, `accountExpires` and the lock, as Active Directory has them.
    ActiveDirectory,
    /// `pwdAccountLockedTime`, as servers with password policies have it
    /// ([draft-behera-ldap-password-policy](https://datatracker.ietf.org/doc/html/draft-behera-ldap-password-policy)).
    PasswordPolicy,
}

/// What becomes of the certificates of an account that is locked for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum Locked {
    /// They stay good.
    #[default]
    Good,
    /// They are on hold until the lock is gone.
    Hold,
}

const USER_ACCOUNT_CONTROL: &str = "userAccountControl";
const ACCOUNT_EXPIRES: &str = "accountExpires";
/// Constructed by the server: unlike `lockoutTime` it knows when a lock is over.
const COMPUTED: &str = "msDS-User-Account-Control-Computed";
const LOCKOUT_TIME: &str = "lockoutTime";
const LOCKED_TIME: &str = "pwdAccountLockedTime";

const ACCOUNT_DISABLED: u32 = 0x2;
const LOCKED_OUT: u32 = 0x10;
/// Locked until somebody unlocks it, in the draft's form and in a longer one that servers write too.
const LOCKED_FOR_GOOD: [&str; 2] = ["000001010000Z", "00000101000000Z"];

impl Schema {
    /// Active Directory, and Samba as its like: devices and users by `objectGUID`.
    pub fn active_directory() -> Self {
        let common_names = ["cn", "sAMAccountName", "dNSHostName", "userPrincipalName"];
        Self {
            id: "objectGUID".into(),
            id_form: IdForm::Guid,
            accounts: Accounts::ActiveDirectory,
            locked: Locked::Good,
            common_names: common_names.map(String::from).into(),
            dns_names: vec!["dNSHostName".into()],
            emails: vec!["mail".into()],
            upns: vec!["userPrincipalName".into()],
            searches: common_names.map(String::from).into(),
            // Computers are users too.
            among: Filter::equal("objectClass", "user"),
        }
    }

    /// A directory with the attributes of [RFC 4519](https://www.rfc-editor.org/rfc/rfc4519): persons, devices and
    /// accounts by `entryUUID` ([RFC 4530](https://www.rfc-editor.org/rfc/rfc4530)).
    pub fn rfc4519() -> Self {
        let among = ["person", "device", "account"].map(|class| Filter::equal("objectClass", class));
        Self {
            id: "entryUUID".into(),
            id_form: IdForm::Text,
            accounts: Accounts::PasswordPolicy,
            locked: Locked::Good,
            common_names: vec!["cn".into(), "uid".into()],
            dns_names: Vec::new(),
            emails: vec!["mail".into()],
            upns: Vec::new(),
            searches: vec!["cn".into(), "uid".into(), "mail".into()],
            among: Filter::Or(among.into()),
        }
    }

    /// What the state is read from, and the id.
    pub(crate) fn state_attributes(&self) -> Vec<String> {
        let attributes: &[&str] = match (self.accounts, self.locked) {
            (Accounts::ActiveDirectory, Locked::Good) => &[USER_ACCOUNT_CONTROL, ACCOUNT_EXPIRES],
            (Accounts::ActiveDirectory, Locked::Hold) => {
                &[USER_ACCOUNT_CONTROL, ACCOUNT_EXPIRES, COMPUTED, LOCKOUT_TIME]
            }
            (Accounts::PasswordPolicy, _) => &[LOCKED_TIME],
        };
        std::iter::once(self.id.clone()).chain(attributes.iter().copied().map(String::from)).collect()
    }

    /// What the state is at `now`; fails with what cannot be understood.
    pub(crate) fn state(&self, entry: &Entry, now: UnixTime) -> Result<ObjectState, String> {
        match self.accounts {
            Accounts::ActiveDirectory => self.active_directory_state(entry, now),
            Accounts::PasswordPolicy => self.password_policy_state(entry),
        }
    }

    fn active_directory_state(&self, entry: &Entry, now: UnixTime) -> Result<ObjectState, String> {
        // Every account has it: one that shows none is none, or not ours to see.
        let control = bits(entry, USER_ACCOUNT_CONTROL)?
            .ok_or("it shows no userAccountControl: it is no account, or we may not read it")?;
        if control & ACCOUNT_DISABLED != 0 {
            return Ok(ObjectState::Disabled { since: None });
        }
        if let Some(Moment::At(expires)) = time(entry, ACCOUNT_EXPIRES)?
            && expires <= now
        {
            return Ok(ObjectState::Disabled { since: Some(expires) });
        }
        if self.locked == Locked::Good {
            return Ok(ObjectState::Enabled);
        }
        let since = match time(entry, LOCKOUT_TIME)? {
            Some(Moment::At(since)) => Some(since),
            Some(Moment::Never) | None => None,
        };
        let is_locked = match bits(entry, COMPUTED)? {
            Some(computed) => computed & LOCKED_OUT != 0,
            None => since.is_some(),
        };
        Ok(if is_locked { ObjectState::Disabled { since } } else { ObjectState::Enabled })
    }

    fn password_policy_state(&self, entry: &Entry) -> Result<ObjectState, String> {
        let Some(locked) = text(entry, LOCKED_TIME)? else { return Ok(ObjectState::Enabled) };
        if LOCKED_FOR_GOOD.contains(&locked) {
            return Ok(ObjectState::Disabled { since: None });
        }
        let since =
            generalized_time(locked).ok_or_else(|| format!("{LOCKED_TIME} is no time: {locked:?}"))?;
        Ok(match self.locked {
            Locked::Good => ObjectState::Enabled,
            Locked::Hold => ObjectState::Disabled { since: Some(since) },
        })
    }
}

/// The value of an attribute that has at most one.
fn text<'a>(entry: &'a Entry, attribute: &str) -> Result<Option<&'a str>, String> {
    match entry.values(attribute) {
        [] => Ok(None),
        [value] => match std::str::from_utf8(value) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(format!("{attribute} is no text")),
        },
        _ => Err(format!("{attribute} has several values")),
    }
}

/// A number of 32 bits, which may be written with a sign.
fn bits(entry: &Entry, attribute: &str) -> Result<Option<u32>, String> {
    let Some(text) = text(entry, attribute)? else { return Ok(None) };
    let number = text.parse::<i32>().map(i32::cast_unsigned).or_else(|_| text.parse::<u32>());
    number.map(Some).map_err(|_| format!("{attribute} is no number of 32 bits: {text:?}"))
}

fn time(entry: &Entry, attribute: &str) -> Result<Option<Moment>, String> {
    let Some(text) = text(entry, attribute)? else { return Ok(None) };
    filetime(text).map(Some).ok_or_else(|| format!("{attribute} is no time: {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_763_769_600);
    const GOOD: Result<ObjectState, ()> = Ok(ObjectState::Enabled);
    const ON_HOLD: Result<ObjectState, ()> = Ok(ObjectState::Disabled { since: None });
    const SINCE_NOW: Result<ObjectState, ()> = Ok(ObjectState::Disabled { since: Some(NOW) });

    fn entry(attributes: &[(&str, &str)]) -> Entry {
        let attributes =
            attributes.iter().map(|(name, value)| (String::from(*name), vec![value.as_bytes().to_vec()]));
        Entry { name: "cn=x".into(), attributes: attributes.collect() }
    }

    #[test]
    fn every_state_of_active_directory_is_understood_or_refused() {
        const NEVER: (&str, &str) = ("accountExpires", "9223372036854775807");
        const NOW_THERE: &str = "134082432000000000";
        let rows: [(&[(&str, &str)], _, _); 16] = [
            (&[("userAccountControl", "4096"), NEVER], GOOD, GOOD),
            (&[("useraccountcontrol", "512")], GOOD, GOOD),
            (&[("userAccountControl", "-2147483136")], GOOD, GOOD),
            (&[("userAccountControl", "4098"), NEVER], ON_HOLD, ON_HOLD),
            (&[("userAccountControl", "514"), ("lockoutTime", "1")], ON_HOLD, ON_HOLD),
            (&[("userAccountControl", "512"), ("accountExpires", "0")], GOOD, GOOD),
            (&[("userAccountControl", "512"), ("accountExpires", NOW_THERE)], SINCE_NOW, SINCE_NOW),
            (&[("userAccountControl", "512"), ("accountExpires", "134082432010000000")], GOOD, GOOD),
            (&[("userAccountControl", "512"), ("accountExpires", "soon")], Err(()), Err(())),
            (&[("userAccountControl", "512"), ("lockoutTime", NOW_THERE)], GOOD, SINCE_NOW),
            (&[("userAccountControl", "512"), ("lockoutTime", "0")], GOOD, GOOD),
            (&[("userAccountControl", "512"), ("lockoutTime", NOW_THERE), (COMPUTED, "0")], GOOD, GOOD),
            (&[("userAccountControl", "512"), ("lockoutTime", NOW_THERE), (COMPUTED, "16")], GOOD, SINCE_NOW),
            (&[], Err(()), Err(())),
            (&[("userAccountControl", "")], Err(()), Err(())),
            (&[("userAccountControl", "4294967296")], Err(()), Err(())),
        ];
        for (attributes, lenient, strict) in rows {
            for (locked, expected) in [(Locked::Good, lenient), (Locked::Hold, strict)] {
                let schema = Schema { locked, ..Schema::active_directory() };
                let state = schema.state(&entry(attributes), NOW).map_err(drop);
                assert_eq!(state, expected, "{attributes:?} {locked:?}");
            }
        }
        let twice = Entry {
            attributes: vec![("userAccountControl".into(), vec![b"512".to_vec(), b"514".to_vec()])],
            ..Entry::default()
        };
        assert!(Schema::active_directory().state(&twice, NOW).is_err());
    }

    #[test]
    fn every_state_of_a_password_policy_is_understood_or_refused() {
        for (value, lenient, strict) in [
            (None, GOOD, GOOD),
            (Some("000001010000Z"), ON_HOLD, ON_HOLD),
            (Some("00000101000000Z"), ON_HOLD, ON_HOLD),
            (Some("20251122000000Z"), GOOD, SINCE_NOW),
            (Some("yesterday"), Err(()), Err(())),
            (Some(""), Err(()), Err(())),
        ] {
            for (locked, expected) in [(Locked::Good, lenient), (Locked::Hold, strict)] {
                let schema = Schema { locked, ..Schema::rfc4519() };
                let attributes: Vec<_> = value.map(|value| (LOCKED_TIME, value)).into_iter().collect();
                assert_eq!(
                    schema.state(&entry(&attributes), NOW).map_err(drop),
                    expected,
                    "{value:?} {locked:?}"
                );
            }
        }
    }
}
