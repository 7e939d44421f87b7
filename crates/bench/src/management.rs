//! The management API with many virtual keys: how long it takes to create one, to read one, and to list some.

use std::time::Instant;

use anyhow::{Context, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use keyward_client::{
    BudgetInput, Client, CreateTeam, CreateVirtualKey, Patch, RateLimitInput, Retries, Team, VirtualKeyId,
    VirtualKeyQuery,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

use crate::timings::Timings;

/// How many creates are under way at once while the database is filled.
const FILLING: usize = 8;
/// Over how many teams the virtual keys are spread.
const TEAMS: usize = 100;
/// Where chance begins: which virtual keys are read is the same in every run.
const SEED: u64 = 1;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the server is
    #[arg(long)]
    url: String,
    /// The admin
    #[arg(long)]
    username: String,
    /// The admin's password
    #[arg(long)]
    password: String,
    /// How many virtual keys there are while it is measured
    #[arg(long)]
    virtual_keys: usize,
    /// How often each operation is done
    #[arg(long)]
    times: usize,
}

/// What was measured.
#[derive(Serialize)]
pub(crate) struct Report {
    /// How many virtual keys there were.
    virtual_keys: usize,
    /// How many were created in a second while the database was filled, several at a time.
    created_per_second: f64,
    /// Each operation.
    operations: Vec<Timings>,
}

/// Fills the database and measures.
pub(crate) async fn run(options: &Options) -> Result<Report> {
    let client = Client::builder()
        .base_url(&options.url)
        .retries(Retries::none())
        .admin(&options.username, options.password.clone())
        .build()?;
    let teams = teams(&client).await?;
    let begin = Instant::now();
    let ids = fill(&client, &teams, options.virtual_keys).await?;
    let created_per_second = as_float(ids.len()) / begin.elapsed().as_secs_f64();
    let mut operations = vec![
        Timings::of("create a virtual key with a budget and a rate limit", options.times, async |number| {
            create(&client, &teams, options.virtual_keys + number).await.map(drop)
        })
        .await?,
    ];
    let mut chance = StdRng::seed_from_u64(SEED);
    operations.push(
        Timings::of("get a virtual key", options.times, async |_| {
            let id = ids.get(chance.random_range(0..ids.len())).context("there are no virtual keys")?;
            Ok(client.virtual_key_get(id).await.map(drop)?)
        })
        .await?,
    );
    for (what, query) in lists(&teams)? {
        let times = (options.times / 10).max(1);
        operations
            .push(Timings::of(what, times, async |_| Ok(client.virtual_key_list(&query).await.map(drop)?)).await?);
    }
    Ok(Report { virtual_keys: options.virtual_keys, created_per_second, operations })
}

/// A page for each way to filter and each way to sort.
fn lists(teams: &[Team]) -> Result<Vec<(String, VirtualKeyQuery)>> {
    let team = teams.first().context("there are no teams")?;
    let page = VirtualKeyQuery { limit: Some("25".to_owned()), ..VirtualKeyQuery::default() };
    let filters = [
        ("of a team", VirtualKeyQuery { team_id: Some(team.id.clone()), ..page.clone() }),
        ("whose name has a text in it", VirtualKeyQuery { search: Some("key-77".to_owned()), ..page.clone() }),
        ("of all", page),
    ];
    let orders = ["name", "created_at", "budget_spent", "status"];
    let listed = filters.into_iter().flat_map(|(what, query)| {
        orders.map(|order| {
            let query =
                VirtualKeyQuery { sort_by: Some(order.to_owned()), order: Some("desc".to_owned()), ..query.clone() };
            (format!("list 25 {what}, sorted by {order}"), query)
        })
    });
    Ok(listed.collect())
}

async fn teams(client: &Client) -> Result<Vec<Team>> {
    let mut teams = Vec::with_capacity(TEAMS);
    for number in 0..TEAMS {
        let request = CreateTeam { name: format!("team-{number}"), ..CreateTeam::default() };
        teams.push(client.team_create(&request).await?.team);
    }
    Ok(teams)
}

async fn fill(client: &Client, teams: &[Team], count: usize) -> Result<Vec<VirtualKeyId>> {
    stream::iter(0..count).map(|number| create(client, teams, number)).buffer_unordered(FILLING).try_collect().await
}

async fn create(client: &Client, teams: &[Team], number: usize) -> Result<VirtualKeyId> {
    let team = teams.get(number % TEAMS).context("there are no teams")?;
    let request = CreateVirtualKey {
        name: format!("key-{number}"),
        team_id: Some(team.id.clone()),
        budget: Patch::Value(BudgetInput::new("10".parse()?, "1M".parse()?)),
        rate_limit: Patch::Value(RateLimitInput {
            request_max_limit: Patch::Value(1_000),
            request_reset_duration: Patch::Value("1m".parse()?),
            ..RateLimitInput::default()
        }),
        ..CreateVirtualKey::default()
    };
    Ok(client.virtual_key_create(&request).await?.virtual_key.id)
}

/// A count as a number to divide; exact up to 2⁵³.
fn as_float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
