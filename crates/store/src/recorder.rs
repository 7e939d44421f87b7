//! Recording changes: what a unit of work that edits is given, so that it can leave its trace in the audit log.

use std::cell::Cell;

use hmac::{Hmac, KeyInit as _, Mac as _};
use keyward_core::authority::{Authority, Reach, Subject};
use keyward_core::change::{Change, Grounds, Versioned};
use keyward_core::ids::CustomerId;
use keyward_core::invalid::{Invalid, Pointer};
use keyward_core::permission::Access;
use sha2::Sha256;

use crate::error::{Noun, StoreError};
use crate::root_key::RootKey;

/// Makes the hashes of the audit log's chain. Without the root key nobody can.
#[derive(Clone)]
pub(crate) struct AuditChain(Hmac<Sha256>);

impl AuditChain {
    pub(crate) fn new(root: &RootKey) -> Result<Self, StoreError> {
        let key = root.derive::<32>("audit-chain")?;
        Hmac::new_from_slice(key.as_slice()).map(Self).map_err(|error| StoreError::internal(error.to_string()))
    }

    /// The hash of an entry that follows the one with the hash `previous`. The length in front keeps the two apart.
    pub(crate) fn link(&self, previous: &[u8], entry: &[u8]) -> Vec<u8> {
        let length = u64::try_from(previous.len()).unwrap_or(u64::MAX).to_be_bytes();
        self.0.clone().chain_update(length).chain_update(previous).chain_update(entry).finalize().into_bytes().to_vec()
    }
}

/// Whether the author's reach was asked about what is to be recorded.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Checked {
    /// It was not.
    #[default]
    No,
    /// About the next thing.
    Once,
    /// About the thing that all the rest follows from.
    Throughout,
}

/// A change that is being carried out, and the means to record it.
pub(crate) struct Recorder {
    pub(crate) change: Change,
    chain: AuditChain,
    /// Whether the author's reach was asked about what is to be recorded next.
    checked: Cell<Checked>,
    /// Whether the author's authority was found to stand still.
    stands: Cell<bool>,
}

impl Recorder {
    pub(crate) fn new(change: Change, chain: AuditChain) -> Self {
        let stands = Cell::new(change.author.grounds == Grounds::Server);
        Self { change, chain, checked: Cell::new(Checked::No), stands }
    }

    pub(crate) const fn chain(&self) -> &AuditChain {
        &self.chain
    }

    /// On whose resources the author may act.
    pub(crate) const fn reach(&self) -> &Reach {
        self.change.reach()
    }

    /// The author's authority was looked at again, and stands.
    pub(crate) fn stands(&self) {
        self.stands.set(true);
    }

    /// Makes sure that the author may change something that is there. What cannot even be seen is not found.
    pub(crate) fn may_change(&self, subject: Subject<'_>, noun: Noun) -> Result<(), StoreError> {
        match (self.may_make(subject), self.reach().permits(Access::Read, subject)) {
            (true, _) => Ok(()),
            (false, true) => Err(denied()),
            (false, false) => Err(StoreError::NotFound(noun)),
        }
    }

    /// Whether the author may leave something with this owner behind.
    pub(crate) fn may_make(&self, subject: Subject<'_>) -> bool {
        let permitted = self.reach().permits(Access::Write, subject);
        self.checked.set(if permitted { Checked::Once } else { Checked::No });
        permitted
    }

    /// Makes sure that the author may do all that the other authority allows. `customer` is the one that the other's team
    /// belongs to.
    pub(crate) fn covers(&self, other: &Authority, customer: Option<&CustomerId>) -> Result<(), StoreError> {
        self.change.author.authority.covers(other, customer).map_err(StoreError::Denied)?;
        self.checked.set(Checked::Once);
        Ok(())
    }

    /// What was checked takes other things with it, which are recorded too: they need no check of their own.
    pub(crate) fn allow_consequences(&self) {
        if self.checked.get() == Checked::Once {
            self.checked.set(Checked::Throughout);
        }
    }

    /// Each change by an author of limited reach must have been checked, and whether any author still may: one that nobody
    /// thought of is refused.
    pub(crate) fn ensure_checked(&self) -> Result<(), StoreError> {
        if !self.stands.get() {
            return Err(denied());
        }
        let checked = self.checked.get();
        if checked == Checked::Once {
            self.checked.set(Checked::No);
        }
        match checked != Checked::No || *self.reach() == Reach::Everything {
            true => Ok(()),
            false => Err(denied()),
        }
    }

    /// Makes sure that the version at hand is one that the author means to change.
    pub(crate) fn expects(&self, before: &impl Versioned) -> Result<(), StoreError> {
        match self.change.precondition.accepts(before.version()) {
            true => Ok(()),
            false => Err(StoreError::Stale),
        }
    }
}

pub(crate) fn denied() -> StoreError {
    StoreError::Denied(Invalid::at(Pointer::ROOT, "The management key's team or customer does not allow this"))
}
