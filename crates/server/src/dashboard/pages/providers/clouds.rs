//! What clouds and own servers need to know besides a secret, to edit: the settings of a provider key. Those of a cloud are shown where
//! the provider is that cloud, or the key has some.

use keyward_core::provider::{ProviderKey, Setting, SettingKind};
use keyward_core::secret::EnvVar;
use maud::{Markup, html};

use super::key_form::stored;
use crate::dashboard::components::field::{Empty, Field, Kind};

/// The settings of a key at this provider; no key: of one that is to be made.
pub(super) fn settings(provider: &str, key: Option<&ProviderKey>) -> Markup {
    let values = key.map(|key| key.settings().values).unwrap_or_default();
    let is_shown = |setting: &&Setting| {
        let group = setting.nested().0;
        group == group_of(provider) || values.keys().any(|known| known.nested().0 == group)
    };
    let shown: Vec<Setting> = Setting::ALL.iter().filter(is_shown).copied().collect();
    html! {
        @if !shown.is_empty() {
            section.card aria-label="Settings of its cloud or server" {
                p.hint { "Each may be env.NAME, for a variable of the server's environment." }
                div.fields { @for setting in shown { (field(setting, values.get(&setting), key.is_some())) } }
            }
        }
    }
}

/// The nested object that has the settings of a provider of this name.
fn group_of(provider: &str) -> String {
    format!("{provider}_key_config")
}

fn field(setting: Setting, value: Option<&EnvVar>, is_edit: bool) -> Markup {
    let (group, member) = setting.nested();
    let (path, (label, hint)) = (format!("{group}.{member}"), words(setting));
    let field = Field::new(&path, label);
    match setting.kind() {
        SettingKind::Secret => {
            let now = stored(value);
            let hint = if now.is_empty() { hint } else { now.as_str() };
            html! {
                div.tight {
                    (field.hint(hint).secret())
                    @if value.is_some() { (Field::new(&path, "Take it away").within("no-").clearing()) }
                }
            }
        }
        SettingKind::Text | SettingKind::Address => {
            let empty = if is_edit { Empty::Null } else { Empty::Omit };
            field.value(value.map_or("", EnvVar::text)).reads(Kind::Text, empty).hint(hint).input()
        }
    }
}

/// What a setting is called, and what to know about it.
const fn words(setting: Setting) -> (&'static str, &'static str) {
    match setting {
        Setting::AzureEndpoint => ("Endpoint", "Such as https://name.openai.azure.com."),
        Setting::AzureApiVersion => ("API version", "Empty: deployments are named in requests, not in the address."),
        Setting::AzureClientId => {
            ("Entra client", "Its id; with its secret and its tenant, in place of the secret above.")
        }
        Setting::AzureClientSecret => ("Secret of the Entra client", "It is stored encrypted."),
        Setting::AzureTenantId => ("Entra tenant", "Its id."),
        Setting::VertexProjectId => ("Project", "Its id."),
        Setting::VertexProjectNumber => ("Number of the project", ""),
        Setting::VertexRegion => ("Region", "Such as europe-west4."),
        Setting::VertexAuthCredentials => {
            ("Service account", "The whole JSON of its key; empty: the credentials of the server's machine.")
        }
        Setting::BedrockAccessKey => ("Access key", "With its secret key. It is stored encrypted."),
        Setting::BedrockSecretKey => ("Secret key", "It is stored encrypted."),
        Setting::BedrockSessionToken => ("Session token", "Where the access key is a temporary one."),
        Setting::BedrockRegion => ("Region", "Such as eu-central-1."),
        Setting::BedrockArn => ("Role to assume", "Its ARN."),
        Setting::VllmUrl | Setting::OllamaUrl | Setting::SglUrl => ("Address of the server", "Its origin."),
    }
}
