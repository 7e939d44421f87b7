//! Errands: what a client can want of one object that a provider keeps.

use http::Method;
use keyward_core::operation::Dialect;
use keyward_core::provider_object::ObjectKind;

/// What an errand that succeeds changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    Nothing,
    /// The answer is what is known of the object from then on.
    Tells,
    /// The object is gone.
    Deletes,
}

macro_rules! errands {
    ($($(#[$doc:meta])* $name:ident: $kind:ident, $method:ident, $behind:literal, $effect:ident, $request_type:literal;)+) => {
        /// What is wanted of one object.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::gateway) enum Errand {
            $($(#[$doc])* $name,)+
        }

        impl Errand {
            /// What it is about.
            pub(super) const fn kind(self) -> ObjectKind {
                match self { $(Self::$name => ObjectKind::$kind,)+ }
            }

            pub(super) const fn method(self) -> Method {
                match self { $(Self::$name => Method::$method,)+ }
            }

            /// What its path has behind the object's.
            pub(super) const fn behind(self) -> &'static str {
                match self { $(Self::$name => $behind,)+ }
            }

            pub(super) const fn effect(self) -> Effect {
                match self { $(Self::$name => Effect::$effect,)+ }
            }

            /// The kind of request, in errors.
            pub(super) const fn request_type(self) -> &'static str {
                match self { $(Self::$name => $request_type,)+ }
            }
        }
    };
}

errands! {
    /// What a response says.
    ResponseRetrieve: Response, GET, "", Nothing, "responses_retrieve";
    /// What a response was asked with.
    ResponseInputItems: Response, GET, "/input_items", Nothing, "responses_input_items";
    /// To end a response that is still being made.
    ResponseCancel: Response, POST, "/cancel", Nothing, "responses_cancel";
    /// To delete a response.
    ResponseDelete: Response, DELETE, "", Deletes, "responses_delete";
    /// What there is to say about a file.
    FileRetrieve: File, GET, "", Tells, "file_retrieve";
    /// What is in a file.
    FileContent: File, GET, "/content", Nothing, "file_content";
    /// To delete a file.
    FileDelete: File, DELETE, "", Deletes, "file_delete";
    /// How far a batch is.
    BatchRetrieve: Batch, GET, "", Tells, "batch_retrieve";
    /// To end a batch.
    BatchCancel: Batch, POST, "/cancel", Tells, "batch_cancel";
    /// How far a batch of messages is.
    MessageBatchRetrieve: MessageBatch, GET, "", Tells, "batch_retrieve";
    /// To end a batch of messages.
    MessageBatchCancel: MessageBatch, POST, "/cancel", Tells, "batch_cancel";
    /// What came of a batch of messages.
    MessageBatchResults: MessageBatch, GET, "/results", Nothing, "batch_results";
}

impl Errand {
    /// True when the answer is the content of a file, of whatever length.
    pub(super) const fn is_content(self) -> bool {
        matches!(self, Self::FileContent | Self::MessageBatchResults)
    }
}

/// In whose dialect a kind of object is spoken of.
pub(super) const fn dialect(kind: ObjectKind) -> Dialect {
    match kind {
        ObjectKind::Response | ObjectKind::File | ObjectKind::Batch => Dialect::OpenAi,
        ObjectKind::MessageBatch => Dialect::Anthropic,
    }
}
