//! `keyward ledger`: checking the books, and pricing entries anew.

#![allow(clippy::print_stdout, reason = "a command talks to whoever runs it")]

use clap::{Args, Subcommand};
use jiff::Timestamp;
use keyward_core::change::Change;
use keyward_core::ledger::{Reconciliation, Rerated, Rerating};
use keyward_store::Store;

use super::{CliError, Place, prices};
use crate::clock;

#[derive(Debug, Subcommand)]
pub(super) enum Ledger {
    /// Compares every counter with the sum of the ledger, and every entry with its own breakdown; fails when something does not
    /// add up
    Reconcile {
        #[command(flatten)]
        place: Place,
        /// Sets the counters to what the ledger says
        #[arg(long)]
        repair: bool,
    },
    /// Prices entries anew by the prices that hold now. An entry stays as it is: what it costs since is written beside it, and
    /// counted where it still counts. Done twice, the second time finds nothing
    Rerate(Rerate),
}

#[derive(Debug, Args)]
pub(super) struct Rerate {
    #[command(flatten)]
    place: Place,
    /// Entries that were settled at this instant or later, such as 2026-11-01T00:00:00Z
    #[arg(long, value_name = "INSTANT")]
    since: Timestamp,
    /// Entries that were settled before this instant [default: all]
    #[arg(long, value_name = "INSTANT")]
    until: Option<Timestamp>,
    /// Entries of this provider
    #[arg(long)]
    provider: Option<String>,
    /// Entries of this model, as it was asked for or served
    #[arg(long)]
    model: Option<String>,
    /// Says what would be done, and writes nothing
    #[arg(long)]
    dry_run: bool,
}

impl Ledger {
    pub(super) async fn run(self) -> Result<(), CliError> {
        match self {
            Self::Reconcile { place, repair } => reconcile(place, repair).await,
            Self::Rerate(rerate) => rerate.run().await,
        }
    }
}

async fn reconcile(place: Place, repair: bool) -> Result<(), CliError> {
    let store = place.open_existing().await?;
    let checked = check(&store, repair).await;
    store.close().await?;
    let Reconciliation { counters, entries, differences, faults } = checked?;
    differences.iter().for_each(|difference| println!("{difference}"));
    faults.iter().for_each(|fault| println!("{fault}"));
    println!("{counters} counters and {entries} entries were checked.");
    if repair && !differences.is_empty() {
        println!("{} counters were set to what the ledger says.", differences.len());
    }
    match (if repair { 0 } else { differences.len() }).saturating_add(faults.len()) {
        0 => Ok(()),
        findings => Err(CliError::Unreconciled { findings }),
    }
}

async fn check(store: &Store, repair: bool) -> Result<Reconciliation, CliError> {
    Ok(match repair {
        true => store.ledger_repair(Change::by_server("ledger_reconcile", clock::now())).await?,
        false => store.ledger_check().await?,
    })
}

impl Rerate {
    async fn run(self) -> Result<(), CliError> {
        let Self { place, since, until, provider, model, dry_run } = self;
        let (options, settings) = place.settings()?;
        let which =
            Rerating { since, until, provider: provider.map(Into::into), model: model.map(Into::into), dry_run };
        let store = Store::open_existing(options).await?;
        let catalogue = prices::in_force(&store).await;
        let change = Change::by_server("ledger_rerate", clock::now());
        let rerated = match catalogue {
            Ok(prices) => Ok(store.ledger_rerate(change, which, prices, settings.unpriced_models.price()).await?),
            Err(error) => Err(error),
        };
        store.close().await?;
        print(&rerated?, dry_run);
        Ok(())
    }
}

fn print(rerated: &Rerated, dry_run: bool) {
    let Rerated { entries, changed, unpriced, cost_before, cost_after, counters } = rerated;
    println!("{entries} entries were looked at; {unpriced} of them have no price now, and keep their cost.");
    match dry_run {
        true => {
            println!("{changed} entries would cost something else: ${cost_after} in all instead of ${cost_before}.")
        }
        false => {
            println!("{changed} entries cost something else now: ${cost_after} in all instead of ${cost_before}.");
            println!("{counters} counters have changed.");
        }
    }
}
