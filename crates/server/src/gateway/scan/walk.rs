//! The walk through a body by a grammar: each member is read as what it means, and everything else is skipped.

use std::fmt;
use std::ops::Range;

use keyward_core::price::Class;
use keyward_core::provider_object::ObjectKind;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

mod elements;

use super::grammar::{Grammar, Kind, Meaning, Member, Placed, Types};
use super::values::{Prompts, Texts};
use super::{Cap, Scan};
use elements::Elements;

/// Reads an object by its grammar.
pub(super) struct Object<'w> {
    /// The whole body, which what is placed in it is measured against.
    pub(super) body: &'w [u8],
    pub(super) scan: &'w mut Scan,
    pub(super) grammar: &'static Grammar,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.grammar.what)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { body, scan, grammar } = self;
        let mut seen = [false; Grammar::MOST];
        let mut nature = Nature { kind: grammar.untyped, is_typed: false, reference: None, media: Vec::new() };
        while let Some(key) = members.next_key_seed(Name(grammar))? {
            let (index, member) = match key {
                Named::Known(index, member) => (index, member),
                Named::Misspelt(written, name) => {
                    return Err(A::Error::custom(format_args!("'{written}' must be written '{name}'")));
                }
                Named::Other => {
                    members.next_value_seed(Other(grammar.others))?;
                    continue;
                }
            };
            let name = member.names.first().copied().unwrap_or_default();
            if seen.get_mut(index).is_some_and(|seen| std::mem::replace(seen, true)) {
                return Err(A::Error::custom(format_args!("'{name}' is there twice")));
            }
            let value = Value { body, scan: &mut *scan, name, meaning: &member.meaning, nature: &mut nature };
            members.next_value_seed(value)?;
        }
        let is_missing = |(member, seen): &(&Member, &bool)| member.is_required && !**seen;
        if let Some((member, _)) = grammar.members.iter().zip(&seen).find(is_missing) {
            return Err(A::Error::missing_field(member.names.first().copied().unwrap_or_default()));
        }
        nature.note(scan).map_err(refused)
    }
}

/// What has been found out about an object.
struct Nature {
    kind: Kind,
    is_typed: bool,
    /// What it is if it has no type.
    reference: Option<&'static str>,
    media: Vec<Range<usize>>,
}

impl Nature {
    fn note(self, scan: &mut Scan) -> Result<(), &'static str> {
        let kind = match (self.is_typed, self.reference) {
            (false, Some(what)) => Kind::Refused(what),
            (true, _) | (false, None) => self.kind,
        };
        match kind {
            Kind::Text => {}
            Kind::Unseen => scan.has_unseen = true,
            Kind::Sound => {
                scan.has_unseen = true;
                scan.causes = scan.causes.and(Class::AudioInput).and(Class::CachedAudioInput);
            }
            Kind::Image => {
                scan.images += 1;
                scan.media_at.extend(self.media);
            }
            Kind::Refused(what) => return Err(what),
        }
        Ok(())
    }
}

fn refused<E: Error>(what: &str) -> E {
    E::custom(format_args!("{what} cannot be metered, so it is not let through"))
}

/// A member's name, looked up.
struct Name(&'static Grammar);

enum Named {
    Known(usize, &'static Member),
    /// As it is written, and as it must be.
    Misspelt(String, &'static str),
    Other,
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Named;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Named, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Named;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, written: &str) -> Result<Named, E> {
        for (index, member) in self.0.members.iter().enumerate() {
            if member.names.contains(&written) {
                return Ok(Named::Known(index, member));
            }
            if let Some(name) = member.names.iter().find(|name| is_taken_for(written, name)) {
                return Ok(Named::Misspelt(written.to_owned(), name));
            }
        }
        Ok(Named::Other)
    }
}

/// True when a reader that ignores case takes one name for the other.
fn is_taken_for(written: &str, name: &str) -> bool {
    match written.is_ascii() {
        true => written.eq_ignore_ascii_case(name),
        // The one letter outside ASCII that small letters do not fold.
        false => written.to_lowercase().replace('ſ', "s") == name.to_lowercase(),
    }
}

/// The value of a member that the grammar does not name; null says nothing.
struct Other(Option<&'static str>);

impl<'de> DeserializeSeed<'de> for Other {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match (self.0, is_there(deserializer)?) {
            (Some(what), true) => Err(refused(what)),
            (Some(_) | None, _) => Ok(()),
        }
    }
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Option::<IgnoredAny>::deserialize(deserializer).map(|value| value.is_some())
}

/// The value of a member that the grammar names.
struct Value<'w> {
    body: &'w [u8],
    scan: &'w mut Scan,
    name: &'static str,
    meaning: &'static Meaning,
    nature: &'w mut Nature,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        match self.meaning {
            Meaning::Placed(placed) => return self.placed(placed, <&RawValue>::deserialize(deserializer)?),
            Meaning::Type(Types { known, other }) => {
                if let Some(written) = Option::<String>::deserialize(deserializer)? {
                    let kind = known.iter().find(|(name, _)| *name == written);
                    self.nature.kind = kind.map_or(*other, |(_, kind)| *kind);
                    self.nature.is_typed = true;
                }
            }
            Meaning::Reference(what) => self.nature.reference = is_there(deserializer)?.then_some(*what),
            Meaning::Stream => self.scan.stream = flag(deserializer)?,
            Meaning::IncludeUsage => self.scan.wants_usage = flag(deserializer)?,
            Meaning::Answers => {
                let asked = Option::<u64>::deserialize(deserializer)?;
                self.scan.answers = self.scan.answers.max(asked.unwrap_or(1));
            }
            Meaning::Prompts => self.scan.prompts = deserializer.deserialize_any(Prompts)?,
            Meaning::Characters => {
                let text = String::deserialize(deserializer)?;
                self.scan.characters = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
            }
            Meaning::Described(None) => self.scan.is_described |= is_there(deserializer)?,
            Meaning::Described(Some(grammar)) => {
                let found = self.elements(grammar, false).deserialize(deserializer)?;
                self.scan.is_described |= found.is_some();
            }
            Meaning::Content(grammar) => self.elements(grammar, true).deserialize(deserializer).map(drop)?,
            Meaning::List(grammar) => self.elements(grammar, false).deserialize(deserializer).map(drop)?,
            Meaning::PromptList(grammar) => {
                let found = self.elements(grammar, false).deserialize(deserializer)?;
                self.scan.prompts = found.unwrap_or(1).max(1);
            }
            Meaning::Object(grammar) => {
                let object = Object { body: self.body, scan: self.scan, grammar };
                deserializer.deserialize_option(OrNull(object))?;
            }
            Meaning::Unseen => self.scan.has_unseen |= is_there(deserializer)?,
            Meaning::Kept(kind) => {
                if let Some(id) = Option::<String>::deserialize(deserializer)? {
                    // What it has said is input too.
                    self.scan.has_unseen |= *kind == ObjectKind::Response;
                    self.scan.kept.push((*kind, id));
                }
            }
            Meaning::Stored => {
                self.scan.is_stored = Option::<bool>::deserialize(deserializer)?.unwrap_or(true);
            }
            Meaning::Refused(what) => Other(Some(what)).deserialize(deserializer)?,
            Meaning::RefusedIfTrue(what) => {
                if flag(deserializer)? {
                    return Err(refused(what));
                }
            }
            Meaning::Allowed(allowed, what) => {
                if !deserializer.deserialize_any(Texts { allowed, scan: self.scan })? {
                    return Err(refused(what));
                }
            }
            Meaning::OtherModels => {
                IgnoredAny::deserialize(deserializer)?;
                return Err(D::Error::custom(format_args!("'{}' would name models that are not governed", self.name)));
            }
        }
        Ok(())
    }
}

fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Option::<bool>::deserialize(deserializer).map(|flag| flag.unwrap_or(false))
}

impl Value<'_> {
    fn elements(&mut self, grammar: &'static Grammar, is_text_too: bool) -> Elements<'_> {
        Elements { body: self.body, scan: &mut *self.scan, grammar, is_text_too }
    }

    /// Reads what has a place in the body that is needed later.
    fn placed<E: Error>(self, placed: &Placed, raw: &RawValue) -> Result<(), E> {
        let Value { body, scan, name, nature, .. } = self;
        let at = span(body, raw).ok_or_else(|| E::custom("the body was copied while it was scanned"))?;
        let text = raw.get();
        match placed {
            Placed::Model => {
                scan.model = serde_json::from_str(text).map_err(|_| E::custom("model must be a string"))?;
                scan.model_at = Some(at);
            }
            Placed::NamedAgain => {
                let model = serde_json::from_str(text).map_err(|_| E::custom("model must be a string"))?;
                scan.named_again.push((model, at));
            }
            Placed::Cap => {
                let wrong = |_| E::custom(format_args!("{name} must be a whole number, and not negative"));
                let tokens = serde_json::from_str(text).map_err(wrong)?;
                scan.caps.push(Cap { name, tokens, at });
            }
            Placed::Fallbacks => {
                scan.fallbacks = serde_json::from_str(text).map_err(|_| {
                    E::custom(
                        "fallbacks must be a list of texts ('provider/model'), or of objects of provider and model",
                    )
                })?;
                scan.fallbacks_at = Some(at);
            }
            Placed::Media => nature.media.push(at),
            Placed::Blob if text == "null" => {}
            Placed::Blob => {
                let blob: Option<Blob> = serde_json::from_str(text).ok();
                let is_image = blob.is_some_and(|blob| blob.media_type.starts_with("image/"));
                nature.kind = match nature.kind {
                    Kind::Text | Kind::Image if is_image => Kind::Image,
                    Kind::Text | Kind::Image | Kind::Sound | Kind::Unseen | Kind::Refused(_) => Kind::Unseen,
                };
                nature.media.push(at);
            }
            Placed::StreamOptions(grammar) => {
                scan.stream_options_at = Some(at);
                inner(Object { body, scan, grammar }, name, text)?;
            }
            Placed::Config(grammar) => {
                scan.config_at = Some(at);
                inner(Object { body, scan, grammar }, name, text)?;
            }
        }
        Ok(())
    }
}

/// Reads an object, or null, from its own text, which is a piece of the body.
fn inner<E: Error>(object: Object<'_>, name: &str, text: &str) -> Result<(), E> {
    let what = object.grammar.what;
    let read = serde_json::Deserializer::from_str(text).deserialize_option(OrNull(object));
    read.map_err(|error| {
        let error = error.to_string();
        let why = error.rsplit_once(" at line ").map_or(error.as_str(), |(why, _)| why);
        E::custom(format_args!("{name} must be {what}: {why}"))
    })
}

/// What data or a file says of itself.
#[derive(Deserialize)]
struct Blob {
    #[serde(alias = "mimeType", alias = "mime_type")]
    media_type: String,
}

/// Where a borrowed piece of the body stands in it.
pub(in crate::gateway) fn span(body: &[u8], piece: &RawValue) -> Option<Range<usize>> {
    let piece = piece.get().as_bytes();
    let start = piece.as_ptr().addr().checked_sub(body.as_ptr().addr())?;
    Some(start..start + piece.len()).filter(|span| span.end <= body.len())
}

/// An object, or null.
struct OrNull<'w>(Object<'w>);

impl<'de> Visitor<'de> for OrNull<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} or null", self.0.grammar.what)
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.deserialize(deserializer)
    }
}
