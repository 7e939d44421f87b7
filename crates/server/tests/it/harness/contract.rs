//! The contract: every answer must be documented. What that means is `keyward-contract`'s; here it panics.

use keyward_contract::{Exchange, Violation};
use keyward_server::openapi::Document;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// Both OpenAPI documents, as the router has them.
pub struct Contract(keyward_contract::Contract);

impl Contract {
    pub fn new() -> Self {
        let collected = |document: Document| serde_json::to_value(document.collect()).unwrap();
        Self(keyward_contract::Contract::new(collected(Document::Management), collected(Document::Gateway)))
    }

    pub fn documents(&self) -> [&Value; 2] {
        self.0.documents().each_ref().map(keyward_contract::Document::value)
    }

    /// Panics unless the answer is documented.
    pub fn check(&self, method: &str, path: &str, status: u16, headers: &HeaderMap, body: &[u8]) {
        let found = self.0.check(&Exchange { method, path, status, headers, body });
        refuse(&found, &format!("{method} {path} -> {status}"), body);
    }

    /// Panics unless the data of an event is documented: a piece of the answer, or an error.
    pub fn check_event(&self, method: &str, path: &str, data: &str) {
        refuse(&self.0.check_event(method, path, data), &format!("{method} {path}, an event"), data.as_bytes());
    }
}

fn refuse(found: &[Violation], called: &str, body: &[u8]) {
    let found: Vec<String> = found.iter().map(Violation::to_string).collect();
    assert!(found.is_empty(), "{called}: {found:#?}\n{}", String::from_utf8_lossy(body));
}
