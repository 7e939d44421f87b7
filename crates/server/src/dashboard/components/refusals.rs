//! Refusals and outcomes, explained: what each means, and what to do about it.

use keyward_core::usage::UsageGroup;
use maud::{Markup, html};

use super::badge::{Tone, badge};
use super::number::count;

/// What an outcome is called, what it means, and how it is to be taken.
pub(in crate::dashboard) fn explained(outcome: &str) -> (Tone, &'static str, &'static str) {
    match outcome {
        "completed" => (Tone::Good, "Completed", "The provider answered in full."),
        "client_cancelled" => {
            (Tone::Calm, "Client left", "The client went away. What the provider had produced is charged.")
        }
        "timed_out" => {
            (Tone::Warn, "Timed out", "The provider did not answer in time. Look at its status, or raise its timeout.")
        }
        "upstream_error" => (Tone::Warn, "Provider failed", "The provider answered with an error or broke off."),
        "abandoned" => (Tone::Warn, "Abandoned", "The server stopped in between. What was held is charged."),
        "budget_exceeded" => (
            Tone::Bad,
            "Budget used up",
            "What is used and held leaves no room for the request. Raise the budget, add an override, or wait for its window to end.",
        ),
        "token_limited" => {
            (Tone::Bad, "Token limit", "The tokens of a window are used up. It works again when the window ends.")
        }
        "request_limited" => {
            (Tone::Bad, "Request limit", "The requests of a window are used up. It works again when the window ends.")
        }
        "concurrency_limited" => {
            (Tone::Bad, "Too many at once", "As many requests as the key may have at the same time were running.")
        }
        "model_price_unknown" => (
            Tone::Bad,
            "No price",
            "A budget covers the request, and the model has no price. Add a pricing override; free is a price of 0.",
        ),
        "model_blocked" => (Tone::Bad, "Model not allowed", "The key's provider config does not allow the model."),
        "provider_blocked" => (
            Tone::Bad,
            "Provider not allowed",
            "The key has no provider config for the provider, and may not use every provider.",
        ),
        "virtual_key_blocked" => {
            (Tone::Bad, "Key inactive", "The key is switched off. Switch it on to let it through.")
        }
        "virtual_key_expired" => {
            (Tone::Bad, "Key expired", "The key's time is over. Give it a later one, or make another key.")
        }
        "mcp_tool_blocked" => (Tone::Bad, "Tool not allowed", "The key may not use a tool that the request names."),
        "batch_not_bounded" => {
            (Tone::Bad, "Batch not bounded", "A hard limit covers the batch, and what it will cost cannot be held.")
        }
        "governance_unavailable" => (
            Tone::Bad,
            "Books unavailable",
            "Usage could not be recorded, so nothing was admitted. Look at the database and the disk.",
        ),
        "shutting_down" => (Tone::Warn, "Shutting down", "The server was about to stop."),
        "provider_key_unavailable" => (
            Tone::Bad,
            "No provider key",
            "No provider key that may serve the model is working. Look at the provider's keys.",
        ),
        "provider_key_limited" => {
            (Tone::Warn, "Provider's limit", "Every provider key that may serve the model is limited by its provider.")
        }
        "provider_not_found" => {
            (Tone::Bad, "Provider unknown", "The provider that the request names is not configured.")
        }
        "upstream_unreachable" => (Tone::Warn, "Unreachable", "The provider cannot be reached."),
        "upstream_timeout" => (Tone::Warn, "Timed out", "The provider did not answer in time."),
        "upstream_invalid" => {
            (Tone::Warn, "Answer not readable", "The provider's answer is not what its dialect promises.")
        }
        "invalid_request" | "invalid_json" | "unknown_field" => {
            (Tone::Warn, "Request not readable", "The request could not be carried out as it was.")
        }
        _ => (Tone::Warn, "Refused", "The documentation of errors says more about this code."),
    }
}

/// An outcome in one word.
pub(in crate::dashboard) fn outcome(code: &str) -> Markup {
    let (tone, title, _) = explained(code);
    html! { span title=(code) { (badge(tone, title)) } }
}

/// Refusals by their code, each explained. `groups` are those of a report by outcome.
pub(in crate::dashboard) fn refusals(groups: &[UsageGroup]) -> Markup {
    let refused: Vec<(&str, u64)> = groups
        .iter()
        .filter(|group| group.usage.refusals > 0)
        .map(|group| (code(group), group.usage.refusals))
        .collect();
    html! {
        @if refused.is_empty() { p.muted { "None in this time." } }
        @else {
            dl.stack {
                @for (code, number) in refused {
                    @let (tone, title, text) = explained(code);
                    div.tight {
                        dt.row { (badge(tone, title)) span.number { (count(number)) " ×" } code.muted { (code) } }
                        dd.muted { (text) }
                    }
                }
            }
        }
    }
}

fn code(group: &UsageGroup) -> &str {
    group.by.first().and_then(|member| member.value.as_deref()).unwrap_or_default()
}
