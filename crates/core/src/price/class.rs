//! The classes that usage falls in: each token, and each unit that is no token, is in exactly one. What a class is, and what holds
//! for it everywhere, stands in one table.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a class counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassKind {
    /// Tokens that go to the model.
    Input,
    /// Tokens that come from it.
    Output,
    /// Something else that is billed, each piece by itself.
    Unit,
}

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $field:ident, $kind:ident;)+) => {
        /// A class of what is used.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Class {
            $($(#[$doc])* $name,)+
        }

        /// Something for each class.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct PerClass<T> {
            $($(#[$doc])* pub $field: T,)+
        }

        impl Class {
            /// Every class.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The class's name in the books, in metrics and in catalogues.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($field),)+ }
            }

            /// The number that stands for the class in the journal. It never changes.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $code,)+ }
            }

            /// What it counts.
            #[must_use]
            pub const fn kind(self) -> ClassKind {
                match self { $(Self::$name => ClassKind::$kind,)+ }
            }
        }

        impl<T> PerClass<T> {
            /// What is there for a class.
            #[must_use]
            pub const fn get(&self, class: Class) -> &T {
                match class { $(Class::$name => &self.$field,)+ }
            }

            /// The same, to be changed.
            pub const fn get_mut(&mut self, class: Class) -> &mut T {
                match class { $(Class::$name => &mut self.$field,)+ }
            }

            /// What `make` says, for each class.
            pub fn from_fn(mut make: impl FnMut(Class) -> T) -> Self {
                Self { $($field: make(Class::$name),)+ }
            }
        }
    };
}

classes! {
    /// Input tokens that no other class has.
    Input = 0, input, Input;
    /// Input tokens read from the provider's prompt cache.
    CachedInput = 1, cached_input, Input;
    /// Input tokens written to the provider's prompt cache, for as long as it keeps them by itself.
    CacheWrite = 2, cache_write, Input;
    /// Input tokens written to the prompt cache for an hour.
    CacheWriteHour = 3, cache_write_1h, Input;
    /// Input tokens that are sound.
    AudioInput = 4, audio_input, Input;
    /// Input tokens that are sound, read from the prompt cache.
    CachedAudioInput = 5, cached_audio_input, Input;
    /// Input tokens that are images or video, where the provider tells them apart.
    ImageInput = 6, image_input, Input;
    /// The same, read from the prompt cache.
    CachedImageInput = 7, cached_image_input, Input;
    /// Output tokens that no other class has.
    Output = 8, output, Output;
    /// Output tokens that the model thought, and that the answer need not show.
    Reasoning = 9, reasoning, Output;
    /// Output tokens that are sound.
    AudioOutput = 10, audio_output, Output;
    /// Output tokens that are images.
    ImageOutput = 11, image_output, Output;
    /// Searches that the provider made for the answer.
    Searches = 12, searches, Unit;
    /// Images that were made.
    Images = 13, images, Unit;
    /// Seconds of sound that were listened to.
    Seconds = 14, seconds, Unit;
    /// Characters that were read aloud.
    Characters = 15, characters, Unit;
    /// Requests, where each has a fee of its own.
    Requests = 16, requests, Unit;
}

impl Class {
    /// The class of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.as_str() == name)
    }

    /// The class of this number.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.code() == code)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<T: Copy> PerClass<T> {
    /// Each class, and what is there for it.
    pub fn iter(&self) -> impl Iterator<Item = (Class, T)> {
        Class::ALL.iter().map(|class| (*class, *self.get(*class)))
    }

    /// What `change` makes of each.
    pub fn map<U>(&self, mut change: impl FnMut(Class, T) -> U) -> PerClass<U> {
        PerClass::from_fn(|class| change(class, *self.get(class)))
    }
}

impl<T: Copy + Default + PartialEq> PerClass<T> {
    /// The classes for which something is there.
    pub fn set(&self) -> impl Iterator<Item = (Class, T)> {
        self.iter().filter(|(_, value)| *value != T::default())
    }
}

impl<T> FromIterator<(Class, T)> for PerClass<T>
where
    T: Default,
{
    fn from_iter<I: IntoIterator<Item = (Class, T)>>(values: I) -> Self {
        let mut all = Self::from_fn(|_| T::default());
        values.into_iter().for_each(|(class, value)| *all.get_mut(class) = value);
        all
    }
}

/// A map by the names of classes, without those for which nothing is there.
impl<T: Serialize + Copy + Default + PartialEq> Serialize for PerClass<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (class, value) in self.set() {
            map.serialize_entry(class.as_str(), &value)?;
        }
        map.end()
    }
}

impl<'de, T: DeserializeOwned + Default> Deserialize<'de> for PerClass<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Classes<T>(PerClass<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for Classes<T> {
            type Value = PerClass<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map by the names of classes")
            }

            fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<PerClass<T>, A::Error> {
                while let Some(name) = members.next_key::<String>()? {
                    let class = Class::find(&name);
                    let class = class.ok_or_else(|| A::Error::custom(format_args!("unknown class `{name}`")))?;
                    *self.0.get_mut(class) = members.next_value()?;
                }
                Ok(self.0)
            }
        }
        deserializer.deserialize_map(Classes(PerClass::from_fn(|_| T::default())))
    }
}

/// Some of the classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassSet(u32);

impl ClassSet {
    /// What any request may cause: plain and cached text in, text and thoughts out.
    pub const USUAL: Self = Self::NONE
        .and(Class::Input)
        .and(Class::CachedInput)
        .and(Class::CacheWrite)
        .and(Class::Output)
        .and(Class::Reasoning);
    /// No class.
    pub const NONE: Self = Self(0);

    /// The same with one class more.
    #[must_use]
    pub const fn and(self, class: Class) -> Self {
        Self(self.0 | Self::bit(class))
    }

    /// The classes of both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True when the class is in it.
    #[must_use]
    pub const fn has(self, class: Class) -> bool {
        self.0 & Self::bit(class) != 0
    }

    const fn bit(class: Class) -> u32 {
        let mut bit = 1;
        let mut left = class.code();
        while left > 0 {
            bit <<= 1;
            left -= 1;
        }
        bit
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_codes_stand_for_one_class_each() {
        for class in Class::ALL {
            assert_eq!(Class::find(class.as_str()), Some(*class));
            assert_eq!(Class::of_code(class.code()), Some(*class));
        }
        assert_eq!(Class::ALL.iter().map(|class| class.code()).collect::<BTreeSet<_>>().len(), Class::ALL.len());
    }

    #[test]
    fn a_map_has_only_the_classes_with_something_in_them() {
        let usage = PerClass { input: 3_u64, cache_write_1h: 7, ..PerClass::default() };
        let text = serde_json::to_string(&usage).unwrap();
        assert_eq!(text, r#"{"input":3,"cache_write_1h":7}"#);
        assert_eq!(serde_json::from_str::<PerClass<u64>>(&text).unwrap(), usage);
        assert!(serde_json::from_str::<PerClass<u64>>(r#"{"inputs":3}"#).is_err());
    }

    #[test]
    fn a_set_has_what_was_put_into_it() {
        let set = ClassSet::USUAL.and(Class::AudioInput);
        let has: Vec<Class> = Class::ALL.iter().copied().filter(|class| set.has(*class)).collect();
        let usual =
            [Class::Input, Class::CachedInput, Class::CacheWrite, Class::AudioInput, Class::Output, Class::Reasoning];
        assert_eq!(has, usual);
    }
}
