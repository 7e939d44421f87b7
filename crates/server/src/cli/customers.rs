//! `keyward customers`: the customers of a running server.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use keyward_client::{
    Budget, CreateCustomer, Customer, CustomerDetail, CustomerList, Done, Error, ListQuery, RateLimit,
    TryStreamExt as _,
};
use keyward_core::list::{Listed, Page};

use super::connection::{Connection, Server};
use super::failure::Failure;
use super::limit_args::{LimitArgs, Limits};
use super::output::{self, plain};
use super::owners::{Owner, OwnerCommand, show};

#[derive(Debug, Args)]
pub(super) struct Customers {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a customer, whose limits cover all its teams and virtual keys
    Create(Create),
    #[command(flatten)]
    Other(OwnerCommand),
}

#[derive(Debug, Args)]
struct Create {
    /// A name that no other customer has
    name: String,
    #[command(flatten)]
    limits: LimitArgs,
}

impl Customers {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let server = self.connection.open()?;
        match self.command {
            Command::Create(create) => create.run(&server).await,
            Command::Other(command) => command.run::<Customer>(&server).await,
        }
    }
}

impl Create {
    async fn run(self, server: &Server) -> Result<(), Failure> {
        let Limits { budgets, rate_limit, calendar_aligned } = self.limits.limits();
        let request =
            CreateCustomer { name: self.name, budgets, rate_limit, calendar_aligned, ..CreateCustomer::default() };
        let made = server.call(server.client.customer_create(&request)).await?;
        match server.json {
            true => output::json(&made),
            false => show(server, made.customer),
        }
    }
}

impl Owner for Customer {
    type Detail = CustomerDetail;
    type List = CustomerList;

    async fn list(server: &Server) -> Result<CustomerList, Error> {
        let customers: Vec<Customer> = server.client.customer_list_all(&ListQuery::default()).try_collect().await?;
        Ok(CustomerList::new(Listed::whole(customers), &Page::default()))
    }

    async fn delete(&self, server: &Server) -> Result<Done, Error> {
        server.client.customer_delete(&self.id).await
    }

    fn entries(list: &CustomerList) -> &[Self] {
        &list.customers
    }

    fn detail(self) -> CustomerDetail {
        CustomerDetail { customer: self }
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
        let teams: Vec<String> = self.teams.iter().map(|team| plain(&team.name)).collect();
        vec![("Teams", Some(teams.join(", ")).filter(|teams| !teams.is_empty()))]
    }
}
