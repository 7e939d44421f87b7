//! How a request makes or edits a provider key.

use super::ProviderKey;
use super::config::Aliases;
use super::requests::UpdateProviderKey;
use super::settings::{KeySettings, SettingsDraft};
use crate::allow_list::AllowList;
use crate::ids::ProviderKeyId;
use crate::invalid::{Invalid, Pointer};
use crate::name::check_name;
use crate::patch::Patch;
use crate::secret::{EnvVar, SecretDraft, SecretSource};

/// A provider key as it shall be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderKeyDraft {
    /// Identifies the key.
    pub id: ProviderKeyId,
    /// A unique name for people.
    pub name: String,
    /// The secret; none when the settings are all that is needed.
    pub value: Option<SecretDraft>,
    /// The models that the key may serve.
    pub models: AllowList,
    /// The models that the key may not serve.
    pub blacklisted_models: AllowList,
    /// The key's share among the provider's keys.
    pub weight: f64,
    /// The provider's model ids by the name that requests use.
    pub aliases: Aliases,
    /// False: the key serves nothing.
    pub enabled: bool,
    /// True: the key serves batches.
    pub use_for_batch_api: bool,
    /// What the key is for.
    pub description: String,
    /// Settings for clouds and own servers.
    pub settings: SettingsDraft,
}

impl ProviderKeyDraft {
    /// A key without a name or a secret that serves every model.
    pub(super) fn blank(id: ProviderKeyId) -> Self {
        Self {
            id,
            name: String::new(),
            value: None,
            models: AllowList::everything(),
            blacklisted_models: AllowList::nothing(),
            weight: 1.0,
            aliases: Aliases::new(),
            enabled: true,
            use_for_batch_api: false,
            description: String::new(),
            settings: SettingsDraft::default(),
        }
    }

    /// A draft that changes nothing.
    #[must_use]
    pub fn kept(key: &ProviderKey) -> Self {
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            value: (key.value != EnvVar::default()).then_some(SecretDraft::Keep),
            models: key.models.clone(),
            blacklisted_models: key.blacklisted_models.clone(),
            weight: key.weight,
            aliases: key.aliases.clone(),
            enabled: key.enabled,
            use_for_batch_api: key.use_for_batch_api,
            description: key.description.clone(),
            settings: key.settings().kept(),
        }
    }

    fn check(&self, at: &Pointer) -> Result<(), Invalid> {
        check_name(&self.name, "Key name is required")
            .map_err(|invalid| Invalid::at(at.member("name"), invalid.message))?;
        if self.value.is_none() && self.settings.values.is_empty() {
            return Err(Invalid::at(at.member("value"), "value is required"));
        }
        if !self.weight.is_finite() || self.weight.is_sign_negative() {
            return Err(Invalid::at(at.member("weight"), "weight cannot be negative"));
        }
        let unusable =
            |text: &String| text.is_empty() || text.len() > LONGEST_MODEL || text.chars().any(char::is_control);
        match self.aliases.iter().find(|(alias, model)| unusable(alias) || unusable(model)) {
            Some((alias, _)) => {
                let message = format!("aliases and models have 1 to {LONGEST_MODEL} bytes and no control characters");
                Err(Invalid::at(at.member("aliases").member(alias), message))
            }
            None => Ok(()),
        }
    }
}

/// The longest name of a model, in bytes.
const LONGEST_MODEL: usize = 256;

impl UpdateProviderKey {
    /// What the request makes of a draft that keeps `before`.
    pub(super) fn edit(
        self,
        mut draft: ProviderKeyDraft,
        before: Option<&ProviderKey>,
        at: &Pointer,
    ) -> Result<ProviderKeyDraft, Invalid> {
        let settings = before.map_or_else(KeySettings::default, ProviderKey::settings);
        draft.settings = self.settings(&settings, at)?;
        draft.aliases = self.edited_aliases(draft.aliases, at)?;
        draft.value = edited_value(self.value, draft.value, before, &at.member("value"))?;
        draft.name = self.name.unwrap_or(draft.name);
        draft.models = self.models.unwrap_or(draft.models);
        draft.blacklisted_models = self.blacklisted_models.unwrap_or(draft.blacklisted_models);
        draft.weight = self.weight.unwrap_or(draft.weight);
        draft.enabled = self.enabled.unwrap_or(draft.enabled);
        draft.use_for_batch_api = self.use_for_batch_api.unwrap_or(draft.use_for_batch_api);
        draft.description = self.description.or_keep(Some(draft.description)).unwrap_or_default();
        draft.check(at)?;
        Ok(draft)
    }

    /// The key that the request describes in full, in place of `before`: what is absent is as in a new key. A secret that is
    /// given as it is shown stays.
    pub(crate) fn replace(self, before: &ProviderKey, at: &Pointer) -> Result<ProviderKeyDraft, Invalid> {
        let settings = self.own_settings(&before.settings(), at)?;
        let draft = self.edit(ProviderKeyDraft::blank(before.id.clone()), Some(before), at)?;
        Ok(ProviderKeyDraft { settings, ..draft })
    }

    /// The aliases, under all their names. What is sent back as it was says nothing; what is new is put together.
    fn edited_aliases(&self, before: Aliases, at: &Pointer) -> Result<Aliases, Invalid> {
        let nested = |group: &str| at.member(group).member("deployments");
        let (azure, vertex, bedrock) =
            (self.azure_key_config.as_ref(), self.vertex_key_config.as_ref(), self.bedrock_key_config.as_ref());
        let given = [
            (self.aliases.clone(), at.member("aliases")),
            (azure.value().map_or(Patch::Absent, |azure| azure.deployments.clone()), nested("azure_key_config")),
            (vertex.value().map_or(Patch::Absent, |vertex| vertex.deployments.clone()), nested("vertex_key_config")),
            (
                bedrock.value().map_or(Patch::Absent, |bedrock| bedrock.deployments.clone()),
                nested("bedrock_key_config"),
            ),
        ];
        let mut edited: Option<Aliases> = None;
        for (aliases, at) in given {
            let new = match aliases {
                Patch::Absent => continue,
                Patch::Null => Aliases::new(),
                Patch::Value(aliases) => aliases,
            };
            if new == before {
                continue;
            }
            let edited = edited.get_or_insert_default();
            for (alias, model) in new {
                if edited.get(&alias).is_some_and(|other| *other != model) {
                    return Err(Invalid::at(at.member(&alias), format!("'{alias}' stands for two different models")));
                }
                edited.insert(alias, model);
            }
        }
        Ok(edited.unwrap_or(before))
    }
}

fn edited_value(
    given: Patch<SecretSource>,
    kept: Option<SecretDraft>,
    before: Option<&ProviderKey>,
    at: &Pointer,
) -> Result<Option<SecretDraft>, Invalid> {
    let source = match given {
        Patch::Absent => return Ok(kept),
        Patch::Null => return Ok(None),
        // What a key without a secret shows for one.
        Patch::Value(SecretSource::Literal(text)) if text.is_empty() && kept.is_none() => return Ok(None),
        Patch::Value(source) => source,
    };
    let is_sendable = match &source {
        SecretSource::Literal(secret) => !secret.is_empty() && secret.bytes().all(|b| b.is_ascii_graphic()),
        SecretSource::Environment(name) => !name.is_empty(),
    };
    match source.replacing(before.map(|key| key.value.text()).filter(|text| !text.is_empty()), at)? {
        SecretDraft::Set(_) if !is_sendable => {
            Err(Invalid::at(at.clone(), "value must be visible ASCII characters or env.NAME"))
        }
        draft @ (SecretDraft::Keep | SecretDraft::Set(_)) => Ok(Some(draft)),
    }
}

#[cfg(test)]
mod tests;
