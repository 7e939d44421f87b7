//! The gateway's examples: the provider answers as the example says, so what is shown is that the request is taken and its answer passed on.

use std::collections::BTreeSet;

use keyward_client::CreateVirtualKey;
use keyward_server::openapi::Document;
use serde_json::json;

use super::call::Examples;
use crate::harness::{App, Routed};

/// The operations of the gateway's document; in this order each finds what it is about.
const ORDER: &[&str] = &[
    "chat_completion_create",
    "completion_create",
    "embedding_create",
    "moderation_create",
    "image_generate",
    "image_edit",
    "image_vary",
    "speech_create",
    "transcription_create",
    "translation_create",
    "response_create",
    "response_retrieve",
    "response_input_item_list",
    "response_cancel",
    "response_remove",
    "file_create",
    "file_list",
    "file_retrieve",
    "file_content",
    "batch_begin",
    "batch_retrieve",
    "batch_list",
    "batch_cancel",
    "file_remove",
    "message_create",
    "message_count_tokens",
    "message_batch_begin",
    "message_batch_retrieve",
    "message_batch_list",
    "message_batch_cancel",
    "message_batch_results",
    "content_generate",
    "content_stream_generate",
    "content_count_tokens",
    "content_embed",
    "content_embed_batch",
    "deployment_chat_completion_create",
    "deployment_completion_create",
    "deployment_embedding_create",
    "deployment_image_generate",
    "deployment_speech_create",
    "deployment_transcription_create",
    "deployment_translation_create",
    "model_list",
    "model_retrieve",
    "anthropic_model_list",
    "anthropic_model_retrieve",
    "gemini_model_list",
    "gemini_model_retrieve",
    "mcp_message_create",
];

/// Bytes that nobody looks at.
const BYTES: &str = "bytes\n";

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_gateway_document_is_passed_on() {
    let app = App::start().await;
    let upstream = Routed::start(&[]).await;
    for provider in ["openai", "anthropic", "gemini"] {
        app.provider(provider, upstream.base_url()).await;
    }
    let mut examples = Examples::of(Document::Gateway, "gateway");
    let ordered: BTreeSet<&str> = ORDER.iter().copied().collect();
    assert_eq!(ordered, examples.operations(), "an operation that is not in the order, or the other way round");
    let config = |provider: &str, models: &[&str]| json!({ "provider": provider, "allowed_models": models });
    let openai = [
        "gpt-4o-mini",
        "gpt-3.5-turbo-instruct",
        "text-embedding-3-small",
        "omni-moderation-latest",
        "gpt-image-1",
        "dall-e-2",
        "tts-1",
        "whisper-1",
    ];
    let configs = json!([
        config("openai", &openai),
        config("anthropic", &["claude-sonnet-4-5"]),
        config("gemini", &["gemini-2.5-flash", "gemini-embedding-001"]),
    ]);
    let request = json!({ "name": "example", "provider_configs": configs });
    let request: CreateVirtualKey = serde_json::from_value(request).unwrap();
    let key = app.client.virtual_key_create(&request).await.unwrap().virtual_key;
    examples.stand_ins.calls_with(key.value.expose());
    for id in ORDER {
        let answer = examples.answer(id);
        upstream.answer("", &answer.map_or_else(|| BYTES.to_owned(), |answer| answer.to_string()));
        let reply = examples.call(id).send(&app).await;
        examples.compare(id, &reply);
    }
    examples.finish();
}
