//! A running server, with the clients that tests talk to it through.

use std::net::SocketAddr;
use std::sync::Arc;

use keyward_client::{
    Client, CreateProviderKey, CreateVirtualKey, NetworkConfig, NetworkConfigInput, Retries, VirtualKey,
};
use keyward_core::base_url::BaseUrl;
use keyward_core::change::Change;
use keyward_core::invalid::Pointer;
use keyward_core::provider::{DEMO_PROVIDER, ProviderDraft};
use keyward_server::Server;
use keyward_server::config::Settings;
use keyward_server::demo::simulator::Simulator;
use keyward_store::{RootKey, Store, StoreOptions};
use uuid::Uuid;

use super::contract::Contract;
use super::database::Database;
use super::raw::Raw;
use super::transport::Checked;

/// 32 bytes that are no secret.
pub const ROOT_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A server on a port of its own, with the simulated provider as `demo`.
pub struct App {
    pub url: String,
    /// The admin's client.
    pub client: Client,
    pub simulator: Simulator,
    server: Server,
    settings: Settings,
    transport: Arc<Checked>,
    /// Last, so that it goes last.
    pub database: Database,
}

/// A server in the making.
pub struct AppBuilder {
    change: Box<dyn FnOnce(&mut Settings)>,
    is_filled: bool,
}

impl AppBuilder {
    pub fn settings(self, change: impl FnOnce(&mut Settings) + 'static) -> Self {
        Self { change: Box::new(change), ..self }
    }

    /// With the data set that the dashboard is shown with.
    pub fn filled(self) -> Self {
        Self { is_filled: true, ..self }
    }

    pub async fn start(self) -> App {
        let database = Database::fresh().await;
        let simulator = Simulator::start().unwrap();
        seed(&database.url, simulator.base_url()).await;
        if self.is_filled {
            fill(&database.url).await;
        }
        let mut settings = Settings::new(SocketAddr::from(([127, 0, 0, 1], 0)), database.url.clone());
        settings.journal.directory = Some(database.directory().join("journal"));
        (self.change)(&mut settings);
        let server = Server::start(settings.clone(), root_key()).await.unwrap();
        let transport = Arc::new(Checked::new(Arc::new(Contract::new())));
        let url = format!("http://{}", server.address());
        let client =
            Client::builder().base_url(&url).retries(Retries::none()).transport(transport.clone()).build().unwrap();
        App { url, client, simulator, server, settings, transport, database }
    }
}

impl App {
    pub fn builder() -> AppBuilder {
        AppBuilder { change: Box::new(|_| {}), is_filled: false }
    }

    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A client builder whose requests are checked too.
    pub fn client_builder(&self) -> keyward_client::ClientBuilder {
        Client::builder().base_url(&self.url).retries(Retries::none()).transport(self.transport.clone())
    }

    /// A client that calls with this virtual key.
    pub fn caller(&self, key: &VirtualKey) -> Client {
        self.client.with_virtual_key(key.value.expose()).unwrap()
    }

    /// Makes a virtual key.
    pub async fn key(&self, request: CreateVirtualKey) -> VirtualKey {
        let request = CreateVirtualKey { name: format!("key {}", Uuid::new_v4()), ..request };
        self.client.virtual_key_create(&request).await.unwrap().virtual_key
    }

    /// Makes a provider at an address, with one key.
    pub async fn provider(&self, name: &str, base_url: BaseUrl) {
        let request = keyward_client::CreateProvider {
            name: name.to_owned(),
            network_config: NetworkConfigInput {
                default_request_timeout_in_seconds: 1.into(),
                ..NetworkConfigInput::at(base_url)
            },
            keys: vec![CreateProviderKey::new(format!("{name}-key"), "fake-provider-secret")],
            ..Default::default()
        };
        self.client.provider_create(&request).await.unwrap();
    }

    /// A request that the SDK would not send.
    pub fn raw(&self, method: &str, path: &str) -> Raw {
        Raw::new(self.transport.clone(), method, &format!("{}{path}", self.url))
    }

    /// Asks the same thing again and again, also while the server stops.
    pub fn prober(&self, path: &str) -> Prober {
        Prober { transport: self.transport.clone(), url: format!("{}{path}", self.url) }
    }

    /// Stops the server and looks into its database.
    pub async fn stopped(self) -> (Store, Database) {
        self.server.stop().await.unwrap();
        (open(&self.database.url).await, self.database)
    }

    /// Stops the server and starts another one on the same database.
    pub async fn restarted(self) -> Self {
        self.restarted_after(|_| ()).await
    }

    /// The same, and does something with the database while no server uses it.
    pub async fn restarted_after(self, meanwhile: impl FnOnce(&Database)) -> Self {
        self.restarted_around(async |database| meanwhile(database)).await
    }

    /// The same with something that takes its time.
    pub async fn restarted_around(self, meanwhile: impl AsyncFnOnce(&Database)) -> Self {
        self.server.stop().await.unwrap();
        meanwhile(&self.database).await;
        let server = Server::start(self.settings.clone(), root_key()).await.unwrap();
        let url = format!("http://{}", server.address());
        let client = Client::builder()
            .base_url(&url)
            .retries(Retries::none())
            .transport(self.transport.clone())
            .build()
            .unwrap();
        Self { url, client, server, ..self }
    }
}

/// Asks the same thing again and again.
pub struct Prober {
    transport: Arc<Checked>,
    url: String,
}

impl Prober {
    pub async fn status(&self) -> u16 {
        Raw::new(self.transport.clone(), "GET", &self.url).send().await.status
    }
}

pub fn root_key() -> Option<RootKey> {
    Some(RootKey::from_base64(ROOT_KEY).unwrap())
}

pub async fn open(url: &str) -> Store {
    Store::open(StoreOptions { url: url.to_owned(), root_key: root_key() }).await.unwrap()
}

/// Puts the data set into the database that the dashboard is shown with; it ends now.
#[expect(clippy::disallowed_methods, reason = "the server reads the same clock")]
async fn fill(url: &str) {
    let store = open(url).await;
    keyward_showcase::data::fill(&store, jiff::Timestamp::now()).await.unwrap();
    store.close().await.unwrap();
}

/// Puts the simulated provider into the database: its name is reserved, so the API would refuse it.
pub async fn seed(url: &str, base_url: BaseUrl) {
    let store = open(url).await;
    let key = CreateProviderKey::new("demo-key", "not-a-secret").check(&Pointer::ROOT, &mut Uuid::new_v4).unwrap();
    let network_config = NetworkConfig { base_url: Some(base_url), ..NetworkConfig::default() };
    let change = Change::by_server("provider_create", jiff::Timestamp::UNIX_EPOCH);
    let draft = ProviderDraft::new(DEMO_PROVIDER.into(), network_config, vec![key]);
    store.provider_create(change, draft).await.unwrap();
    store.close().await.unwrap();
}
