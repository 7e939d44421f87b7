//! The visitor of a page: whose name it shows, what it may offer, and the token that its changes carry.

use keyward_core::authority::{Authority, Reach, Subject};
use keyward_core::change::{ActorKind, Author, Grounds};
use keyward_core::permission::{Access, Permission, Resource};

use crate::auth::Authed;
use crate::state::State;

/// Who looks at a page.
pub(super) struct Visitor {
    /// What the page calls it.
    pub(super) name: String,
    /// What it is, in words.
    pub(super) role: &'static str,
    authority: Authority,
    /// The token of the pages of its session; none: it has no session, as on the server's machine while managing needs no credential.
    pub(super) csrf_token: Option<String>,
}

impl Visitor {
    /// Who calls.
    pub(super) fn of<P>(caller: &Authed<P>, state: &State) -> Self {
        let Author { actor, authority, grounds, .. } = caller.author();
        let (name, role) = match actor.kind {
            ActorKind::Admin => (actor.name.clone(), "Administrator"),
            ActorKind::ManagementKey => (actor.name.clone(), reach(authority)),
            ActorKind::Local | ActorKind::ConfigFile | ActorKind::Server => {
                ("This machine".to_owned(), "No credential is set")
            }
        };
        let csrf_token = match grounds {
            Grounds::Session(id) => Some(state.access.page_token(id)),
            Grounds::Server | Grounds::Configured(_) | Grounds::ManagementKey(_) => None,
        };
        Self { name, role, authority: authority.clone(), csrf_token }
    }

    /// Whether it may look at resources of a kind.
    pub(super) fn may_read(&self, resource: Resource) -> bool {
        self.may(Permission::new(resource, Access::Read))
    }

    /// Whether it may change resources of a kind.
    pub(super) fn may_write(&self, resource: Resource) -> bool {
        self.may(Permission::new(resource, Access::Write))
    }

    /// Whether it may change this one thing.
    pub(super) fn may_change(&self, resource: Resource, subject: Subject<'_>) -> bool {
        self.may_write(resource) && self.authority.reach.permits(Access::Write, subject)
    }

    /// Whether it may do this.
    pub(super) fn may(&self, wanted: Permission) -> bool {
        self.authority.allows(wanted)
    }
}

fn reach(authority: &Authority) -> &'static str {
    match authority.reach {
        Reach::Everything => "Management key",
        Reach::Team(_) => "Management key of a team",
        Reach::Customer(_) => "Management key of a customer",
    }
}
