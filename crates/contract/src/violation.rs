//! What can be wrong with one answer.

/// A way in which an answer is not as documented.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// No operation has this method and path, and the answer is none of those that such a request gets.
    #[error("nothing is documented there")]
    Operation,
    /// The operation does not document the status.
    #[error("the status is not documented")]
    Status,
    /// A header that the document promises is not there.
    #[error("the documented header {0} is missing")]
    MissingHeader(String),
    /// A header that neither the document nor a convention knows.
    #[error("the header {0} is not documented")]
    Header(String),
    /// The answer's content type is not among the documented ones.
    #[error("the content type {0:?} is not documented")]
    ContentType(String),
    /// There is a body where none is documented.
    #[error("a body is not documented")]
    Body,
    /// The body says that it is JSON, or text, and is not.
    #[error("the body is no {0}")]
    Unreadable(&'static str),
    /// The body, or the data of an event, is not of its schema.
    #[error("not as documented: {at:?}: {what}")]
    Schema {
        /// The JSON pointer of the member at fault.
        at: String,
        /// What is wrong with it.
        what: String,
    },
    /// A stream of events cannot be read.
    #[error("the stream of events is malformed: {0}")]
    Event(String),
    /// Members of one answer say different things.
    #[error("{0}")]
    Contradiction(String),
}
