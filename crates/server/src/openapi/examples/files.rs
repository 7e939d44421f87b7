//! The files of examples, by the operations that they are of.

macro_rules! files {
    ($($document:literal: $($operation:literal),+;)+) => {
        /// Operation ids, and what their files say.
        pub(super) const ALL: &[(&str, &str)] =
            &[$($(($operation, include_str!(concat!($document, "/", $operation, ".json"))),)+)+];
    };
}

files! {
    "management":
    "audit_list", "audit_verify", "budget_list", "budget_override_remove", "budget_override_set", "config_get", "config_update",
    "customer_create", "customer_delete", "customer_get", "customer_list", "customer_update", "event_list", "health", "key_list",
    "ledger_list", "livez", "management_key_create", "management_key_delete", "management_key_get", "management_key_list",
    "management_key_rotate", "management_key_update", "mcp_client_create", "mcp_client_delete", "mcp_client_get",
    "mcp_client_list", "mcp_client_update", "model_config_create", "model_config_delete", "model_config_get", "model_config_list",
    "model_config_update", "pricing_override_create", "pricing_override_delete", "pricing_override_get", "pricing_override_list",
    "pricing_override_patch", "pricing_override_update", "provider_create", "provider_delete", "provider_get",
    "provider_governance_delete", "provider_governance_list", "provider_governance_update", "provider_key_create",
    "provider_key_delete", "provider_key_get", "provider_key_list", "provider_key_update", "provider_list", "provider_update",
    "rate_limit_list", "readyz", "request_explain", "routing_rule_create", "routing_rule_delete", "routing_rule_get",
    "routing_rule_list", "routing_rule_update", "session_delete", "session_list", "session_login", "session_logout",
    "session_status", "team_create", "team_delete", "team_get", "team_list", "team_update", "usage_forecast", "usage_report",
    "virtual_key_copy",
    "virtual_key_create", "virtual_key_delete", "virtual_key_get", "virtual_key_list", "virtual_key_quota", "virtual_key_reveal",
    "virtual_key_rotate", "virtual_key_update", "virtual_keys_rotate";
    "gateway":
    "anthropic_model_list", "anthropic_model_retrieve", "batch_begin", "batch_cancel", "batch_list", "batch_retrieve",
    "chat_completion_create", "completion_create", "content_count_tokens", "content_embed", "content_embed_batch",
    "content_generate", "content_stream_generate", "deployment_chat_completion_create", "deployment_completion_create",
    "deployment_embedding_create", "deployment_image_generate", "deployment_speech_create", "deployment_transcription_create",
    "deployment_translation_create", "embedding_create", "file_content", "file_create", "file_list", "file_remove",
    "file_retrieve", "gemini_model_list", "gemini_model_retrieve", "image_edit", "image_generate", "image_vary",
    "mcp_message_create", "message_batch_begin", "message_batch_cancel", "message_batch_list", "message_batch_results",
    "message_batch_retrieve", "message_count_tokens", "message_create", "model_list", "model_retrieve", "moderation_create",
    "response_cancel", "response_create", "response_input_item_list", "response_remove", "response_retrieve", "speech_create",
    "transcription_create", "translation_create";
}
