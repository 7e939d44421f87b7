//! What the members of a request mean to governance: the words that the dialects are described in.
//!
//! Members that a grammar names are written once and in a spelling of theirs. A provider that ignores case, or that takes the
//! last of two, would otherwise read another request than the one that was held for. What no grammar names passes through.

use keyward_core::provider_object::ObjectKind;

use keyward_core::price::{ClassSet, ServiceTier};

/// An object, as far as governance reads it.
pub(super) struct Grammar {
    /// What the object is, in messages.
    pub(super) what: &'static str,
    pub(super) members: &'static [Member],
    /// What the object is when nothing in it says so.
    pub(super) untyped: Kind,
    /// When given, members that are not named are refused, as this.
    pub(super) others: Option<&'static str>,
}

impl Grammar {
    /// The most members that a grammar may name.
    pub(super) const MOST: usize = 32;

    /// An object of which the rest is text at most.
    pub(super) const fn new(what: &'static str, members: &'static [Member]) -> Self {
        Self { what, members, untyped: Kind::Text, others: None }
    }

    pub(super) const fn untyped(self, kind: Kind) -> Self {
        Self { untyped: kind, ..self }
    }

    pub(super) const fn refusing_others(self, what: &'static str) -> Self {
        Self { others: Some(what), ..self }
    }
}

/// A member that governance reads or refuses.
pub(super) struct Member {
    /// Its spellings. The first is its name here.
    pub(super) names: &'static [&'static str],
    pub(super) meaning: Meaning,
    /// True: a request without it is none.
    pub(super) is_required: bool,
}

/// A member of one of these names.
pub(super) const fn member(names: &'static [&'static str], meaning: Meaning) -> Member {
    Member { names, meaning, is_required: false }
}

/// A member of this name that must be there.
pub(super) const fn required(names: &'static [&'static str], meaning: Meaning) -> Member {
    Member { names, meaning, is_required: true }
}

/// What a member says.
pub(super) enum Meaning {
    /// Something whose place in the body is needed later.
    Placed(Placed),
    /// Whether the answer shall come as events.
    Stream,
    /// Whether a stream shall tell the usage.
    IncludeUsage,
    /// How many answers are asked for; the largest such member counts.
    Answers,
    /// One prompt or several: texts, or lists of tokens.
    Prompts,
    /// A text that is billed by its characters.
    Characters,
    /// Tools or schemas, which providers put into words of their own.
    Described(Option<&'static Grammar>),
    /// A text, or a list of objects.
    Content(&'static Grammar),
    /// A list of objects.
    List(&'static Grammar),
    /// The same, of which each is a prompt.
    PromptList(&'static Grammar),
    /// An object.
    Object(&'static Grammar),
    /// What the object is, by its type.
    Type(Types),
    /// An id: an object that has one and no type stands for what the provider keeps, and is refused, as this.
    Reference(&'static str),
    /// Input that the body does not show.
    Unseen,
    /// The id of something that the provider keeps: only whoever made it may name it.
    Kept(ObjectKind),
    /// Whether the provider shall keep the answer, which it does unless told otherwise.
    Stored,
    /// What has a price that the catalogue does not know.
    Refused(&'static str),
    /// The same, when it is true.
    RefusedIfTrue(&'static str),
    /// A text, or a list of texts: what is not allowed is refused, as this.
    Allowed(Allowed, &'static str),
    /// Models past the one that is governed.
    OtherModels,
}

/// Texts that are allowed, and what they stand for.
pub(super) enum Allowed {
    /// They stand for themselves.
    These(&'static [&'static str]),
    /// Each may cause what falls in classes of its own.
    Causing(&'static [(&'static str, ClassSet)]),
    /// Each asks for a service tier.
    Tiers(&'static [(&'static str, ServiceTier)]),
}

/// What has a place in the body that is needed later.
pub(super) enum Placed {
    /// The model's name.
    Model,
    /// The model's name once more, where the path has it.
    NamedAgain,
    /// A cap on the output tokens of one answer.
    Cap,
    /// What the object shows, when that is an image: it is no text.
    Media,
    /// Data or a file, which say by a media type what they are.
    Blob,
    /// Where else the request may go: for Keyward, and not for a provider.
    Fallbacks,
    /// The wishes of a stream.
    StreamOptions(&'static Grammar),
    /// The object in which a dialect keeps the cap.
    Config(&'static Grammar),
}

/// What objects of each type are.
pub(super) struct Types {
    pub(super) known: &'static [(&'static str, Kind)],
    pub(super) other: Kind,
}

/// What an object is to a bound.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Text: a token is at least one byte of it.
    Text,
    /// An image.
    Image,
    /// Sound, whose tokens the body does not tell.
    Sound,
    /// Something whose tokens the body does not tell.
    Unseen,
    /// Something with a price of its own.
    Refused(&'static str),
}
