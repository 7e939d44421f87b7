//! Teams and customers: owners, whose limits cover the virtual keys below them. Their pages have one shape.

use actix_web::HttpResponse;
use actix_web::web::ServiceConfig;
use jiff::Timestamp;
use keyward_core::authority::Subject;
use keyward_core::change::Versioned as _;
use keyward_core::ids::CustomerId;
use keyward_core::limits::Limits;
use keyward_core::owner::{Customer, Team};
use keyward_core::permission::Resource;
use keyward_core::virtual_key::VirtualKey;
use maud::{Markup, html};
use serde::Deserialize;

use crate::dashboard::components::pager::PAGE;
use crate::dashboard::form::said;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;

mod customers;
mod detail;
mod form;
mod list;
mod teams;

pub(super) fn routes(config: &mut ServiceConfig) {
    teams::routes(config);
    customers::routes(config);
}

/// The two kinds of owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Team,
    Customer,
}

impl Kind {
    const fn section(self) -> Section {
        match self {
            Self::Team => Section::Teams,
            Self::Customer => Section::Customers,
        }
    }

    const fn resource(self) -> Resource {
        match self {
            Self::Team => Resource::Teams,
            Self::Customer => Resource::Customers,
        }
    }

    /// What one is called.
    const fn noun(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Customer => "customer",
        }
    }

    /// Where the management API has them.
    const fn api(self) -> &'static str {
        match self {
            Self::Team => "/api/governance/teams",
            Self::Customer => "/api/governance/customers",
        }
    }

    /// What such an owner is for.
    const fn purpose(self) -> &'static str {
        match self {
            Self::Team => {
                "A team bounds what its virtual keys may spend and ask together. It may belong to a customer, whose limits hold too."
            }
            Self::Customer => "A customer bounds what all its teams and virtual keys may spend and ask together.",
        }
    }
}

/// A team or a customer.
struct Owner {
    kind: Kind,
    id: String,
    name: String,
    limits: Limits,
    calendar_aligned: bool,
    /// The customer of a team.
    customer_id: Option<String>,
    customer: Option<(String, String)>,
    /// The teams of a customer, by id and name.
    teams: Vec<(String, String)>,
    virtual_keys: Vec<VirtualKey>,
    virtual_key_count: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    etag: String,
}

impl From<Team> for Owner {
    fn from(team: Team) -> Self {
        Self {
            kind: Kind::Team,
            etag: team.version().etag(),
            limits: team.limits(),
            id: team.id.to_string(),
            name: team.name,
            calendar_aligned: team.calendar_aligned,
            customer_id: team.customer_id.map(|id| id.to_string()),
            customer: team.customer.map(|customer| (customer.id.to_string(), customer.name)),
            teams: Vec::new(),
            virtual_keys: team.virtual_keys,
            virtual_key_count: team.virtual_key_count,
            created_at: team.created_at,
            updated_at: team.updated_at,
        }
    }
}

impl From<Customer> for Owner {
    fn from(customer: Customer) -> Self {
        Self {
            kind: Kind::Customer,
            etag: customer.version().etag(),
            limits: customer.limits(),
            id: customer.id.to_string(),
            name: customer.name,
            calendar_aligned: customer.calendar_aligned,
            customer_id: None,
            customer: None,
            teams: customer.teams.into_iter().map(|team| (team.id.to_string(), team.name)).collect(),
            virtual_keys: customer.virtual_keys,
            virtual_key_count: customer.virtual_key_count,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}

impl Owner {
    /// Its page.
    fn link(&self) -> Link {
        Link::of(self.kind.section().path(), &self.id)
    }

    /// Whether the visitor may change it.
    fn may_be_changed(&self, visitor: &Visitor) -> bool {
        let customer = self.customer_id.as_deref().map(CustomerId::from);
        let subject = match self.kind {
            Kind::Team => Subject::Team { id: &self.id.as_str().into(), customer: customer.as_ref() },
            Kind::Customer => Subject::Customer(&self.id.as_str().into()),
        };
        visitor.may_change(self.kind.resource(), subject)
    }

    /// Its path in the management API.
    fn api_path(&self) -> String {
        Link::of(self.kind.api(), &self.id).to_string()
    }
}

/// What is asked of a list of owners.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    search: String,
    offset: String,
}

impl Asked {
    /// The same, as the API is asked.
    fn query(&self) -> keyward_core::list::ListQuery {
        keyward_core::list::ListQuery {
            limit: Some(PAGE.to_string()),
            offset: said(&self.offset),
            search: said(&self.search),
            from_memory: None,
        }
    }
}

/// A page about owners.
fn page(visitor: &Visitor, theme: Theme, kind: Kind, title: &str, actions: Markup, content: Markup) -> HttpResponse {
    let section = kind.section();
    let crumb = (title != section.title()).then(|| html! { a href=(section.path()) { (section.title()) } });
    Page { visitor, theme, section, title, crumb, actions, content }.respond()
}
