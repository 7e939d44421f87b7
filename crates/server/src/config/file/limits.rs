//! The budgets and rate limits of a file: sections of their own, which owners refer to by id, or which name their owner.

use keyward_core::budget::BudgetInput;
use keyward_core::declaration::{DeclaredBudget, DeclaredLimits, DeclaredRateLimit};
use keyward_core::invalid::Pointer;
use keyward_core::patch::Patch;
use keyward_core::rate_limit::{RateLimitInput, RateLimitRule};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::node::Node;
use super::reader::Reader;

/// The members by which a budget names its owner, with what they name.
const OWNERS: [(&str, &str); 5] = [
    ("customer_id", "customer"),
    ("team_id", "team"),
    ("virtual_key_id", "virtual key"),
    ("model_config_id", "model config"),
    ("provider_config_id", "provider config"),
];

/// An owner as a budget names it: the member, and what it says.
pub(super) type Owner<'a> = Option<(&'static str, &'a str)>;

/// A limit of a section that nobody has taken yet.
struct Unclaimed<T> {
    id: String,
    at: Pointer,
    /// Who it says it belongs to.
    owner: Option<(&'static str, String)>,
    /// None when something is wrong with it.
    limit: Option<T>,
    /// Who has it, as a place in the file.
    taken_by: Option<Pointer>,
}

/// The limits of the two sections.
#[derive(Default)]
pub(super) struct LimitSections {
    budgets: Vec<Unclaimed<DeclaredBudget>>,
    rate_limits: Vec<Unclaimed<DeclaredRateLimit>>,
}

impl LimitSections {
    pub(super) fn read(governance: &mut Node, at: &Pointer, reader: &mut Reader) -> Self {
        let mut sections = Self::default();
        for (at, mut node) in reader.list(governance, "budgets", at).unwrap_or_default() {
            let Some(id) = reader.id(&mut node, &at) else { continue };
            let owner = owner(&mut node, &at, reader);
            let input = reader.typed::<BudgetInput>(node, &at);
            for (member, missing) in [
                ("max_limit", input.as_ref().is_some_and(|input| input.max_limit.is_none())),
                ("reset_duration", input.as_ref().is_some_and(|input| input.reset_duration.is_none())),
            ] {
                if missing {
                    reader.error(&at.member(member), format!("{member} is required"));
                }
            }
            let limit = input.map(|input| DeclaredBudget { id: Some(id.as_str().into()), at: at.clone(), input });
            add(&mut sections.budgets, Unclaimed { id, at, owner, limit, taken_by: None }, reader);
        }
        for (at, mut node) in reader.list(governance, "rate_limits", at).unwrap_or_default() {
            let Some(id) = reader.id(&mut node, &at) else { continue };
            let input = reader.typed::<RateLimitInput>(node, &at);
            let limit = input.map(|input| DeclaredRateLimit { id: Some(id.as_str().into()), at: at.clone(), input });
            if sections.budgets.iter().any(|budget| budget.id == id) {
                reader.error(&at.member("id"), format!("a budget has the id '{id}' too"));
            }
            add(&mut sections.rate_limits, Unclaimed { id, at, owner: None, limit, taken_by: None }, reader);
        }
        sections
    }

    /// The limits of an owner that stands at `at`: its own members, those that it refers to, and those that name it.
    pub(super) fn take(
        &mut self,
        node: &mut Node,
        at: &Pointer,
        owner: Owner<'_>,
        reader: &mut Reader,
    ) -> DeclaredLimits {
        let mut limits = inline(node, at, reader);
        for (at, id) in references(node, ["budget_id", "budget_ids"], at, reader) {
            limits.budgets.extend(claim(&mut self.budgets, "budget", &id, &at, reader));
        }
        for budget in &mut self.budgets {
            let names = budget.owner.as_ref().map(|(member, id)| (*member, id.as_str()));
            if owner.is_some() && names == owner && budget.taken_by.is_none() {
                budget.taken_by = Some(at.clone());
                limits.budgets.extend(budget.limit.take());
            }
        }
        for (at, id) in references(node, ["rate_limit_id", "rate_limit_ids"], at, reader) {
            let claimed = claim(&mut self.rate_limits, "rate limit", &id, &at, reader);
            match (&limits.rate_limit, claimed) {
                (Some(_), Some(_)) => reader.error(&at, "there may be one rate limit at most"),
                (None, Some(claimed)) => limits.rate_limit = Some(claimed),
                (_, None) => {}
            }
        }
        limits
    }

    /// What is said of limits that nobody has.
    pub(super) fn finish(self, reader: &mut Reader) {
        for budget in self.budgets.into_iter().filter(|budget| budget.taken_by.is_none()) {
            match budget.owner {
                Some((member, id)) => {
                    let what = OWNERS.iter().find(|(name, _)| *name == member).map_or("owner", |(_, what)| *what);
                    reader.error(&budget.at.member(member), format!("{what} '{id}' is not in this file"));
                }
                None => reader.warn(&budget.at, "without effect: nobody has this budget"),
            }
        }
        for limit in self.rate_limits.into_iter().filter(|limit| limit.taken_by.is_none()) {
            reader.warn(&limit.at, "without effect: nobody has this rate limit");
        }
    }
}

fn owner(node: &mut Node, at: &Pointer, reader: &mut Reader) -> Option<(&'static str, String)> {
    let mut found = None;
    for (member, _) in OWNERS {
        let Some(value) = node.take(member) else { continue };
        let id = value.text().or_else(|| value.literal().map(ToOwned::to_owned)).filter(|id| !id.is_empty());
        match (id, &found) {
            (Some(id), None) => found = Some((member, id)),
            (Some(_), Some(_)) => reader.error(&at.member(member), "a budget has one owner at most"),
            (None, _) => {}
        }
    }
    found
}

fn add<T>(section: &mut Vec<Unclaimed<T>>, entry: Unclaimed<T>, reader: &mut Reader) {
    match section.iter().any(|other| other.id == entry.id) {
        true => reader.error(&entry.at.member("id"), format!("the id '{}' is there twice", entry.id)),
        false => section.push(entry),
    }
}

/// Takes a limit for the owner that refers to it at `at`.
fn claim<T>(section: &mut [Unclaimed<T>], what: &str, id: &str, at: &Pointer, reader: &mut Reader) -> Option<T> {
    let Some(entry) = section.iter_mut().find(|entry| entry.id == id) else {
        reader.error(at, format!("{what} '{id}' is not in this file"));
        return None;
    };
    if let Some(other) = entry.taken_by.replace(at.clone()) {
        reader.error(at, format!("{what} '{id}' is that of {other} already: give each owner its own"));
    }
    entry.limit.take()
}

/// Takes the ids that an owner refers to, in both forms, each with its place.
fn references(node: &mut Node, members: [&str; 2], at: &Pointer, reader: &mut Reader) -> Vec<(Pointer, String)> {
    let [single, several] = members;
    let one = reader.text(node, single, at).map(|id| (at.member(single), id));
    let mut found: Vec<(Pointer, String)> = one.into_iter().collect();
    for (at, element) in reader.list(node, several, at).unwrap_or_default() {
        match element.text() {
            Some(id) => found.push((at, id)),
            None => reader.error(&at, "invalid type: expected a string"),
        }
    }
    found
}

fn inline(node: &mut Node, at: &Pointer, reader: &mut Reader) -> DeclaredLimits {
    let budget = patch::<BudgetInput>(node, "budget", at, reader);
    let budgets = patch::<Vec<BudgetInput>>(node, "budgets", at, reader);
    let rate_limit = patch::<RateLimitInput>(node, "rate_limit", at, reader);
    let rate_limits = patch::<Vec<RateLimitRule>>(node, "rate_limits", at, reader);
    let inline = DeclaredLimits::inline(budget, budgets, rate_limit, rate_limits, at);
    reader.note(inline).unwrap_or_default()
}

fn patch<T: DeserializeOwned + Serialize>(node: &mut Node, name: &str, at: &Pointer, reader: &mut Reader) -> Patch<T> {
    let given = node.take(name).and_then(|member| reader.typed(member, &at.member(name)));
    given.map_or(Patch::Absent, Patch::Value)
}
