//! Requests that make and edit pricing overrides.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MatchType, Pattern, PricePatch, PricingOverride, PricingScope, PricingScopeKind, RequestType};
use crate::ids::{ProviderKeyId, ProviderName, VirtualKeyId};
use crate::invalid::Invalid;
use crate::limits::Edit;
use crate::name::check_name;
use crate::patch::Patch;

/// Makes a pricing override.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreatePricingOverride {
    /// A name for people.
    #[schema(required = true, min_length = 1, max_length = 256)]
    pub name: String,
    /// Whose requests it is for.
    #[schema(required = true, value_type = PricingScopeKind)]
    pub scope_kind: String,
    /// The virtual key, for the scopes that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub virtual_key_id: Option<VirtualKeyId>,
    /// The provider's name, for the scopes that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub provider_id: Option<ProviderName>,
    /// The provider key, for the scopes that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub provider_key_id: Option<ProviderKeyId>,
    /// How `pattern` is compared with the model.
    #[schema(required = true, value_type = MatchType)]
    pub match_type: String,
    /// The model; with `wildcard` what its name begins with, and `*`.
    #[schema(required = true, min_length = 1, max_length = 256)]
    pub pattern: String,
    /// The kinds of requests that it is for; a kind has its streams with it.
    #[schema(required = true, value_type = Vec<RequestType>, min_items = 1)]
    pub request_types: Vec<String>,
    /// The prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<PricePatch>,
}

impl CreatePricingOverride {
    /// Checks the request and makes the pricing override that it asks for.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn build(self, edit: &mut Edit<'_>) -> Result<PricingOverride, Invalid> {
        let blank = |member: &str| Err(Invalid::at(member.into(), format!("{member} is required")));
        if self.scope_kind.is_empty() {
            return blank("scope_kind");
        }
        if self.match_type.is_empty() {
            return blank("match_type");
        }
        let patch = self.patch.unwrap_or_default();
        let entity = PricingOverride {
            id: (edit.mint)().into(),
            name: self.name,
            scope_kind: PricingScopeKind::parse(&self.scope_kind)?,
            virtual_key_id: self.virtual_key_id,
            provider_id: self.provider_id,
            provider_key_id: self.provider_key_id,
            match_type: MatchType::parse(&self.match_type)?,
            pattern: self.pattern,
            request_types: RequestType::parse_all(&self.request_types)?,
            pricing_patch: String::new(),
            patch,
            config_hash: String::new(),
            created_at: edit.now,
            updated_at: edit.now,
        };
        entity.checked()
    }
}

/// Edits a pricing override: what is absent stays, null clears an id. Another `scope_kind` clears all three ids first. `patch` is
/// replaced as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdatePricingOverride {
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 256)]
    pub name: Option<String>,
    /// Whose requests it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PricingScopeKind>)]
    pub scope_kind: Option<String>,
    /// The virtual key, for the scopes that have one.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub virtual_key_id: Patch<VirtualKeyId>,
    /// The provider's name, for the scopes that have one.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub provider_id: Patch<ProviderName>,
    /// The provider key, for the scopes that have one.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub provider_key_id: Patch<ProviderKeyId>,
    /// How `pattern` is compared with the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<MatchType>)]
    pub match_type: Option<String>,
    /// The model; with `wildcard` what its name begins with, and `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 256)]
    pub pattern: Option<String>,
    /// The kinds of requests that it is for; a kind has its streams with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<RequestType>>)]
    pub request_types: Option<Vec<String>>,
    /// All prices; null: none.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<PricePatch>)]
    pub patch: Patch<PricePatch>,
}

impl UpdatePricingOverride {
    /// What the request makes of `existing`.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn apply(self, existing: &PricingOverride, edit: &Edit<'_>) -> Result<PricingOverride, Invalid> {
        let mut edited = existing.clone();
        if let Some(kind) = self.scope_kind {
            edited.scope_kind = PricingScopeKind::parse(&kind)?;
        }
        if edited.scope_kind != existing.scope_kind {
            (edited.virtual_key_id, edited.provider_id, edited.provider_key_id) = (None, None, None);
        }
        edited.virtual_key_id = self.virtual_key_id.or_keep(edited.virtual_key_id);
        edited.provider_id = self.provider_id.or_keep(edited.provider_id);
        edited.provider_key_id = self.provider_key_id.or_keep(edited.provider_key_id);
        if let Some(match_type) = self.match_type {
            edited.match_type = MatchType::parse(&match_type)?;
        }
        if let Some(types) = self.request_types {
            edited.request_types = RequestType::parse_all(&types)?;
        }
        edited.name = self.name.unwrap_or(edited.name);
        edited.pattern = self.pattern.unwrap_or(edited.pattern);
        edited.patch = self.patch.or_keep(Some(edited.patch)).unwrap_or_default();
        edited.updated_at = edit.now;
        edited.checked()
    }
}

impl PricingOverride {
    /// The same with its texts trimmed, if its members fit each other.
    fn checked(mut self) -> Result<Self, Invalid> {
        self.name = self.name.trim().to_owned();
        self.pattern = self.pattern.trim().to_owned();
        self.virtual_key_id = self.virtual_key_id.and_then(|id| trimmed(id.as_str()));
        self.provider_id = self.provider_id.and_then(|name| trimmed(name.as_str()));
        self.provider_key_id = self.provider_key_id.and_then(|id| trimmed(id.as_str()));
        self.pricing_patch = self.patch.to_json();
        check_name(&self.name, "name is required")?;
        self.scope()?;
        self.model_pattern()?;
        Ok(self)
    }

    /// Whose requests it is for.
    ///
    /// # Errors
    /// When its ids do not fit its kind of scope, which no checked one's do.
    pub fn scope(&self) -> Result<PricingScope, Invalid> {
        let (provider, key) = (self.provider_id.clone(), self.provider_key_id.clone());
        PricingScope::new(self.scope_kind, self.virtual_key_id.clone(), provider, key)
    }

    /// The models that it is for.
    ///
    /// # Errors
    /// When its pattern does not fit its type, which no checked one's does.
    pub fn model_pattern(&self) -> Result<Pattern, Invalid> {
        Pattern::new(self.match_type, &self.pattern)
    }
}

/// The text without spaces around it, as an id; an empty one is none.
fn trimmed<T: for<'a> From<&'a str>>(text: &str) -> Option<T> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(Into::into)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn edit<T>(run: impl FnOnce(&mut Edit<'_>) -> T) -> T {
        run(&mut Edit { now: Timestamp::UNIX_EPOCH, mint: &mut Uuid::nil })
    }

    fn create(members: Value) -> Result<PricingOverride, Invalid> {
        let mut body = json!({
            "name": "n", "scope_kind": "global", "match_type": "exact", "pattern": "m", "request_types": ["chat_completion"],
        });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let request: CreatePricingOverride = serde_json::from_str(&body.to_string()).unwrap();
        edit(|edit| request.build(edit))
    }

    fn update(existing: &PricingOverride, members: Value) -> Result<PricingOverride, Invalid> {
        let request: UpdatePricingOverride = serde_json::from_str(&members.to_string()).unwrap();
        edit(|edit| request.apply(existing, edit))
    }

    #[test]
    fn what_is_wrong_is_said_in_the_words_of_the_wire() {
        for (members, at, message) in [
            (json!({"name": " "}), "/name", "name is required"),
            (json!({"pattern": " "}), "/pattern", "pattern is required"),
            (json!({"scope_kind": "team"}), "/scope_kind", "unsupported scope_kind \"team\""),
            (json!({"scope_kind": ""}), "/scope_kind", "scope_kind is required"),
            (json!({"match_type": "regex"}), "/match_type", "unsupported match_type \"regex\""),
            (json!({"pattern": "m*"}), "/pattern", "exact match pattern must not contain wildcards"),
            (json!({"match_type": "wildcard"}), "/pattern", "wildcard pattern must end with *"),
            (
                json!({"match_type": "wildcard", "pattern": "*m*"}),
                "/pattern",
                "wildcard pattern must contain exactly one trailing *",
            ),
            (
                json!({"request_types": []}),
                "/request_types",
                "request_types is required and must contain at least one value",
            ),
            (
                json!({"request_types": ["chat_completion_stream"]}),
                "/request_types/0",
                "unsupported request_type \"chat_completion_stream\"; use \"chat_completion\", which has its streams with it",
            ),
            (json!({"provider_id": "p"}), "/scope_kind", "global scope_kind must not include scope identifiers"),
        ] {
            let invalid = create(members.clone()).unwrap_err();
            assert_eq!((invalid.pointer.to_string().as_str(), invalid.message.as_str()), (at, message), "{members}");
        }
    }

    /// Every kind of scope with every combination of ids: exactly the documented one passes.
    #[test]
    fn each_scope_wants_its_own_ids() {
        let wanted = [
            ("global", "---"),
            ("provider", "-p-"),
            ("provider_key", "--k"),
            ("virtual_key", "v--"),
            ("virtual_key_provider", "vp-"),
            ("virtual_key_provider_key", "vpk"),
        ];
        for (kind, ids) in wanted {
            for given in ["---", "v--", "-p-", "--k", "vp-", "v-k", "-pk", "vpk"] {
                let id = |index: usize| Some(&given[index..=index]).filter(|id| *id != "-");
                let members = json!({
                    "scope_kind": kind, "virtual_key_id": id(0), "provider_id": id(1), "provider_key_id": id(2),
                });
                assert_eq!(create(members).is_ok(), given == ids, "{kind} with {given}");
            }
        }
    }

    #[test]
    fn an_edit_changes_what_it_names() {
        let made = create(json!({
            "name": " n ", "scope_kind": "provider", "provider_id": " p ", "virtual_key_id": " ",
            "patch": {"input_cost_per_token": 1},
        }))
        .unwrap();
        assert_eq!((made.name.as_str(), made.provider_id.clone()), ("n", Some("p".into())));
        assert_eq!(made.pricing_patch, r#"{"input_cost_per_token":1}"#);
        assert_eq!(update(&made, json!({})).unwrap(), made);
        let edited = update(&made, json!({"scope_kind": "virtual_key", "virtual_key_id": "v"})).unwrap();
        assert_eq!((edited.virtual_key_id.clone(), edited.provider_id.clone()), (Some("v".into()), None));
        assert_eq!(edited.patch, made.patch);
        assert!(update(&made, json!({"provider_id": null})).is_err());
        assert!(update(&made, json!({"match_type": "wildcard"})).is_err(), "the pattern does not fit");
        let edited = update(&made, json!({"patch": {"output_cost_per_token": 2}})).unwrap();
        assert_eq!(edited.pricing_patch, r#"{"output_cost_per_token":2}"#);
    }
}
