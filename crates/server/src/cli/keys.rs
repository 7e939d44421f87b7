//! `keyward keys`: the virtual keys of a running server. A secret is shown when it is made, and by nothing else here.

use clap::{Args, Subcommand};
use keyward_client::{
    Customer, Team, TryStreamExt as _, VirtualKey, VirtualKeyDetail, VirtualKeyList, VirtualKeyQuery,
};
use keyward_core::list::{Listed, Page};
use serde::Serialize;

use super::confirmation::Confirmation;
use super::connection::{Connection, Server};
use super::failure::Failure;
use super::finding::{find, find_all};
use super::limit_rows::spent;
use super::output::{self, plain};
use super::progress::Progress;
use crate::clock;

mod create;
mod rotate;
mod shown;

use create::Create;
use rotate::Rotate;

#[derive(Debug, Args)]
pub(super) struct Keys {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a virtual key and shows its secret, this once
    Create(Box<Create>),
    /// Lists virtual keys, oldest first, with what they have spent of their own budgets
    List(Which),
    /// Shows a virtual key: what it may do, and what is used of its limits. Its secret is not shown
    Show {
        /// The virtual key's name or id
        key: String,
    },
    /// Gives virtual keys new secrets and shows them, this once. The old ones stop working, at once or after the
    /// server's cooldown
    Rotate(Rotate),
    /// Deletes virtual keys: they stop working at once and for good. What they have used stays in the ledger
    Revoke {
        /// The virtual keys' names or ids
        #[arg(required = true)]
        keys: Vec<String>,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// Which virtual keys are meant.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Those of this team, by its name or id
    #[arg(long, value_name = "TEAM")]
    team: Option<String>,
    /// Those of this customer itself, by its name or id
    #[arg(long, value_name = "CUSTOMER", conflicts_with = "team")]
    customer: Option<String>,
    /// Those with this in their name or in a label
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
}

impl Keys {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let server = self.connection.open()?;
        match self.command {
            Command::Create(create) => create.run(&server).await,
            Command::List(which) => list(&server, which).await,
            Command::Show { key } => show(&server, &key).await,
            Command::Rotate(rotate) => rotate.run(&server).await,
            Command::Revoke { keys, confirmation } => revoke(&server, &keys, &confirmation).await,
        }
    }
}

impl Which {
    /// The virtual keys that are meant.
    pub(super) async fn list(self, server: &Server) -> Result<Vec<VirtualKey>, Failure> {
        let team = match &self.team {
            Some(team) => Some(find::<Team>(server, team).await?.id),
            None => None,
        };
        let customer = match &self.customer {
            Some(customer) => Some(find::<Customer>(server, customer).await?.id),
            None => None,
        };
        let query =
            VirtualKeyQuery { team_id: team, customer_id: customer, search: self.search, ..VirtualKeyQuery::default() };
        server.call(server.client.virtual_key_list_all(&query).try_collect()).await
    }
}

async fn list(server: &Server, which: Which) -> Result<(), Failure> {
    let keys = which.list(server).await?;
    if server.json {
        let keys = keys.into_iter().map(concealed).collect();
        return output::json(&VirtualKeyList::new(Listed::whole(keys), &Page::default()));
    }
    if keys.is_empty() {
        output::note("There is no such virtual key. Make one with `keyward keys create NAME`.");
        return Ok(());
    }
    let now = clock::now();
    let rows = keys.iter().map(|key| {
        let [used, limit, window] = spent(&key.budgets);
        [plain(&key.name), shown::owner(key), shown::status(key, now), used, limit, window, key.id.to_string()]
    });
    output::print(&output::table(["NAME", "OWNER", "STATUS", "USED", "LIMIT", "WINDOW", "ID"], rows))
}

async fn show(server: &Server, key: &str) -> Result<(), Failure> {
    let key = concealed(find::<VirtualKey>(server, key).await?);
    match server.json {
        true => output::json(&VirtualKeyDetail { virtual_key: key }),
        false => output::print(&shown::without_secret(&key, clock::now())),
    }
}

async fn revoke(server: &Server, keys: &[String], confirmation: &Confirmation) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Revoked {
        revoked: Vec<keyward_client::VirtualKeyId>,
    }

    let keys = find_all::<VirtualKey>(server, keys).await?;
    confirmation.ask(&format!("This deletes {}, for good.", named(&keys)))?;
    let progress = Progress::new(keys.len(), "virtual keys revoked");
    for (done, key) in keys.iter().enumerate() {
        if let Err(failure) = server.call(server.client.virtual_key_delete(&key.id)).await {
            output::note(&format!("{done} of {} virtual keys were revoked before it failed.", keys.len()));
            return Err(failure);
        }
        progress.advance(1);
    }
    drop(progress);
    match server.json {
        true => output::json(&Revoked { revoked: keys.into_iter().map(|key| key.id).collect() }),
        false => output::print(&format!("Revoked {}.\n", named(&keys))),
    }
}

/// The virtual keys in a sentence: by name when they are few.
fn named(keys: &[VirtualKey]) -> String {
    match keys {
        [key] => format!("the virtual key '{}'", plain(&key.name)),
        [_, ..] if keys.len() <= 5 => {
            let names: Vec<String> = keys.iter().map(|key| format!("'{}'", plain(&key.name))).collect();
            format!("the virtual keys {}", names.join(", "))
        }
        _ => format!("{} virtual keys", keys.len()),
    }
}

/// The key as it may be shown: servers answer with secrets unless they are told not to.
pub(super) fn concealed(key: VirtualKey) -> VirtualKey {
    VirtualKey { value: key.value.redacted(), ..key }
}
