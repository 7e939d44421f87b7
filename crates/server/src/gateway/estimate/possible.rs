//! What else a request may cause than plain text, in and out: images, sound, and what is billed by its length.

use keyward_core::operation::Operation;
use keyward_core::price::{Class, ClassSet, Possible, Price, TokenUsage};

use crate::gateway::scan::Scan;

/// Bytes that a second of sound has at least, however it is compressed.
const BYTES_PER_SECOND: u64 = 500;

impl Scan {
    /// What the request may cause, at a price: what that counts by the piece comes by the piece, else in tokens.
    pub(in crate::gateway) fn possible(&self, price: Option<&Price>, body_bytes: usize) -> Possible {
        let counts = |class: Class| price.is_some_and(|price| price.base.get(class).is_some());
        let bytes = u64::try_from(body_bytes).unwrap_or(u64::MAX);
        let units = |class, most| [(class, most)].into_iter().collect::<TokenUsage>();
        let usual = Possible { tier: self.tier, ..Possible::default() };
        match self.operation {
            Operation::ImageGenerations | Operation::ImageEdits | Operation::ImageVariations => {
                match counts(Class::Images) {
                    true => {
                        Possible { units: units(Class::Images, self.answers.saturating_mul(self.prompts)), ..usual }
                    }
                    false => {
                        Possible { classes: ClassSet::USUAL.and(Class::ImageInput).and(Class::ImageOutput), ..usual }
                    }
                }
            }
            Operation::Speech => match counts(Class::Characters) {
                true => Possible { units: units(Class::Characters, self.characters), ..usual },
                false => Possible { classes: ClassSet::USUAL.and(Class::AudioOutput), ..usual },
            },
            Operation::Transcriptions | Operation::Translations => match counts(Class::Seconds) {
                true => Possible { units: units(Class::Seconds, bytes / BYTES_PER_SECOND + 1), ..usual },
                false => Possible { classes: ClassSet::USUAL.and(Class::AudioInput), ..usual },
            },
            Operation::ChatCompletions
            | Operation::Completions
            | Operation::Responses
            | Operation::Embeddings
            | Operation::Moderations
            | Operation::Messages
            | Operation::CountMessageTokens
            | Operation::GenerateContent
            | Operation::EmbedContent
            | Operation::BatchEmbedContents
            | Operation::CountContentTokens => self.shown(usual),
        }
    }

    /// Images that are shown, and what the body does not show, which may be images or sound.
    const fn shown(&self, usual: Possible) -> Possible {
        let mut classes = usual.classes.with(self.causes);
        if self.images > 0 || self.has_unseen {
            classes = classes.and(Class::ImageInput).and(Class::CachedImageInput);
        }
        if self.has_unseen {
            classes = classes.and(Class::AudioInput).and(Class::CachedAudioInput);
        }
        Possible { classes, ..usual }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use keyward_core::price::PriceSheet;

    use super::*;
    use crate::gateway::scan::in_path;

    fn possible(operation: Operation, body: &str, price: Option<&Price>) -> Possible {
        let body = Bytes::copy_from_slice(body.as_bytes());
        Scan::of(operation, in_path(operation), &body).unwrap().possible(price, body.len())
    }

    #[test]
    fn what_a_price_counts_by_the_piece_comes_by_the_piece() {
        let picture = r#"{"model":"m","prompt":"a cat","n":3}"#;
        let by_piece = Price::flat(PriceSheet { images: Some("40000".parse().unwrap()), ..PriceSheet::default() });
        let found = possible(Operation::ImageGenerations, picture, Some(&by_piece));
        assert_eq!((found.units.images, found.classes.has(Class::ImageOutput)), (3, false));
        let in_tokens = possible(Operation::ImageGenerations, picture, None);
        assert!(in_tokens.classes.has(Class::ImageOutput) && in_tokens.units == TokenUsage::default());
        let speech = r#"{"model":"m","input":"hello"}"#;
        let found = possible(Operation::Speech, speech, Some(&Price::FREE));
        assert_eq!(found.units.characters, 5);
    }

    #[test]
    fn sound_is_possible_only_where_something_is_not_shown() {
        let chat = |content: &str| {
            possible(
                Operation::ChatCompletions,
                &format!(r#"{{"model":"m","messages":[{{"content":{content}}}]}}"#),
                None,
            )
        };
        assert_eq!(chat("\"hi\""), Possible::default());
        let image = chat(r#"[{"type":"image_url","image_url":{"url":"u"}}]"#);
        assert!(image.classes.has(Class::ImageInput) && !image.classes.has(Class::AudioInput));
        assert!(chat(r#"[{"type":"file","file":{"file_id":"f"}}]"#).classes.has(Class::AudioInput));
    }
}
