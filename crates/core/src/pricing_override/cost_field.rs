//! The cost fields of a pricing override: every name that is known, in one table.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::place::Place;

/// The name of a price, such as `input_cost_per_token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CostField(&'static str);

/// Fields with one unit.
pub(crate) struct Family {
    /// What a field of it is, in words.
    pub(crate) unit: &'static str,
    /// Their names.
    pub(crate) fields: &'static [&'static str],
}

/// Every known field.
pub(crate) const FAMILIES: &[Family] = &[
    Family {
        unit: "US dollars per input token.",
        fields: &[
            "input_cost_per_token",
            "input_cost_per_token_above_128k_tokens",
            "input_cost_per_token_above_200k_tokens",
            "input_cost_per_token_above_200k_tokens_priority",
            "input_cost_per_token_above_272k_tokens",
            "input_cost_per_token_above_272k_tokens_priority",
            "input_cost_per_token_batches",
            "input_cost_per_token_flex",
            "input_cost_per_token_flex_above_272k_tokens",
            "input_cost_per_token_priority",
        ],
    },
    Family {
        unit: "US dollars per output token.",
        fields: &[
            "output_cost_per_token",
            "output_cost_per_token_above_128k_tokens",
            "output_cost_per_token_above_200k_tokens",
            "output_cost_per_token_above_200k_tokens_priority",
            "output_cost_per_token_above_272k_tokens",
            "output_cost_per_token_above_272k_tokens_priority",
            "output_cost_per_token_batches",
            "output_cost_per_token_flex",
            "output_cost_per_token_flex_above_272k_tokens",
            "output_cost_per_token_priority",
        ],
    },
    Family {
        unit: "US dollars per input token that is written to the provider's cache.",
        fields: &[
            "cache_creation_input_audio_token_cost",
            "cache_creation_input_token_cost",
            "cache_creation_input_token_cost_above_1hr",
            "cache_creation_input_token_cost_above_1hr_above_200k_tokens",
            "cache_creation_input_token_cost_above_200k_tokens",
            "cache_creation_input_token_cost_above_272k_tokens",
            "cache_creation_input_token_cost_flex",
            "cache_creation_input_token_cost_flex_above_272k_tokens",
            "cache_creation_input_token_cost_priority",
        ],
    },
    Family {
        unit: "US dollars per input token that is read from the provider's cache.",
        fields: &[
            "cache_read_input_image_token_cost",
            "cache_read_input_token_cost",
            "cache_read_input_token_cost_above_200k_tokens",
            "cache_read_input_token_cost_above_200k_tokens_priority",
            "cache_read_input_token_cost_above_272k_tokens",
            "cache_read_input_token_cost_above_272k_tokens_priority",
            "cache_read_input_token_cost_flex",
            "cache_read_input_token_cost_flex_above_272k_tokens",
            "cache_read_input_token_cost_priority",
        ],
    },
    Family { unit: "US dollars per character.", fields: &["input_cost_per_character", "output_cost_per_character"] },
    Family {
        unit: "US dollars per second.",
        fields: &[
            "input_cost_per_audio_per_second",
            "input_cost_per_audio_per_second_above_128k_tokens",
            "input_cost_per_second",
            "input_cost_per_video_per_second",
            "input_cost_per_video_per_second_above_128k_tokens",
            "output_cost_per_second",
            "output_cost_per_video_per_second",
        ],
    },
    Family {
        unit: "US dollars per audio token.",
        fields: &["input_cost_per_audio_token", "output_cost_per_audio_token"],
    },
    Family {
        unit: "US dollars per image.",
        fields: &[
            "input_cost_per_image",
            "input_cost_per_image_above_128k_tokens",
            "output_cost_per_image",
            "output_cost_per_image_above_1024_and_1024_pixels",
            "output_cost_per_image_above_1024_and_1024_pixels_and_premium_image",
            "output_cost_per_image_above_512_and_512_pixels",
            "output_cost_per_image_above_512_and_512_pixels_and_premium_image",
            "output_cost_per_image_premium_image",
        ],
    },
    Family {
        unit: "US dollars per image token.",
        fields: &["input_cost_per_image_token", "output_cost_per_image_token"],
    },
    Family { unit: "US dollars per pixel.", fields: &["input_cost_per_pixel", "output_cost_per_pixel"] },
];

impl CostField {
    /// The field of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::names().find(|known| *known == name).map(Self)
    }

    /// The field's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// What it is the price of; none: of nothing that is counted, so that it is kept and has no effect.
    pub(crate) fn place(self) -> Option<Place> {
        Place::of(self.0)
    }

    fn names() -> impl Iterator<Item = &'static str> {
        FAMILIES.iter().flat_map(|family| family.fields.iter().copied())
    }
}

impl fmt::Display for CostField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for CostField {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for CostField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::find(&name).ok_or_else(|| {
            let known: Vec<String> = Self::names().map(|known| format!("`{known}`")).collect();
            D::Error::custom(format_args!("unknown field `{name}`, expected one of {}", known.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_stand_once_and_what_is_counted_has_a_price() {
        let names: Vec<&str> = CostField::names().collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let without: Vec<&str> = names.into_iter().filter(|name| Place::of(name).is_none()).collect();
        let expected = [
            "cache_creation_input_audio_token_cost",
            "output_cost_per_character",
            "input_cost_per_video_per_second",
            "input_cost_per_video_per_second_above_128k_tokens",
            "output_cost_per_second",
            "output_cost_per_video_per_second",
            "input_cost_per_image",
            "input_cost_per_image_above_128k_tokens",
            "output_cost_per_image_above_1024_and_1024_pixels",
            "output_cost_per_image_above_1024_and_1024_pixels_and_premium_image",
            "output_cost_per_image_above_512_and_512_pixels",
            "output_cost_per_image_above_512_and_512_pixels_and_premium_image",
            "output_cost_per_image_premium_image",
            "input_cost_per_pixel",
            "output_cost_per_pixel",
        ];
        assert_eq!(without, expected);
    }
}
