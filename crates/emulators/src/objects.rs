//! All objects of all services.

use serde_json::{Map, Value};

use crate::{
    Kind,
    entities::{Device, Entity, JamfDevice, JamfUser, ManagedDevice, ScimUser, User},
    records::{Life, Records},
};

#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(crate) devices: Records<Device>,
    pub(crate) users: Records<User>,
    pub(crate) managed: Records<ManagedDevice>,
    pub(crate) scim: Records<ScimUser>,
    pub(crate) computers: Records<JamfDevice>,
    pub(crate) mobile_devices: Records<JamfDevice>,
    pub(crate) jamf_users: Records<JamfUser>,
}

/// What can be done with objects of any kind.
pub(crate) trait AnyRecords {
    /// The object with its id under which it is kept, and what became of it.
    fn look(&self, key: &str) -> Option<(String, Life, Value)>;

    /// The ids of those that live, `skip` of them left out.
    fn ids(&self, skip: usize, count: usize) -> Vec<String>;

    /// How many live.
    fn living(&self) -> usize;

    /// Makes one; it must not be there.
    fn make(&mut self, id: String, properties: &Map<String, Value>);

    /// Changes properties.
    fn alter(&mut self, key: &str, properties: &Map<String, Value>);

    /// Says what becomes of one.
    fn decide(&mut self, key: &str, life: Life);
}

impl<T: Entity> AnyRecords for Records<T> {
    fn look(&self, key: &str) -> Option<(String, Life, Value)> {
        let row = self.find(key)?;
        Some((row.id.clone(), row.life, row.thing.show(&row.id)))
    }

    fn ids(&self, skip: usize, count: usize) -> Vec<String> {
        self.living_from(0).skip(skip).take(count).map(|(_, row)| row.id.clone()).collect()
    }

    fn living(&self) -> usize {
        self.living_from(0).count()
    }

    fn make(&mut self, id: String, properties: &Map<String, Value>) {
        let mut thing = T::default();
        thing.fill(properties);
        self.add(id, thing);
    }

    fn alter(&mut self, key: &str, properties: &Map<String, Value>) {
        self.change(key, |row| row.thing.fill(properties));
    }

    fn decide(&mut self, key: &str, life: Life) {
        self.change(key, |row| row.life = life);
    }
}

impl Objects {
    pub(crate) fn of(&self, kind: Kind) -> &dyn AnyRecords {
        match kind {
            Kind::EntraDevice => &self.devices,
            Kind::EntraUser => &self.users,
            Kind::IntuneDevice => &self.managed,
            Kind::ScimUser => &self.scim,
            Kind::JamfComputer => &self.computers,
            Kind::JamfMobileDevice => &self.mobile_devices,
            Kind::JamfUser => &self.jamf_users,
        }
    }

    pub(crate) fn of_mut(&mut self, kind: Kind) -> &mut dyn AnyRecords {
        match kind {
            Kind::EntraDevice => &mut self.devices,
            Kind::EntraUser => &mut self.users,
            Kind::IntuneDevice => &mut self.managed,
            Kind::ScimUser => &mut self.scim,
            Kind::JamfComputer => &mut self.computers,
            Kind::JamfMobileDevice => &mut self.mobile_devices,
            Kind::JamfUser => &mut self.jamf_users,
        }
    }
}
