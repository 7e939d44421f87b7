//! Gemini's dialect, under `/genai` and at the paths that its clients use themselves, in both versions. Model and verb are in the
//! path; the version is the provider's too.

use actix_web::{HttpResponse, routes, web};
use keyward_core::operation::Operation;

use super::answers::{GeminiErrors, Passed};
use crate::error::ApiError;
use crate::gateway::arriving::{Arriving, Wanted};
use crate::gateway::credential::{Tokens, Unbilled};
use crate::routes::Routes;

/// Declares routes of Gemini's dialect: what is asked for, whether in pieces, how it is metered, where it is.
macro_rules! verbs {
    ($($(#[$doc:meta])*
        $name:ident: $operation:ident, $streamed:literal as $class:ident at $path:literal, routed $($route:literal),+
        => [$($answer:ty as $media:literal),+];
    )+) => {
        $(
            $(#[$doc])*
            #[utoipa::path(
                post,
                path = $path,
                tag = "inference",
                security(("virtual_key" = [])),
                params(("model" = String, Path, description = "A model alone, which goes to whoever offers it in this dialect, or `provider/model`.")),
                request_body(content = Passed, content_type = "application/json"),
                responses(
                    (status = 200, description = "The provider's answer, as it came.", content($(($answer = $media)),+)),
                    GeminiErrors,
                ),
            )]
            #[routes]
            $(#[post($route)])+
            pub(super) async fn $name(
                arriving: Arriving<$class>,
                model: web::Path<String>,
            ) -> Result<HttpResponse, ApiError> {
                let model = Some(model.into_inner());
                arriving.serve(Wanted { operation: Operation::$operation, model, streamed: $streamed }).await
            }
        )+

        pub(super) fn routes(routes: &mut Routes<'_>) {
            $(routes.service($name);)+
        }
    };
}

verbs! {
    /// Answers a conversation, in Gemini's dialect. Everything but the cap on the output reaches the provider unchanged, and so does its
    /// answer the client. Errors of Keyward are told as Google tells its own.
    content_generate: GenerateContent, false as Tokens at "/genai/v1beta/models/{model}:generateContent",
    routed "/genai/v1beta/models/{model:.+}:generateContent", "/v1beta/models/{model:.+}:generateContent",
    "/genai/v1/models/{model:.+}:generateContent", "/v1/models/{model:.+}:generateContent"
        => [Passed as "application/json"];

    /// Answers a conversation in pieces, in Gemini's dialect. As events with `alt=sse`, else as an array that grows.
    content_stream_generate: GenerateContent, true as Tokens at "/genai/v1beta/models/{model}:streamGenerateContent",
    routed "/genai/v1beta/models/{model:.+}:streamGenerateContent", "/v1beta/models/{model:.+}:streamGenerateContent",
    "/genai/v1/models/{model:.+}:streamGenerateContent", "/v1/models/{model:.+}:streamGenerateContent"
        => [Vec<Passed> as "application/json", Passed as "text/event-stream"];

    /// Makes a vector of a text, in Gemini's dialect. What its input tokens cost is charged.
    content_embed: EmbedContent, false as Tokens at "/genai/v1beta/models/{model}:embedContent",
    routed "/genai/v1beta/models/{model:.+}:embedContent", "/v1beta/models/{model:.+}:embedContent",
    "/genai/v1/models/{model:.+}:embedContent", "/v1/models/{model:.+}:embedContent"
        => [Passed as "application/json"];

    /// Makes vectors of texts, in Gemini's dialect. What its input tokens cost is charged.
    content_embed_batch: BatchEmbedContents, false as Tokens at "/genai/v1beta/models/{model}:batchEmbedContents",
    routed "/genai/v1beta/models/{model:.+}:batchEmbedContents", "/v1beta/models/{model:.+}:batchEmbedContents",
    "/genai/v1/models/{model:.+}:batchEmbedContents", "/v1/models/{model:.+}:batchEmbedContents"
        => [Passed as "application/json"];

    /// Counts the tokens of a conversation, in Gemini's dialect. Free of charge; request limits count it.
    content_count_tokens: CountContentTokens, false as Unbilled at "/genai/v1beta/models/{model}:countTokens",
    routed "/genai/v1beta/models/{model:.+}:countTokens", "/v1beta/models/{model:.+}:countTokens",
    "/genai/v1/models/{model:.+}:countTokens", "/v1/models/{model:.+}:countTokens"
        => [Passed as "application/json"];
}
