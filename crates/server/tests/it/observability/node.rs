//! A server in a process of its own, which logs JSON.

use keyward_client::{Client, CreateProvider, CreateProviderKey, CreateVirtualKey, NetworkConfigInput, VirtualKey};
use keyward_core::base_url::BaseUrl;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Database, ROOT_KEY};
use crate::operations::{Served, keyward};

/// A server in a process of its own.
pub struct Node {
    served: Served,
    pub client: Client,
    http: reqwest::Client,
    admin: Option<(String, String)>,
    _database: Database,
}

impl Node {
    /// Starts a server with these settings and variables.
    pub async fn start(server: Value, variables: &[(&str, &str)]) -> Self {
        let database = Database::fresh().await;
        let config = json!({ "server": server }).to_string();
        std::fs::write(database.directory().join("config.json"), config).unwrap();
        let mut command = keyward(database.directory());
        command.args(["serve", "--listen", "127.0.0.1:0", "--config", "config.json", "--database-url", &database.url]);
        command.env("KEYWARD_ROOT_KEY", ROOT_KEY).env("KEYWARD_LOG_FORMAT", "json").envs(variables.iter().copied());
        let served = Served::start(command).unwrap_or_else(|(status, log)| panic!("{status}: {log:#?}"));
        let client = Client::builder().base_url(&served.url).build().unwrap();
        // The other client's own TLS, which is not used, wants one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { served, client, http: reqwest::Client::new(), admin: None, _database: database }
    }

    /// Manages with this credential from now on.
    pub fn with_admin(self, name: &str, password: &str) -> Self {
        let client = Client::builder().base_url(&self.served.url).admin(name, password).build().unwrap();
        Self { client, admin: Some((name.to_owned(), password.to_owned())), ..self }
    }

    /// Makes a provider at an address, with a key of this secret.
    pub async fn provider(&self, name: &str, base_url: BaseUrl, secret: &str, network: NetworkConfigInput) {
        let request = CreateProvider {
            name: name.to_owned(),
            network_config: NetworkConfigInput { base_url: base_url.into(), ..network },
            keys: vec![CreateProviderKey::new(format!("{name}-key"), secret)],
            ..Default::default()
        };
        self.client.provider_create(&request).await.unwrap();
    }

    /// Makes a virtual key. `content`: what it says of `disable_content_logging`.
    pub async fn key(&self, content: Option<bool>) -> VirtualKey {
        let name = format!("key {}", uuid::Uuid::new_v4());
        let mut request = CreateVirtualKey { name, ..CreateVirtualKey::default() };
        if let Some(is_disabled) = content {
            request.disable_content_logging = is_disabled.into();
        }
        self.client.virtual_key_create(&request).await.unwrap().virtual_key
    }

    /// Sends a body with a virtual key, and returns the whole answer.
    pub async fn send(&self, secret: &str, body: &Value, headers: &[(&str, &str)]) -> (StatusCode, String, String) {
        let url = format!("{}/v1/chat/completions", self.served.url);
        let request = self.http.post(url).header("x-bf-vk", secret).header("content-type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response: Response = request.body(body.to_string()).send().await.unwrap();
        let id = response.headers().get("x-request-id").unwrap().to_str().unwrap().to_owned();
        (response.status(), id, response.text().await.unwrap())
    }

    /// What `/metrics` says.
    pub async fn metrics(&self) -> String {
        let request = self.http.get(format!("{}/metrics", self.served.url));
        let request = match &self.admin {
            Some((name, password)) => request.basic_auth(name, Some(password)),
            None => request,
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.text().await.unwrap()
    }

    /// Stops the server, and returns its log.
    pub fn finished(self) -> Vec<String> {
        self.served.finished()
    }
}

/// The lines as JSON.
pub fn lines(log: &[String]) -> Vec<Value> {
    log.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}
