//! Anthropic's dialect, under `/anthropic/v1`, and at the paths that its clients use themselves.

use super::answers::{AnthropicErrors, Passed};
use super::passing;

use crate::routes::Routes;

pub(super) fn routes(routes: &mut Routes<'_>) {
    passing(routes);
}

passing! {
    /// Answers a conversation, in Anthropic's dialect.
    ///
    /// `model` is a model alone, which goes to whoever offers it in this dialect, or `provider/model`. Everything but `model` and
    /// `max_tokens` reaches the provider unchanged, `anthropic-version` and `anthropic-beta` too, and so does its answer the client.
    /// Errors of Keyward are told as Anthropic tells its own.
    message_create: Messages as Tokens at "/anthropic/v1/messages" also "/v1/messages",
    Passed as "application/json" => [Passed as "application/json", Passed as "text/event-stream"], AnthropicErrors;

    /// Counts the tokens of a message, in Anthropic's dialect. Free of charge; request limits count it.
    message_count_tokens: CountMessageTokens as Unbilled
        at "/anthropic/v1/messages/count_tokens" also "/v1/messages/count_tokens",
    Passed as "application/json" => [Passed as "application/json"], AnthropicErrors;
}
