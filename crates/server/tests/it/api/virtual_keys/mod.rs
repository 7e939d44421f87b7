//! `/api/governance/virtual-keys`

mod create;
mod delete;
mod expiry;
mod get;
mod list;
mod mcp_configs;
mod overrides;
mod quota;
mod reveal;
mod rotate;
mod update;

use keyward_client::{CreateProviderKey, CreateTeam, ProviderConfigInput, ProviderKeyId, TeamId};

use super::{budget, requests};
use crate::harness::App;

/// A key of the simulated provider.
async fn demo_key(app: &App, name: &str) -> ProviderKeyId {
    let request = CreateProviderKey::new(name, "not-a-secret-either");
    app.client.provider_key_create(&"demo".into(), &request).await.unwrap().id
}

async fn team(app: &App, name: &str) -> TeamId {
    let request = CreateTeam { name: name.to_owned(), ..CreateTeam::default() };
    app.client.team_create(&request).await.unwrap().team.id
}

/// A provider config for the simulated provider with everything set.
fn dressed(key: ProviderKeyId) -> ProviderConfigInput {
    ProviderConfigInput {
        provider: Some("demo".into()),
        weight: 2.5.into(),
        allowed_models: Some(vec!["echo".to_owned()].try_into().unwrap()),
        blacklisted_models: Some(vec!["slow".to_owned()].try_into().unwrap()),
        key_ids: Some(vec![key]),
        budget: budget("1", "1d").into(),
        rate_limit: requests(100, "1m").into(),
        ..ProviderConfigInput::default()
    }
}
