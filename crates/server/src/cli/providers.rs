//! `keyward providers`: the providers of a running server. Their secrets are never shown.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keyward_client::{
    BaseUrl, CreateProvider, CreateProviderKey, Error, NetworkConfigInput, Provider, ProviderKey, ProviderName,
    ProviderStatus, SecretSource,
};
use secrecy::ExposeSecret as _;

use super::confirmation::Confirmation;
use super::connection::{Connection, Server, secret_file};
use super::failure::{Exit, Failure};
use super::output::{self, instant, plain};

#[derive(Debug, Args)]
pub(super) struct Providers {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Configures a provider, with a provider key to begin with
    Create(Create),
    /// Lists providers, by name
    List,
    /// Shows a provider and its keys
    Show {
        /// The provider's name
        provider: String,
    },
    /// Deletes a provider with its keys: virtual keys reach it no more
    Delete {
        /// The provider's name
        provider: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// A known provider, such as openai, or a name of your own
    name: String,
    /// The variable of the server's environment that the provider key is in
    #[arg(long, value_name = "VARIABLE", conflicts_with = "key_file")]
    key_env: Option<String>,
    /// A file that the provider key is in; - is standard input
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// What to call the provider key [default: the provider's name, and -key]
    #[arg(long, value_name = "NAME")]
    key_name: Option<String>,
    /// The provider's address, such as https://llm.example; known providers have one
    #[arg(long, value_name = "URL")]
    base_url: Option<BaseUrl>,
    /// What the provider is for
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
}

impl Providers {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let server = self.connection.open()?;
        match self.command {
            Command::Create(create) => create.run(&server).await,
            Command::List => list(&server).await,
            Command::Show { provider } => {
                let read = server.client.provider_get(&provider.as_str().into()).await;
                show(&server, &read.map_err(|error| absent(&server, &provider, &error))?)
            }
            Command::Delete { provider, confirmation } => delete(&server, &provider, &confirmation).await,
        }
    }
}

impl Create {
    async fn run(self, server: &Server) -> Result<(), Failure> {
        let Self { name, key_env, key_file, key_name, base_url, description } = self;
        let secret = match (key_env, key_file) {
            (Some(variable), _) => Some(SecretSource::Environment(variable)),
            // What is in a file is the secret, also if it looks like a reference.
            (None, Some(file)) => Some(SecretSource::Literal(secret_file(&file)?.expose_secret().to_owned())),
            (None, None) => None,
        };
        let keys = secret.into_iter().map(|secret| CreateProviderKey {
            name: key_name.clone().unwrap_or_else(|| format!("{name}-key")),
            value: secret.into(),
            ..CreateProviderKey::default()
        });
        let request = CreateProvider {
            keys: keys.collect(),
            network_config: base_url.map(NetworkConfigInput::at).unwrap_or_default(),
            description,
            name: name.clone(),
            ..CreateProvider::default()
        };
        show(server, &server.call(server.client.provider_create(&request)).await?)
    }
}

async fn list(server: &Server) -> Result<(), Failure> {
    let list = server.call(server.client.provider_list()).await?;
    if server.json {
        return output::json(&list);
    }
    if list.providers.is_empty() {
        output::note(
            "There is no provider yet. Configure one with `keyward providers create NAME --key-env VARIABLE`.",
        );
        return Ok(());
    }
    let rows = list.providers.iter().map(|provider| {
        [provider.name.to_string(), status(provider), provider.keys.len().to_string(), address(provider)]
    });
    output::print(&output::table(["NAME", "STATUS", "KEYS", "ADDRESS"], rows))
}

fn show(server: &Server, provider: &Provider) -> Result<(), Failure> {
    if server.json {
        return output::json(provider);
    }
    let members = output::members([
        ("Name", Some(provider.name.to_string())),
        ("Description", Some(plain(&provider.description)).filter(|text| !text.is_empty())),
        ("Status", Some(status(provider))),
        ("Address", Some(address(provider))),
        ("Made", Some(format!("{} UTC", instant(provider.created_at)))),
    ]);
    let keys = match provider.keys.is_empty() {
        true => "It has no keys.\n".to_owned(),
        false => output::table(["KEY", "SECRET", "STATUS", "WEIGHT", "MODELS", "ID"], provider.keys.iter().map(row)),
    };
    output::print(&format!("{members}\n{keys}"))
}

fn row(key: &ProviderKey) -> [String; 6] {
    let secret = match (key.value.from_env, key.value.value.is_empty()) {
        (true, _) => plain(&key.value.env_var),
        (false, false) => "stored".to_owned(),
        (false, true) => "none".to_owned(),
    };
    let models = match key.models.is_everything() {
        true => "every model".to_owned(),
        false => plain(&key.models.entries().join(", ")),
    };
    let status = if key.enabled { "enabled" } else { "disabled" };
    [plain(&key.name), secret, status.to_owned(), key.weight.to_string(), models, key.id.to_string()]
}

async fn delete(server: &Server, provider: &str, confirmation: &Confirmation) -> Result<(), Failure> {
    let name: ProviderName = provider.into();
    let read = server.client.provider_get(&name).await.map_err(|error| absent(server, provider, &error))?;
    confirmation.ask(&format!("This deletes the provider '{}' with {} keys.", read.name, read.keys.len()))?;
    let done = server.call(server.client.provider_delete(&name)).await?;
    match server.json {
        true => output::json(&done),
        false => output::print(&format!("Deleted the provider '{}'.\n", read.name)),
    }
}

fn absent(server: &Server, provider: &str, error: &Error) -> Failure {
    match error.status() {
        Some(404) => Failure::new(Exit::NotFound, format!("there is no provider '{provider}'"))
            .advising("List what is there with `keyward providers list`."),
        Some(_) | None => server.failure(error),
    }
}

fn status(provider: &Provider) -> String {
    match provider.provider_status {
        ProviderStatus::Active => "active",
        ProviderStatus::Error => "error",
    }
    .to_owned()
}

fn address(provider: &Provider) -> String {
    provider.network_config.base_url.clone().map_or_else(|| "the usual one".to_owned(), String::from)
}
