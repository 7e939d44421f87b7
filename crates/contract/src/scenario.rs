//! What a run does with a server: scenarios, each of which reaches some operations and goes on as far as it can.

mod everywhere;
mod gateway;
mod ground;
mod guesses;
mod keys;
mod operations;
mod resource;
mod resources;
mod restricted;
mod seed_pages;
mod sessions;
mod tools;

use crate::run::Run;

use ground::Ground;

/// Where a provider of a run is that is never asked: the name belongs to nobody.
const NOWHERE: &str = "https://provider.invalid";

/// Everything, in an order in which what fails early spoils little. What ends in a failure has told so.
pub(crate) async fn play(run: &mut Run) {
    let _ = operations::probes(run).await;
    let _ = sessions::status(run).await;
    everywhere::without_credential(run).await;
    everywhere::malformed(run).await;
    everywhere::too_large(run).await;
    let _ = operations::lists(run).await;
    let _ = operations::config(run).await;
    if let Ok(ground) = Ground::lay(run, NOWHERE).await {
        on(run, &ground).await;
    }
    for kind in [resources::customer(), resources::team(), resources::virtual_key(), resources::management_key()] {
        let _ = kind.verify(run).await;
    }
    let _ = resources::mcp_client().verify(run).await;
    let _ = resources::provider(NOWHERE).verify(run).await;
    if run.is_disposable {
        let _ = sessions::play(run).await;
        let _ = tools::play(run).await;
        let _ = gateway::dialects(run).await;
    }
    let _ = restricted::play(run).await;
    operations::audited(run).await;
}

/// What is done with a provider and a virtual key of the run's own.
async fn on(run: &mut Run, ground: &Ground) {
    let kinds = [
        resources::model_config(ground),
        resources::pricing_override(ground),
        resources::routing_rule(ground, ""),
        resources::routing_rule(ground, "_alias"),
        resources::provider_key(ground),
    ];
    for kind in kinds {
        let _ = kind.verify(run).await;
    }
    let _ = operations::limits_of_provider(run, ground).await;
    let _ = keys::play(run, ground).await;
    let _ = seed_pages::play(run, ground).await;
    let _ = gateway::refusals(run, ground).await;
}

/// What makes the server refuse whoever asks from here, for a while: the last thing to do.
pub(crate) async fn last(run: &mut Run) {
    if run.is_disposable && run.is_guarded {
        guesses::play(run).await;
    }
}
