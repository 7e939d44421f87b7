//! OpenAI's dialect, under `/v1` and `/openai/v1`.

use keyward_core::chat::{ChatCompletion, ChatCompletionChunk, ChatCompletionRequest};

use super::answers::{GatewayErrors, Passed};
use super::passing;

use crate::routes::Routes;

pub(super) fn routes(routes: &mut Routes<'_>) {
    passing(routes);
}

passing! {
    /// Answers a conversation, in the OpenAI dialect.
    ///
    /// `model` is `provider/model`, or a model alone, which goes to a provider by weight. Routing rules may send the request
    /// elsewhere; `x-keyward-provider` and `x-keyward-model` of the answer say where it went, `x-keyward-routing-rule` which rule
    /// decided. `RateLimit-Policy`, `RateLimit` and `x-ratelimit-…` tell each limit that covers the request, `x-keyward-budget-remaining` and
    /// `x-keyward-cost` money. Everything but `model` reaches the provider unchanged, and so does its answer the client: but streams are
    /// asked to tell their usage (`stream_options.include_usage`), and a request that does not fit what is left of a limit gets the largest
    /// output cap that does, which `x-keyward-output-cap` tells. An error of the provider keeps its status and body and has the header
    /// `x-keyward-error-source: provider`.
    chat_completion_create: ChatCompletions as Tokens at "/v1/chat/completions" also "/openai/v1/chat/completions",
    ChatCompletionRequest as "application/json"
        => [ChatCompletion as "application/json", ChatCompletionChunk as "text/event-stream"], GatewayErrors;

    /// Goes on with a text, in the OpenAI dialect. As with chat completions, only `model`, the wish for usage and an output cap are
    /// written anew.
    completion_create: Completions as Tokens at "/v1/completions" also "/openai/v1/completions",
    Passed as "application/json" => [Passed as "application/json", Passed as "text/event-stream"], GatewayErrors;

    /// Creates a response, in the OpenAI dialect. Answers that are fetched later (`background`) are refused, as are tools that the
    /// provider runs: what they cost is not bounded.
    response_create: Responses as Tokens at "/v1/responses" also "/openai/v1/responses",
    Passed as "application/json" => [Passed as "application/json", Passed as "text/event-stream"], GatewayErrors;

    /// Makes vectors of texts, in the OpenAI dialect. What its input tokens cost is charged.
    embedding_create: Embeddings as Tokens at "/v1/embeddings" also "/openai/v1/embeddings",
    Passed as "application/json" => [Passed as "application/json"], GatewayErrors;

    /// Judges texts and images, in the OpenAI dialect. Free of charge; request limits count it. `model` is
    /// `omni-moderation-latest` unless given.
    moderation_create: Moderations as Unbilled at "/v1/moderations" also "/openai/v1/moderations",
    Passed as "application/json" => [Passed as "application/json"], GatewayErrors;

    /// Makes images, in the OpenAI dialect. Charged is what the model's price counts: images, or tokens.
    image_generate: ImageGenerations as Units at "/v1/images/generations" also "/openai/v1/images/generations",
    Passed as "application/json" => [Passed as "application/json", Passed as "text/event-stream"], GatewayErrors;

    /// Edits images, in the OpenAI dialect. Charged is what the model's price counts: images, or tokens.
    image_edit: ImageEdits as Units at "/v1/images/edits" also "/openai/v1/images/edits",
    Passed as "multipart/form-data" => [Passed as "application/json", Passed as "text/event-stream"], GatewayErrors;

    /// Makes variations of an image, in the OpenAI dialect. Charged is what the model's price counts: images, or tokens.
    image_vary: ImageVariations as Units at "/v1/images/variations" also "/openai/v1/images/variations",
    Passed as "multipart/form-data" => [Passed as "application/json"], GatewayErrors;

    /// Reads a text aloud, in the OpenAI dialect. The answer is sound, which is relayed as it comes, or events.
    speech_create: Speech as Units at "/v1/audio/speech" also "/openai/v1/audio/speech",
    Passed as "application/json" => [String as "audio/mpeg", Passed as "text/event-stream"], GatewayErrors;

    /// Writes speech down, in the OpenAI dialect. Charged is what the model's price counts: the length of the sound, or tokens.
    transcription_create: Transcriptions as Units at "/v1/audio/transcriptions" also "/openai/v1/audio/transcriptions",
    Passed as "multipart/form-data"
        => [Passed as "application/json", String as "text/plain", Passed as "text/event-stream"], GatewayErrors;

    /// Writes speech down in English, in the OpenAI dialect. Charged is what the model's price counts: the length of the sound, or
    /// tokens.
    translation_create: Translations as Units at "/v1/audio/translations" also "/openai/v1/audio/translations",
    Passed as "multipart/form-data" => [Passed as "application/json", String as "text/plain"], GatewayErrors;
}
