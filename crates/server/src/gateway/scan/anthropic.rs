//! Anthropic's dialect: messages.

use keyward_core::price::{Class, ClassSet};

use super::grammar::{Allowed, Grammar, Kind, Meaning, Member, Placed, Types, member, required};
use super::openai::UNKNOWN_TIER;

const PROVIDERS_TOOL: &str = "a tool that the provider runs, or that has tokens of its own,";

/// A message.
pub(super) static MESSAGE_CREATE: Grammar = Grammar::new(
    "an object",
    &[
        member(&["model"], Meaning::Placed(Placed::Model)),
        required(&["messages"], Meaning::List(&MESSAGE)),
        member(&["system"], Meaning::Content(&BLOCK)),
        member(&["stream"], Meaning::Stream),
        // What `thinking` may use is within it.
        member(&["max_tokens"], Meaning::Placed(Placed::Cap)),
        member(&["tools"], Meaning::Described(Some(&TOOL))),
        member(&["output_format"], Meaning::Described(None)),
        member(&["output_config"], Meaning::Described(None)),
        member(&["service_tier"], Meaning::Allowed(Allowed::These(&["auto", "standard_only"]), UNKNOWN_TIER)),
        member(&["speed"], Meaning::Allowed(Allowed::These(&["standard"]), "a speed with prices of its own")),
        member(&["inference_geo"], Meaning::Allowed(Allowed::These(&["global"]), "a place with prices of its own")),
        member(&["container"], Meaning::Refused("a container, which the provider runs,")),
        member(&["mcp_servers"], Meaning::Refused("tools that the provider calls")),
        member(&["context_management"], Meaning::Object(&CONTEXT_MANAGEMENT)),
        CACHE_CONTROL,
        member(&["extra_body"], Meaning::Unseen),
        member(&["fallbacks"], Meaning::OtherModels),
        member(&["models"], Meaning::OtherModels),
    ],
);

/// A message whose tokens are to be counted, which costs nothing.
pub(super) static MESSAGE_COUNT: Grammar =
    Grammar::new("an object", &[member(&["model"], Meaning::Placed(Placed::Model))]);

static MESSAGE: Grammar = Grammar::new("a message", &[member(&["content"], Meaning::Content(&BLOCK)), CACHE_CONTROL]);

/// A block of content. What thinking was left out, or is sealed, is not in the body; a document may have pages.
static BLOCK: Grammar = Grammar::new(
    "an object with a type",
    &[
        member(
            &["type"],
            Meaning::Type(Types {
                known: &[
                    ("text", Kind::Text),
                    ("image", Kind::Image),
                    ("tool_use", Kind::Text),
                    ("tool_result", Kind::Text),
                    ("search_result", Kind::Text),
                ],
                other: Kind::Unseen,
            }),
        ),
        member(&["source"], Meaning::Placed(Placed::Media)),
        member(&["content"], Meaning::Content(&BLOCK)),
        CACHE_CONTROL,
    ],
)
.untyped(Kind::Unseen);

static TOOL: Grammar = Grammar::new(
    "a tool",
    &[
        member(
            &["type"],
            Meaning::Type(Types { known: &[("custom", Kind::Text)], other: Kind::Refused(PROVIDERS_TOOL) }),
        ),
        CACHE_CONTROL,
    ],
);

static CONTEXT_MANAGEMENT: Grammar = Grammar::new("an object", &[member(&["edits"], Meaning::List(&CONTEXT_EDIT))]);

/// Edits that only leave something out. Others let a model write what is billed beside the answer.
static CONTEXT_EDIT: Grammar = Grammar::new(
    "an object with a type",
    &[member(
        &["type"],
        Meaning::Type(Types {
            known: &[("clear_tool_uses_20250919", Kind::Text), ("clear_thinking_20251015", Kind::Text)],
            other: Kind::Refused("an edit of the context that the provider makes with a model"),
        }),
    )],
);

/// How long the prompt cache keeps what is written: for an hour at a price of its own.
const TTLS: [(&str, ClassSet); 2] = [("5m", ClassSet::NONE), ("1h", ClassSet::NONE.and(Class::CacheWriteHour))];

/// What is written to the prompt cache.
pub(super) const CACHE_CONTROL: Member = member(&["cache_control"], Meaning::Object(&CACHE));

static CACHE: Grammar = Grammar::new(
    "an object",
    &[member(&["ttl"], Meaning::Allowed(Allowed::Causing(&TTLS), "what the prompt cache keeps for another time"))],
);
