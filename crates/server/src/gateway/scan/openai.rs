//! OpenAI's dialects: chat completions, completions, responses and embeddings.

use keyward_core::provider_object::ObjectKind;

use keyward_core::price::{Class, ClassSet, ServiceTier};

use super::anthropic::CACHE_CONTROL;
use super::grammar::{Allowed, Grammar, Kind, Meaning, Member, Placed, Types, member, required};

/// Service tiers by their names.
const TIERS: Meaning = Meaning::Allowed(
    Allowed::Tiers(&[
        ("auto", ServiceTier::Standard),
        ("default", ServiceTier::Standard),
        ("standard_only", ServiceTier::Standard),
        ("flex", ServiceTier::Flex),
        ("priority", ServiceTier::Priority),
    ]),
    UNKNOWN_TIER,
);
pub(super) const UNKNOWN_TIER: &str = "a service tier with prices of its own";
const AUDIO: &str = "audio, which has prices of its own,";
const MODALITIES: [(&str, ClassSet); 2] = [("text", ClassSet::NONE), ("audio", ClassSet::NONE.and(Class::AudioOutput))];
/// It may be another virtual key's.
const OF_SOMEBODY: &str = "a reference to what the provider keeps for somebody";
const SEARCH: &str = "a search with fees of its own";
const PROVIDERS_TOOL: &str = "a tool that the provider runs";
/// Members by which some endpoints let a client name other models.
const OTHER_MODELS: Member = member(&["models"], Meaning::OtherModels);
const FALLBACKS: Member = member(&["fallbacks"], Meaning::Placed(Placed::Fallbacks));
const ROUTE: Member = member(&["route"], Meaning::OtherModels);
const PLUGINS: Member = member(&["plugins"], Meaning::OtherModels);
/// What the client's own library would have merged into the body.
const EXTRA_BODY: Member = member(&["extra_body"], Meaning::Unseen);
const SERVICE_TIER: Member = member(&["service_tier"], TIERS);
const MODEL: Member = member(&["model"], Meaning::Placed(Placed::Model));
/// A file that was uploaded before.
const FILE_ID: Member = member(&["file_id"], Meaning::Kept(ObjectKind::File));
const STREAM: Member = member(&["stream"], Meaning::Stream);

/// A chat completion.
pub(super) static CHAT_COMPLETION: Grammar = Grammar::new(
    "an object",
    &[
        MODEL,
        required(&["messages"], Meaning::List(&CHAT_MESSAGE)),
        STREAM,
        member(&["stream_options"], Meaning::Placed(Placed::StreamOptions(&STREAM_OPTIONS))),
        member(&["max_completion_tokens"], Meaning::Placed(Placed::Cap)),
        member(&["max_tokens"], Meaning::Placed(Placed::Cap)),
        member(&["n"], Meaning::Answers),
        member(&["tools"], Meaning::Described(Some(&TOOL))),
        member(&["functions"], Meaning::Described(None)),
        member(&["response_format"], Meaning::Described(None)),
        member(&["web_search_options"], Meaning::Refused(SEARCH)),
        member(&["search_parameters"], Meaning::Refused(SEARCH)),
        member(&["modalities"], Meaning::Allowed(Allowed::Causing(&MODALITIES), "an answer of that kind")),
        member(&["prediction"], Meaning::Refused("predicted output, whose misses are billed too,")),
        SERVICE_TIER,
        EXTRA_BODY,
        OTHER_MODELS,
        FALLBACKS,
        ROUTE,
        PLUGINS,
    ],
);

static STREAM_OPTIONS: Grammar =
    Grammar::new("an object with a boolean include_usage", &[member(&["include_usage"], Meaning::IncludeUsage)]);

static CHAT_MESSAGE: Grammar = Grammar::new(
    "a message",
    &[member(&["content"], Meaning::Content(&CHAT_PART)), member(&["audio"], Meaning::Refused(AUDIO)), CACHE_CONTROL],
);

static CHAT_PART: Grammar = Grammar::new(
    "an object with a type",
    &[
        member(
            &["type"],
            Meaning::Type(Types {
                known: &[
                    ("text", Kind::Text),
                    ("refusal", Kind::Text),
                    ("image_url", Kind::Image),
                    ("input_audio", Kind::Sound),
                ],
                other: Kind::Unseen,
            }),
        ),
        member(&["image_url"], Meaning::Placed(Placed::Media)),
        member(&["file"], Meaning::Object(&CHAT_FILE)),
        CACHE_CONTROL,
    ],
)
.untyped(Kind::Unseen);

static CHAT_FILE: Grammar = Grammar::new("a file", &[FILE_ID]);

static TOOL: Grammar = Grammar::new(
    "an object with a type",
    &[
        member(
            &["type"],
            Meaning::Type(Types {
                known: &[("function", Kind::Text), ("custom", Kind::Text)],
                other: Kind::Refused(PROVIDERS_TOOL),
            }),
        ),
        CACHE_CONTROL,
    ],
)
.untyped(Kind::Refused(PROVIDERS_TOOL));

/// A completion.
pub(super) static COMPLETION: Grammar = Grammar::new(
    "an object",
    &[
        MODEL,
        member(&["prompt"], Meaning::Prompts),
        STREAM,
        member(&["stream_options"], Meaning::Placed(Placed::StreamOptions(&STREAM_OPTIONS))),
        member(&["max_tokens"], Meaning::Placed(Placed::Cap)),
        member(&["n"], Meaning::Answers),
        member(&["best_of"], Meaning::Answers),
        member(
            &["echo"],
            Meaning::RefusedIfTrue("a prompt that the answer repeats, which some providers count as output,"),
        ),
        member(&["response_format"], Meaning::Described(None)),
        // A prompt that is not text, with which some endpoints take the place of the text.
        member(&["prompt_embeds"], Meaning::Unseen),
        SERVICE_TIER,
        EXTRA_BODY,
        OTHER_MODELS,
        FALLBACKS,
        ROUTE,
        PLUGINS,
    ],
);

/// A response.
pub(super) static RESPONSE: Grammar = Grammar::new(
    "an object",
    &[
        MODEL,
        member(&["input"], Meaning::Content(&INPUT_ITEM)),
        STREAM,
        member(&["max_output_tokens"], Meaning::Placed(Placed::Cap)),
        member(&["tools"], Meaning::Described(Some(&TOOL))),
        member(&["text"], Meaning::Described(None)),
        member(&["previous_response_id"], Meaning::Kept(ObjectKind::Response)),
        member(&["store"], Meaning::Stored),
        member(&["conversation"], Meaning::Refused(OF_SOMEBODY)),
        member(&["prompt"], Meaning::Refused("a stored prompt, which may name tools and models,")),
        member(&["background"], Meaning::RefusedIfTrue("an answer that is fetched later")),
        member(
            &["context_management"],
            Meaning::Refused("an edit of the context that the provider makes with a model"),
        ),
        SERVICE_TIER,
        EXTRA_BODY,
        OTHER_MODELS,
        FALLBACKS,
        ROUTE,
        PLUGINS,
    ],
);

/// An item of a response's input. Without a type it is a message, or with an id a reference. Items that the provider keeps or has sealed, reasoning among
/// them, are not in the body.
static INPUT_ITEM: Grammar = Grammar::new(
    "an item",
    &[
        member(
            &["type"],
            Meaning::Type(Types {
                known: &[
                    ("message", Kind::Text),
                    ("function_call", Kind::Text),
                    ("function_call_output", Kind::Text),
                    ("custom_tool_call", Kind::Text),
                    ("custom_tool_call_output", Kind::Text),
                    ("item_reference", Kind::Refused(OF_SOMEBODY)),
                    // An image that the provider has made and kept, named by its id.
                    ("image_generation_call", Kind::Refused(OF_SOMEBODY)),
                ],
                other: Kind::Unseen,
            }),
        ),
        member(&["id"], Meaning::Reference(OF_SOMEBODY)),
        member(&["content"], Meaning::Content(&INPUT_PART)),
        member(&["output"], Meaning::Content(&INPUT_PART)),
    ],
);

static INPUT_PART: Grammar = Grammar::new(
    "an object with a type",
    &[
        member(
            &["type"],
            Meaning::Type(Types {
                known: &[
                    ("input_text", Kind::Text),
                    ("output_text", Kind::Text),
                    ("refusal", Kind::Text),
                    ("input_image", Kind::Image),
                    ("input_audio", Kind::Sound),
                ],
                other: Kind::Unseen,
            }),
        ),
        member(&["image_url"], Meaning::Placed(Placed::Media)),
        FILE_ID,
    ],
)
.untyped(Kind::Unseen);

/// Embeddings: there is no output.
pub(super) static EMBEDDING: Grammar = Grammar::new(
    "an object",
    &[MODEL, required(&["input"], Meaning::Prompts), SERVICE_TIER, EXTRA_BODY, OTHER_MODELS, FALLBACKS, ROUTE, PLUGINS],
);

/// Texts and images to be judged.
pub(super) static MODERATION: Grammar = Grammar::new("an object", &[MODEL, EXTRA_BODY, OTHER_MODELS, FALLBACKS]);

/// A wish for new images.
pub(super) static IMAGE_GENERATION: Grammar = Grammar::new(
    "an object",
    &[
        MODEL,
        required(&["prompt"], Meaning::Prompts),
        STREAM,
        member(&["n"], Meaning::Answers),
        EXTRA_BODY,
        OTHER_MODELS,
        FALLBACKS,
        ROUTE,
        PLUGINS,
    ],
);

/// A text to be read aloud.
pub(super) static SPEECH: Grammar = Grammar::new(
    "an object",
    &[MODEL, required(&["input"], Meaning::Characters), EXTRA_BODY, OTHER_MODELS, FALLBACKS, ROUTE, PLUGINS],
);
