//! OpenAI's dialect at the paths of Azure's clients: the deployment in the path is the model.

use actix_web::{HttpResponse, post, web};
use keyward_core::chat::{ChatCompletion, ChatCompletionChunk};
use keyward_core::operation::Operation;

use super::answers::{GatewayErrors, Passed};
use crate::error::ApiError;
use crate::gateway::arriving::{Arriving, Wanted};
use crate::gateway::credential::{Tokens, Units};
use crate::routes::Routes;

/// Declares routes of deployments: what is asked for, how it is metered, where it is.
macro_rules! deployments {
    ($($(#[$doc:meta])*
        $name:ident: $operation:ident as $class:ident at $path:literal,
        $request:ty as $media:literal => [$($answer:ty as $answer_media:literal),+];
    )+) => {
        $(
            $(#[$doc])*
            #[utoipa::path(
                tag = "inference",
                security(("virtual_key" = [])),
                params(("deployment" = String, Path, description = "The model: alone, or `provider/model` with its slash as `%2F`. It is this that counts, not a `model` in the body.")),
                request_body(content = $request, content_type = $media),
                responses(
                    (
                        status = 200,
                        description = "The provider's answer, as it came.",
                        content($(($answer = $answer_media)),+),
                    ),
                    GatewayErrors,
                ),
            )]
            #[post($path)]
            pub(super) async fn $name(
                arriving: Arriving<$class>,
                deployment: web::Path<String>,
            ) -> Result<HttpResponse, ApiError> {
                let model = Some(deployment.into_inner());
                arriving.serve(Wanted { operation: Operation::$operation, model, streamed: false }).await
            }
        )+

        pub(super) fn routes(routes: &mut Routes<'_>) {
            $(routes.service($name);)+
        }
    };
}

deployments! {
    /// Answers a conversation, at the path of Azure's clients. `api-version` is not looked at.
    deployment_chat_completion_create: ChatCompletions as Tokens at "/openai/deployments/{deployment}/chat/completions",
    Passed as "application/json"
        => [ChatCompletion as "application/json", ChatCompletionChunk as "text/event-stream"];

    /// Goes on with a text, at the path of Azure's clients. The deployment in the path is the model. `api-version` is not looked
    /// at.
    deployment_completion_create: Completions as Tokens at "/openai/deployments/{deployment}/completions",
    Passed as "application/json" => [Passed as "application/json", Passed as "text/event-stream"];

    /// Makes vectors of texts, at the path of Azure's clients. The deployment in the path is the model. `api-version` is not looked
    /// at.
    deployment_embedding_create: Embeddings as Tokens at "/openai/deployments/{deployment}/embeddings",
    Passed as "application/json" => [Passed as "application/json"];

    /// Makes images, at the path of Azure's clients. The deployment in the path is the model. `api-version` is not looked at.
    deployment_image_generate: ImageGenerations as Units at "/openai/deployments/{deployment}/images/generations",
    Passed as "application/json" => [Passed as "application/json"];

    /// Reads a text aloud, at the path of Azure's clients. The deployment in the path is the model. `api-version` is not looked at.
    deployment_speech_create: Speech as Units at "/openai/deployments/{deployment}/audio/speech",
    Passed as "application/json" => [String as "audio/mpeg"];

    /// Writes speech down, at the path of Azure's clients. The deployment in the path is the model. `api-version` is not looked at.
    deployment_transcription_create: Transcriptions as Units at "/openai/deployments/{deployment}/audio/transcriptions",
    Passed as "multipart/form-data" => [Passed as "application/json", String as "text/plain"];

    /// Writes speech down in English, at the path of Azure's clients. The deployment in the path is the model. `api-version` is not
    /// looked at.
    deployment_translation_create: Translations as Units at "/openai/deployments/{deployment}/audio/translations",
    Passed as "multipart/form-data" => [Passed as "application/json", String as "text/plain"];
}
