//! Invalid input: what is wrong, and which member of the request is at fault.

use std::fmt::{self, Write as _};

/// A request that cannot be carried out as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// A JSON pointer to the member at fault, or the header's name; empty for the request as a whole.
    pub pointer: Pointer,
    /// What is wrong, in words for the caller.
    pub message: String,
    /// What is wrong, in kind.
    pub fault: Fault,
}

/// What can be wrong with a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its value.
    Value,
    /// That it is there: nobody knows it.
    Unknown,
}

impl Invalid {
    /// Says what is wrong with the member at `pointer`.
    #[must_use]
    pub fn at(pointer: Pointer, message: impl Into<String>) -> Self {
        Self { pointer, message: message.into(), fault: Fault::Value }
    }

    /// Says that nobody knows the member `name`.
    #[must_use]
    pub fn unknown(name: &str) -> Self {
        Self { fault: Fault::Unknown, ..Self::at(name.into(), format!("unknown field '{name}'")) }
    }

    /// The same, said of a request that lies at `at` in something larger.
    #[must_use]
    pub fn under(self, at: &Pointer) -> Self {
        Self { pointer: at.join(&self.pointer), ..self }
    }

    /// Says what is wrong with a header.
    #[must_use]
    pub fn at_header(name: &str, message: impl Into<String>) -> Self {
        Self::at(Pointer(name.to_owned()), message)
    }
}

/// A JSON pointer (RFC 6901), built from the outside in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pointer(String);

impl Pointer {
    /// The request as a whole.
    pub const ROOT: Self = Self(String::new());

    /// The member `name` of what this points to.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        Self(format!("{}/{}", self.0, name.replace('~', "~0").replace('/', "~1")))
    }

    /// The element `index` of what this points to.
    #[must_use]
    pub fn element(&self, index: usize) -> Self {
        let mut pointer = self.0.clone();
        // Writing to a string cannot fail.
        let _ = write!(pointer, "/{index}");
        Self(pointer)
    }

    /// The pointer that is written so.
    #[must_use]
    pub fn written(text: &str) -> Self {
        Self(if text == "/" { String::new() } else { text.to_owned() })
    }

    /// What `inner` points to inside of what this points to.
    #[must_use]
    pub fn join(&self, inner: &Self) -> Self {
        Self(format!("{}{}", self.0, inner.0))
    }

    /// The way from what `outer` points to; none when this does not lie in there.
    #[must_use]
    pub fn within(&self, outer: &Self) -> Option<Self> {
        let rest = self.0.strip_prefix(&outer.0)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| Self(rest.to_owned()))
    }

    /// The members and indexes on the way, from the outside in.
    pub fn steps(&self) -> impl Iterator<Item = String> + '_ {
        self.0.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
    }

    /// The last member or index, as it is written in the pointer.
    #[must_use]
    pub fn last(&self) -> Option<&str> {
        self.0.rsplit_once('/').map(|(_, last)| last)
    }
}

impl From<&str> for Pointer {
    /// A member of the request itself.
    fn from(name: &str) -> Self {
        Self::ROOT.member(name)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
