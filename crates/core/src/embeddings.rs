//! Embeddings in the OpenAI dialect, as far as Keyward names them; everything else passes through.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// An embeddings request. Members that are not listed here go to the provider unchanged.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct EmbeddingsRequest {
    /// `provider/model`.
    #[schema(example = "openai/text-embedding-3-small")]
    pub model: String,
    /// What is embedded.
    pub input: EmbeddingsInput,
    /// How many numbers a vector has, where the model leaves the choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u64>,
    /// How vectors are written: `float` or `base64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding_format: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What is embedded: each text or list of tokens becomes a vector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum EmbeddingsInput {
    /// One text.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
    /// One text, as tokens.
    Tokens(Vec<u32>),
    /// Several texts, as tokens.
    TokenLists(Vec<Vec<u32>>),
}

impl Default for EmbeddingsInput {
    /// No text.
    fn default() -> Self {
        Self::Texts(Vec::new())
    }
}

/// An answer to an embeddings request, as the provider gave it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Embeddings {
    /// The vectors, in the order of the texts.
    pub data: Vec<Embedding>,
    /// The model that answered.
    pub model: String,
    /// What was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<EmbeddingsUsage>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// One vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Embedding {
    /// Which of the texts it belongs to.
    pub index: u32,
    /// The vector.
    pub embedding: Vector,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A vector, in the form that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Vector {
    /// Its numbers.
    Numbers(Vec<f32>),
    /// Its numbers of four bytes each, the least significant first, in base64.
    Base64(String),
}

impl Vector {
    /// Its numbers, when it came as numbers.
    #[must_use]
    pub fn numbers(&self) -> Option<&[f32]> {
        match self {
            Self::Numbers(numbers) => Some(numbers),
            Self::Base64(_) => None,
        }
    }
}

/// What an answer used, in tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EmbeddingsUsage {
    /// Input tokens.
    pub prompt_tokens: u64,
    /// All tokens.
    pub total_tokens: u64,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_input_is_written_as_it_is_read() {
        for json in [r#""text""#, r#"["a","b"]"#, "[1,2]", "[[1],[2,3]]"] {
            let input: EmbeddingsInput = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&input).unwrap(), json);
        }
        assert_eq!(serde_json::to_string(&EmbeddingsRequest::default()).unwrap(), r#"{"model":"","input":[]}"#);
    }

    #[test]
    fn a_vector_comes_as_numbers_or_as_base64() {
        let vector = |json: &str| serde_json::from_str::<Vector>(json).unwrap();
        assert_eq!(vector("[0.5,-2.5e-1,0]").numbers(), Some([0.5, -0.25, 0.0].as_slice()));
        assert_eq!(vector(r#""AAAAPw==""#).numbers(), None);
    }
}
