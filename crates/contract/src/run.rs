//! One run against one server: sends requests, lets the contract judge the answers, and takes away what it has made.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use reqwest::header::CONTENT_LENGTH;
use reqwest::redirect::Policy;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::call::{Body, Call, Reply, Shown};
use crate::contract::{Contract, Exchange};
use crate::coverage::Coverage;
use crate::credential::Credential;
use crate::verify::{CannotRun, Options};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// A body of this size is announced where one shall be too large, in bytes.
const ENDLESS: u64 = 1 << 40;

/// A scenario cannot go on. The reason is in the books already.
#[derive(Debug)]
pub(crate) struct Stop;

/// A run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) contract: Contract,
    pub(crate) coverage: Coverage,
    /// What the names of everything begin with that this run makes.
    pub(crate) prefix: String,
    /// True: the server was made for this run, so that anything may be done to it.
    pub(crate) is_disposable: bool,
    /// True: managing needs a credential.
    pub(crate) is_guarded: bool,
    url: Url,
    credential: Credential,
    client: reqwest::Client,
    /// Of each operation a request that was granted.
    pub(crate) granted: BTreeMap<String, Call>,
    /// How to remove what was made, in the order of its making.
    made: Vec<Call>,
    names: u32,
}

impl Run {
    pub(crate) fn new(options: &Options) -> Result<Self, CannotRun> {
        let contract = Contract::published().map_err(CannotRun::Document)?;
        // Another provider of the process is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().redirect(Policy::none()).timeout(PATIENCE).build();
        let random = Uuid::new_v4().simple().to_string();
        Ok(Self {
            contract,
            coverage: Coverage::default(),
            prefix: format!("contract{}", random.get(..8).unwrap_or_default()),
            is_disposable: options.disposable,
            is_guarded: true,
            url: options.url.clone(),
            credential: options.credential.clone(),
            client: client.map_err(CannotRun::Client)?,
            granted: BTreeMap::new(),
            made: Vec::new(),
            names: 0,
        })
    }

    /// A new name for something of this run.
    pub(crate) fn name(&mut self, what: &str) -> String {
        self.names += 1;
        format!("{}_{what}_{}", self.prefix, self.names)
    }

    /// The user name and the password of whoever asks, if that is what they show.
    pub(crate) fn password(&self) -> Option<(String, String)> {
        match &self.credential {
            Credential::Password(name, password) => Some((name.clone(), password.clone())),
            Credential::Token(_) | Credential::Nothing => None,
        }
    }

    /// Remembers how to remove something.
    pub(crate) fn remember(&mut self, removal: Call) {
        self.made.push(removal);
    }

    /// What is to be removed still, the last first.
    pub(crate) fn take_made(&mut self) -> Vec<Call> {
        let mut made = std::mem::take(&mut self.made);
        made.reverse();
        made
    }

    /// Sends a request, and goes on only with an answer of this status.
    pub(crate) async fn expect(&mut self, call: Call, status: u16) -> Result<Reply, Stop> {
        let (operation, shown) = (call.operation.clone(), call.shown.clone());
        let reply = self.send(call).await?;
        if reply.status == status {
            return Ok(reply);
        }
        if shown == Shown::Own && self.is_denied(&reply) {
            self.skip(&operation, "the credential may not do this");
        } else {
            self.fail(&operation, format!("{status} was due, and {} came: {}", reply.status, reply.said()));
        }
        Err(Stop)
    }

    /// Sends a request whose answer should have this status, and goes on in any case.
    pub(crate) async fn probe(&mut self, call: Call, status: u16) {
        let _ = self.expect(call, status).await;
    }

    /// Sends a request, and lets the contract judge its answer.
    pub(crate) async fn send(&mut self, call: Call) -> Result<Reply, Stop> {
        let begin = Instant::now();
        let sent = self.exchange(&call).await;
        let reached = self.coverage.of(&call.operation);
        reached.requests += 1;
        reached.took += begin.elapsed();
        let (method, path, reply) = match sent {
            Ok(sent) => sent,
            Err(what) => {
                self.coverage.fail(&call.operation, what);
                return Err(Stop);
            }
        };
        let media = reply.header("content-type").split(';').next().unwrap_or_default().trim().to_owned();
        reached_status(&mut self.coverage, &call.operation, reply.status, media);
        let exchange =
            Exchange { method: &method, path: &path, status: reply.status, headers: &reply.headers, body: &reply.body };
        for violation in self.contract.check(&exchange) {
            self.coverage.fail(&call.operation, format!("{}: {violation}", reply.status));
        }
        if reply.status < 300 && call.shown == Shown::Own {
            self.granted.insert(call.operation.clone(), call);
        }
        Ok(reply)
    }

    /// Sends a request that is no part of what is verified.
    pub(crate) async fn quietly(&self, call: &Call) -> Option<Reply> {
        self.exchange(call).await.ok().map(|(_, _, reply)| reply)
    }

    /// Notes that something is wrong beyond one answer's form.
    pub(crate) fn fail(&mut self, operation: &str, what: impl Into<String>) {
        self.coverage.fail(operation, what.into());
    }

    /// Notes that an operation is not tried.
    pub(crate) fn skip(&mut self, operation: &str, why: &str) {
        self.coverage.of(operation).skipped.get_or_insert_with(|| why.to_owned());
    }

    /// Whether an answer says that whoever runs this may not do something. Only a token may be allowed less than everything.
    fn is_denied(&self, reply: &Reply) -> bool {
        reply.status == 403 && reply.code() == "permission_denied" && matches!(self.credential, Credential::Token(_))
    }

    async fn exchange(&self, call: &Call) -> Result<(String, String, Reply), String> {
        let (method, path, url) = self.target(call)?;
        let mut request = self.client.request(method.parse().map_err(|_| "no such method")?, url);
        if let (Shown::Own, Some(authorization)) = (&call.shown, self.credential.authorization()) {
            request = request.header("authorization", authorization);
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        request = match &call.body {
            Body::Nothing => request,
            Body::Bytes(bytes, media) => request.header("content-type", media).body(bytes.clone()),
            Body::Endless => {
                let never = reqwest::Body::wrap_stream(stream::pending::<std::io::Result<Bytes>>());
                request.header("content-type", "application/json").header(CONTENT_LENGTH, ENDLESS).body(never)
            }
        };
        let said = |error: reqwest::Error| format!("no answer: {}", error.without_url());
        let response = request.send().await.map_err(said)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.map_err(said)?.to_vec();
        Ok((method, path, Reply { status, headers, body }))
    }

    /// Method, path below the server's own, and address of a call.
    fn target(&self, call: &Call) -> Result<(String, String, Url), String> {
        let Some((_, operation)) = self.contract.operation(&call.operation) else {
            return Err("the document does not have the operation".to_owned());
        };
        let mut path = operation.template.clone();
        for (name, value) in &call.parameters {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        let mut url = self.url.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}{path}"));
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        Ok((operation.method.clone(), path, url))
    }
}

fn reached_status(coverage: &mut Coverage, operation: &str, status: u16, media: String) {
    coverage.of(operation).statuses.entry(status).or_default().insert(media);
}

/// The id of something, when it has one.
pub(crate) fn id_of(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned)
}
