//! Inference: chat completions, whole and streamed, paid for by the client's virtual key.

use keyward_core::chat::{ChatCompletion, ChatCompletionRequest};
use reqwest::{Method, Request};

use crate::chat_stream::ChatStream;
use crate::client::{Client, Credential, with_json};
use crate::error::Error;

impl Client {
    /// Completes a chat and waits for the whole answer.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::Unexpected`] for a request that asks for a stream.
    pub async fn chat_completion_create(&self, request: &ChatCompletionRequest) -> Result<ChatCompletion, Error> {
        if request.stream == Some(true) {
            return Err(Error::unexpected("the request asks for a stream: use chat_completion_stream"));
        }
        self.fetch(self.chat_completion(request)?).await
    }

    /// Completes a chat piece by piece, whatever `stream` says in the request.
    ///
    /// # Errors
    /// See [`Error`]. The pieces may fail as well.
    pub async fn chat_completion_stream(&self, request: &ChatCompletionRequest) -> Result<ChatStream, Error> {
        let request = ChatCompletionRequest { stream: Some(true), ..request.clone() };
        let response = self.open_stream(self.chat_completion(&request)?).await?;
        Ok(ChatStream::new(response, self.timeout()))
    }

    fn chat_completion(&self, body: &ChatCompletionRequest) -> Result<Request, Error> {
        with_json(self.request(Method::POST, &["v1", "chat", "completions"], Credential::Bearer)?, body)
    }
}
