//! More and more virtual keys, made over the API on one database.

use std::time::Instant;

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};
use keyward_client::{BudgetInput, Client, CreateTeam, CreateVirtualKey, Patch, RateLimitInput, TeamId};

use super::curve::{CPU, Curve, Figures, MEMORY, P99, RATE, START};
use super::{CONNECTIONS, Growth, PATIENCE, ladder};
use crate::answers;
use crate::load::{Call, Calls, Expected};
use crate::rig::{Keys, Started, as_float, configuration};
use crate::spread::Spread;

const STEPS: [usize; 5] = [1, 1_000, 10_000, 100_000, 1_000_000];
/// How many creates are under way at once.
const FILLING: usize = 8;
/// How many virtual keys a team has: what is told of a team says how many, and they are counted for it.
const TEAM: usize = 1_000;
/// How many virtual keys are used at most, at equal distances among all.
const USED: usize = 10_000;
/// How many were made in a second.
const CREATED: (&str, &str) = ("created_per_second", "created in a second");

pub(super) async fn measure(growth: &Growth<'_>) -> Result<Curve> {
    let mut curve = Curve::new("virtual_keys", "virtual keys", &[CPU, RATE, P99, MEMORY, START, CREATED]);
    let keyward = growth.keyward("virtual-keys");
    let configuration = configuration(growth.upstream.address, Keys::None)?;
    let mut running = keyward.start(Some(&configuration), PATIENCE).await?;
    let (mut secrets, mut teams) = (Vec::new(), vec![TeamId::from("team")]);
    for count in ladder(&STEPS, growth.options.virtual_keys) {
        let mut figures = Figures::new();
        let (begin, more) = (Instant::now(), count - secrets.len());
        let manager = running.manager()?;
        while teams.len() * TEAM < count {
            teams.push(create_team(&manager, teams.len()).await?);
        }
        create(&manager, growth.options.bare_keys, count, &teams, &mut secrets).await?;
        let rate = as_float(u64::try_from(more)?) / begin.elapsed().as_secs_f64();
        figures.extend(Spread::of(&[rate]).map(|spread| (CREATED.0, spread)));
        running.program.end().await?;
        running = growth.starts(&keyward, &mut figures).await?;
        growth.load(&running, &calls(&running, &secrets), CONNECTIONS, &mut figures).await?;
        curve.point(count, figures);
    }
    running.program.end().await?;
    Ok(curve)
}

/// Makes a team with limits as those of the first one.
async fn create_team(client: &Client, number: usize) -> Result<TeamId> {
    let rate_limit = RateLimitInput {
        token_max_limit: Patch::Value(1_000_000_000_000),
        token_reset_duration: Patch::Value("1h".parse()?),
        request_max_limit: Patch::Value(1_000_000_000),
        request_reset_duration: Patch::Value("1h".parse()?),
        ..RateLimitInput::default()
    };
    let request = CreateTeam {
        name: format!("team-{number}"),
        customer_id: Some("customer".into()),
        budget: Patch::Value(budget()?),
        rate_limit: Patch::Value(rate_limit),
        ..CreateTeam::default()
    };
    Ok(client.team_create(&request).await?.team.id)
}

fn budget() -> Result<BudgetInput> {
    Ok(BudgetInput::new("1000000000".parse()?, "1M".parse()?))
}

/// Makes virtual keys until there are so many.
async fn create(client: &Client, bare: bool, count: usize, teams: &[TeamId], secrets: &mut Vec<String>) -> Result<()> {
    let budget = budget()?;
    let create = async |number: usize| {
        let request = CreateVirtualKey {
            name: format!("key-{number}"),
            team_id: teams.get(number / TEAM).cloned(),
            budget: if bare { Patch::Absent } else { Patch::Value(budget.clone()) },
            ..CreateVirtualKey::default()
        };
        anyhow::Ok(client.virtual_key_create(&request).await?.virtual_key.value.expose().to_owned())
    };
    let made = stream::iter(secrets.len()..count).map(create).buffer_unordered(FILLING);
    secrets.extend(made.try_collect::<Vec<_>>().await?);
    Ok(())
}

/// A call with each of some of the virtual keys.
fn calls(started: &Started, secrets: &[String]) -> Calls {
    let call = |key: &String| {
        let expected = Expected::Body(answers::completion());
        Call::chat(started.address, key, &[], &answers::completion_request(), expected)
    };
    secrets.iter().step_by(secrets.len().div_ceil(USED).max(1)).map(call).collect()
}
