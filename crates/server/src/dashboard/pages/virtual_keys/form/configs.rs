//! Provider configs, their single models, and MCP configs, to edit. Templates of rows are on the page once.

use keyward_core::allow_list::AllowList;
use keyward_core::limits::Limits;
use keyward_core::model_budget::ModelBudget;
use keyward_core::provider_config::ProviderConfig;
use keyward_core::virtual_key::{McpConfig, VirtualKey};
use maud::{Markup, html};

use super::Offered;
use crate::dashboard::components::choice::Choice;
use crate::dashboard::components::field::{Empty, Field, Kind, hidden};
use crate::dashboard::components::limits_form::limits;
use crate::dashboard::pages::options::MODELS;

/// The provider configs of a key.
pub(super) fn configs(key: Option<&VirtualKey>, offered: &Offered) -> Markup {
    let existing = key.map(|key| key.provider_configs.as_slice()).unwrap_or_default();
    html! {
        (Field::new("allow_all_providers", "Every provider may be used").hint("Also those without a config below; a config bounds what may be done at its provider.")
            .checkbox(key.is_none_or(|key| key.allow_all_providers)))
        fieldset.stack data-list="provider_configs" {
            legend { "Provider configs" }
            @for (place, config) in existing.iter().enumerate() { (config_row(&format!("provider_configs[{place}]"), Some(config), offered)) }
            div.row { button.button.small type="button" data-add="config-row" data-needs-script disabled { "Add a provider" } }
        }
    }
}

/// One provider config.
pub(super) fn config_row(at: &str, config: Option<&ProviderConfig>, offered: &Offered) -> Markup {
    let path = |name: &str| format!("{at}.{name}");
    let provider = config.map(|config| config.provider.to_string()).unwrap_or_default();
    let weight = config.map_or(Some("1".to_owned()), |config| config.weight.map(|weight| weight.to_string()));
    let everything = AllowList::everything();
    let models = entries(config.map_or(&everything, |config| &config.allowed_models));
    let blocked = config.map(|config| entries(&config.blacklisted_models)).unwrap_or_default();
    let own = config.map(ProviderConfig::limits).unwrap_or_default();
    html! {
        div.item data-item {
            @if let Some(config) = config { (hidden(&path("id"), &config.id.to_string(), Kind::Number)) }
            div.fields {
                (Field::new(&path("provider"), "Provider").value(&provider).choose(&offered.providers, "Choose one"))
                (Field::new(&path("weight"), "Weight").value(weight.as_deref().unwrap_or_default()).reads(Kind::Number, Empty::Null)
                    .hint("Its share of requests that name no provider; empty: only when named.").input())
                (Field::new(&path("allowed_models"), "Models").value(&models).reads(Kind::List, Empty::List)
                    .hint("One in a line. * is every model; empty is none; regex: begins a pattern.").gathered(MODELS))
                (Field::new(&path("blacklisted_models"), "Models that may not be used").value(&blocked).reads(Kind::List, Empty::List).gathered(MODELS))
                (keys(&path("key_ids"), config, offered))
            }
            (limits(at, &own))
            (models_of(&path("model_budgets"), config))
            div.row { button.button.quiet.small type="button" data-remove data-needs-script disabled { "Remove this provider" } }
        }
    }
}

/// Which provider keys may serve.
fn keys(path: &str, config: Option<&ProviderConfig>, offered: &Offered) -> Markup {
    let chosen = match config {
        Some(config) if !config.allow_all_keys => config.keys.iter().map(|key| key.key_id.to_string()).collect(),
        Some(_) | None => vec!["*".to_owned()],
    };
    let field = Field::new(path, "Provider keys");
    match &offered.keys {
        Choice::Few(keys) => {
            let every = ("*".to_owned(), "Every key".to_owned());
            let options: Vec<_> = std::iter::once(every).chain(keys.iter().cloned()).collect();
            field.hint("None chosen: none may serve.").choices(&options, &chosen)
        }
        Choice::Many { at, .. } => {
            let field = field.hint("Their ids, one in a line. * is every key; empty: none may serve.");
            field.value(&chosen.join("\n")).reads(Kind::List, Empty::List).gathered(at)
        }
    }
}

fn models_of(path: &str, config: Option<&ProviderConfig>) -> Markup {
    let existing = config.map(|config| config.model_budgets.as_slice()).unwrap_or_default();
    html! {
        fieldset.stack data-list=(path) {
            legend { "Limits of single models" }
            @for (place, model) in existing.iter().enumerate() { (model_row(&format!("{path}[{place}]"), Some(model))) }
            div.row { button.button.small type="button" data-add="model-row" data-needs-script disabled { "Add a model" } }
        }
    }
}

/// The limits of one model.
pub(super) fn model_row(at: &str, model: Option<&ModelBudget>) -> Markup {
    let path = |name: &str| format!("{at}.{name}");
    let name = model.map(|model| model.model.to_string()).unwrap_or_default();
    let own: Limits = model.map(ModelBudget::limits).unwrap_or_default();
    html! {
        div.item data-item {
            @if let Some(model) = model { (hidden(&path("id"), &model.id.to_string(), Kind::Text)) }
            (Field::new(&path("model"), "Model").value(&name).hint("As the provider calls it.").looked_for(MODELS, ""))
            (limits(at, &own))
            div.row { button.button.quiet.small type="button" data-remove data-needs-script disabled { "Remove this model" } }
        }
    }
}

/// The MCP configs of a key.
pub(super) fn mcp_configs(key: Option<&VirtualKey>, offered: &Offered) -> Markup {
    let existing = key.map(|key| key.mcp_configs.as_slice()).unwrap_or_default();
    html! {
        fieldset.stack data-list="mcp_configs" {
            legend { "Tools of MCP clients" }
            p.hint { "Without any, the key may use the tools of those clients that every virtual key may use." }
            @for (place, config) in existing.iter().enumerate() { (mcp_row(&format!("mcp_configs[{place}]"), Some(config), offered)) }
            div.row { button.button.small type="button" data-add="mcp-row" data-needs-script disabled { "Add a client" } }
        }
    }
}

/// One MCP config.
pub(super) fn mcp_row(at: &str, config: Option<&McpConfig>, offered: &Offered) -> Markup {
    let path = |name: &str| format!("{at}.{name}");
    let client = config.map(|config| config.mcp_client_name.as_str()).unwrap_or_default();
    let clients: Vec<(&str, &str)> = offered.mcp_clients.iter().map(|name| (name.as_str(), name.as_str())).collect();
    let everything = AllowList::everything();
    let tools = entries(config.map_or(&everything, |config| &config.tools_to_execute));
    html! {
        div.item data-item {
            @if let Some(config) = config { (hidden(&path("id"), &config.id.to_string(), Kind::Number)) }
            div.fields {
                (Field::new(&path("mcp_client_name"), "MCP client").value(client).select(&clients))
                (Field::new(&path("tools_to_execute"), "Tools").value(&tools).reads(Kind::List, Empty::List).hint("One in a line. * is every tool; empty is none.").area())
            }
            div.row { button.button.quiet.small type="button" data-remove data-needs-script disabled { "Remove this client" } }
        }
    }
}

fn entries(list: &AllowList) -> String {
    list.entries().join("\n")
}
