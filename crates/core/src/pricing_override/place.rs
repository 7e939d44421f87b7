//! What the names of costs mean: `input_cost_per_token_above_200k_tokens_priority` is the price of a class, at a tier, of inputs
//! above a length. Pricing overrides and LiteLLM's list of prices name costs in the same way.

use crate::price::{Class, ServiceTier};

/// What a cost is the price of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) class: Class,
    pub(crate) tier: ServiceTier,
    /// The largest input, in tokens, of which it does not hold; zero: it holds for all.
    pub(crate) above_input_tokens: u64,
}

/// Names without tier and length.
const CLASSES: &[(&str, Class)] = &[
    ("input_cost_per_token", Class::Input),
    ("output_cost_per_token", Class::Output),
    ("cache_read_input_token_cost", Class::CachedInput),
    ("cache_creation_input_token_cost", Class::CacheWrite),
    ("cache_creation_input_token_cost_above_1hr", Class::CacheWriteHour),
    ("input_cost_per_audio_token", Class::AudioInput),
    ("cache_read_input_audio_token_cost", Class::CachedAudioInput),
    ("input_cost_per_image_token", Class::ImageInput),
    ("cache_read_input_image_token_cost", Class::CachedImageInput),
    ("output_cost_per_reasoning_token", Class::Reasoning),
    ("output_cost_per_audio_token", Class::AudioOutput),
    ("output_cost_per_image_token", Class::ImageOutput),
    ("output_cost_per_image", Class::Images),
    ("input_cost_per_second", Class::Seconds),
    ("input_cost_per_audio_per_second", Class::Seconds),
    ("input_cost_per_character", Class::Characters),
    ("input_cost_per_request", Class::Requests),
];

const TIERS: [(&str, ServiceTier); 3] =
    [("_priority", ServiceTier::Priority), ("_flex", ServiceTier::Flex), ("_batches", ServiceTier::Batch)];

impl Place {
    /// What a cost of this name is the price of; none: of nothing that is counted.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let mut rest = name.to_owned();
        let mut above_input_tokens = 0;
        if let Some((before, after)) = rest.clone().rsplit_once("_above_")
            && let Some((thousands, after)) = after.split_once("k_tokens")
        {
            above_input_tokens = thousands.parse::<u64>().ok()?.checked_mul(1_000)?;
            rest = format!("{before}{after}");
        }
        let found = TIERS.into_iter().find_map(|(suffix, tier)| Some((rest.strip_suffix(suffix)?.to_owned(), tier)));
        let (base, tier) = found.unwrap_or((rest, ServiceTier::Standard));
        let class = CLASSES.iter().find(|(known, _)| *known == base).map(|(_, class)| *class)?;
        Some(Self { class, tier, above_input_tokens })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_class_tier_and_length() {
        let place = |class, tier, above_input_tokens| Some(Place { class, tier, above_input_tokens });
        for (name, expected) in [
            ("input_cost_per_token", place(Class::Input, ServiceTier::Standard, 0)),
            ("output_cost_per_token_batches", place(Class::Output, ServiceTier::Batch, 0)),
            ("input_cost_per_token_above_272k_tokens_priority", place(Class::Input, ServiceTier::Priority, 272_000)),
            ("output_cost_per_token_flex_above_272k_tokens", place(Class::Output, ServiceTier::Flex, 272_000)),
            ("cache_creation_input_token_cost_above_1hr", place(Class::CacheWriteHour, ServiceTier::Standard, 0)),
            (
                "cache_creation_input_token_cost_above_1hr_above_200k_tokens",
                place(Class::CacheWriteHour, ServiceTier::Standard, 200_000),
            ),
            ("output_cost_per_image", place(Class::Images, ServiceTier::Standard, 0)),
            ("output_cost_per_image_premium_image", None),
            ("input_cost_per_pixel", None),
            ("input_cost_per_token_above_x_tokens", None),
        ] {
            assert_eq!(Place::of(name), expected, "{name}");
        }
    }
}
