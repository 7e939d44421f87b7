//! Authority: what a caller of the management API may do, to what, and until when. It is the ceiling for everything that the
//! caller makes, edits, rotates or deletes, in one by one calls and in bulk.

use jiff::Timestamp;

use crate::ids::{CustomerId, TeamId};
use crate::invalid::{Invalid, Pointer};
use crate::permission::{Access, Permission};

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Which operations.
    pub permissions: Permissions,
    /// On whose resources.
    pub reach: Reach,
    /// Until when; none: without end.
    pub expires_at: Option<Timestamp>,
}

/// Which operations a caller may carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permissions {
    /// All of them.
    Everything,
    /// Those that are included in one of these.
    Only(Vec<Permission>),
}

/// On whose resources a caller may act.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reach {
    /// On all.
    #[default]
    Everything,
    /// On the virtual keys of one team. The team itself can be seen.
    Team(TeamId),
    /// On the virtual keys of one customer and of its teams, and on those teams. The customer itself can be seen.
    Customer(CustomerId),
}

/// Something that belongs to a team or a customer, or is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A customer.
    Customer(&'a CustomerId),
    /// A team.
    Team {
        /// The team.
        id: &'a TeamId,
        /// The customer that it belongs to.
        customer: Option<&'a CustomerId>,
    },
    /// A virtual key.
    VirtualKey {
        /// The team that it belongs to.
        team: Option<&'a TeamId>,
        /// The customer that it belongs to, directly or through its team.
        customer: Option<&'a CustomerId>,
    },
}

impl Reach {
    /// The ceiling: whether something with this owner may be seen or changed. A change needs it of the state before and of the
    /// state after. Nobody changes the team or customer whose limits are their own ceiling.
    #[must_use]
    pub fn permits(&self, access: Access, subject: Subject<'_>) -> bool {
        match (self, subject) {
            (Self::Everything, _) => true,
            (Self::Team(own), Subject::VirtualKey { team, .. }) => team == Some(own),
            (Self::Team(own), Subject::Team { id, .. }) => id == own && access == Access::Read,
            (Self::Team(_), Subject::Customer(_)) => false,
            (Self::Customer(own), Subject::VirtualKey { customer, .. } | Subject::Team { customer, .. }) => {
                customer == Some(own)
            }
            (Self::Customer(own), Subject::Customer(id)) => id == own && access == Access::Read,
        }
    }

    /// Whether the other reach is the same or a narrower one. `customer` is the one that the other's team belongs to.
    #[must_use]
    pub fn includes(&self, other: &Self, customer: Option<&CustomerId>) -> bool {
        match other {
            Self::Everything => *self == Self::Everything,
            Self::Team(id) => self.permits(Access::Read, Subject::Team { id, customer }),
            Self::Customer(id) => self.permits(Access::Read, Subject::Customer(id)),
        }
    }

    /// The owners of a new virtual key: the caller's own team or customer when none is named.
    #[must_use]
    pub fn home(&self, team: Option<TeamId>, customer: Option<CustomerId>) -> (Option<TeamId>, Option<CustomerId>) {
        match (self, &team, &customer) {
            (Self::Team(own), None, None) => (Some(own.clone()), None),
            (Self::Customer(own), None, None) => (None, Some(own.clone())),
            (Self::Everything | Self::Team(_) | Self::Customer(_), _, _) => (team, customer),
        }
    }
}

impl Authority {
    /// Everything, without end: the administrator's.
    pub const FULL: Self = Self { permissions: Permissions::Everything, reach: Reach::Everything, expires_at: None };

    /// Whether an operation may be carried out at all.
    #[must_use]
    pub fn allows(&self, wanted: Permission) -> bool {
        let reachable = self.reach == Reach::Everything || wanted.resource.has_owners();
        reachable
            && match &self.permissions {
                Permissions::Everything => true,
                Permissions::Only(granted) => granted.iter().any(|permission| permission.includes(wanted)),
            }
    }

    /// Makes sure that the other authority is the same or a smaller one. `customer` is the one that the other's team belongs to.
    ///
    /// # Errors
    /// The first member of a management key by which the other is larger.
    pub fn covers(&self, other: &Self, customer: Option<&CustomerId>) -> Result<(), Invalid> {
        self.covers_permissions(&other.permissions)?;
        if !self.reach.includes(&other.reach, customer) {
            let member = match other.reach {
                Reach::Everything | Reach::Team(_) => "team_id",
                Reach::Customer(_) => "customer_id",
            };
            return Err(Invalid::at(member.into(), "a management key cannot reach further than its maker"));
        }
        match (self.expires_at, other.expires_at) {
            (Some(own), Some(others)) if others <= own => Ok(()),
            (None, _) => Ok(()),
            (Some(_), Some(_) | None) => {
                Err(Invalid::at("expires_at".into(), "a management key cannot outlive its maker"))
            }
        }
    }

    fn covers_permissions(&self, others: &Permissions) -> Result<(), Invalid> {
        let refuse = |at| Err(Invalid::at(at, "a management key cannot grant more than its maker may do"));
        let at = Pointer::from("permissions");
        match (&self.permissions, others) {
            (Permissions::Everything, _) => Ok(()),
            (Permissions::Only(_), Permissions::Everything) => refuse(at),
            (Permissions::Only(own), Permissions::Only(others)) => {
                let beyond = others.iter().position(|other| !own.iter().any(|own| own.includes(*other)));
                beyond.map_or(Ok(()), |index| refuse(at.element(index)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
