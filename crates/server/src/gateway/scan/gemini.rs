//! Gemini's dialect: generateContent. Model and stream are in the path. Google reads each name in two spellings.

use keyward_core::price::{Class, ClassSet, ServiceTier};

use super::grammar::{Allowed, Grammar, Meaning, Member, Placed, member, required};
use super::openai::UNKNOWN_TIER;

const MODALITIES: [(&str, ClassSet); 3] = [
    ("TEXT", ClassSet::NONE),
    ("AUDIO", ClassSet::NONE.and(Class::AudioOutput)),
    ("IMAGE", ClassSet::NONE.and(Class::ImageOutput)),
];

const TIERS: [(&str, ServiceTier); 3] =
    [("standard", ServiceTier::Standard), ("flex", ServiceTier::Flex), ("priority", ServiceTier::Priority)];

const MODEL: Member = member(&["model"], Meaning::Placed(Placed::NamedAgain));

/// A request to generate content.
pub(super) static GENERATE_CONTENT: Grammar = Grammar::new(
    "an object",
    &[
        required(&["contents"], Meaning::Content(&CONTENT)),
        member(&["systemInstruction", "system_instruction"], Meaning::Content(&CONTENT)),
        member(&["tools"], Meaning::Described(Some(&TOOL))),
        member(&["generationConfig", "generation_config"], Meaning::Placed(Placed::Config(&CONFIG))),
        member(&["cachedContent", "cached_content"], Meaning::Unseen),
        member(&["serviceTier", "service_tier"], Meaning::Allowed(Allowed::Tiers(&TIERS), UNKNOWN_TIER)),
        MODEL,
    ],
);

/// A text to be embedded.
pub(super) static EMBED_CONTENT: Grammar =
    Grammar::new("an object", &[required(&["content"], Meaning::Content(&CONTENT)), MODEL]);

/// Several of them.
pub(super) static BATCH_EMBED_CONTENTS: Grammar =
    Grammar::new("an object", &[required(&["requests"], Meaning::PromptList(&EMBED_CONTENT))]);

/// Content whose tokens are to be counted, which costs nothing.
pub(super) static COUNT_TOKENS: Grammar = Grammar::new("an object", &[]);

static CONTENT: Grammar = Grammar::new("an object with parts", &[member(&["parts"], Meaning::Content(&PART))]);

static PART: Grammar = Grammar::new(
    "a part",
    &[
        member(&["inlineData", "inline_data"], Meaning::Placed(Placed::Blob)),
        member(&["fileData", "file_data"], Meaning::Placed(Placed::Blob)),
        member(&["functionResponse", "function_response"], Meaning::Object(&FUNCTION_RESPONSE)),
        // Stands for thoughts that are not in the body.
        member(&["thoughtSignature", "thought_signature"], Meaning::Unseen),
    ],
);

static FUNCTION_RESPONSE: Grammar = Grammar::new("an object", &[member(&["parts"], Meaning::Content(&PART))]);

static TOOL: Grammar = Grammar::new(
    "an object with functionDeclarations",
    &[member(&["functionDeclarations", "function_declarations"], Meaning::Described(None))],
)
.refusing_others("a tool that the provider runs");

static CONFIG: Grammar = Grammar::new(
    "an object",
    &[
        // Thoughts are within it.
        member(&["maxOutputTokens", "max_output_tokens"], Meaning::Placed(Placed::Cap)),
        member(&["candidateCount", "candidate_count"], Meaning::Answers),
        member(
            &["responseModalities", "response_modalities"],
            Meaning::Allowed(Allowed::Causing(&MODALITIES), "an answer of that kind"),
        ),
        member(&["responseSchema", "response_schema"], Meaning::Described(None)),
        member(&["responseJsonSchema", "response_json_schema"], Meaning::Described(None)),
    ],
);
