//! What teams and customers have in common on the command line: lists, details, deletion.

use clap::Subcommand;
use jiff::Timestamp;
use keyward_client::{Budget, Done, Error, RateLimit};
use serde::Serialize;

use super::confirmation::Confirmation;
use super::connection::Server;
use super::failure::Failure;
use super::finding::{Named, find};
use super::limit_rows::{HEAD, rows, spent};
use super::output::{self, instant, plain};

/// Commands that are the same for teams and customers.
#[derive(Debug, Subcommand)]
pub(super) enum OwnerCommand {
    /// Lists all of them, oldest first, with what is spent of their budgets
    List,
    /// Shows one: what is used of its limits, and what belongs to it
    Show {
        /// Its name or id
        name: String,
    },
    /// Deletes one with its limits. What belongs to it stays, and belongs to nobody
    Delete {
        /// Its name or id
        name: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// A team or a customer.
pub(super) trait Owner: Named {
    /// The answer of the API that has one in it.
    type Detail: Serialize;
    /// The answer of the API that has all in it.
    type List: Serialize;

    async fn list(server: &Server) -> Result<Self::List, Error>;
    async fn delete(&self, server: &Server) -> Result<Done, Error>;
    fn entries(list: &Self::List) -> &[Self];
    fn detail(self) -> Self::Detail;
    fn id(&self) -> &str;
    fn budgets(&self) -> &[Budget];
    fn rate_limit(&self) -> Option<&RateLimit>;
    fn virtual_key_count(&self) -> i64;
    fn created_at(&self) -> Timestamp;
    /// What else there is to say of one.
    fn more(&self) -> Vec<(&'static str, Option<String>)>;
}

impl OwnerCommand {
    pub(super) async fn run<T: Owner>(self, server: &Server) -> Result<(), Failure> {
        match self {
            Self::List => list::<T>(server).await,
            Self::Show { name } => {
                // What belongs to one is told only in the answer about that one.
                let id = find::<T>(server, &name).await?.id().to_owned();
                show(server, server.call(T::by_id(server, &id)).await?)
            }
            Self::Delete { name, confirmation } => {
                delete(server, &find::<T>(server, &name).await?, &confirmation).await
            }
        }
    }
}

async fn list<T: Owner>(server: &Server) -> Result<(), Failure> {
    let list = server.call(T::list(server)).await?;
    if server.json {
        return output::json(&list);
    }
    if T::entries(&list).is_empty() {
        let command = T::LIST.trim_end_matches("list");
        output::note(&format!("There is no {} yet. Make one with `{command}create NAME`.", T::NOUN));
        return Ok(());
    }
    let rows = T::entries(&list).iter().map(|owner| {
        let [used, limit, window] = spent(owner.budgets());
        [plain(owner.name()), owner.virtual_key_count().to_string(), used, limit, window, owner.id().to_owned()]
    });
    output::print(&output::table(["NAME", "KEYS", "USED", "LIMIT", "WINDOW", "ID"], rows))
}

/// Shows one that was read, or made.
pub(super) fn show<T: Owner>(server: &Server, owner: T) -> Result<(), Failure> {
    if server.json {
        return output::json(&owner.detail());
    }
    let first = [("Name", Some(plain(owner.name()))), ("Id", Some(owner.id().to_owned()))];
    let last = [
        ("Virtual keys", Some(owner.virtual_key_count().to_string())),
        ("Made", Some(format!("{} UTC", instant(owner.created_at())))),
    ];
    let members = output::members(first.into_iter().chain(owner.more()).chain(last));
    let limits = rows(owner.budgets(), owner.rate_limit());
    let limits = match limits.is_empty() {
        true => "It has no limits.\n".to_owned(),
        false => output::table(HEAD, limits),
    };
    output::print(&format!("{members}\n{limits}"))
}

async fn delete<T: Owner>(server: &Server, owner: &T, confirmation: &Confirmation) -> Result<(), Failure> {
    let name = format!("the {} '{}'", T::NOUN, plain(owner.name()));
    confirmation.ask(&format!("This deletes {name} with its limits."))?;
    let done = server.call(owner.delete(server)).await?;
    match server.json {
        true => output::json(&done),
        false => output::print(&format!("Deleted {name}.\n")),
    }
}
