//! Requests that make and edit model configs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ModelConfig, ModelConfigScope};
use crate::budget::BudgetInput;
use crate::ids::{ModelName, ProviderName, VirtualKeyId};
use crate::invalid::{Invalid, Pointer};
use crate::limits::{Alignment, Edit, Limits, LimitsInput};
use crate::name::{check_bare_model, check_model_name};
use crate::patch::Patch;
use crate::rate_limit::{RateLimitInput, RateLimitRule, either_form};

/// The virtual key that a model config is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopedKey {
    /// Its id.
    pub id: VirtualKeyId,
    /// Its name.
    pub name: String,
    /// Whether its limits follow the calendar; the model config follows it unless it says otherwise.
    pub calendar_aligned: bool,
}

/// Makes a model config. Only `model_name` is required.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateModelConfig {
    /// The model as its provider calls it; `*` is every model.
    #[schema(required = true, min_length = 1, max_length = 256)]
    pub model_name: String,
    /// The provider; it must be configured. Absent, null or empty: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub provider: Option<ProviderName>,
    /// Whose requests it covers: everybody's unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ModelConfigScope>)]
    pub scope: Option<String>,
    /// The virtual key that it is for; required with the scope `virtual_key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub scope_id: Option<VirtualKeyId>,
    /// One budget; excludes `budgets`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<BudgetInput>)]
    pub budget: Patch<BudgetInput>,
    /// Budgets with different durations; excludes `budget`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<BudgetInput>>)]
    pub budgets: Patch<Vec<BudgetInput>>,
    /// Caps on tokens and requests; excludes `rate_limits`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<RateLimitInput>)]
    pub rate_limit: Patch<RateLimitInput>,
    /// The same as a list, with one rule for each metric at most; excludes `rate_limit`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<RateLimitRule>>)]
    pub rate_limits: Patch<Vec<RateLimitRule>>,
    /// True: limits follow the calendar unless they say otherwise. Unless given, as the virtual key has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar_aligned: Option<bool>,
}

impl CreateModelConfig {
    /// The virtual key that the model config is for, if it is for one.
    ///
    /// # Errors
    /// A scope that does not exist, or one that does not fit `scope_id`.
    pub fn virtual_key(&self) -> Result<Option<VirtualKeyId>, Invalid> {
        let scope = match self.scope.as_deref() {
            None | Some("") => ModelConfigScope::Global,
            Some(text) => scope_of(text)?,
        };
        let refuse = |message: &str| Err(Invalid::at("scope_id".into(), message));
        match (scope, self.scope_id.as_ref().filter(|id| !id.as_str().is_empty())) {
            (ModelConfigScope::Global, None) => Ok(None),
            (ModelConfigScope::Global, Some(_)) => refuse("scope_id must be absent when scope is global"),
            (ModelConfigScope::VirtualKey, None) => refuse("scope_id is required when scope is not global"),
            (ModelConfigScope::VirtualKey, Some(id)) => Ok(Some(id.clone())),
        }
    }

    /// Checks the request and makes the model config that it asks for, for `key` if it is for one.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn build(self, key: Option<&ScopedKey>, edit: &mut Edit<'_>) -> Result<ModelConfig, Invalid> {
        check_model(&self.model_name, self.provider.as_ref())?;
        let standing = key.is_some_and(|key| key.calendar_aligned);
        let alignment = Alignment { asked: self.calendar_aligned, standing };
        let limits = Limits::default().edited(
            &LimitsInput {
                budget: &self.budget,
                budgets: &self.budgets,
                rate_limit: &either_form(self.rate_limit, self.rate_limits, &Pointer::ROOT)?,
                alignment,
                at: &Pointer::ROOT,
            },
            edit,
        )?;
        let config = ModelConfig {
            scope: key.map_or(ModelConfigScope::Global, |_| ModelConfigScope::VirtualKey),
            scope_id: key.map(|key| key.id.clone()),
            scope_name: key.map(|key| key.name.clone()),
            calendar_aligned: alignment.setting(),
            ..ModelConfig::unlimited(self.model_name.into(), named(self.provider), edit)
        };
        Ok(config.with_limits(limits))
    }
}

impl ModelConfig {
    /// A new model config for everybody, without limits.
    pub(crate) fn unlimited(model_name: ModelName, provider: Option<ProviderName>, edit: &mut Edit<'_>) -> Self {
        Self {
            id: (edit.mint)().into(),
            model_name,
            provider,
            scope: ModelConfigScope::Global,
            scope_id: None,
            scope_name: None,
            calendar_aligned: false,
            budget_id: None,
            budget: None,
            budgets: Vec::new(),
            rate_limit_id: None,
            rate_limit: None,
            config_hash: String::new(),
            created_at: edit.now,
            updated_at: edit.now,
        }
    }
}

/// Edits a model config: what is absent stays, null clears. Usage is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateModelConfig {
    /// The model as its provider calls it; `*` is every model. It cannot be cleared.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 256)]
    pub model_name: Patch<String>,
    /// The provider; it must be configured. Null or empty: any.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub provider: Patch<ProviderName>,
    /// Whose requests it covers. It cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ModelConfigScope>)]
    pub scope: Option<String>,
    /// The virtual key that it is for. It cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub scope_id: Option<VirtualKeyId>,
    /// The one budget: given members change it, null or `{}` removes it; excludes `budgets`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<BudgetInput>)]
    pub budget: Patch<BudgetInput>,
    /// The full set of budgets: null or `[]` removes all; excludes `budget`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<BudgetInput>>)]
    pub budgets: Patch<Vec<BudgetInput>>,
    /// Caps on tokens and requests: given members change it, null or `{}` removes it; excludes `rate_limits`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<RateLimitInput>)]
    pub rate_limit: Patch<RateLimitInput>,
    /// The full set of rules, with one for each metric at most; null or `[]` removes all. Excludes `rate_limit`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<RateLimitRule>>)]
    pub rate_limits: Patch<Vec<RateLimitRule>>,
    /// True: limits follow the calendar unless they say otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar_aligned: Option<bool>,
}

impl UpdateModelConfig {
    /// What the request makes of `existing`.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn apply(self, existing: &ModelConfig, edit: &mut Edit<'_>) -> Result<ModelConfig, Invalid> {
        self.check_scope(existing)?;
        let model_name = self.model_name.or_keep(Some(existing.model_name.to_string())).unwrap_or_default();
        let provider = named(self.provider.or_keep(existing.provider.clone()));
        check_model(&model_name, provider.as_ref())?;
        let alignment = Alignment { asked: self.calendar_aligned, standing: existing.calendar_aligned };
        let limits = existing.limits().edited(
            &LimitsInput {
                budget: &self.budget,
                budgets: &self.budgets,
                rate_limit: &either_form(self.rate_limit, self.rate_limits, &Pointer::ROOT)?,
                alignment,
                at: &Pointer::ROOT,
            },
            edit,
        )?;
        let edited = ModelConfig {
            model_name: model_name.into(),
            provider,
            calendar_aligned: alignment.setting(),
            updated_at: edit.now,
            ..existing.clone()
        };
        Ok(edited.with_limits(limits))
    }

    fn check_scope(&self, existing: &ModelConfig) -> Result<(), Invalid> {
        let refuse = |member: &str| Err(Invalid::at(member.into(), format!("{member} cannot be changed")));
        let scope = self.scope.as_deref().filter(|text| !text.is_empty()).map(scope_of).transpose()?;
        if scope.is_some_and(|scope| scope != existing.scope) {
            return refuse("scope");
        }
        match self.scope_id.as_ref().filter(|id| !id.as_str().is_empty()) {
            Some(id) if Some(id) != existing.scope_id.as_ref() => refuse("scope_id"),
            Some(_) | None => Ok(()),
        }
    }
}

/// Makes sure that a limit can be on this model, of this provider if there is one.
fn check_model(name: &str, provider: Option<&ProviderName>) -> Result<(), Invalid> {
    let at = "model_name".into();
    check_model_name(&at, name)?;
    provider.map_or(Ok(()), |provider| check_bare_model(&at, provider, name))
}

/// A provider that is named at all.
fn named(provider: Option<ProviderName>) -> Option<ProviderName> {
    provider.filter(|name| !name.as_str().is_empty())
}

/// The scope of this name.
pub(super) fn scope_of(text: &str) -> Result<ModelConfigScope, Invalid> {
    let known = [ModelConfigScope::Global, ModelConfigScope::VirtualKey];
    known.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| {
        let message = match text {
            "user" => "scope 'user' belongs to the enterprise edition; use global or virtual_key".to_owned(),
            _ => format!("Invalid scope \"{text}\": must be one of: global, virtual_key"),
        };
        Invalid::at("scope".into(), message)
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::scope::ScopeKind;

    fn edit<T>(run: impl FnOnce(&mut Edit<'_>) -> T) -> T {
        let mut next = 0u128;
        let mint = &mut || {
            next += 1;
            Uuid::from_u128(next)
        };
        run(&mut Edit { now: Timestamp::UNIX_EPOCH, mint })
    }

    fn create(json: &str) -> Result<ModelConfig, Invalid> {
        let request: CreateModelConfig = serde_json::from_str(json).unwrap();
        let key = request.virtual_key()?.map(|id| ScopedKey { id, name: "key".to_owned(), calendar_aligned: true });
        edit(|edit| request.build(key.as_ref(), edit))
    }

    fn update(existing: &ModelConfig, json: &str) -> Result<ModelConfig, Invalid> {
        let request: UpdateModelConfig = serde_json::from_str(json).unwrap();
        edit(|edit| request.apply(existing, edit))
    }

    fn told(result: Result<ModelConfig, Invalid>) -> (String, String) {
        let invalid = result.unwrap_err();
        (invalid.pointer.to_string(), invalid.message)
    }

    #[test]
    fn scopes_are_what_the_wire_has_and_fit_their_id() {
        for (json, pointer, message) in [
            (r#"{"model_name":" "}"#, "/model_name", "Model name is required"),
            (r#"{"model_name":"m","scope":"user","scope_id":"u"}"#, "/scope", "enterprise"),
            (r#"{"model_name":"m","scope":"team"}"#, "/scope", "Invalid scope \"team\""),
            (
                r#"{"model_name":"m","scope":"virtual_key"}"#,
                "/scope_id",
                "scope_id is required when scope is not global",
            ),
            (r#"{"model_name":"m","scope_id":"vk"}"#, "/scope_id", "scope_id must be absent"),
        ] {
            let (at, text) = told(create(json));
            assert!(at == pointer && text.contains(message), "{json}: {at} {text}");
        }
    }

    #[test]
    fn the_calendar_is_the_virtual_keys_unless_the_request_says_otherwise() {
        let aligned =
            |json: &str| create(json).map(|config| (config.calendar_aligned, config.budgets[0].calendar_aligned));
        let budget = r#""budget":{"max_limit":1,"reset_duration":"1d"}"#;
        let for_key = format!(r#"{{"model_name":"m","scope":"virtual_key","scope_id":"vk",{budget}}}"#);
        assert_eq!(aligned(&for_key), Ok((true, true)));
        assert_eq!(aligned(&for_key.replacen('{', "{\"calendar_aligned\":false,", 1)), Ok((false, false)));
        assert_eq!(aligned(&format!(r#"{{"model_name":"m",{budget}}}"#)), Ok((false, false)));
    }

    #[test]
    fn rules_are_another_way_to_write_the_one_rate_limit() {
        let rule =
            |metric: &str, most: i64| format!(r#"{{"metric":"{metric}","max_limit":{most},"reset_duration":"1m"}}"#);
        let with = |rules: &str| create(&format!(r#"{{"model_name":"m","rate_limits":[{rules}]}}"#));
        let limit = with(&format!("{},{}", rule("tokens", 9), rule("requests", 2))).unwrap().rate_limit.unwrap();
        assert_eq!((limit.token_max_limit, limit.request_max_limit), (Some(9), Some(2)));
        let (at, _) = told(with(&format!("{},{}", rule("tokens", 9), rule("tokens", 2))));
        assert_eq!(at, "/rate_limits/1/metric");
        let (at, text) = told(with(&rule("requests", 0)));
        assert_eq!(
            (at.as_str(), text.as_str()),
            ("/rate_limits/0/max_limit", "rate limit request max limit cannot be negative or zero: 0",)
        );
        let both = r#"{"model_name":"m","rate_limits":[],"rate_limit":{}}"#;
        assert_eq!(told(create(both)).0, "/rate_limits");

        let tokens =
            update(&with(&rule("requests", 2)).unwrap(), &format!(r#"{{"rate_limits":[{}]}}"#, rule("tokens", 5)));
        let tokens = tokens.unwrap();
        let limit = tokens.rate_limit.clone().unwrap();
        assert_eq!((limit.token_max_limit, limit.request_max_limit), (Some(5), None));
        assert_eq!(update(&tokens, r#"{"rate_limits":[]}"#).unwrap().rate_limit, None);
        assert_eq!(update(&tokens, "{}").unwrap().rate_limit, tokens.rate_limit);
    }

    #[test]
    fn an_edit_keeps_the_scope_and_may_change_what_is_covered() {
        let config = create(r#"{"model_name":"m","provider":"p"}"#).unwrap();
        assert_eq!(told(update(&config, r#"{"scope":"virtual_key"}"#)).0, "/scope");
        assert_eq!(told(update(&config, r#"{"scope_id":"vk"}"#)).0, "/scope_id");
        assert_eq!(told(update(&config, r#"{"model_name":null}"#)).1, "Model name is required");
        let edited = update(&config, r#"{"scope":"global","model_name":"*"}"#).unwrap();
        assert_eq!((edited.limit_scope().kind, &*edited.limit_scope().id), (ScopeKind::Provider, "p"));
        let edited = update(&edited, r#"{"provider":null}"#).unwrap();
        assert_eq!(
            (edited.limit_scope().kind, &*edited.limit_scope().id),
            (ScopeKind::ModelConfig, config.id.as_str())
        );
    }
}
