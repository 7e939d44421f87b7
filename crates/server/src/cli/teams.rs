//! `keyward teams`: the teams of a running server.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use keyward_client::{
    Budget, CreateTeam, Customer, Done, Error, RateLimit, Team, TeamDetail, TeamList, TeamQuery, TryStreamExt as _,
};
use keyward_core::list::{Listed, Page};

use super::connection::{Connection, Server};
use super::failure::Failure;
use super::finding::find;
use super::limit_args::{LimitArgs, Limits};
use super::output::{self, plain};
use super::owners::{Owner, OwnerCommand, show};

#[derive(Debug, Args)]
pub(super) struct Teams {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a team, whose limits cover all its virtual keys
    Create(Create),
    #[command(flatten)]
    Other(OwnerCommand),
}

#[derive(Debug, Args)]
struct Create {
    /// A name that no other team has
    name: String,
    /// The customer that it belongs to, by its name or id
    #[arg(long, value_name = "CUSTOMER")]
    customer: Option<String>,
    #[command(flatten)]
    limits: LimitArgs,
}

impl Teams {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let server = self.connection.open()?;
        match self.command {
            Command::Create(create) => create.run(&server).await,
            Command::Other(command) => command.run::<Team>(&server).await,
        }
    }
}

impl Create {
    async fn run(self, server: &Server) -> Result<(), Failure> {
        let Self { name, customer, limits } = self;
        let Limits { budgets, rate_limit, calendar_aligned } = limits.limits();
        let customer_id = match customer {
            Some(customer) => Some(find::<Customer>(server, &customer).await?.id),
            None => None,
        };
        let request = CreateTeam { name, customer_id, budgets, rate_limit, calendar_aligned, ..CreateTeam::default() };
        let made = server.call(server.client.team_create(&request)).await?;
        match server.json {
            true => output::json(&made),
            false => show(server, made.team),
        }
    }
}

impl Owner for Team {
    type Detail = TeamDetail;
    type List = TeamList;

    async fn list(server: &Server) -> Result<TeamList, Error> {
        let teams: Vec<Team> = server.client.team_list_all(&TeamQuery::default()).try_collect().await?;
        Ok(TeamList::new(Listed::whole(teams), &Page::default()))
    }

    async fn delete(&self, server: &Server) -> Result<Done, Error> {
        server.client.team_delete(&self.id).await
    }

    fn entries(list: &TeamList) -> &[Self] {
        &list.teams
    }

    fn detail(self) -> TeamDetail {
        TeamDetail { team: self }
    }

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn budgets(&self) -> &[Budget] {
        &self.budgets
    }

    fn rate_limit(&self) -> Option<&RateLimit> {
        self.rate_limit.as_ref()
    }

    fn virtual_key_count(&self) -> i64 {
        self.virtual_key_count
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }

    fn more(&self) -> Vec<(&'static str, Option<String>)> {
        let customer = self.customer.as_ref().map(|customer| plain(&customer.name));
        vec![("Customer", customer)]
    }
}
