//! `keyward usage`: what is used of budgets and rate limits, and when they begin again.

use clap::Args;
use keyward_client::{
    Customer, CustomerDetail, Error, ListQuery, Team, TeamDetail, TeamQuery, TryStreamExt as _, VirtualKey,
    VirtualKeyDetail, VirtualKeyQuery, VirtualKeyQuota,
};
use serde::Serialize;

use super::connection::{Connection, Server};
use super::failure::Failure;
use super::finding::find;
use super::keys::concealed;
use super::limit_rows::{HEAD, Row, about, of_customer, of_key, of_team, rows};
use super::output::{self, plain};

/// Whose secret `--own` is about.
const VIRTUAL_KEY: &str = "KEYWARD_VIRTUAL_KEY";

#[derive(Debug, Args)]
pub(super) struct Usage {
    #[command(flatten)]
    connection: Connection,
    /// Limits that cover this virtual key, by its name or id: its customer's, its team's, its own
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Limits of this team, by its name or id, of its customer, and of its virtual keys
    #[arg(long, value_name = "TEAM", conflicts_with = "key")]
    team: Option<String>,
    /// Limits of this customer, by its name or id, of its teams, and of its own virtual keys
    #[arg(long, value_name = "CUSTOMER", conflicts_with_all = ["key", "team"])]
    customer: Option<String>,
    /// Limits of the virtual key whose secret is in KEYWARD_VIRTUAL_KEY; needs no right to manage
    #[arg(long, conflicts_with_all = ["key", "team", "customer"])]
    own: bool,
}

/// What is about whom, in rows.
type Rows = Vec<(String, Row)>;

impl Usage {
    pub(super) async fn run(self) -> Result<(), Failure> {
        if self.own {
            let server = self.connection.open_as_holder(VIRTUAL_KEY)?;
            let quota = server.call(server.client.virtual_key_quota()).await?;
            return print(&server, &quota, of_quota(&quota));
        }
        let server = self.connection.open()?;
        match (self.key, self.team, self.customer) {
            (Some(key), ..) => of_one_key(&server, &key).await,
            (None, Some(team), _) => of_one_team(&server, &team).await,
            (None, None, Some(customer)) => of_one_customer(&server, &customer).await,
            (None, None, None) => of_all(&server).await,
        }
    }
}

fn print(server: &Server, document: &impl Serialize, rows: Rows) -> Result<(), Failure> {
    if server.json {
        return output::json(document);
    }
    if rows.is_empty() {
        output::note("There are no limits.");
        return Ok(());
    }
    let [counts, used, limit, share, window, resets] = HEAD;
    let rows = rows
        .into_iter()
        .map(|(about, [what, used, cap, share, window, resets])| [about, what, used, cap, share, window, resets]);
    output::print(&output::table(["LIMIT OF", counts, used, limit, share, window, resets], rows))
}

async fn of_one_key(server: &Server, key: &str) -> Result<(), Failure> {
    let key: VirtualKey = find(server, key).await?;
    let mut rows = match (&key.team_id, &key.customer) {
        (Some(team), _) => of_team_and_above(&server.call(server.client.team_get(team)).await?),
        (None, Some(customer)) => of_customer(customer),
        (None, None) => Rows::new(),
    };
    rows.extend(of_key(&key));
    print(server, &VirtualKeyDetail { virtual_key: concealed(key) }, rows)
}

async fn of_one_team(server: &Server, team: &str) -> Result<(), Failure> {
    let id = find::<Team>(server, team).await?.id;
    let team = server.call(server.client.team_get(&id)).await?;
    let mut rows = of_team_and_above(&team);
    rows.extend(team.virtual_keys.iter().flat_map(of_key));
    print(server, &TeamDetail { team }, rows)
}

async fn of_one_customer(server: &Server, customer: &str) -> Result<(), Failure> {
    let id = find::<Customer>(server, customer).await?.id;
    let customer = server.call(server.client.customer_get(&id)).await?;
    let mut rows = of_customer(&customer);
    rows.extend(customer.teams.iter().flat_map(of_team));
    rows.extend(customer.virtual_keys.iter().flat_map(of_key));
    print(server, &CustomerDetail { customer }, rows)
}

fn of_team_and_above(team: &Team) -> Rows {
    let mut rows = team.customer.as_ref().map(|customer| of_customer(customer)).unwrap_or_default();
    rows.extend(of_team(team));
    rows
}

fn of_quota(quota: &VirtualKeyQuota) -> Rows {
    let name = format!("key {}", plain(&quota.virtual_key_name));
    let mut all = about(&name, rows(&quota.budgets, quota.rate_limit.as_ref()));
    for config in &quota.provider_configs {
        let name = format!("{name} at {}", config.provider);
        all.extend(about(&name, rows(&config.budgets, config.rate_limit.as_ref())));
    }
    for model in &quota.model_configs {
        let provider = model.provider.as_ref().map(|provider| format!("{provider}/")).unwrap_or_default();
        let name = format!("{name} at {provider}{}", plain(model.model_name.as_str()));
        all.extend(about(&name, rows(&model.budgets, model.rate_limit.as_ref())));
    }
    all
}

async fn of_all(server: &Server) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Everything {
        customers: Vec<Customer>,
        teams: Vec<Team>,
        virtual_keys: Vec<VirtualKey>,
    }

    let client = &server.client;
    let customers = client.customer_list_all(&ListQuery::default());
    let customers: Vec<Customer> = readable(server, "customers", customers.try_collect().await)?;
    let teams: Vec<Team> = readable(server, "teams", client.team_list_all(&TeamQuery::default()).try_collect().await)?;
    let keys = client.virtual_key_list_all(&VirtualKeyQuery::default());
    let keys: Vec<VirtualKey> = readable(server, "virtual keys", keys.try_collect().await)?;
    let mut rows: Rows = customers.iter().flat_map(of_customer).collect();
    rows.extend(teams.iter().flat_map(of_team));
    rows.extend(keys.iter().flat_map(of_key));
    let virtual_keys = keys.into_iter().map(concealed).collect();
    print(server, &Everything { customers, teams, virtual_keys }, rows)
}

/// What the credential may read; what it may not is left out, and that is said.
fn readable<T>(server: &Server, what: &str, list: Result<Vec<T>, Error>) -> Result<Vec<T>, Failure> {
    match list {
        Ok(list) => Ok(list),
        Err(error) if error.status() == Some(403) => {
            output::warn(&format!("limits of {what} are left out: this credential may not read them"));
            Ok(Vec::new())
        }
        Err(error) => Err(server.failure(&error)),
    }
}
