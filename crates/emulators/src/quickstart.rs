//! A configuration for `scep-server` that works with the emulators, and the commands of a first tour.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use keys_software::replace_private_file;

use crate::{ChallengeTerms, Emulators, Kind};

/// Where `scep-server` listens by default.
const SERVER: &str = "http://127.0.0.1:8080";

/// What was written, and what to do with it. Prints as the commands to paste.
#[derive(Debug)]
pub struct Quickstart {
    folder: PathBuf,
    control: String,
    device: String,
    device_name: String,
    challenge: String,
    user: String,
    user_name: String,
}

impl Quickstart {
    /// Writes `scep-server.toml` into `folder`, and the secrets that it names into the data folder below. Takes the first
    /// device of Intune and the first user of the SCIM service; there must be two of each: the last of each is the canary.
    pub fn write(emulators: &Emulators, folder: &Path) -> io::Result<Self> {
        let first = |kind| {
            let id = emulators.ids(kind).into_iter().next();
            id.ok_or_else(|| io::Error::other(format!("expected at least one {kind}: there is none")))
        };
        let (device, user) = (first(Kind::IntuneDevice)?, first(Kind::ScimUser)?);
        let text = |kind, id: &str, name: &str| {
            let object = emulators.object(kind, id).unwrap_or_default();
            object.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
        };
        let terms = ChallengeTerms { device: device.clone(), ..ChallengeTerms::default() };
        let quickstart = Self {
            folder: folder.to_owned(),
            control: emulators.control().to_owned(),
            device_name: text(Kind::IntuneDevice, &device, "deviceName"),
            challenge: emulators.challenge(terms).map_err(io::Error::other)?,
            user_name: text(Kind::ScimUser, &user, "userName"),
            device,
            user,
        };
        let data = quickstart.data();
        std::fs::create_dir_all(&data)?;
        let known = emulators.credentials();
        for (name, secret) in [
            ("entra-secret.txt", &known.client_secret),
            ("jamf-secret.txt", &known.jamf_client_secret),
            ("scim-token.txt", &known.scim_token),
            ("challenge.txt", &emulators.challenge_for_everybody()),
        ] {
            replace_private_file(&data.join(name), secret.as_bytes()).map_err(io::Error::other)?;
        }
        std::fs::write(quickstart.configuration(), quickstart.settings(emulators))?;
        Ok(quickstart)
    }

    /// The configuration file.
    pub fn configuration(&self) -> PathBuf {
        self.folder.join("scep-server.toml")
    }

    /// The data folder of the server.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The commands, one after the other.
    pub fn commands(&self) -> Vec<String> {
        let (data, control) = (self.data(), &self.control);
        let data = data.display();
        let fingerprint =
            format!("$(openssl x509 -in {data}/ca.pem -noout -fingerprint -sha256 | cut -d= -f2)");
        let enroll = |path: &str, challenge: &str, subject: &str, name: &str| {
            format!(
                "cargo run --release -p scep-client -- enroll {SERVER}/{path} \\\n    \
                 --ca-fingerprint \"{fingerprint}\" \\\n    \
                 --challenge {challenge} \\\n    \
                 --subject CN={subject} --key-out {name}.key.pem --cert-out {name}.pem"
            )
        };
        let ask = |name: &str| {
            format!(
                "openssl ocsp -issuer {data}/ca.pem -CAfile {data}/ca.pem \\\n    \
                 -url {SERVER}/ocsp -cert {name}.pem"
            )
        };
        let act = |kind: Kind, id: &str, action: &str| {
            format!("curl -X POST {control}/objects/{kind}/{id}/{action}")
        };
        vec![
            format!("cargo run --release -p scep-server -- --config {}", self.configuration().display()),
            enroll("intune", &self.challenge, &self.device, "laptop"),
            ask("laptop"),
            format!("curl {control}/notifications"),
            act(Kind::IntuneDevice, &self.device, "wipe"),
            ask("laptop"),
            enroll("static", &format!("\"$(cat {data}/challenge.txt)\""), &self.user_name, "user"),
            act(Kind::ScimUser, &self.user, "disable"),
            ask("user"),
        ]
    }

    fn settings(&self, emulators: &Emulators) -> String {
        let known = emulators.credentials();
        let data = self.data();
        // Nobody is to delete these: they tell a service that has forgotten everybody.
        let last = |kind| emulators.ids(kind).pop().unwrap_or_default();
        format!(
            r#"# A CA for the tenant of the emulators; docs/emulators.md.
data = "{data}"

[directory]
file = ""

[[directory.service]]
kind = "entra"
url = "{graph}"
client_id = "{client}"
secret = "entra-secret.txt"
canary = "intune-device:{last_device}"
fresh_seconds = 1
[directory.service.entra]
tenant = "{tenant}"
login_url = "{entra}"
devices = "both"
further_canaries = ["entra-user:{last_user}"]

[[directory.service]]
kind = "jamf"
url = "{jamf}"
client_id = "{jamf_client}"
secret = "jamf-secret.txt"
unmanaged = "hold"
canary = "jamf-computer:{last_computer}"
fresh_seconds = 1

[[directory.service]]
kind = "scim"
url = "{scim}"
token = "scim-token.txt"
canary = "scim-resource:{last_scim_user}"
fresh_seconds = 1

[[intune]]
tenant = "{tenant}"
client_id = "{client}"
secret = "entra-secret.txt"
login_url = "{entra}"
graph_url = "{graph}"

[[profile]]
name = "intune"
path = "/intune"
challenge = "intune"
names = "validated"
renewal = "off"
microsoft_extensions = true

[[profile]]
name = "static"
path = "/static"
challenge = "static"
challenge_file = "challenge.txt"
"#,
            data = data.display(),
            graph = emulators.graph(),
            entra = emulators.entra(),
            jamf = emulators.jamf(),
            scim = emulators.scim(),
            client = known.client_id,
            tenant = known.tenant,
            jamf_client = known.jamf_client_id,
            last_device = last(Kind::IntuneDevice),
            last_user = last(Kind::EntraUser),
            last_computer = last(Kind::JamfComputer),
            last_scim_user = last(Kind::ScimUser),
        )
    }
}

/// What each of the commands is for.
const STEPS: [&str; 9] = [
    "A CA that asks these services:",
    "The device enrolls with the challenge that Intune gave to it, within 60 minutes:",
    "Its certificate is good:",
    "Intune has heard of it:",
    "Somebody wipes the device:",
    "It is revoked, a second later and for ever:",
    "A user of the SCIM service enrolls:",
    "Somebody disables the user:",
    "The certificate is on hold:",
];

impl fmt::Display for Quickstart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {:<19} {} {}", "Intune device", self.device_name, self.device)?;
        writeln!(f, "  {:<19} {}", "Its challenge", self.challenge)?;
        writeln!(f, "  {:<19} {}", "Configuration", self.configuration().display())?;
        for (step, command) in STEPS.into_iter().zip(self.commands()) {
            writeln!(f, "\n{step}\n\n  {command}")?;
        }
        Ok(())
    }
}
