//! The rules that are in force: compiled once per edit into a table that is replaced whole and read without locks.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use keyward_core::ids::RoutingRuleId;
use keyward_core::list::Page;
use keyward_core::routing_rule::{RoutingFailure, RoutingRule, RoutingRuleFilter, RoutingScope};
use keyward_engine::Holder;
use keyward_store::{Store, StoreError};

use super::expression::Expression;

/// A rule, ready to be evaluated.
pub(crate) struct CompiledRule {
    pub(crate) rule: RoutingRule,
    /// What is wrong with the expression, should it not compile any more.
    pub(super) expression: Result<Expression, String>,
    last_error: ArcSwapOption<RoutingFailure>,
}

impl CompiledRule {
    pub(super) fn new(rule: RoutingRule) -> Self {
        let expression = Expression::compile(&rule.cel_expression);
        Self { rule, expression, last_error: ArcSwapOption::empty() }
    }

    /// Remembers why an evaluation failed.
    pub(super) fn failed(&self, message: &str, at: Timestamp) {
        self.last_error.store(Some(Arc::new(RoutingFailure { message: message.to_owned(), at })));
    }
}

/// The enabled rules by scope, each list in the order of evaluation.
#[derive(Default)]
pub(crate) struct Table {
    global: Vec<Arc<CompiledRule>>,
    scoped: HashMap<RoutingScope, HashMap<String, Vec<Arc<CompiledRule>>>>,
    by_id: HashMap<RoutingRuleId, Arc<CompiledRule>>,
}

impl Table {
    pub(super) fn new(rules: impl IntoIterator<Item = Arc<CompiledRule>>) -> Self {
        let mut table = Self::default();
        let mut rules: Vec<Arc<CompiledRule>> = rules.into_iter().collect();
        rules.sort_by(|one, other| one.rule.order().cmp(&other.rule.order()));
        for compiled in rules {
            table.by_id.insert(compiled.rule.id.clone(), compiled.clone());
            if !compiled.rule.enabled {
                continue;
            }
            match compiled.rule.scope_id.clone() {
                None => table.global.push(compiled),
                Some(id) => table.scoped.entry(compiled.rule.scope).or_default().entry(id).or_default().push(compiled),
            }
        }
        table
    }

    pub(super) fn is_empty(&self) -> bool {
        self.global.is_empty() && self.scoped.is_empty()
    }

    /// The rules about the holder's requests, in the order of evaluation.
    pub(super) fn about<'a>(&'a self, holder: &Holder) -> impl Iterator<Item = &'a Arc<CompiledRule>> + use<'a> {
        let scoped = [
            (RoutingScope::VirtualKey, Some(holder.virtual_key_id.as_str())),
            (RoutingScope::Team, holder.team_id.as_ref().map(|id| id.as_str())),
            (RoutingScope::Customer, holder.customer_id.as_ref().map(|id| id.as_str())),
        ];
        let of = |(scope, id): (RoutingScope, Option<&str>)| self.scoped.get(&scope)?.get(id?);
        let scoped: Vec<&Arc<CompiledRule>> = scoped.into_iter().filter_map(of).flatten().collect();
        scoped.into_iter().chain(&self.global)
    }
}

/// Every rule, as of the last edit.
#[derive(Default)]
pub(crate) struct RoutingRules(ArcSwap<Table>);

impl RoutingRules {
    /// Reads the rules again. Callers take turns, so that the newest state wins. A rule that was not edited keeps what it was
    /// compiled to, and its last failure.
    pub(crate) async fn reload(&self, store: &Store) -> Result<(), StoreError> {
        let every_rule = RoutingRuleFilter { page: Page::unbounded(), ..RoutingRuleFilter::default() };
        let listed = store.routing_rule_list(every_rule).await?;
        let before = self.table();
        let compiling = tokio::task::spawn_blocking(move || {
            let compiled = listed.entries.into_iter().map(|rule| match before.by_id.get(&rule.id) {
                Some(compiled) if compiled.rule == rule => compiled.clone(),
                Some(_) | None => Arc::new(CompiledRule::new(rule)),
            });
            Table::new(compiled)
        });
        let table = compiling.await.map_err(|error| StoreError::Internal(Box::new(error)))?;
        self.0.store(Arc::new(table));
        Ok(())
    }

    pub(super) fn table(&self) -> Arc<Table> {
        self.0.load_full()
    }

    /// The rule with its last failure.
    pub(crate) fn observed(&self, rule: RoutingRule) -> RoutingRule {
        let table = self.0.load();
        let last_error = table.by_id.get(&rule.id).and_then(|compiled| compiled.last_error.load_full());
        RoutingRule { last_error: last_error.as_deref().cloned(), ..rule }
    }
}
