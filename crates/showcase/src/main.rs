//! Fills a database with the data set, takes the pictures of the guide, and measures pages. It is run by `cargo xtask screenshots` and
//! `cargo xtask paint`.
#![allow(clippy::print_stdout, reason = "it says what it has done")]

mod clock;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use keyward_showcase::{data, paint, pictures, walk};
use keyward_store::{RootKey, Store, StoreOptions};

#[derive(Parser)]
#[command(about = "Shows Keyward's dashboard with something in it")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Fill an empty database that no server uses
    Fill {
        /// Where it is
        #[arg(long, env = "DATABASE_URL")]
        database_url: String,
        /// What its secrets are sealed with
        #[arg(long, env = "KEYWARD_ROOT_KEY", hide_env_values = true)]
        root_key: String,
    },
    /// Walk through a fresh demo, and take a picture of each step
    Walk {
        /// Where the demo is
        #[arg(long)]
        url: String,
        /// Where they go
        #[arg(long)]
        into: PathBuf,
    },
    /// Take a picture of each page that the guide shows
    Pictures {
        /// Where the server is
        #[arg(long)]
        url: String,
        /// The admin
        #[arg(long)]
        username: String,
        /// The admin's password
        #[arg(long)]
        password: String,
        /// Where they go
        #[arg(long)]
        into: PathBuf,
    },
    /// Say how heavy each page is, and how soon something of it can be seen
    Paint {
        /// Where the server is
        #[arg(long)]
        url: String,
        /// The admin
        #[arg(long)]
        username: String,
        /// The admin's password
        #[arg(long)]
        password: String,
    },
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Fill { database_url, root_key } => {
            let root_key = Some(RootKey::from_base64(&root_key)?);
            let store = Store::open(StoreOptions { url: database_url, root_key }).await?;
            data::fill(&store, clock::now()).await?;
            store.close().await?;
        }
        Task::Walk { url, into } => walk::take(&url, &into).await?,
        Task::Pictures { url, username, password, into } => {
            let count = pictures::take(&url, &username, &password, &into).await?;
            println!("{count} pictures are in {}", into.display());
        }
        Task::Paint { url, username, password } => {
            println!("{}", paint::HEAD);
            for painted in paint::measure(&url, &username, &password).await? {
                println!("{painted}");
            }
        }
    }
    Ok(())
}
