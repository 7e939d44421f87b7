//! Inference in the OpenAI dialect, paid for by the client's virtual key.
//!
//! What these types do not name is in their `other` members. For other dialects there are the providers' own libraries.

use keyward_core::chat::{ChatCompletion, ChatCompletionRequest};
use keyward_core::embeddings::{Embeddings, EmbeddingsRequest};
use keyward_core::model_list::{Model, ModelList};
use keyward_core::responses::{ResponsesAnswer, ResponsesRequest};
use reqwest::Method;
use serde::Serialize;

use crate::call::Call;
use crate::client::{Client, Credential};
use crate::error::Error;
use crate::stream::{ChatStream, ResponsesStream, answer_stream};

const CHAT_COMPLETIONS: [&str; 3] = ["v1", "chat", "completions"];
const RESPONSES: [&str; 2] = ["v1", "responses"];
const EMBEDDINGS: [&str; 2] = ["v1", "embeddings"];
const MODELS: [&str; 2] = ["v1", "models"];

impl Client {
    /// Completes a chat and waits for the whole answer.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::Unexpected`] for a request that asks for a stream.
    pub async fn chat_completion_create(&self, request: &ChatCompletionRequest) -> Result<ChatCompletion, Error> {
        if request.stream == Some(true) {
            return Err(Error::unexpected("the request asks for a stream: use chat_completion_stream"));
        }
        self.fetch(self.inference("chat_completion_create", &CHAT_COMPLETIONS, request)?).await
    }

    /// Completes a chat piece by piece, whatever `stream` says in the request.
    ///
    /// # Errors
    /// See [`Error`]. The pieces may fail as well.
    pub async fn chat_completion_stream(&self, request: &ChatCompletionRequest) -> Result<ChatStream, Error> {
        let request = ChatCompletionRequest { stream: Some(true), ..request.clone() };
        let call = self.inference("chat_completion_create", &CHAT_COMPLETIONS, &request)?;
        Ok(answer_stream(self.open_stream(call).await?, self.timeout()))
    }

    /// Makes a response and waits for all of it.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::Unexpected`] for a request that asks for a stream.
    pub async fn response_create(&self, request: &ResponsesRequest) -> Result<ResponsesAnswer, Error> {
        if request.stream == Some(true) {
            return Err(Error::unexpected("the request asks for a stream: use response_stream"));
        }
        self.fetch(self.inference("response_create", &RESPONSES, request)?).await
    }

    /// Makes a response event by event, whatever `stream` says in the request. The last event has all of it.
    ///
    /// # Errors
    /// See [`Error`]. The events may fail as well.
    pub async fn response_stream(&self, request: &ResponsesRequest) -> Result<ResponsesStream, Error> {
        let request = ResponsesRequest { stream: Some(true), ..request.clone() };
        let call = self.inference("response_create", &RESPONSES, &request)?;
        Ok(answer_stream(self.open_stream(call).await?, self.timeout()))
    }

    /// Turns texts into vectors.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn embedding_create(&self, request: &EmbeddingsRequest) -> Result<Embeddings, Error> {
        self.fetch(self.inference("embedding_create", &EMBEDDINGS, request)?).await
    }

    /// Lists the models that the virtual key may use.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn model_list(&self) -> Result<ModelList, Error> {
        self.fetch(self.call("model_list", Method::GET, &MODELS, Credential::Bearer)?).await
    }

    /// Reads what is known of a model: `provider/model`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn model_retrieve(&self, model: &str) -> Result<Model, Error> {
        let [v1, models] = MODELS;
        let path: Vec<&str> = [v1, models].into_iter().chain(model.split('/')).collect();
        self.fetch(self.call("model_retrieve", Method::GET, &path, Credential::Bearer)?).await
    }

    fn inference(&self, operation: &'static str, path: &[&str], body: &impl Serialize) -> Result<Call, Error> {
        self.call(operation, Method::POST, path, Credential::Bearer)?.with_json(body)
    }
}
