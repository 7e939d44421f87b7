//! Answers about virtual keys that are more than the entity.

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::VirtualKey;
use crate::budget::Budget;
use crate::ids::{ModelName, ProviderName, VirtualKeyId};
use crate::model_config::ModelConfig;
use crate::provider_config::ProviderConfig;
use crate::rate_limit::RateLimit;
use crate::secret::VirtualKeyValue;

/// One virtual key, in both documented shapes at once: under `virtual_key`, and member by member beside it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct VirtualKeyDetail {
    /// The virtual key.
    pub virtual_key: VirtualKey,
}

impl Serialize for VirtualKeyDetail {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Merged<'a> {
            virtual_key: &'a VirtualKey,
            #[serde(flatten)]
            members: &'a VirtualKey,
        }
        Merged { virtual_key: &self.virtual_key, members: &self.virtual_key }.serialize(serializer)
    }
}

impl PartialSchema for VirtualKeyDetail {
    fn schema() -> RefOr<Schema> {
        let mut envelope = Ref::from_schema_name(VirtualKey::name());
        "The virtual key.".clone_into(&mut envelope.description);
        let flat = VirtualKey::schema();
        let RefOr::T(Schema::Object(members)) = flat else { return flat };
        ObjectBuilder::from(members)
            .description(Some("One virtual key: under `virtual_key`, and member by member beside it."))
            .property("virtual_key", envelope)
            .required("virtual_key")
            .into()
    }
}

impl ToSchema for VirtualKeyDetail {
    fn name() -> std::borrow::Cow<'static, str> {
        "VirtualKeyDetail".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((VirtualKey::name().into_owned(), VirtualKey::schema()));
        VirtualKey::schemas(schemas);
    }
}

/// The secret of a virtual key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VirtualKeyRevealed {
    /// The virtual key's id.
    pub id: VirtualKeyId,
    /// The secret.
    pub value: VirtualKeyValue,
}

/// What a virtual key has left, told to its holder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VirtualKeyQuota {
    /// The key's name.
    pub virtual_key_name: String,
    /// False: the gateway refuses the key.
    pub is_active: bool,
    /// The key's budgets.
    pub budgets: Vec<Budget>,
    /// The key's rate limit.
    #[schema(required = true)]
    pub rate_limit: Option<RateLimit>,
    /// What the key may do at single providers; provider keys are left out.
    pub provider_configs: Vec<ProviderConfig>,
    /// The key's limits on single models.
    pub model_configs: Vec<ModelQuota>,
}

/// What a virtual key has left of one model, or of all models of one provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelQuota {
    /// The model; `*` is every model.
    #[schema(value_type = String)]
    pub model_name: ModelName,
    /// The provider; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub provider: Option<ProviderName>,
    /// The budgets.
    pub budgets: Vec<Budget>,
    /// The rate limit.
    #[schema(required = true)]
    pub rate_limit: Option<RateLimit>,
}

impl From<ModelConfig> for ModelQuota {
    fn from(config: ModelConfig) -> Self {
        let ModelConfig { model_name, provider, budgets, rate_limit, .. } = config;
        Self { model_name, provider, budgets, rate_limit }
    }
}

impl VirtualKeyQuota {
    /// What this virtual key has left, with its limits on single models.
    #[must_use]
    pub fn of(key: VirtualKey, model_configs: Vec<ModelConfig>) -> Self {
        let without_keys = |config: ProviderConfig| ProviderConfig { keys: Vec::new(), ..config };
        Self {
            virtual_key_name: key.name,
            is_active: key.is_active,
            budgets: key.budgets,
            rate_limit: key.rate_limit,
            provider_configs: key.provider_configs.into_iter().map(without_keys).collect(),
            model_configs: model_configs.into_iter().map(ModelQuota::from).collect(),
        }
    }
}
