//! `keyward explain`: what would become of a request if it were sent now. Nothing is sent or held.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use keyward_client::{ErrorBody, ExplainRequest, ExplainedMeter, Explanation, Metric, Quantity, Scope, VirtualKey};
use keyward_core::explanation::RequestDialect;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::connection::{Connection, Server};
use super::failure::{Exit, Failure};
use super::finding::find;
use super::output::{self, instant, money, plain};

#[derive(Debug, Args)]
pub(super) struct Explain {
    #[command(flatten)]
    connection: Connection,
    /// The virtual key that the request would be sent with, by its name or id
    key: String,
    /// The model that it would ask for: provider/model, or a model alone
    #[arg(long, required_unless_present = "body")]
    model: Option<String>,
    /// How the request is written
    #[arg(long, default_value = "chat_completions", value_parser = dialects())]
    dialect: RequestDialect,
    /// What the request would say
    #[arg(long, value_name = "TEXT", default_value = "Hello")]
    prompt: String,
    /// A file with the whole body of the request, instead of one that is made of --model and --prompt
    #[arg(long, value_name = "FILE", conflicts_with = "prompt")]
    body: Option<PathBuf>,
}

/// The dialects by their names in the API.
fn dialects() -> impl clap::builder::TypedValueParser<Value = RequestDialect> {
    const NAMES: [&str; 6] =
        ["chat_completions", "completions", "responses", "embeddings", "messages", "generate_content"];
    PossibleValuesParser::new(NAMES).try_map(|name| serde_json::from_value::<RequestDialect>(name.into()))
}

impl Explain {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let body = self.body()?;
        let Self { connection, key, model, dialect, body: from_file, .. } = self;
        // A body that was made here names the model, where the dialect has it in the body.
        let model = model.filter(|_| from_file.is_some() || dialect == RequestDialect::GenerateContent);
        let server = connection.open()?;
        let key: VirtualKey = find(&server, &key).await?;
        let request = ExplainRequest { virtual_key_id: key.id.clone(), dialect, model, body };
        let explanation = server.call(server.client.request_explain(&request)).await?;
        print(&server, &key, &explanation)?;
        match explanation.refusal {
            None => Ok(()),
            Some(refusal) => {
                Err(Failure::new(Exit::WouldRefuse, format!("it would be refused: {}", refusal.error.code)))
            }
        }
    }

    fn body(&self) -> Result<Box<RawValue>, Failure> {
        if let Some(file) = &self.body {
            let name = file.display();
            let text = std::fs::read_to_string(file);
            let text = text.map_err(|error| Failure::here(format!("{name} cannot be read"), &error))?;
            let invalid = |error| Failure::new(Exit::Failed, format!("{name} is no JSON: {error}"));
            return RawValue::from_string(text.trim().to_owned()).map_err(invalid);
        }
        let (model, prompt) = (&self.model, &self.prompt);
        let body = match self.dialect {
            RequestDialect::ChatCompletions | RequestDialect::Messages => {
                json!({"model": model, "messages": [{"role": "user", "content": prompt}]})
            }
            RequestDialect::Completions => json!({"model": model, "prompt": prompt}),
            RequestDialect::Responses | RequestDialect::Embeddings => json!({"model": model, "input": prompt}),
            RequestDialect::GenerateContent => json!({"contents": [{"role": "user", "parts": [{"text": prompt}]}]}),
        };
        to_raw_value(&body).map_err(|error| Failure::new(Exit::Failed, error.to_string()))
    }
}

fn print(server: &Server, key: &VirtualKey, explanation: &Explanation) -> Result<(), Failure> {
    if server.json {
        return output::json(explanation);
    }
    let Explanation { admitted, destination, hold, output_cap, refusal, meters } = explanation;
    let destination = destination.as_ref();
    let members = [
        ("Admitted", Some(if *admitted { "yes" } else { "no" }.to_owned())),
        ("Why not", refusal.as_ref().map(told)),
        ("Goes to", destination.map(|to| format!("{}/{}", to.provider, plain(to.model.as_str())))),
        ("There called", destination.map(|to| plain(to.model_served.as_str()))),
        ("Provider key", destination.map(|to| to.provider_key_id.to_string()).filter(|id| !id.is_empty())),
        ("Routing rule", destination.and_then(|to| to.routing_rule.as_ref()).map(ToString::to_string)),
        ("Prices", destination.map(|to| to.price_version.clone().unwrap_or_else(|| "none".to_owned()))),
        (
            "Holds",
            hold.as_ref().map(|hold| {
                let (input, output) = (hold.input_tokens, hold.output_tokens);
                format!("{}: {input} input tokens and {output} output tokens", money(hold.cost))
            }),
        ),
        ("Output cap", output_cap.map(|cap| format!("{cap} tokens"))),
    ];
    let limits = match meters.is_empty() {
        true => "No limit was looked at.\n".to_owned(),
        false => {
            let head = ["LIMIT OF", "COUNTS", "USED", "HELD", "ASKED", "LIMIT", "HOW STRICT", "RESETS (UTC)"];
            output::table(head, meters.iter().map(|meter| row(key, meter)))
        }
    };
    output::print(&format!("{}\n{limits}", output::members(members)))
}

fn row(key: &VirtualKey, meter: &ExplainedMeter) -> [String; 8] {
    let amount = |quantity: Quantity| match (meter.metric, quantity.usd()) {
        (Metric::Cost, Some(dollars)) => money(dollars),
        (Metric::Cost | Metric::Tokens | Metric::Requests | Metric::ParallelRequests, _) => quantity.to_string(),
    };
    let what = match meter.metric {
        Metric::Cost => "money",
        Metric::Tokens => "tokens",
        Metric::Requests => "requests",
        Metric::ParallelRequests => "in parallel",
    };
    [
        whose(key, &meter.scope),
        what.to_owned(),
        amount(meter.used),
        amount(meter.held),
        amount(meter.requested),
        amount(meter.limit_value),
        meter.enforcement.as_str().to_owned(),
        meter.window_end.map_or("never".to_owned(), instant),
    ]
}

/// Whose limit it is: by name where that is known, else by id.
fn whose(key: &VirtualKey, scope: &Scope) -> String {
    let near = [
        (key.id.as_str(), key.name.as_str()),
        key.team.as_ref().map(|team| (team.id.as_str(), team.name.as_str())).unwrap_or_default(),
        key.customer.as_ref().map(|customer| (customer.id.as_str(), customer.name.as_str())).unwrap_or_default(),
    ];
    let name = near.into_iter().find(|(id, _)| *id == &*scope.id).map_or(&*scope.id, |(_, name)| name);
    format!("{} {}", scope.kind.words(), plain(name))
}

fn told(refusal: &ErrorBody) -> String {
    format!("{} ({}, {})", plain(&refusal.error.message), refusal.status_code, refusal.error.code)
}
