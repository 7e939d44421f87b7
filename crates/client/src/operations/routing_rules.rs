//! Operations on routing rules.

use keyward_core::ids::RoutingRuleId;
use keyward_core::list::{Done, RoutingRuleChanged, RoutingRuleDetail, RoutingRuleList};
use keyward_core::routing_rule::{CreateRoutingRule, RoutingRule, RoutingRuleQuery, UpdateRoutingRule};

use crate::client::Client;
use crate::error::Error;

const RULES: [&str; 3] = ["api", "routing", "rules"];

fn one(id: &RoutingRuleId) -> [&str; 4] {
    let [api, routing, rules] = RULES;
    [api, routing, rules, id.as_str()]
}

impl Client {
    /// Makes a routing rule.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn routing_rule_create(&self, request: &CreateRoutingRule) -> Result<RoutingRuleChanged, Error> {
        self.create("routing_rule_create", &RULES, request).await
    }

    /// Lists routing rules.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn routing_rule_list(&self, query: &RoutingRuleQuery) -> Result<RoutingRuleList, Error> {
        self.list("routing_rule_list", &RULES, query).await
    }

    /// Reads a routing rule.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn routing_rule_get(&self, id: &RoutingRuleId) -> Result<RoutingRule, Error> {
        self.get("routing_rule_get", &one(id)).await.map(|detail: RoutingRuleDetail| detail.rule)
    }

    /// Edits a routing rule: what is absent stays.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn routing_rule_update(
        &self,
        id: &RoutingRuleId,
        request: &UpdateRoutingRule,
    ) -> Result<RoutingRuleChanged, Error> {
        self.put("routing_rule_update", &one(id), request).await
    }

    /// Deletes a routing rule.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn routing_rule_delete(&self, id: &RoutingRuleId) -> Result<Done, Error> {
        self.delete("routing_rule_delete", &one(id)).await
    }
}
