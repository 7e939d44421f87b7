//! Makes a team with a budget and two virtual keys in it, spends with both, and shows which limit says no, and to whom.
//!
//! Start a server with `keyward demo`, then: `cargo run -p keyward-client --example team_with_budgets`
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example prints, and reads its own environment"
)]

use std::error::Error;

use keyward_client::{
    BudgetInput, ChatCompletionRequest, ChatMessage, Client, CreateTeam, CreateVirtualKey, Patch, TeamId, VirtualKey,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("KEYWARD_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let keyward = Client::builder().base_url(&url).build()?;

    // Two cents a month for the team. Names are unique; the example may run more than once.
    let name = format!("research {}", std::process::id());
    let request = CreateTeam { name, budget: budget("0.02", "1M")?, ..CreateTeam::default() };
    let team = keyward.team_create(&request).await?.team;

    // One key has half a cent a day of its own, and the other whatever the team has left.
    let intern = key(&keyward, &team.id, "intern", budget("0.005", "1d")?).await?;
    let lead = key(&keyward, &team.id, "lead", Patch::Absent).await?;
    for (who, key) in [("the intern", &intern), ("the lead", &lead)] {
        spend(who, &keyward.with_virtual_key(key.value.expose())?).await?;
    }

    let team = keyward.team_get(&team.id).await?;
    for budget in &team.budgets {
        println!("the team has used {} of {} USD", budget.current_usage, budget.max_limit);
    }
    Ok(())
}

fn budget(usd: &str, window: &str) -> Result<Patch<BudgetInput>, Box<dyn Error>> {
    Ok(Patch::Value(BudgetInput::new(usd.parse()?, window.parse()?)))
}

async fn key(
    keyward: &Client,
    team: &TeamId,
    who: &str,
    budget: Patch<BudgetInput>,
) -> Result<VirtualKey, keyward_client::Error> {
    let name = format!("{who} {}", std::process::id());
    let request = CreateVirtualKey { name, team_id: Some(team.clone()), budget, ..CreateVirtualKey::default() };
    Ok(keyward.virtual_key_create(&request).await?.virtual_key)
}

/// Asks until a limit has no room. An answer costs less than what the request holds, so that it never costs too much.
async fn spend(who: &str, application: &Client) -> Result<(), keyward_client::Error> {
    let question = ChatCompletionRequest {
        model: "demo/echo".to_owned(),
        messages: vec![ChatMessage::user("How far does this go?")],
        max_completion_tokens: Some(40),
        ..ChatCompletionRequest::default()
    };
    for number in 1.. {
        let Err(error) = application.chat_completion_create(&question).await else { continue };
        let Some(limit) = error.refusal() else { return Err(error) };
        let (scope, used, cap) = (limit.scope.kind.words(), limit.used, limit.limit_value);
        println!("{who} is refused at question {number} by the budget of the {scope}: {used} of {cap} USD used");
        break;
    }
    Ok(())
}
