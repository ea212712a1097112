//! Who is there at the start.

use pki_core::UnixTime;

use crate::{
    entities::{Device, JamfDevice, JamfUser, ManagedDevice, ScimUser, User},
    objects::Objects,
    sequence::Sequence,
};

/// When the first of them came: 2026-01-01T00:00:00Z. The others follow, a minute apart.
const FIRST: u64 = 1_767_225_600;

/// Where the users of the SCIM service are.
const SCIM_DOMAIN: &str = "fabrikam.com";

const GIVEN: [&str; 8] = ["Ada", "Boris", "Chidi", "Dora", "Emil", "Fatima", "Grete", "Hiro"];
const FAMILY: [&str; 7] = ["Abel", "Brandt", "Costa", "Dubois", "Eriksen", "Farkas", "Gupta"];
const SYSTEMS: [&str; 4] = ["Windows", "MacMDM", "iPhone", "AndroidForWork"];

/// As many as asked for, each with ids that follow from the sequence and its number.
pub(crate) fn populate(sequence: &Sequence, domain: &str, devices: usize, users: usize) -> Objects {
    let mut objects = Objects::default();
    let users = numbered(users.max(1));
    for number in 0..users {
        add_user(&mut objects, sequence, &Person::new(number, domain));
    }
    for number in 0..numbered(devices) {
        // There is at least one user.
        let owner = Person::new(number.checked_rem(users).unwrap_or_default(), domain);
        add_device(&mut objects, sequence, number, &owner);
    }
    objects
}

fn numbered(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn pick<'a>(from: &[&'a str], number: u64) -> &'a str {
    let at = usize::try_from(number).unwrap_or_default().checked_rem(from.len());
    at.and_then(|at| from.get(at)).copied().unwrap_or_default()
}

fn since(number: u64) -> UnixTime {
    UnixTime(FIRST.saturating_add(number.saturating_mul(60)))
}

struct Person {
    number: u64,
    name: String,
    account: String,
    address: String,
}

impl Person {
    fn new(number: u64, domain: &str) -> Self {
        let (given, family) = (pick(&GIVEN, number), pick(&FAMILY, number));
        let account = format!("{}{number}", given.to_lowercase());
        let address = format!("{account}@{domain}");
        Self { number, name: format!("{given} {family}"), account, address }
    }
}

fn add_user(objects: &mut Objects, sequence: &Sequence, person: &Person) {
    let Person { number, name, account, address } = person;
    let user = User {
        upn: address.clone(),
        name: name.clone(),
        mail: address.clone(),
        sid: format!("S-1-5-21-1004336348-1177238915-682003330-{}", number.saturating_add(1100)),
        since: since(*number),
        ..User::default()
    };
    objects.users.settle(sequence.uuid("user", *number), user);
    // Another company's, or a name would be two objects where both services are asked.
    let elsewhere = format!("{account}@{SCIM_DOMAIN}");
    let user = ScimUser {
        user_name: elsewhere.clone(),
        name: name.clone(),
        mail: elsewhere,
        since: since(*number),
        ..ScimUser::default()
    };
    objects.scim.settle(sequence.uuid("scim", *number), user);
    let user = JamfUser { username: account.clone(), realname: name.clone(), email: address.clone() };
    objects.jamf_users.settle(number.saturating_add(1).to_string(), user);
}

fn add_device(objects: &mut Objects, sequence: &Sequence, number: u64, owner: &Person) {
    let [device_id, name] = [sequence.uuid("device", number), format!("LAPTOP-{number:06}")];
    let system = pick(&SYSTEMS, number);
    let device = Device {
        device_id: device_id.clone(),
        name: name.clone(),
        system: system.into(),
        since: since(number),
        ..Device::default()
    };
    objects.devices.settle(sequence.uuid("device object", number), device);
    let managed = ManagedDevice {
        entra_device_id: device_id,
        user_id: sequence.uuid("user", owner.number),
        upn: owner.address.clone(),
        name,
        system: system.into(),
        serial: format!("SN{number:08}"),
        since: since(number),
        ..ManagedDevice::default()
    };
    objects.managed.settle(sequence.uuid("managed device", number), managed);
    for (kind, records) in [("Mac", &mut objects.computers), ("iPad", &mut objects.mobile_devices)] {
        let device = JamfDevice {
            name: format!("{kind}-{number:06}"),
            udid: sequence.uuid(kind, number).to_uppercase(),
            serial: format!("{}{number:08}", kind.to_uppercase()),
            username: owner.account.clone(),
            email: owner.address.clone(),
            since: since(number),
            ..JamfDevice::default()
        };
        records.settle(number.saturating_add(1).to_string(), device);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entities::Entity as _;

    #[test]
    fn the_same_seed_is_the_same_population_of_any_size() {
        let ids = |seed, devices| {
            let objects = populate(&Sequence::new(seed), "contoso.onmicrosoft.com", devices, 3);
            objects.managed.living_from(0).map(|(_, row)| row.thing.show(&row.id)).collect::<Vec<_>>()
        };
        assert_eq!(ids(1, 40), ids(1, 40));
        assert_eq!(ids(1, 40)[..7], ids(1, 7)[..]);
        assert_ne!(ids(1, 1), ids(2, 1));
        assert!(ids(1, 0).is_empty());
    }
}
