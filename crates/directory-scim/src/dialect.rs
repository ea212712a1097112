//! Where a service's JSON says what.

use serde_json::{Value, json};

use crate::IdForm;

/// Where a service keeps its resources, and where in their JSON stands what matters. Places are JSON pointers
/// ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)), in which `*` stands for every member of an array.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update on a ready-made one")]
pub struct Dialect {
    /// The path of a resource, with `{id}` in it.
    pub resource: String,
    /// Paths that find resources by a name, each with `{name}` in it, where a quoted string of a filter may stand. All are
    /// asked.
    pub searches: Vec<String>,
    /// The array of what a search found; empty for the whole answer.
    pub found: String,
    /// The resource's id.
    pub id: String,
    /// How ids are written.
    pub id_form: IdForm,
    /// What the state is read from.
    pub state: String,
    /// What stands there, and what it means. Anything else is an answer that cannot be understood.
    pub states: Vec<(Value, Standing)>,
    /// Since when it is so, as a time of RFC 3339, where the service tells.
    pub since: Option<String>,
    /// Values that the common name of a certificate may have, the preferred one first.
    pub common_names: Vec<String>,
    /// Addresses of electronic mail.
    pub emails: Vec<String>,
    /// User principal names.
    pub upns: Vec<String>,
}

/// What a state means for certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum Standing {
    /// They are good.
    Enabled,
    /// They are on hold.
    Disabled,
    /// They are revoked for ever.
    Gone,
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

impl Dialect {
    /// Users of a SCIM service: `active` true is enabled, false is on hold. The base is the service's, such as
    /// `https://example.com/scim/v2`.
    pub fn scim() -> Self {
        Self {
            resource: "/Users/{id}".into(),
            searches: texts(&[
                "/Users?filter=userName%20eq%20{name}",
                "/Users?filter=emails.value%20eq%20{name}",
            ]),
            found: "/Resources".into(),
            id: "/id".into(),
            id_form: IdForm::Uuid,
            state: "/active".into(),
            states: vec![(json!(true), Standing::Enabled), (json!(false), Standing::Disabled)],
            since: None,
            common_names: texts(&["/userName", "/displayName"]),
            emails: texts(&["/emails/*/value"]),
            upns: texts(&["/userName"]),
        }
    }

    /// Users of Okta by its own interface. The base is the organization's, such as `https://example.okta.com`; the token
    /// goes with the scheme `SSWS`, or is one of OAuth with the scope `okta.users.read`.
    pub fn okta() -> Self {
        use Standing::{Disabled, Enabled, Gone};
        let states = [
            ("ACTIVE", Enabled),
            ("PROVISIONED", Enabled),
            ("PASSWORD_EXPIRED", Enabled),
            ("RECOVERY", Enabled),
            ("STAGED", Disabled),
            ("LOCKED_OUT", Disabled),
            ("SUSPENDED", Disabled),
            ("DEPROVISIONED", Gone),
        ];
        Self {
            resource: "/api/v1/users/{id}".into(),
            searches: texts(&[
                "/api/v1/users?search=profile.login%20eq%20{name}",
                "/api/v1/users?search=profile.email%20eq%20{name}",
            ]),
            found: String::new(),
            id: "/id".into(),
            id_form: IdForm::Base62,
            state: "/status".into(),
            states: states.into_iter().map(|(text, standing)| (json!(text), standing)).collect(),
            since: Some("/statusChanged".into()),
            common_names: texts(&["/profile/login", "/profile/displayName"]),
            emails: texts(&["/profile/email"]),
            upns: texts(&["/profile/login"]),
        }
    }

    /// Users of Keycloak by its administration interface. The base is the realm's, such as
    /// `https://example.com/admin/realms/staff`.
    pub fn keycloak() -> Self {
        Self {
            resource: "/users/{id}".into(),
            searches: texts(&["/users?exact=true&username={bare}", "/users?exact=true&email={bare}"]),
            found: String::new(),
            state: "/enabled".into(),
            common_names: texts(&["/username"]),
            emails: texts(&["/email"]),
            upns: texts(&["/username"]),
            ..Self::scim()
        }
    }
}
