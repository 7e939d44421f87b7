//! Teams and customers: the owners whose limits cover all virtual keys below them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::{Budget, BudgetInput};
use crate::change::Versioned;
use crate::ids::{CustomerId, LimitId, TeamId};
use crate::invalid::{Invalid, Pointer};
use crate::limits::{Edit, Limits, LimitsInput};
use crate::meter::{Count, MeterId};
use crate::name::check_name;
use crate::patch::Patch;
use crate::rate_limit::{RateLimit, RateLimitInput};

macro_rules! owner {
    ($(#[$doc:meta])* $entity:ident, $id:ident, $create:ident, $noun:literal {
        $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
    } request {
        $($(#[$request_doc:meta])* $request_field:ident: $request_type:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub struct $entity {
            /// Identifies it in the management API.
            pub id: $id,
            /// A unique name for people.
            pub name: String,
            $($(#[$field_doc])* pub $field: $type,)*
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
            /// True: new budgets follow the calendar.
            pub calendar_aligned: bool,
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

            /// Shows what its meters read at `now`.
            #[must_use]
            pub fn observed(self, read: &dyn Fn(&MeterId) -> Option<Count>, now: Timestamp) -> Self {
                let mut limits = self.limits();
                limits.observe(read, now);
                self.with_limits(limits)
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
        }

        #[doc = concat!("Makes a ", $noun, ". Only `name` is required.")]
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $create {
            /// A unique name for people.
            #[schema(required = true, min_length = 1, max_length = 256)]
            pub name: String,
            $($(#[$request_doc])* pub $request_field: $request_type,)*
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
            /// True: budgets follow the calendar unless they say otherwise.
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
                        calendar_aligned: self.calendar_aligned,
                        at: &Pointer::ROOT,
                    },
                    edit,
                )?;
                let entity = $entity {
                    id: (edit.mint)().into(),
                    name: self.name,
                    $($request_field: self.$request_field,)*
                    budget_id: None,
                    budget: None,
                    budgets: Vec::new(),
                    rate_limit_id: None,
                    rate_limit: None,
                    calendar_aligned: self.calendar_aligned.unwrap_or(false),
                    virtual_key_count: 0,
                    config_hash: String::new(),
                    created_at: edit.now,
                    updated_at: edit.now,
                };
                Ok(entity.with_limits(limits))
            }
        }
    };
}

owner! {
    /// A team: its limits cover the virtual keys that belong to it.
    Team, TeamId, CreateTeam, "Team" {
        /// The customer that the team belongs to; its limits hold too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        customer_id: Option<CustomerId>,
    } request {
        /// The customer that the team belongs to.
        #[serde(skip_serializing_if = "Option::is_none")]
        customer_id: Option<CustomerId>,
    }
}

owner! {
    /// A customer: its limits cover its teams and all virtual keys below.
    Customer, CustomerId, CreateCustomer, "Customer" {} request {}
}
