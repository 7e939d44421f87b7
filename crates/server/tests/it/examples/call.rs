//! The examples of one document: sent, compared, and written down.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use keyward_server::openapi::Document;
use serde_json::Value;

use super::stand_ins::StandIns;
use crate::harness::{App, Reply};

/// The examples, and what has been found out about their stand-ins.
pub struct Examples {
    directory: &'static str,
    operations: BTreeMap<String, Operation>,
    pub stand_ins: StandIns,
    wrong: Vec<String>,
    writes: bool,
}

/// One operation of a document.
#[derive(Clone)]
struct Operation {
    method: String,
    path: String,
    said: Value,
}

/// What is sent.
pub struct Call {
    method: String,
    path: String,
    body: Option<(&'static str, String)>,
    credential: Option<(&'static str, String)>,
}

/// The parts of forms that are files.
const FILES: [&str; 2] = ["file", "image"];
const FORM: &str = "multipart/form-data; boundary=boundary-of-an-example";

impl Examples {
    pub fn of(document: Document, directory: &'static str) -> Self {
        let document = serde_json::to_value(document.collect()).unwrap();
        let mut operations = BTreeMap::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, said) in item.as_object().unwrap() {
                let operation = Operation { method: method.to_uppercase(), path: path.clone(), said: said.clone() };
                operations.insert(said["operationId"].as_str().unwrap().to_owned(), operation);
            }
        }
        // Another path of the same handler has its example too.
        operations.retain(|id, _| !id.contains("_alias"));
        #[expect(clippy::disallowed_methods, reason = "whoever runs the test says that it shall write")]
        let writes = std::env::var("KEYWARD_EXAMPLES").is_ok_and(|value| value == "write");
        Self { directory, operations, stand_ins: StandIns::default(), wrong: Vec::new(), writes }
    }

    pub fn operations(&self) -> BTreeSet<&str> {
        self.operations.keys().map(String::as_str).collect()
    }

    /// The example's request.
    pub fn call(&self, id: &str) -> Call {
        let Operation { method, path, said } = &self.operations[id];
        let mut path = self.stand_ins.real(path);
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            let (name, value) = (parameter["name"].as_str().unwrap(), &parameter["example"]);
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match (parameter["in"].as_str().unwrap(), value.is_null()) {
                ("path", true) => panic!("{id}: {name} has no example"),
                ("path", false) => path = path.replace(&format!("{{{name}}}"), &self.stand_ins.real(&text)),
                ("query", false) => {
                    query.append_pair(name, &self.stand_ins.real(&text));
                }
                _ => {}
            }
        }
        let query = query.finish();
        let path = if query.is_empty() { path } else { format!("{path}?{query}") };
        let bodies = said["requestBody"]["content"].as_object();
        let body = bodies.and_then(|bodies| bodies.iter().next()).map(|(media, body)| match media.as_str() {
            "application/json" => ("application/json", self.stand_ins.real(&shown(id, body).to_string())),
            "multipart/form-data" => (FORM, form(shown(id, body))),
            other => panic!("{id}: nobody sends {other}"),
        });
        let ways = said["security"].to_string();
        let credential = match () {
            () if ways.contains("virtual_key") => Some(("x-bf-vk", self.stand_ins.virtual_key())),
            () if ways.contains("admin") => {
                Some(("authorization", "Basic YWRtaW46bm90LWEtcmVhbC1wYXNzd29yZA==".to_owned()))
            }
            () => None,
        };
        Call { method: method.clone(), path, body, credential }
    }

    /// The answer that an operation shows, if it is JSON.
    pub fn answer(&self, id: &str) -> Option<&Value> {
        let answer = &self.operations[id].said["responses"]["200"]["content"]["application/json"]["example"];
        Some(answer).filter(|answer| !answer.is_null())
    }

    /// Remembers what is not as the example says.
    pub fn compare(&mut self, id: &str, reply: &Reply) {
        let responses = self.operations[id].said["responses"].clone();
        let status = reply.status.to_string();
        let body = String::from_utf8_lossy(&reply.body);
        assert!((200..300).contains(&reply.status), "{id}: {status} {body}");
        let content = &responses[&status]["content"]["application/json"];
        if !content.is_object() {
            return;
        }
        let documented = &content["example"];
        let real = reply.json();
        self.stand_ins.learn(documented, &real);
        let found = self.stand_ins.stand_in(documented, &real);
        if found != *documented {
            match self.writes {
                true => self.write(id, found),
                false => self.wrong.push(format!("{id} is answered with\n{found:#}\nand not with\n{documented:#}")),
            }
        }
    }

    fn write(&self, id: &str, answer: Value) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/openapi/examples");
        let path = root.join(self.directory).join(format!("{id}.json"));
        let mut example: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        example["answer"] = answer;
        fs::write(&path, format!("{example:#}\n")).unwrap();
    }

    /// Panics unless all of them are true.
    pub fn finish(self) {
        let remedy = "KEYWARD_EXAMPLES=write writes the answers down; then `cargo xtask openapi`";
        assert!(self.wrong.is_empty(), "{}\n{remedy}", self.wrong.join("\n\n"));
    }
}

impl Call {
    pub async fn send(self, app: &App) -> Reply {
        let mut request = app.raw(&self.method, &self.path);
        if let Some((name, value)) = self.credential {
            request = request.header(name, value);
        }
        if let Some((media, body)) = self.body {
            request = request.header("content-type", media).body(body);
        }
        // What MCP wants to be told; others do not look at it.
        let request = request.header("accept", "application/json, text/event-stream");
        request.send().await
    }
}

fn shown<'a>(id: &str, body: &'a Value) -> &'a Value {
    assert!(!body["example"].is_null(), "{id} shows no request");
    &body["example"]
}

/// The members as the parts of a form; a file has its text for content.
fn form(members: &Value) -> String {
    let parts = members.as_object().unwrap().iter().map(|(name, value)| {
        let file = if FILES.contains(&name.as_str()) { "; filename=\"example.jsonl\"" } else { "" };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("--boundary-of-an-example\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{text}\r\n")
    });
    format!("{}--boundary-of-an-example--\r\n", parts.collect::<String>())
}
