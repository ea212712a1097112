//! How a directory fares.

use pki_core::UnixTime;

use crate::ObjectState;

/// How a directory fares, for those who watch it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DirectoryHealth {
    /// Questions sent to it.
    pub asked: u64,
    /// Questions without an answer.
    pub failed: u64,
    /// Answers that were not believed because they took away too many objects.
    pub disbelieved: u64,
    /// Answers that were not believed because the canary was not there either.
    pub without_canary: u64,
    /// Answers that were believed, by what they said.
    pub answers: DirectoryAnswers,
    /// When the last of them came.
    pub answered_at: Option<UnixTime>,
    /// Objects remembered.
    pub remembered: usize,
    /// What the last question failed of; `None` when it was answered.
    pub trouble: Option<String>,
    /// Too many objects changed for the worse at once: an operator should look.
    pub is_disbelieved: bool,
    /// Until when an operator has [confirmed](crate::GuardedDirectory::confirm_changes) changes.
    pub confirmed_until: Option<UnixTime>,
}

/// Answers that were believed, by what they said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DirectoryAnswers {
    /// The object is enabled.
    pub enabled: u64,
    /// It is on hold.
    pub disabled: u64,
    /// It is there and gone for good.
    pub gone: u64,
    /// It is not there.
    pub missing: u64,
}

impl DirectoryAnswers {
    pub(crate) fn count(&mut self, state: Option<ObjectState>) {
        let counter = match state {
            Some(ObjectState::Enabled) => &mut self.enabled,
            Some(ObjectState::Disabled { .. }) => &mut self.disabled,
            Some(ObjectState::Gone { .. }) => &mut self.gone,
            None => &mut self.missing,
        };
        *counter = counter.saturating_add(1);
    }
}
