//! The gateway with everything on, as `cargo xtask bench gateway` has it, but in the benchmark's own process.

use std::fs;

use bytes::Bytes;
use keyward_server::config::{Overrides, Settings};
use keyward_server::in_process::InProcess;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::upstream::{self, Pace};

const CONFIGURATION: &str = include_str!("../../peers/keyward.json");
const KEY: &str = "sk-bf-00000000-0000-4000-8000-000000000000";
/// How often it is asked before that is counted.
const WARM: usize = 8;

/// How the upstream answers.
pub trait Answers {
    /// Whether the client asks for a stream.
    const STREAMED: bool;

    /// Starts an upstream; returns where it is.
    fn start() -> (Self, std::net::SocketAddr)
    where
        Self: Sized;

    /// The client has got a piece of the answer.
    fn heard(&self);
}

/// With one body.
pub struct Whole;

impl Answers for Whole {
    const STREAMED: bool = false;

    fn start() -> (Self, std::net::SocketAddr) {
        (Self, upstream::whole())
    }

    fn heard(&self) {}
}

impl Answers for Pace {
    const STREAMED: bool = true;

    fn start() -> (Self, std::net::SocketAddr) {
        upstream::streamed()
    }

    fn heard(&self) {
        self.next();
    }
}

/// A gateway that has answered a few requests.
pub struct Gateway<A> {
    server: InProcess,
    upstream: A,
    body: Bytes,
    _directory: TempDir,
}

impl<A: Answers> Gateway<A> {
    pub fn warm() -> Self {
        // What is logged is formatted, and written to nowhere.
        let log = tracing_subscriber::fmt().json().with_env_filter("info,actix_server=warn");
        log.with_writer(std::io::sink).init();
        let directory = tempfile::tempdir().unwrap();
        let (upstream, address) = A::start();
        let mut configuration: Value =
            serde_json::from_str(&CONFIGURATION.replace("{{upstream}}", &address.to_string())).unwrap();
        configuration["governance"]["virtual_keys"][0]["value"] = json!(KEY);
        let file = directory.path().join("keyward.json");
        fs::write(&file, configuration.to_string()).unwrap();
        let settings = Settings::load(Overrides {
            config: Some(file),
            listen: None,
            database_url: Some(format!("sqlite://{}", directory.path().join("keyward.db").display())),
        });
        let server = InProcess::start(settings.unwrap(), None).unwrap();
        let asked = json!({
            "model": "bench/bench-model", "messages": [{ "role": "user", "content": "Hello!" }], "max_tokens": 64,
            "stream": A::STREAMED,
        });
        let gateway = Self { server, upstream, body: Bytes::from(asked.to_string()), _directory: directory };
        (0..WARM).for_each(|_| gateway.call());
        gateway
    }

    /// Asks once, and hears the answer to its end.
    pub fn call(&self) {
        let heard = |_: &[u8]| self.upstream.heard();
        let status = self.server.call("/v1/chat/completions", KEY, self.body.clone(), heard);
        assert_eq!(status.unwrap(), 200);
    }
}
