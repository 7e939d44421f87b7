//! Every name that a collector gets to see: the one table that spans and figures are made from, and that docs/observability.md
//! shows. Names that begin with `keyward.` are Keyward's own; all others are OpenTelemetry's.

use keyward_core::operation::Operation;

use super::wire::{AnyValue, KeyValue, Value};

/// What carries an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// The span of a request.
    Request,
    /// The span of an attempt.
    Attempt,
    /// Figures.
    Figures,
    /// Everything.
    Resource,
}

impl Carrier {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Request => "request span",
            Self::Attempt => "attempt span",
            Self::Figures => "metrics",
            Self::Resource => "resource",
        }
    }
}

/// An attribute that is declared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    pub(crate) on: &'static [Carrier],
    pub(crate) help: &'static str,
}

impl Attribute {
    /// The attribute with a value.
    pub(super) fn of(&self, value: impl Into<Value>) -> KeyValue {
        KeyValue { key: self.name.to_owned(), value: Some(AnyValue { value: Some(value.into()) }) }
    }
}

macro_rules! attributes {
    ($($constant:ident = $name:literal, [$($on:ident),+], $help:literal;)+) => {
        $(pub(super) const $constant: Attribute =
            Attribute { name: $name, on: &[$(Carrier::$on),+], help: $help };)+

        /// Every attribute.
        pub(crate) const ATTRIBUTES: &[Attribute] = &[$($constant,)+];
    };
}

attributes! {
    OPERATION = "gen_ai.operation.name", [Request, Attempt, Figures], "`chat`, `text_completion`, `embeddings`, `generate_content`, or the kind of request";
    PROVIDER = "gen_ai.provider.name", [Attempt, Figures], "the provider, by OpenTelemetry's name for it if it has one; in metrics `_OTHER` for one that Keyward does not know";
    REQUEST_MODEL = "gen_ai.request.model", [Request, Attempt, Figures], "the model that was asked for; in metrics `_OTHER` for one that is not in the catalogue";
    RESPONSE_MODEL = "gen_ai.response.model", [Attempt], "the model that the provider says it used";
    STREAMED = "gen_ai.request.stream", [Attempt], "true: the client asked for a stream";
    INPUT_TOKENS = "gen_ai.usage.input_tokens", [Attempt], "input tokens of all classes, as they are billed";
    OUTPUT_TOKENS = "gen_ai.usage.output_tokens", [Attempt], "output tokens of all classes, as they are billed";
    CACHE_READ = "gen_ai.usage.cache_read.input_tokens", [Attempt], "input tokens from the provider's cache";
    CACHE_CREATION = "gen_ai.usage.cache_creation.input_tokens", [Attempt], "input tokens that were written to the provider's cache";
    FIRST_CHUNK = "gen_ai.response.time_to_first_chunk", [Attempt], "seconds until the answer began, of a stream";
    TOKEN_TYPE = "gen_ai.token.type", [Figures], "`input` or `output`";
    METHOD = "http.request.method", [Request, Attempt], "the method";
    ROUTE = "http.route", [Request], "the route, as it is declared";
    STATUS = "http.response.status_code", [Request, Attempt], "the status of the answer";
    SERVER_ADDRESS = "server.address", [Attempt], "the provider's host";
    SERVER_PORT = "server.port", [Attempt], "the provider's port";
    ERROR = "error.type", [Request, Attempt, Figures], "on requests the code of the error, or the provider's status; on attempts and in metrics the outcome";
    REQUEST_ID = "keyward.request.id", [Request, Attempt], "the request id, as in `x-request-id`, logs and the ledger";
    VIRTUAL_KEY = "keyward.virtual_key.id", [Request, Attempt], "the id of the virtual key";
    ATTEMPTS = "keyward.request.attempts", [Request], "how many attempts were admitted";
    ATTEMPT = "keyward.attempt.number", [Attempt], "which attempt of the request, from 0";
    OUTCOME = "keyward.attempt.outcome", [Attempt], "how the attempt ended, as in the ledger";
    OWN_PROVIDER = "keyward.provider.name", [Attempt], "the provider, by its name in Keyward";
    PROVIDER_KEY = "keyward.provider_key.id", [Attempt], "the id of the provider key";
    COST = "keyward.cost.nano_usd", [Attempt], "what was charged, in nano-dollars";
    SERVICE = "service.name", [Resource], "`keyward`, unless it is configured";
    SERVICE_VERSION = "service.version", [Resource], "Keyward's version";
}

/// Stands for what is not of the closed set.
pub(super) const OTHER: &str = "_OTHER";

/// A figure that is declared. All are histograms: they have a count and a sum too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instrument {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) help: &'static str,
    pub(super) bounds: &'static [f64],
}

const TOKENS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
const SECONDS: &[f64] = &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const DOLLARS: &[f64] = &[0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

pub(super) const TOKEN_USAGE: Instrument = Instrument {
    name: "gen_ai.client.token.usage",
    unit: "{token}",
    help: "Tokens of an attempt, as they are billed",
    bounds: TOKENS,
};
pub(super) const DURATION: Instrument = Instrument {
    name: "gen_ai.client.operation.duration",
    unit: "s",
    help: "How long an attempt took",
    bounds: SECONDS,
};
pub(super) const TIME_TO_FIRST_CHUNK: Instrument = Instrument {
    name: "gen_ai.client.operation.time_to_first_chunk",
    unit: "s",
    help: "How long it took until a streamed answer began",
    bounds: SECONDS,
};
pub(super) const OPERATION_COST: Instrument = Instrument {
    name: "keyward.client.operation.cost",
    unit: "{USD}",
    help: "What an attempt cost, for show: the ledger is exact",
    bounds: DOLLARS,
};

/// Every figure.
pub(crate) const INSTRUMENTS: [Instrument; 4] = [TOKEN_USAGE, DURATION, TIME_TO_FIRST_CHUNK, OPERATION_COST];

/// OpenTelemetry's name of an operation, or the kind of request where it has none.
pub(super) const fn operation(operation: Operation) -> &'static str {
    use Operation::{BatchEmbedContents, ChatCompletions, Completions, EmbedContent, Embeddings};
    use Operation::{GenerateContent, Messages, Responses};
    if matches!(operation, ChatCompletions | Responses | Messages) {
        "chat"
    } else if matches!(operation, Completions) {
        "text_completion"
    } else if matches!(operation, Embeddings | EmbedContent | BatchEmbedContents) {
        "embeddings"
    } else if matches!(operation, GenerateContent) {
        "generate_content"
    } else {
        operation.request_type()
    }
}

/// OpenTelemetry's name of a provider, or Keyward's where it has none.
pub(super) fn provider(name: &str) -> &str {
    match name {
        "azure" => "azure.ai.openai",
        "bedrock" => "aws.bedrock",
        "gemini" => "gcp.gemini",
        "mistral" => "mistral_ai",
        "vertex" => "gcp.vertex_ai",
        "xai" => "x_ai",
        same => same,
    }
}
