//! Teams and customers: the owners whose limits cover all virtual keys below them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::{Budget, BudgetInput};
use crate::change::Versioned;
use crate::ids::{CustomerId, LimitId, TeamId};
use crate::invalid::{Invalid, Pointer};
use crate::limits::{Alignment, Edit, Limits, LimitsInput, ResetUsage};
use crate::meter::{Count, MeterId};
use crate::name::check_name;
use crate::patch::Patch;
use crate::rate_limit::{RateLimit, RateLimitInput};
use crate::virtual_key::VirtualKey;

mod query;

pub use query::{TeamFilter, TeamQuery};

/// What teams and customers share: their own limits, and how requests make and edit them. `own` are members that requests set,
/// `views` those that answers about one of them add.
macro_rules! owner {
    ($(#[$doc:meta])* $entity:ident, $id:ident, $(#[$create_doc:meta])* $create:ident, $(#[$update_doc:meta])* $update:ident,
        $noun:literal {
        own { $($(#[$own_doc:meta])* $own:ident: $own_type:ty,)* }
        views { $($(#[$view_doc:meta])* $view:ident: $view_type:ty,)* }
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
        pub struct $entity {
            /// Identifies it in the management API.
            pub id: $id,
            /// A unique name for people.
            pub name: String,
            $(
                $(#[$own_doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[schema(nullable = false)]
                pub $own: Option<$own_type>,
            )*
            /// The id of `budget`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false)]
            pub budget_id: Option<LimitId>,
            /// The budget with the shortest window.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false)]
            pub budget: Option<Budget>,
            /// All budgets, shortest window first.
            pub budgets: Vec<Budget>,
            /// The id of `rate_limit`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false)]
            pub rate_limit_id: Option<LimitId>,
            /// Caps on tokens and requests.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false)]
            pub rate_limit: Option<RateLimit>,
            /// True: new limits follow the calendar.
            pub calendar_aligned: bool,
            $($(#[$view_doc])* pub $view: $view_type,)*
            /// How many virtual keys belong to it directly.
            pub virtual_key_count: i64,
            /// A hash of the configuration file's definition; empty when made through the API.
            pub config_hash: String,
            /// When it was made.
            #[schema(value_type = String, format = DateTime)]
            pub created_at: Timestamp,
            /// When it was last edited.
            #[schema(value_type = String, format = DateTime)]
            pub updated_at: Timestamp,
        }

        impl Versioned for $entity {
            fn updated_at(&self) -> Timestamp {
                self.updated_at
            }
        }

        impl $entity {
            /// Its own limits.
            #[must_use]
            pub fn limits(&self) -> Limits {
                Limits { budgets: self.budgets.clone(), rate_limit: self.rate_limit.clone() }
            }

            /// The same with these limits.
            #[must_use]
            pub fn with_limits(mut self, limits: Limits) -> Self {
                self.budget = limits.budgets.first().cloned();
                self.budget_id = self.budget.as_ref().map(|budget| budget.id.clone());
                self.rate_limit_id = limits.rate_limit.as_ref().map(|rate_limit| rate_limit.id.clone());
                self.budgets = limits.budgets;
                self.rate_limit = limits.rate_limit;
                self
            }

            /// What an update request makes of it: absent members stay, null clears.
            ///
            /// # Errors
            /// The first member that cannot be carried out.
            pub fn edited(&self, request: $update, edit: &mut Edit<'_>) -> Result<(Self, ResetUsage), Invalid> {
                let name = request.name.or_keep(Some(self.name.clone())).unwrap_or_default();
                check_name(&name, concat!($noun, " name is required"))?;
                let input = LimitsInput {
                    budget: &request.budget,
                    budgets: &request.budgets,
                    rate_limit: &request.rate_limit,
                    alignment: Alignment { asked: request.calendar_aligned, standing: self.calendar_aligned },
                    at: &Pointer::ROOT,
                };
                let limits = self.limits().edited(&input, edit)?;
                let edited = Self {
                    name,
                    $($own: request.$own.null_if(|id| id.as_str().is_empty()).or_keep(self.$own.clone()),)*
                    calendar_aligned: request.calendar_aligned.unwrap_or(self.calendar_aligned),
                    updated_at: edit.now,
                    ..self.clone()
                };
                Ok((edited.with_limits(limits), request.reset_budget_usage.into()))
            }
        }

        $(#[$create_doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $create {
            /// A unique name for people.
            #[schema(required = true, min_length = 1, max_length = 256)]
            pub name: String,
            $($(#[$own_doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $own: Option<$own_type>,)*
            /// One budget; excludes `budgets`.
            #[serde(skip_serializing_if = "Patch::is_absent")]
            #[schema(value_type = Option<BudgetInput>)]
            pub budget: Patch<BudgetInput>,
            /// Budgets with different durations; excludes `budget`.
            #[serde(skip_serializing_if = "Patch::is_absent")]
            #[schema(value_type = Option<Vec<BudgetInput>>)]
            pub budgets: Patch<Vec<BudgetInput>>,
            /// Caps on tokens and requests.
            #[serde(skip_serializing_if = "Patch::is_absent")]
            #[schema(value_type = Option<RateLimitInput>)]
            pub rate_limit: Patch<RateLimitInput>,
            /// True: limits follow the calendar unless they say otherwise.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub calendar_aligned: Option<bool>,
        }

        impl $create {
            /// Checks the request and makes the entity it asks for.
            ///
            /// # Errors
            /// The first member that cannot be carried out.
            pub fn build(self, edit: &mut Edit<'_>) -> Result<$entity, Invalid> {
                check_name(&self.name, concat!($noun, " name is required"))?;
                let limits = Limits::default().edited(
                    &LimitsInput {
                        budget: &self.budget,
                        budgets: &self.budgets,
                        rate_limit: &self.rate_limit,
                        alignment: Alignment { asked: self.calendar_aligned, standing: false },
                        at: &Pointer::ROOT,
                    },
                    edit,
                )?;
                let entity = $entity {
                    id: (edit.mint)().into(),
                    name: self.name,
                    $($own: self.$own.filter(|id| !id.as_str().is_empty()),)*
                    budget_id: None,
                    budget: None,
                    budgets: Vec::new(),
                    rate_limit_id: None,
                    rate_limit: None,
                    calendar_aligned: self.calendar_aligned.unwrap_or(false),
                    $($view: Default::default(),)*
                    virtual_key_count: 0,
                    config_hash: String::new(),
                    created_at: edit.now,
                    updated_at: edit.now,
                };
                Ok(entity.with_limits(limits))
            }
        }

        $(#[$update_doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $update {
            /// A unique name for people; it cannot be cleared.
            #[serde(skip_serializing_if = "Patch::is_absent")]
            #[schema(value_type = Option<String>, min_length = 1, max_length = 256)]
            pub name: Patch<String>,
            $(
                $(#[$own_doc])*
                #[serde(skip_serializing_if = "Patch::is_absent")]
                #[schema(value_type = Option<$own_type>)]
                pub $own: Patch<$own_type>,
            )*
            /// The one budget: given members change it, null or `{}` removes it; excludes `budgets`.
            #[serde(skip_serializing_if = "Patch::is_absent")]
            #[schema(value_type = Option<BudgetInput>)]
            pub budget: Patch<BudgetInput>,
            /// The full set of budgets: null or `[]` removes all; excludes `budget`.
            #[serde(skip_serializing_if = "Patch::is_absent")]
            #[schema(value_type = Option<Vec<BudgetInput>>)]
            pub budgets: Patch<Vec<BudgetInput>>,
            /// Caps on tokens and requests: given members change it, null or `{}` removes it.
            #[serde(skip_serializing_if = "Patch::is_absent")]
            #[schema(value_type = Option<RateLimitInput>)]
            pub rate_limit: Patch<RateLimitInput>,
            /// True: limits follow the calendar unless they say otherwise.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub calendar_aligned: Option<bool>,
            /// True: what its budgets have counted in their current windows is taken off. Otherwise an edit leaves usage alone.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub reset_budget_usage: Option<bool>,
        }
    };
}

owner! {
    /// A team: its limits cover the virtual keys that belong to it.
    Team, TeamId,
    /// Makes a team. Only `name` is required.
    CreateTeam,
    /// Edits a team: what is absent stays, null clears.
    UpdateTeam, "Team" {
        own {
            /// The customer that the team belongs to; its limits hold too.
            customer_id: CustomerId,
        }
        views {
            /// The customer that the team belongs to.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false, no_recursion)]
            customer: Option<Box<Customer>>,
            /// In an answer about this team alone, its virtual keys, oldest first, at most 100; otherwise empty.
            #[serde(default)]
            #[schema(required = true, no_recursion)]
            virtual_keys: Vec<VirtualKey>,
        }
    }
}

owner! {
    /// A customer: its limits cover its teams and all virtual keys below.
    Customer, CustomerId,
    /// Makes a customer. Only `name` is required.
    CreateCustomer,
    /// Edits a customer: what is absent stays, null clears.
    UpdateCustomer, "Customer" {
        own {}
        views {
            /// In an answer about this customer alone, its teams, oldest first, at most 100; otherwise empty.
            #[serde(default)]
            #[schema(required = true, no_recursion)]
            teams: Vec<Team>,
            /// In an answer about this customer alone, its own virtual keys, oldest first, at most 100; otherwise empty.
            #[serde(default)]
            #[schema(required = true, no_recursion)]
            virtual_keys: Vec<VirtualKey>,
        }
    }
}

impl Team {
    /// Shows what its meters, and those of what it shows, read at `now`.
    #[must_use]
    pub fn observed(mut self, read: &dyn Fn(&MeterId) -> Option<Count>, now: Timestamp) -> Self {
        self.customer = self.customer.map(|customer| Box::new(customer.observed(read, now)));
        self.virtual_keys = self.virtual_keys.into_iter().map(|key| key.observed(read, now)).collect();
        let limits = self.limits().observed(read, now);
        self.with_limits(limits)
    }
}

impl Customer {
    /// Shows what its meters, and those of what it shows, read at `now`.
    #[must_use]
    pub fn observed(mut self, read: &dyn Fn(&MeterId) -> Option<Count>, now: Timestamp) -> Self {
        self.teams = self.teams.into_iter().map(|team| team.observed(read, now)).collect();
        self.virtual_keys = self.virtual_keys.into_iter().map(|key| key.observed(read, now)).collect();
        let limits = self.limits().observed(read, now);
        self.with_limits(limits)
    }
}
