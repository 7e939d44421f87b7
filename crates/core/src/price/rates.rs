//! Prices by class: what is known of a model, and what that makes the rate of every class.

use super::class::{Class, ClassKind, PerClass};
use super::{PicoUsd, Possible};

/// The price of each class, as far as it is known.
pub type PriceSheet = PerClass<Option<PicoUsd>>;

/// What each class costs: tokens and units each by themselves.
pub type Rates = PerClass<PicoUsd>;

impl<T: Copy> PerClass<T> {
    /// The same for every class.
    #[must_use]
    pub(super) const fn all(value: T) -> Self {
        Self {
            input: value,
            cached_input: value,
            cache_write: value,
            cache_write_1h: value,
            audio_input: value,
            cached_audio_input: value,
            image_input: value,
            cached_image_input: value,
            output: value,
            reasoning: value,
            audio_output: value,
            image_output: value,
            searches: value,
            images: value,
            seconds: value,
            characters: value,
            requests: value,
        }
    }
}

impl PriceSheet {
    /// These prices, and for what has none here, those of `under`.
    #[must_use]
    pub fn over(&self, under: &Self) -> Self {
        self.map(|class, price| price.or(*under.get(class)))
    }

    /// The rate of every class. What has no price costs what it is most like: cached input and writes to the cache as input; a write
    /// for an hour as the dearer of a write and twice the input; sound and images in as input, out as output; thoughts as output.
    /// A unit without a price costs nothing: requests that cause one are not let through at such a price.
    #[must_use]
    pub fn rates(&self) -> Rates {
        let none = PicoUsd::default();
        let input = self.input.unwrap_or(none);
        let output = self.output.unwrap_or(none);
        let cached_input = self.cached_input.unwrap_or(input);
        let cache_write = self.cache_write.unwrap_or(input);
        Rates {
            input,
            cached_input,
            cache_write,
            cache_write_1h: self.cache_write_1h.unwrap_or_else(|| cache_write.max(input.times(2))),
            audio_input: self.audio_input.unwrap_or(input),
            cached_audio_input: self.cached_audio_input.or(self.audio_input).unwrap_or(cached_input),
            image_input: self.image_input.unwrap_or(input),
            cached_image_input: self.cached_image_input.or(self.image_input).unwrap_or(cached_input),
            output,
            reasoning: self.reasoning.unwrap_or(output),
            audio_output: self.audio_output.unwrap_or(output),
            image_output: self.image_output.unwrap_or(output),
            searches: self.searches.unwrap_or(none),
            images: self.images.unwrap_or(none),
            seconds: self.seconds.unwrap_or(none),
            characters: self.characters.unwrap_or(none),
            requests: self.requests.unwrap_or(none),
        }
    }
}

impl Rates {
    /// The rates that say something about what was used: those of text, and those of what there is.
    #[must_use]
    pub fn about(&self, counts: &PerClass<u64>) -> Self {
        self.map(|class, rate| match class {
            Class::Input | Class::Output => rate,
            other if *counts.get(other) > 0 => rate,
            Class::CachedInput
            | Class::CacheWrite
            | Class::CacheWriteHour
            | Class::AudioInput
            | Class::CachedAudioInput
            | Class::ImageInput
            | Class::CachedImageInput
            | Class::Reasoning
            | Class::AudioOutput
            | Class::ImageOutput
            | Class::Searches
            | Class::Images
            | Class::Seconds
            | Class::Characters
            | Class::Requests => PicoUsd::default(),
        })
    }

    /// The most that everything but output can cost.
    pub(super) fn before_output(&self, input: u64, possible: &Possible) -> i128 {
        let units = possible.units.iter().filter(|(class, _)| class.kind() == ClassKind::Unit);
        let units = units.map(|(class, count)| self.get(class).of(count)).fold(0, i128::saturating_add);
        units.saturating_add(self.dearest(ClassKind::Input, possible).of(input))
    }

    /// The dearest output token that is possible.
    pub(super) fn dearest_output(&self, possible: &Possible) -> PicoUsd {
        self.dearest(ClassKind::Output, possible)
    }

    fn dearest(&self, kind: ClassKind, possible: &Possible) -> PicoUsd {
        let may_be = self.iter().filter(|(class, _)| class.kind() == kind && possible.classes.has(*class));
        may_be.map(|(_, rate)| rate).max().unwrap_or_default()
    }
}
