//! `keyward prices`: what models cost, and other lists of prices. Nothing changes without its difference being told.

#![allow(clippy::print_stdout, reason = "a command talks to whoever runs it")]

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use keyward_core::catalogue::{
    Catalogue, CatalogueDifference, CatalogueFormat, Changed, ImportedCatalogue, Provenance,
};
use keyward_core::change::Change;
use keyward_store::{NewCatalogue, Store, StoredCatalogue};
use sha2::{Digest as _, Sha256};

use super::{CliError, Place};
use crate::clock;

#[derive(Debug, Subcommand)]
pub(super) enum Prices {
    /// Puts a list of prices in force for servers that start from now on, and tells what it changes. The list is LiteLLM's
    /// model_prices_and_context_window.json, the api.json of models.dev, or a catalogue in Keyward's own form
    Import(Import),
    /// Lists the catalogues that were put in force, with where each is from
    List(Place),
    /// Prints what models cost: a provider's, one provider/model, or all
    Show {
        #[command(flatten)]
        place: Place,
        /// A provider, or provider/model [default: all]
        what: Option<String>,
    },
    /// Tells what a list of prices would change, as `import --dry-run` does
    Diff {
        #[command(flatten)]
        place: Place,
        /// The list
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(flatten)]
    place: Place,
    /// The list
    #[arg(required_unless_present = "built_in", conflicts_with = "built_in")]
    file: Option<PathBuf>,
    /// Goes back to the catalogue that Keyward ships with
    #[arg(long)]
    built_in: bool,
    /// Says what would be done, and writes nothing
    #[arg(long)]
    dry_run: bool,
}

impl Prices {
    pub(super) async fn run(self) -> Result<(), CliError> {
        match self {
            Self::Import(Import { place, file, built_in: _, dry_run }) => import(place, file, dry_run).await,
            Self::Diff { place, file } => import(place, Some(file), true).await,
            Self::List(place) => list(place).await,
            Self::Show { place, what } => show(place, what).await,
        }
    }
}

/// The catalogue that a server on this database would use.
pub(super) async fn in_force(store: &Store) -> Result<Catalogue, CliError> {
    match store.prices_in_force().await? {
        Some(catalogue) => Ok(catalogue),
        None => Ok(Catalogue::built_in()?),
    }
}

async fn import(place: Place, file: Option<PathBuf>, dry_run: bool) -> Result<(), CliError> {
    let change = Change::by_server("prices_import", clock::now());
    let new = match &file {
        Some(file) => read(file, &change)?,
        None => {
            let version = Catalogue::built_in()?.version().to_owned();
            NewCatalogue { version, source: "built_in".to_owned(), sha256: None, catalogue: None }
        }
    };
    let store = place.open_existing().await?;
    let done = put(&store, change, new, dry_run).await;
    store.close().await?;
    print!("{}", done?);
    Ok(())
}

/// Reads a list, and tells what of it is left out.
fn read(file: &std::path::Path, change: &Change) -> Result<NewCatalogue, CliError> {
    let name = || file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| CliError::Input(name(), error))?;
    let invalid = |error| CliError::Prices(name(), error);
    let sha256 = Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let format = CatalogueFormat::of(&text).map_err(invalid)?;
    let provenance = Provenance { format, sha256: sha256.clone(), effective: change.at };
    let ImportedCatalogue { catalogue, skipped } = ImportedCatalogue::read(&text, &provenance).map_err(invalid)?;
    for (model, reason) in &skipped {
        println!("left out: {model}: {reason}");
    }
    let source = format.as_str().to_owned();
    Ok(NewCatalogue { version: provenance.version(), source, sha256: Some(sha256), catalogue: Some(catalogue) })
}

/// Puts a catalogue in force, unless it says what holds already. Returns what there is to say.
async fn put(store: &Store, change: Change, new: NewCatalogue, dry_run: bool) -> Result<String, CliError> {
    let before = in_force(store).await?;
    let after = match &new.catalogue {
        Some(catalogue) => catalogue.clone(),
        None => Catalogue::built_in()?,
    };
    let difference = before.difference(&after);
    let mut text = told(&difference);
    let (old, version) = (before.version().to_owned(), new.version.clone());
    let last = match (difference == CatalogueDifference::default(), dry_run) {
        (true, _) => format!("Nothing differs from '{old}', which stays in force.\n"),
        (false, true) => format!("Nothing was written: '{old}' stays in force.\n"),
        (false, false) => {
            store.prices_import(change, new).await?;
            format!("'{version}' is in force in place of '{old}', for servers that start from now on.\n")
        }
    };
    text.push_str(&last);
    Ok(text)
}

fn told(difference: &CatalogueDifference) -> String {
    let CatalogueDifference { added, removed, changed } = difference;
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    added.iter().for_each(|(provider, model)| line(format!("added: {provider}/{model}")));
    removed.iter().for_each(|(provider, model)| line(format!("removed: {provider}/{model}")));
    for Changed { provider, model, changes } in changed {
        changes.iter().for_each(|change| line(format!("changed: {provider}/{model}: {change}")));
    }
    line(format!("{} models added, {} removed, {} changed.", added.len(), removed.len(), changed.len()));
    text
}

async fn list(place: Place) -> Result<(), CliError> {
    let store = place.open_existing().await?;
    let listed = store.prices_list().await;
    store.close().await?;
    let listed = listed?;
    for StoredCatalogue { version, source, sha256, effective_at } in &listed {
        let digest = sha256.as_deref().map(|digest| format!(", sha256 {digest}")).unwrap_or_default();
        println!("{effective_at}: '{version}', from {source}{digest}");
    }
    match listed.last() {
        Some(last) => println!("'{}' is in force.", last.version),
        None => println!("'{}' is in force, which Keyward ships with.", Catalogue::built_in()?.version()),
    }
    Ok(())
}

async fn show(place: Place, what: Option<String>) -> Result<(), CliError> {
    let store = place.open_existing().await?;
    let catalogue = in_force(&store).await;
    store.close().await?;
    let catalogue = catalogue?;
    let (provider, model) = match what.as_deref().map(|what| what.split_once('/').unwrap_or((what, ""))) {
        Some((provider, model)) => (Some(provider), Some(model).filter(|model| !model.is_empty())),
        None => (None, None),
    };
    let cards = catalogue.cards().into_iter().filter(|(of, name, _)| {
        provider.is_none_or(|provider| provider == *of) && model.is_none_or(|model| model == *name)
    });
    let lines: Vec<String> = cards
        .map(|(provider, model, card)| {
            let figures = card.figures().into_iter();
            let figures = figures.map(|figure| format!("{} {}", figure.what, figure.new.unwrap_or_default()));
            format!("{provider}/{model}: {}", figures.collect::<Vec<_>>().join(", "))
        })
        .collect();
    lines.iter().for_each(|line| println!("{line}"));
    println!(
        "{} models, '{}'. Tokens in US dollars per million, units in US dollars for one.",
        lines.len(),
        catalogue.version()
    );
    match (lines.is_empty(), what) {
        (true, Some(what)) => Err(CliError::NoSuchModel(what)),
        (true, None) | (false, _) => Ok(()),
    }
}
