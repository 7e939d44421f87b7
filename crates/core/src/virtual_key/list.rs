//! Lists of virtual keys: which ones, in what order, and how many.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::metadata::check_key;
use crate::ids::{CustomerId, TeamId};
use crate::invalid::Invalid;
use crate::list::{MAX_LIMIT, Page, flag, page};

/// Which virtual keys are asked for. Without any member it is all of them, up to 10,000.
///
/// Besides these, `metadata_KEY=VALUE` asks for keys with that label; several have to hold at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct VirtualKeyQuery {
    /// How many entries at most: 25 unless given, at most 100; with `export` 10,000 in both cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub limit: Option<String>,
    /// How many entries to skip.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub offset: Option<String>,
    /// Only entries whose name, or a value in whose metadata, has this in it, ignoring the case of ASCII letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only virtual keys of this customer; with `team_id`, those of either.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub customer_id: Option<CustomerId>,
    /// Only virtual keys of this team; with `customer_id`, those of either.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub team_id: Option<TeamId>,
    /// The order: `name`, `budget_spent`, `created_at` or `status`; anything else is `created_at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_by: Option<String>,
    /// `asc` or `desc`; anything else is `asc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// `true`: pages of up to 10,000 entries, for exports. With `Accept: text/csv` the answer is a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export: Option<String>,
    /// Accepted for compatibility: answers always show live usage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_memory: Option<String>,
    /// Accepted for compatibility: there are no access profiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_access_profile_managed_virtual: Option<String>,
    /// Accepted for compatibility: no virtual key is assigned to a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_assigned_virtual_keys: Option<String>,
    /// Accepted for compatibility: no virtual key is assigned to a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_user_assignment: Option<String>,
    /// Labels to look for: `metadata_KEY`.
    #[serde(flatten)]
    #[param(ignore)]
    pub metadata: BTreeMap<String, String>,
}

/// What a list of virtual keys is sorted by; ties by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    /// The name.
    Name,
    /// What is used of the budget with the shortest window.
    BudgetSpent,
    /// The age.
    #[default]
    CreatedAt,
    /// Active ones first, then expired ones, then inactive ones.
    Status,
}

/// A checked [`VirtualKeyQuery`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VirtualKeyFilter {
    /// Which part of the list, and the text to look for.
    pub page: Page,
    /// Only those of this customer, or of the team.
    pub customer_id: Option<CustomerId>,
    /// Only those of this team, or of the customer.
    pub team_id: Option<TeamId>,
    /// Only those with all of these labels.
    pub metadata: Vec<(String, String)>,
    /// The order.
    pub sort_by: SortBy,
    /// The other way round.
    pub descending: bool,
}

/// The most entries of an export, and of a list that is asked for whole.
const EXPORT_LIMIT: i64 = 10_000;
const METADATA: &str = "metadata_";

impl VirtualKeyQuery {
    /// Checks the parameters.
    ///
    /// # Errors
    /// A parameter that is not known, a number that is none, or a label that cannot be.
    pub fn check(self) -> Result<VirtualKeyFilter, Invalid> {
        let metadata = labels(&self.metadata)?;
        let is_export = flag(self.export.as_deref());
        let most = if is_export { EXPORT_LIMIT } else { MAX_LIMIT };
        let is_whole = !is_export
            && metadata.is_empty()
            && [&self.limit, &self.offset, &self.search, &self.sort_by, &self.order].into_iter().all(Option::is_none)
            && self.customer_id.is_none()
            && self.team_id.is_none();
        Ok(VirtualKeyFilter {
            page: match is_whole {
                true => Page::default(),
                false => page(self.limit.as_deref(), self.offset.as_deref(), self.search, most)?,
            },
            customer_id: self.customer_id.filter(|id| !id.as_str().is_empty()),
            team_id: self.team_id.filter(|id| !id.as_str().is_empty()),
            metadata,
            sort_by: match self.sort_by.as_deref() {
                Some("name") => SortBy::Name,
                Some("budget_spent") => SortBy::BudgetSpent,
                Some("status") => SortBy::Status,
                Some(_) | None => SortBy::CreatedAt,
            },
            descending: self.order.as_deref() == Some("desc"),
        })
    }
}

/// The labels that are looked for; every other parameter that is left is not known.
fn labels(parameters: &BTreeMap<String, String>) -> Result<Vec<(String, String)>, Invalid> {
    let labels = parameters.iter().map(|(name, value)| {
        let refuse = |message: String| Invalid::at(name.as_str().into(), message);
        let key = name.strip_prefix(METADATA).ok_or_else(|| Invalid::unknown(name))?;
        check_key(key).map_err(|why| refuse(format!("invalid metadata key \"{key}\": {why}")))?;
        Ok((key.to_owned(), value.clone()))
    });
    labels.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_parameter_the_list_is_whole_and_with_one_it_comes_in_pages() {
        assert_eq!(VirtualKeyQuery::default().check().unwrap().page, Page::default());
        let check = |query: VirtualKeyQuery| query.check().unwrap().page.limit;
        let text = |text: &str| Some(text.to_owned());
        let base = VirtualKeyQuery::default;
        assert_eq!(check(VirtualKeyQuery { sort_by: text("name"), ..base() }), 25);
        assert_eq!(check(VirtualKeyQuery { limit: text("500"), ..base() }), 100);
        assert_eq!(check(VirtualKeyQuery { export: text("true"), ..base() }), 10_000);
        assert_eq!(check(VirtualKeyQuery { export: text("true"), limit: text("500"), ..base() }), 500);
        assert_eq!(check(VirtualKeyQuery { team_id: Some("t".into()), ..base() }), 25);
    }

    #[test]
    fn labels_are_checked_and_other_parameters_are_not_known() {
        let query = |name: &str| VirtualKeyQuery {
            metadata: [(name.to_owned(), "prod".to_owned())].into_iter().collect(),
            ..VirtualKeyQuery::default()
        };
        assert_eq!(query("metadata_env").check().unwrap().metadata, [("env".to_owned(), "prod".to_owned())]);
        for name in ["metadata_", "metadata_a b", "limits"] {
            assert_eq!(query(name).check().unwrap_err().pointer, name.into());
        }
    }
}
