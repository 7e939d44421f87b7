//! All settings of one provider key, and how requests edit them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::config::{
    AzureKeyConfig, BatchS3Config, BedrockKeyConfig, OllamaKeyConfig, OpenaiKeyConfig, ReplicateKeyConfig,
    SglKeyConfig, VertexKeyConfig, VllmKeyConfig,
};
use super::requests::UpdateProviderKey;
use super::setting::Setting;
use crate::invalid::{Invalid, Pointer};
use crate::patch::Patch;
use crate::secret::{EnvVar, SecretDraft, SecretSource};

use super::ProviderKey;

/// All settings of a provider key, as answers show them: secrets are redacted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeySettings {
    /// Texts and secrets.
    pub values: BTreeMap<Setting, EnvVar>,
    /// Everything else.
    pub options: KeyOptions,
}

/// Settings that are neither texts nor secrets. The gateway does not use them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyOptions {
    /// Azure: the OAuth scopes to ask for.
    pub azure_scopes: Vec<String>,
    /// Bedrock: where batches are kept.
    pub bedrock_batch_s3: Option<BatchS3Config>,
    /// Replicate's switches.
    pub replicate: Option<ReplicateKeyConfig>,
    /// OpenAI's switches.
    pub openai: Option<OpenaiKeyConfig>,
}

/// All settings of a provider key, as they shall be stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettingsDraft {
    /// Texts and secrets.
    pub values: BTreeMap<Setting, SecretDraft>,
    /// Everything else.
    pub options: KeyOptions,
}

/// What a request gives for a setting, and where in the request.
pub(super) type Given = (Setting, Patch<SecretSource>, Pointer);

impl KeySettings {
    /// A draft that changes nothing.
    #[must_use]
    pub fn kept(&self) -> SettingsDraft {
        let values = self.values.keys().map(|setting| (*setting, SecretDraft::Keep)).collect();
        SettingsDraft { values, options: self.options.clone() }
    }
}

impl ProviderKey {
    /// All settings of the key.
    #[must_use]
    pub fn settings(&self) -> KeySettings {
        let mut values = BTreeMap::new();
        values.extend(self.azure_key_config.iter().flat_map(AzureKeyConfig::settings));
        values.extend(self.vertex_key_config.iter().flat_map(VertexKeyConfig::settings));
        values.extend(self.bedrock_key_config.iter().flat_map(BedrockKeyConfig::settings));
        values.extend(self.vllm_key_config.iter().flat_map(VllmKeyConfig::settings));
        values.extend(self.ollama_key_config.iter().flat_map(OllamaKeyConfig::settings));
        values.extend(self.sgl_key_config.iter().flat_map(SglKeyConfig::settings));
        let options = KeyOptions {
            azure_scopes: self.azure_key_config.as_ref().map(|azure| azure.scopes.clone()).unwrap_or_default(),
            bedrock_batch_s3: self.bedrock_key_config.as_ref().and_then(|bedrock| bedrock.batch_s3_config.clone()),
            replicate: self.replicate_key_config.clone(),
            openai: self.openai_key_config.clone(),
        };
        KeySettings { values, options }
    }

    /// The same with these settings. The older API called aliases deployments.
    #[must_use]
    pub fn with_settings(mut self, settings: KeySettings) -> Self {
        let KeySettings { values, options } = settings;
        let KeyOptions { azure_scopes, bedrock_batch_s3, replicate, openai } = options;
        self.azure_key_config = shown(AzureKeyConfig { scopes: azure_scopes, ..AzureKeyConfig::of(&values) })
            .map(|config| AzureKeyConfig { deployments: self.aliases.clone(), ..config });
        self.vertex_key_config = shown(VertexKeyConfig::of(&values))
            .map(|config| VertexKeyConfig { deployments: self.aliases.clone(), ..config });
        let bedrock = BedrockKeyConfig { batch_s3_config: bedrock_batch_s3, ..BedrockKeyConfig::of(&values) };
        self.bedrock_key_config =
            shown(bedrock).map(|config| BedrockKeyConfig { deployments: self.aliases.clone(), ..config });
        self.vllm_key_config = shown(VllmKeyConfig::of(&values));
        self.ollama_key_config = shown(OllamaKeyConfig::of(&values));
        self.sgl_key_config = shown(SglKeyConfig::of(&values));
        self.replicate_key_config = replicate;
        self.openai_key_config = openai;
        self
    }
}

/// An object with nothing in it is left out.
fn shown<T: Default + PartialEq>(config: T) -> Option<T> {
    (config != T::default()).then_some(config)
}

impl UpdateProviderKey {
    /// What the request gives for single settings, in both shapes.
    pub(super) fn given(&self, at: &Pointer) -> Vec<Given> {
        let mut given = Vec::new();
        let mut nest = |group: &'static str, members: Patch<Vec<(Setting, Patch<SecretSource>)>>| {
            let members = match members {
                Patch::Absent => return,
                Patch::Null => {
                    let own = Setting::ALL.iter().filter(|setting| setting.nested().0 == group);
                    own.map(|setting| (*setting, Patch::Null)).collect()
                }
                Patch::Value(members) => members,
            };
            let at = at.member(group);
            given.extend(members.into_iter().map(|(setting, value)| (setting, value, at.member(setting.nested().1))));
        };
        nest("azure_key_config", self.azure_key_config.as_ref().map(|config| config.settings()));
        nest("vertex_key_config", self.vertex_key_config.as_ref().map(|config| config.settings()));
        nest("bedrock_key_config", self.bedrock_key_config.as_ref().map(|config| config.settings()));
        nest("vllm_key_config", self.vllm_key_config.as_ref().map(|config| config.settings()));
        nest("ollama_key_config", self.ollama_key_config.as_ref().map(|config| config.settings()));
        nest("sgl_key_config", self.sgl_key_config.as_ref().map(|config| config.settings()));
        given.extend(self.flat().into_iter().map(|(setting, value)| (setting, value, at.member(setting.flat()))));
        given.retain(|(_, value, _)| !value.is_absent());
        given
    }

    /// The settings that the request makes of `before`.
    pub(super) fn settings(&self, before: &KeySettings, at: &Pointer) -> Result<SettingsDraft, Invalid> {
        let mut draft = before.kept();
        let mut seen: BTreeMap<Setting, Patch<SecretSource>> = BTreeMap::new();
        for (setting, value, at) in self.given(at) {
            if seen.get(&setting).is_some_and(|earlier| *earlier != value) {
                let (group, member) = setting.nested();
                let message = format!("{} and {group}.{member} are the same setting and differ", setting.flat());
                return Err(Invalid::at(at, message));
            }
            match value.clone().value().filter(|source| *source != SecretSource::Literal(String::new())) {
                None => drop(draft.values.remove(&setting)),
                Some(source) => {
                    setting.check(&source, &at)?;
                    let shown = before.values.get(&setting).map(EnvVar::text);
                    draft.values.insert(setting, source.replacing(shown, &at)?);
                }
            }
            seen.insert(setting, value);
        }
        self.edit_options(&mut draft.options);
        draft.check(at)?;
        Ok(draft)
    }

    /// The settings that the request has of its own: what it does not name is gone.
    pub(super) fn own_settings(&self, before: &KeySettings, at: &Pointer) -> Result<SettingsDraft, Invalid> {
        let mut draft = self.settings(before, at)?;
        let given = self.given(at);
        draft.values.retain(|setting, _| given.iter().any(|(named, _, _)| named == setting));
        draft.options = KeyOptions::default();
        self.edit_options(&mut draft.options);
        draft.check(at)?;
        Ok(draft)
    }

    fn edit_options(&self, options: &mut KeyOptions) {
        match &self.azure_key_config {
            Patch::Absent => {}
            Patch::Null => options.azure_scopes = Vec::new(),
            Patch::Value(azure) => {
                let scopes = azure.scopes.clone().or_keep(Some(std::mem::take(&mut options.azure_scopes)));
                options.azure_scopes = scopes.unwrap_or_default();
            }
        }
        match &self.bedrock_key_config {
            Patch::Absent => {}
            Patch::Null => options.bedrock_batch_s3 = None,
            Patch::Value(bedrock) => {
                options.bedrock_batch_s3 = bedrock.batch_s3_config.clone().or_keep(options.bedrock_batch_s3.take());
            }
        }
        options.replicate = self.replicate_key_config.clone().or_keep(options.replicate.take());
        options.openai = self.openai_key_config.clone().or_keep(options.openai.take());
    }
}

/// Settings of which one is nothing without the others.
const TOGETHER: [&[Setting]; 2] = [
    &[Setting::AzureClientId, Setting::AzureClientSecret, Setting::AzureTenantId],
    &[Setting::BedrockAccessKey, Setting::BedrockSecretKey],
];

impl SettingsDraft {
    fn check(&self, at: &Pointer) -> Result<(), Invalid> {
        for group in TOGETHER {
            let missing = group.iter().find(|setting| !self.values.contains_key(setting));
            let Some(missing) = missing.filter(|_| group.iter().any(|setting| self.values.contains_key(setting)))
            else {
                continue;
            };
            let (object, member) = missing.nested();
            let names: Vec<&str> = group.iter().map(|setting| setting.nested().1).collect();
            let message = format!("{} belong together, and {member} is missing", names.join(", "));
            return Err(Invalid::at(at.member(object).member(member), message));
        }
        Ok(())
    }
}
