//! How commands that talk to a server fail: what happened, what to do next, and the exit code that tells a script.

use std::error::Error as _;
use std::fmt;

/// Why the process ends: the documented exit codes. The parser of the command line has 2 for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Anything that has no code of its own.
    Failed,
    /// No server answers.
    Unreachable,
    /// The credential is missing, is wrong, or may not do this.
    Denied,
    /// There is no such thing.
    NotFound,
    /// The server does not do it: what is asked for is not valid, or is there already.
    Refused,
    /// `explain`: the request would be refused.
    WouldRefuse,
}

impl Exit {
    /// The number that the operating system gets.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Unreachable => 3,
            Self::Denied => 4,
            Self::NotFound => 5,
            Self::Refused => 6,
            Self::WouldRefuse => 7,
        }
    }
}

/// What the help says of exit codes.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, for any reason that has no code of its own
  2  the command line cannot be read
  3  no server answers
  4  the credential is missing, is wrong, or may not do this
  5  there is no such thing
  6  the server refuses: what is asked for is not valid, or is there already
  7  explain: the request would be refused";

/// What happened, and what to do next.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    what: String,
    advice: Option<String>,
}

impl Failure {
    pub(super) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), advice: None }
    }

    /// The same with what to do next.
    pub(super) fn advising(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    /// A failure of this machine, such as a file that cannot be read.
    pub(super) fn here(what: impl fmt::Display, error: &std::io::Error) -> Self {
        Self::new(Exit::Failed, format!("{what}: {error}"))
    }

    pub(super) const fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.advice {
            Some(advice) => write!(f, "\n{advice}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// What is at the bottom of an error: the operating system's word rather than that of the layers above.
pub(super) fn innermost(error: &keyward_client::reqwest::Error) -> String {
    let mut cause = error.source();
    let mut said = error.to_string();
    while let Some(error) = cause {
        said = error.to_string();
        cause = error.source();
    }
    said
}
