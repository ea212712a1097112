//! Entra and Intune as one directory.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use directory::{Directory, DirectoryError, ObjectNames, ObjectState, Observation};
use pki_core::{BoxFuture, Clock, UnixTime};
use rest_client::{RestClient, RestError, escape};
use serde::de::DeserializeOwned;
use serial_binding::{BoundObject, ObjectId, ObjectKind, ObjectKinds};

use crate::{
    Compliance, DeletedUsers, DeviceDirectory, EntraPolicy, Wiped,
    followed::Followed,
    graph::{Graph, Version},
    policy::{Account, ON_HOLD, worse},
    records::{Device, ManagedDevice, Page, User, uuid},
    risk::Risks,
};

/// How long an Intune that does not let us is not asked again, where that is an answer.
const REFUSED_FOR: Duration = Duration::from_secs(600);

/// What an [`EntraDirectory`] is made of.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "built by every server")]
pub struct EntraParts {
    /// Talks to Graph. Its base has no version, such as `https://graph.microsoft.com`, and its settings say
    /// [`is_graph_not_found`](crate::is_graph_not_found).
    pub client: RestClient,
    /// What state means what.
    pub policy: EntraPolicy,
    /// The tenant's id, where it is known: an attribute of every object.
    pub tenant: Option<ObjectId>,
    /// Objects that are never deleted, one of a kind at most. When one of them is not there, no object of its kind is
    /// believed to be gone.
    pub canaries: Vec<BoundObject>,
    /// How long what a [`Follower`](crate::Follower) has heard is answered from; older, Graph is asked.
    pub max_lag: Duration,
    /// How long what a [`Follower`](crate::Follower) has heard of users' risks is believed; older, nobody knows them.
    pub max_risk_age: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Devices and users of one tenant. Each question goes to Microsoft Graph, unless a [`Follower`](crate::Follower) has
/// heard of the object lately.
///
/// | object | good | on hold | gone |
/// |---|---|---|---|
/// | [`ENTRA_DEVICE`](ObjectKind::ENTRA_DEVICE) | accountEnabled | not enabled; not compliant, by [`Compliance`] | 404 |
/// | [`INTUNE_DEVICE`](ObjectKind::INTUNE_DEVICE) | there | not compliant, by [`Compliance`] | 404; being wiped, retired or deleted, by [`Wiped`] |
/// | [`ENTRA_USER`](ObjectKind::ENTRA_USER) | accountEnabled | not enabled; deleted and restorable, by [`DeletedUsers`]; at a [risk](EntraPolicy::untolerated_risks) | 404 |
///
/// Whether both must know a device is a matter of [`DeviceDirectory`]. Cheap to clone. Needs a tokio runtime.
#[derive(Clone)]
pub struct EntraDirectory(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) graph: Graph,
    pub(crate) policy: EntraPolicy,
    pub(crate) tenant: Option<ObjectId>,
    canaries: Vec<BoundObject>,
    pub(crate) followed: Followed,
    pub(crate) risks: Risks,
    max_lag: Duration,
    max_risk_age: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    /// Intune is not asked before then.
    refused_until: Mutex<Option<UnixTime>>,
}

impl EntraDirectory {
    /// From its parts.
    pub fn new(parts: EntraParts) -> Self {
        let EntraParts { client, policy, tenant, canaries, max_lag, max_risk_age, clock } = parts;
        Self(Arc::new(Inner {
            graph: Graph::new(client),
            policy,
            tenant,
            canaries,
            followed: Followed::default(),
            risks: Risks::default(),
            max_lag,
            max_risk_age,
            clock,
            refused_until: Mutex::default(),
        }))
    }
}

impl Inner {
    async fn observed(&self, object: BoundObject) -> Result<Observation, DirectoryError> {
        if let Some((state, as_of)) = self.remembered(object)? {
            return Ok(Observation { state: Some(state), known_at: Some(as_of), reliable_until: None });
        }
        let state = self.whole_state(object).await?;
        Ok(Observation { state, known_at: None, reliable_until: None })
    }

    /// What a follower has heard of an object lately, if that is all there is to say.
    pub(crate) fn remembered(
        &self,
        object: BoundObject,
    ) -> Result<Option<(ObjectState, UnixTime)>, DirectoryError> {
        let now = self.clock.now();
        let is_user = object.kind() == ObjectKind::ENTRA_USER;
        let is_all = is_user || self.policy.devices.trusts_entra_alone();
        let known = self.followed.find(object).filter(|_| is_all);
        let Some((account, as_of)) = known.filter(|(_, as_of)| now < as_of.saturating_add(self.max_lag))
        else {
            return Ok(None);
        };
        let state =
            if is_user { self.user_at_risk(object.id(), account) } else { self.judge_device(account) };
        Ok(Some((state?, as_of)))
    }

    async fn whole_state(&self, object: BoundObject) -> Result<Option<ObjectState>, DirectoryError> {
        let id = object.id();
        match (object.kind(), self.policy.devices) {
            (ObjectKind::ENTRA_USER, _) => self.user_state(id).await,
            (kind, _) if !self.policy.devices.kinds().contains(kind) => Err(DirectoryError::unavailable(
                self.graph.service(),
                format_args!("it is not asked about objects of kind {kind}"),
            )),
            (_, DeviceDirectory::Entra) => self.device_state(id).await,
            (_, DeviceDirectory::Intune) => self.managed_state(id).await,
            (kind, DeviceDirectory::Both) => self.state_in_either(kind, id).await,
            (kind, DeviceDirectory::BothOpportunistic) => self.state_where_permitted(kind, id).await,
            (ObjectKind::INTUNE_DEVICE, DeviceDirectory::Agreeing) => self.agreed_by_intune_id(id).await,
            (_, DeviceDirectory::Agreeing) => self.agreed_by_entra_id(id).await,
        }
    }

    async fn state_in_either(
        &self,
        kind: ObjectKind,
        id: ObjectId,
    ) -> Result<Option<ObjectState>, DirectoryError> {
        if kind == ObjectKind::INTUNE_DEVICE {
            let own = self.managed_state(id).await?;
            return if own.is_some() { Ok(own) } else { self.device_state(id).await };
        }
        let own = self.device_state(id).await?;
        if own.is_some() { Ok(own) } else { self.managed_state(id).await }
    }

    async fn state_where_permitted(
        &self,
        kind: ObjectKind,
        id: ObjectId,
    ) -> Result<Option<ObjectState>, DirectoryError> {
        if kind == ObjectKind::INTUNE_DEVICE {
            return self.state_in_either(kind, id).await;
        }
        // That Entra has answered shows that it is not the token that Intune refuses.
        let own = self.device_state(id).await?;
        if own.is_some() || self.is_refused() {
            return Ok(own);
        }
        match self.managed_device(id).await {
            Err(RestError::Forbidden { why, .. } | RestError::Unauthorized { why, .. }) => {
                self.note_refusal(&why);
                Ok(None)
            }
            told => self.judged(ObjectKind::INTUNE_DEVICE, told?, |device| self.judge_managed(device)).await,
        }
    }

    async fn agreed_by_intune_id(&self, id: ObjectId) -> Result<Option<ObjectState>, DirectoryError> {
        let Some(managed) = self.managed_device(id).await? else {
            return self.nobody(ObjectKind::INTUNE_DEVICE).await;
        };
        let state = self.judge_managed(&managed)?;
        let other = match managed.entra_id() {
            Some(id) => self.device_state(id).await?,
            None => None,
        };
        Ok(Some(worse(state, other.unwrap_or(ON_HOLD))))
    }

    async fn agreed_by_entra_id(&self, id: ObjectId) -> Result<Option<ObjectState>, DirectoryError> {
        let Some(state) = self.device_state(id).await? else { return Ok(None) };
        let managed = self.managed_devices_of(id).await?;
        // A device that was reset is there twice for a while.
        let latest = managed.iter().max_by_key(|device| device.enrolled_date_time.clone());
        let Some(latest) = latest else {
            self.check_canary(ObjectKind::INTUNE_DEVICE).await?;
            return Ok(Some(worse(state, ON_HOLD)));
        };
        Ok(Some(worse(state, self.judge_managed(latest)?)))
    }

    pub(crate) async fn device_state(&self, id: ObjectId) -> Result<Option<ObjectState>, DirectoryError> {
        let device = self.device(id, self.device_fields()).await?;
        self.judged(ObjectKind::ENTRA_DEVICE, device, |device| self.judge_device(device.account())).await
    }

    fn judge_device(&self, account: Account) -> Result<ObjectState, DirectoryError> {
        self.policy.device(account, self.clock.now()).map_err(|why| self.odd(why))
    }

    async fn managed_state(&self, id: ObjectId) -> Result<Option<ObjectState>, DirectoryError> {
        let device = self.managed_device(id).await?;
        self.judged(ObjectKind::INTUNE_DEVICE, device, |device| self.judge_managed(device)).await
    }

    fn judge_managed(&self, device: &ManagedDevice) -> Result<ObjectState, DirectoryError> {
        self.policy.managed_device(device, self.clock.now()).map_err(|why| self.odd(why))
    }

    async fn user_state(&self, id: ObjectId) -> Result<Option<ObjectState>, DirectoryError> {
        let Some(user) = self.user(id, "id,accountEnabled").await? else {
            if self.policy.deleted_users == DeletedUsers::Hold && self.is_restorable(id).await? {
                return Ok(Some(ON_HOLD));
            }
            return self.nobody(ObjectKind::ENTRA_USER).await;
        };
        self.user_at_risk(id, user.account()).map(Some)
    }

    /// That somebody who is let in by the directory is at no risk must be known.
    fn user_at_risk(&self, id: ObjectId, account: Account) -> Result<ObjectState, DirectoryError> {
        let state = EntraPolicy::user(account).map_err(|why| self.odd(why))?;
        if state != ObjectState::Enabled || self.policy.untolerated_risks.is_empty() {
            return Ok(state);
        }
        let oldest = self.clock.now().saturating_sub(self.max_risk_age);
        match self.risks.is_at_risk(id, oldest) {
            Some(true) => Ok(ON_HOLD),
            Some(false) => Ok(ObjectState::Enabled),
            None => {
                let why = "it has not told lately which users are at risk";
                Err(DirectoryError::unavailable(self.graph.service(), why))
            }
        }
    }

    async fn is_restorable(&self, id: ObjectId) -> Result<bool, DirectoryError> {
        let path = format!("/directory/deletedItems/{id}?$select=id");
        let deleted = self.graph.get::<User>(Version::V1, path).await?;
        let told = deleted.as_ref().map(|user| self.check_id(id, user.id.as_deref()));
        Ok(told.transpose()?.is_some())
    }

    async fn judged<T>(
        &self,
        kind: ObjectKind,
        record: Option<T>,
        judge: impl FnOnce(&T) -> Result<ObjectState, DirectoryError>,
    ) -> Result<Option<ObjectState>, DirectoryError> {
        match record {
            Some(record) => judge(&record).map(Some),
            None => self.nobody(kind).await,
        }
    }

    /// There is no such object, if that can be believed.
    async fn nobody(&self, kind: ObjectKind) -> Result<Option<ObjectState>, DirectoryError> {
        self.check_canary(kind).await?;
        Ok(None)
    }

    async fn check_canary(&self, kind: ObjectKind) -> Result<(), DirectoryError> {
        let Some(canary) = self.canaries.iter().find(|canary| canary.kind() == kind) else { return Ok(()) };
        let id = canary.id();
        let is_there = match kind {
            ObjectKind::ENTRA_DEVICE => self.device(id, "deviceId").await?.is_some(),
            ObjectKind::INTUNE_DEVICE => self.managed_device(id).await?.is_some(),
            _ => self.user(id, "id").await?.is_some(),
        };
        if is_there {
            return Ok(());
        }
        let why = format_args!("it does not know its canary {canary}, so it may have forgotten others");
        Err(DirectoryError::unavailable(self.graph.service(), why))
    }

    /// The record of a device, which must be the one asked for.
    pub(crate) async fn device(&self, id: ObjectId, fields: &str) -> Result<Option<Device>, RestError> {
        let path = format!("/devices(deviceId='{id}')?$select={fields}");
        let device = self.graph.get::<Device>(Version::V1, path).await?;
        self.checked(id, device, |device| device.device_id.as_deref())
    }

    pub(crate) async fn user(&self, id: ObjectId, fields: &str) -> Result<Option<User>, RestError> {
        let user = self.graph.get::<User>(Version::V1, format!("/users/{id}?$select={fields}")).await?;
        self.checked(id, user, |user| user.id.as_deref())
    }

    async fn managed_device(&self, id: ObjectId) -> Result<Option<ManagedDevice>, RestError> {
        let (version, fields) = self.managed_fields();
        self.managed_device_with(id, version, fields).await
    }

    pub(crate) async fn managed_device_with(
        &self,
        id: ObjectId,
        version: Version,
        fields: &str,
    ) -> Result<Option<ManagedDevice>, RestError> {
        let path = format!("/deviceManagement/managedDevices/{id}?$select={fields}");
        let device = self.graph.get::<ManagedDevice>(version, path).await?;
        self.checked(id, device, |device| device.id.as_deref())
    }

    /// Those that Intune knows by the device's id in Entra.
    pub(crate) async fn managed_devices_of(&self, id: ObjectId) -> Result<Vec<ManagedDevice>, RestError> {
        let (version, fields) = self.managed_fields();
        let filter = escape(&format!("azureADDeviceId eq '{id}'"));
        let path = format!("/deviceManagement/managedDevices?$filter={filter}&$select={fields}");
        let found: Vec<ManagedDevice> = self.list(version, path).await?;
        match found.iter().find(|device| device.entra_id() != Some(id)) {
            Some(_) => Err(self.graph.garbage("it gave other devices than were asked for")),
            None => Ok(found),
        }
    }

    /// A list that fits on one page: what is asked for is there once or twice.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        version: Version,
        path: String,
    ) -> Result<Vec<T>, RestError> {
        let page = self.graph.get::<Page<T>>(version, path).await?;
        match page {
            Some(Page { value, next: None }) => Ok(value),
            Some(_) => Err(self.graph.garbage("its list goes on and on")),
            None => Err(self.graph.garbage("there is no such list")),
        }
    }

    fn device_fields(&self) -> &'static str {
        match self.policy.compliance {
            Compliance::Never => "deviceId,accountEnabled",
            Compliance::Always { .. } => "deviceId,accountEnabled,isCompliant,registrationDateTime",
        }
    }

    fn managed_fields(&self) -> (Version, &'static str) {
        match (self.policy.wiped, self.policy.compliance) {
            (Wiped::Gone, _) => {
                (Version::Beta, "id,azureADDeviceId,enrolledDateTime,complianceState,managementState")
            }
            (Wiped::Ignored, _) => (Version::V1, "id,azureADDeviceId,enrolledDateTime,complianceState"),
        }
    }

    fn checked<T>(
        &self,
        asked: ObjectId,
        record: Option<T>,
        id: impl FnOnce(&T) -> Option<&str>,
    ) -> Result<Option<T>, RestError> {
        let Some(record) = record else { return Ok(None) };
        self.check_id(asked, id(&record))?;
        Ok(Some(record))
    }

    fn check_id(&self, asked: ObjectId, told: Option<&str>) -> Result<(), RestError> {
        if told.and_then(uuid) == Some(asked) {
            return Ok(());
        }
        Err(self.graph.garbage(format_args!("asked for {asked}, it gave {told:?}")))
    }

    fn odd(&self, why: impl fmt::Display) -> DirectoryError {
        self.graph.garbage(why).into()
    }

    fn is_refused(&self) -> bool {
        let until = *self.refused_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| self.clock.now() < until)
    }

    fn note_refusal(&self, why: &str) {
        tracing::warn!(target: "directory", why, "Intune does not let us ask; devices are looked up in Entra alone");
        let until = self.clock.now().saturating_add(REFUSED_FOR);
        *self.refused_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }
}

impl Directory for EntraDirectory {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        Box::pin(async move { self.0.observed(object).await.map(|seen| seen.state) })
    }

    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        Box::pin(self.0.names_of(object))
    }

    fn attributes(
        &self,
        object: BoundObject,
    ) -> BoxFuture<'_, Result<BTreeMap<String, String>, DirectoryError>> {
        Box::pin(self.0.attributes_of(object))
    }

    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        Box::pin(self.0.object_called(name))
    }

    fn epoch(&self) -> Option<u64> {
        None
    }

    fn kinds(&self) -> ObjectKinds {
        self.0.policy.devices.kinds()
    }

    fn observe(&self, object: BoundObject) -> BoxFuture<'_, Result<Observation, DirectoryError>> {
        Box::pin(self.0.observed(object))
    }
}

impl fmt::Debug for EntraDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EntraDirectory").field(&self.0.graph).finish()
    }
}
