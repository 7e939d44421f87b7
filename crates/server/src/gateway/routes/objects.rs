//! What providers keep: responses, files and batches in OpenAI's dialect, batches of messages in Anthropic's. Whoever made a thing
//! through Keyward can reach it, and for others it is not there.

use actix_web::{HttpResponse, routes, web};
use keyward_core::provider_object::ObjectKind;

use super::answers::{AnthropicErrors, GatewayErrors, ObjectErrors, Passed};
use crate::error::{ApiError, ApiResult};
use crate::gateway::arriving::Arriving;
use crate::gateway::credential::{Free, Metered, Unbilled};
use crate::gateway::objects::{AnthropicRange, Errand, ObjectPage, Range};
use crate::params::{Path, Query};
use crate::routes::Routes;
use crate::state::State;

/// Declares routes about one object: the method, what is wanted, where it is.
macro_rules! about {
    ($($(#[$doc:meta])*
        $name:ident: $method:ident $errand:ident at $path:literal also $alias:literal
        => $answer:ty as $media:literal, $errors:ident;
    )+) => {
        $(
            $(#[$doc])*
            #[utoipa::path(
                $method,
                path = $path,
                tag = "inference",
                security(("virtual_key" = [])),
                params(("id" = String, Path, description = "What the provider calls it.")),
                responses(
                    (status = 200, description = "The provider's answer, as it came.", body = $answer, content_type = $media),
                    $errors,
                ),
            )]
            #[actix_web::routes]
            #[$method($path)]
            #[$method($alias)]
            async fn $name(arriving: Arriving<Unbilled>, id: Path<String>) -> Result<HttpResponse, ApiError> {
                arriving.about(Errand::$errand, id.0).await
            }
        )+

        pub(super) fn routes(routes: &mut Routes<'_>) {
            $(routes.service($name);)+
            routes
                .service(file_create)
                .service(file_list)
                .service(batch_begin)
                .service(batch_list)
                .service(message_batch_begin)
                .service(message_batch_list);
        }
    };
}

about! {
    /// What a response says. Free of charge; request limits count it.
    response_retrieve: get ResponseRetrieve at "/v1/responses/{id}" also "/openai/v1/responses/{id}"
        => Passed as "application/json", GatewayErrors;

    /// Deletes a response. Free of charge; request limits count it.
    response_remove: delete ResponseDelete at "/v1/responses/{id}" also "/openai/v1/responses/{id}"
        => Passed as "application/json", GatewayErrors;

    /// Ends a response that is still being made. Free of charge; request limits count it.
    response_cancel: post ResponseCancel at "/v1/responses/{id}/cancel" also "/openai/v1/responses/{id}/cancel"
        => Passed as "application/json", GatewayErrors;

    /// What a response was asked with. Free of charge; request limits count it.
    response_input_item_list: get ResponseInputItems
        at "/v1/responses/{id}/input_items" also "/openai/v1/responses/{id}/input_items"
        => Passed as "application/json", GatewayErrors;

    /// What there is to say about a file. Free of charge; request limits count it.
    file_retrieve: get FileRetrieve at "/v1/files/{id}" also "/openai/v1/files/{id}"
        => Passed as "application/json", GatewayErrors;

    /// Deletes a file. Free of charge; request limits count it. One with the usage of a batch stays until that is charged.
    file_remove: delete FileDelete at "/v1/files/{id}" also "/openai/v1/files/{id}"
        => Passed as "application/json", ObjectErrors;

    /// The content of a file, as it comes. Free of charge; request limits count it.
    file_content: get FileContent at "/v1/files/{id}/content" also "/openai/v1/files/{id}/content"
        => String as "application/octet-stream", GatewayErrors;

    /// How far a batch is. Free of charge; request limits count it. A batch that is seen to be done is charged now.
    batch_retrieve: get BatchRetrieve at "/v1/batches/{id}" also "/openai/v1/batches/{id}"
        => Passed as "application/json", GatewayErrors;

    /// Ends a batch. Free of charge; request limits count it. What was answered is charged.
    batch_cancel: post BatchCancel at "/v1/batches/{id}/cancel" also "/openai/v1/batches/{id}/cancel"
        => Passed as "application/json", GatewayErrors;

    /// How far a batch of messages is. Free of charge; request limits count it. A batch that is seen to be done is charged now.
    message_batch_retrieve: get MessageBatchRetrieve
        at "/anthropic/v1/messages/batches/{id}" also "/v1/messages/batches/{id}"
        => Passed as "application/json", AnthropicErrors;

    /// Ends a batch of messages. Free of charge; request limits count it. What was answered is charged.
    message_batch_cancel: post MessageBatchCancel
        at "/anthropic/v1/messages/batches/{id}/cancel" also "/v1/messages/batches/{id}/cancel"
        => Passed as "application/json", AnthropicErrors;

    /// What came of a batch of messages, as it comes. Free of charge; request limits count it.
    message_batch_results: get MessageBatchResults
        at "/anthropic/v1/messages/batches/{id}/results" also "/v1/messages/batches/{id}/results"
        => String as "application/x-jsonl", AnthropicErrors;
}

/// Uploads a file.
///
/// Free of charge; request limits count it. The header `x-model-provider` or the parameter `provider` names the provider that gets it;
/// else the lines of a file for a batch decide, or the weights. A file with the purpose `batch` is read line by line before it leaves:
/// each line must be a request that the virtual key could make on its own, or the answer names the line that is not.
#[utoipa::path(
    post,
    path = "/v1/files",
    tag = "inference",
    security(("virtual_key" = [])),
    params(
        ("x-model-provider" = Option<String>, Header, description = "The provider that gets the file."),
        ("provider" = Option<String>, Query, description = "The same, for clients that cannot send the header."),
    ),
    request_body(content = Passed, content_type = "multipart/form-data"),
    responses((status = 200, description = "The provider's answer, as it came.", body = Passed), GatewayErrors),
)]
#[routes]
#[post("/v1/files")]
#[post("/openai/v1/files")]
async fn file_create(arriving: Arriving<Unbilled>) -> Result<HttpResponse, ApiError> {
    arriving.upload().await
}

/// Lists the files that the virtual key has. They are those that it has uploaded, and those that its batches brought forth and that
/// it has asked about. No provider is asked: each is what its provider last said of it.
#[utoipa::path(
    get,
    path = "/v1/files",
    tag = "inference",
    security(("virtual_key" = [])),
    params(Range),
    responses((status = 200, description = "A page of files.", body = ObjectPage), GatewayErrors),
)]
#[routes]
#[get("/v1/files")]
#[get("/openai/v1/files")]
async fn file_list(caller: Metered<Free>, range: Query<Range>, state: web::Data<State>) -> ApiResult<ObjectPage> {
    Ok(web::Json(range.0.page(&state, &caller, ObjectKind::File).await?))
}

/// Begins a batch.
///
/// It is one request, which costs nothing; what it costs is charged once it is done. That cannot be held, so that a hard limit on money
/// or tokens refuses it (`batch_not_bounded`), while soft and shadow limits let it through. `input_file_id` must be a file that the
/// virtual key has uploaded for a batch.
#[utoipa::path(
    post,
    path = "/v1/batches",
    tag = "inference",
    security(("virtual_key" = [])),
    request_body(content = Passed, content_type = "application/json"),
    responses((status = 200, description = "The provider's answer, as it came.", body = Passed), GatewayErrors),
)]
#[routes]
#[post("/v1/batches")]
#[post("/openai/v1/batches")]
async fn batch_begin(arriving: Arriving<Unbilled>) -> Result<HttpResponse, ApiError> {
    arriving.begin_batch().await
}

/// The batches that the virtual key has begun. No provider is asked: each is what its provider last said of it.
#[utoipa::path(
    get,
    path = "/v1/batches",
    tag = "inference",
    security(("virtual_key" = [])),
    params(Range),
    responses((status = 200, description = "A page of batches.", body = ObjectPage), GatewayErrors),
)]
#[routes]
#[get("/v1/batches")]
#[get("/openai/v1/batches")]
async fn batch_list(caller: Metered<Free>, range: Query<Range>, state: web::Data<State>) -> ApiResult<ObjectPage> {
    Ok(web::Json(range.0.page(&state, &caller, ObjectKind::Batch).await?))
}

/// Begins a batch of messages.
///
/// It is one request, which costs nothing; what it costs is charged once it is done. That cannot be held, so that a hard limit on money
/// or tokens refuses it (`batch_not_bounded`), while soft and shadow limits let it through. Each request in it must be one that the
/// virtual key could make on its own.
#[utoipa::path(
    post,
    path = "/anthropic/v1/messages/batches",
    tag = "inference",
    security(("virtual_key" = [])),
    request_body(content = Passed, content_type = "application/json"),
    responses((status = 200, description = "The provider's answer, as it came.", body = Passed), AnthropicErrors),
)]
#[routes]
#[post("/anthropic/v1/messages/batches")]
#[post("/v1/messages/batches")]
async fn message_batch_begin(arriving: Arriving<Unbilled>) -> Result<HttpResponse, ApiError> {
    arriving.begin_message_batch().await
}

/// The batches of messages that the virtual key has begun. No provider is asked: each is what its provider last said of it.
#[utoipa::path(
    get,
    path = "/anthropic/v1/messages/batches",
    tag = "inference",
    security(("virtual_key" = [])),
    params(AnthropicRange),
    responses((status = 200, description = "A page of batches.", body = ObjectPage), AnthropicErrors),
)]
#[routes]
#[get("/anthropic/v1/messages/batches")]
#[get("/v1/messages/batches")]
async fn message_batch_list(
    caller: Metered<Free>,
    range: Query<AnthropicRange>,
    state: web::Data<State>,
) -> ApiResult<ObjectPage> {
    Ok(web::Json(range.0.page(&state, &caller).await?))
}
