//! Operations: what a client can ask a provider for through the gateway, and in whose dialect.

/// Whose API a request is one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's, and everybody's who follows it.
    OpenAi,
    /// Anthropic's.
    Anthropic,
    /// Gemini's.
    Gemini,
}

impl Dialect {
    /// The provider whose dialect it is: where a model goes that nobody else is known to offer.
    #[must_use]
    pub const fn home(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident: $dialect:ident, $path:literal, $kind:literal, $streamed:literal;)+) => {
        /// What a client can ask a provider for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Operation {
            $($(#[$doc])* $name,)+
        }

        impl Operation {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// In whose dialect it is.
            #[must_use]
            pub const fn dialect(self) -> Dialect {
                match self { $(Self::$name => Dialect::$dialect,)+ }
            }

            /// Its path, behind what a provider has before all paths of the dialect. In Gemini's, the model and a colon stand between
            /// this and the verb.
            pub const fn path(self) -> &'static str {
                match self { $(Self::$name => $path,)+ }
            }

            /// The kinds of requests, whole and streamed, as providers' `allowed_requests` call them.
            #[must_use]
            pub const fn kinds(self) -> [&'static str; 2] {
                match self { $(Self::$name => [$kind, $streamed],)+ }
            }

            /// The kind of request, in errors and in the books.
            #[must_use]
            pub const fn request_type(self) -> &'static str {
                match self { $(Self::$name => $kind,)+ }
            }
        }
    };
}

operations! {
    /// OpenAI's chat completions.
    ChatCompletions: OpenAi, "/chat/completions", "chat_completion", "chat_completion_stream";
    /// OpenAI's completions.
    Completions: OpenAi, "/completions", "text_completion", "text_completion_stream";
    /// OpenAI's responses.
    Responses: OpenAi, "/responses", "responses", "responses_stream";
    /// OpenAI's embeddings.
    Embeddings: OpenAi, "/embeddings", "embedding", "embedding";
    /// OpenAI's moderations.
    Moderations: OpenAi, "/moderations", "moderation", "moderation";
    /// New images, in OpenAI's dialect.
    ImageGenerations: OpenAi, "/images/generations", "image_generation", "image_generation_stream";
    /// Edits of images, in OpenAI's dialect.
    ImageEdits: OpenAi, "/images/edits", "image_edit", "image_edit_stream";
    /// Variations of images, in OpenAI's dialect.
    ImageVariations: OpenAi, "/images/variations", "image_variation", "image_variation";
    /// Text read aloud, in OpenAI's dialect.
    Speech: OpenAi, "/audio/speech", "speech", "speech_stream";
    /// Speech written down, in OpenAI's dialect.
    Transcriptions: OpenAi, "/audio/transcriptions", "transcription", "transcription_stream";
    /// Speech written down in English, in OpenAI's dialect.
    Translations: OpenAi, "/audio/translations", "transcription", "transcription_stream";
    /// Anthropic's messages.
    Messages: Anthropic, "/v1/messages", "chat_completion", "chat_completion_stream";
    /// The tokens of one of Anthropic's messages, counted.
    CountMessageTokens: Anthropic, "/v1/messages/count_tokens", "count_tokens", "count_tokens";
    /// Gemini's `generateContent` and `streamGenerateContent`.
    GenerateContent: Gemini, "/v1beta/models/", "chat_completion", "chat_completion_stream";
    /// Gemini's `embedContent`.
    EmbedContent: Gemini, "/v1beta/models/", "embedding", "embedding";
    /// Gemini's `batchEmbedContents`.
    BatchEmbedContents: Gemini, "/v1beta/models/", "embedding", "embedding";
    /// Gemini's `countTokens`.
    CountContentTokens: Gemini, "/v1beta/models/", "count_tokens", "count_tokens";
}

impl Operation {
    /// What Gemini's dialect has behind the model; none in others.
    #[must_use]
    pub const fn verb(self, streamed: bool) -> Option<&'static str> {
        match self {
            Self::GenerateContent if streamed => Some("streamGenerateContent"),
            Self::GenerateContent => Some("generateContent"),
            Self::EmbedContent => Some("embedContent"),
            Self::BatchEmbedContents => Some("batchEmbedContents"),
            Self::CountContentTokens => Some("countTokens"),
            Self::ChatCompletions
            | Self::Completions
            | Self::Responses
            | Self::Embeddings
            | Self::Moderations
            | Self::ImageGenerations
            | Self::ImageEdits
            | Self::ImageVariations
            | Self::Speech
            | Self::Transcriptions
            | Self::Translations
            | Self::Messages
            | Self::CountMessageTokens => None,
        }
    }

    /// True when no provider bills it: it is free by declaration.
    #[must_use]
    pub const fn is_free(self) -> bool {
        matches!(self, Self::Moderations | Self::CountMessageTokens | Self::CountContentTokens)
    }

    /// The kinds of requests, whole or streamed.
    #[must_use]
    pub const fn kind(self, streamed: bool) -> &'static str {
        let [whole, stream] = self.kinds();
        if streamed { stream } else { whole }
    }
}
