//! Requests that the SDK would never send.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use keyward_client::{HttpTransport, Transport};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Method, Request, Url};
use serde_json::Value;

use super::transport::Checked;

/// A request in the making.
pub struct Raw {
    transport: Arc<Checked>,
    request: Request,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Raw {
    pub fn new(transport: Arc<Checked>, method: &str, url: &str) -> Self {
        let request = Request::new(Method::from_bytes(method.as_bytes()).unwrap(), Url::parse(url).unwrap());
        Self { transport, request }
    }

    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        self.request.headers_mut().append(name, HeaderValue::from_bytes(value.as_ref()).unwrap());
        self
    }

    pub fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = Some(body.into());
        self
    }

    /// The pieces of an answer, as they come: nothing waits for its end to check it.
    pub async fn streamed(self) -> impl Stream<Item = Bytes> {
        let response = HttpTransport::new().unwrap().execute(self.request).await.unwrap();
        assert_eq!(response.status(), 200);
        response.bytes_stream().map(|piece| piece.unwrap())
    }

    pub async fn send(self) -> Reply {
        let response = self.transport.execute(self.request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Status, code and the member at fault: what most tests of errors are about.
    pub fn error(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |name: &str| body["error"][name].as_str().unwrap().to_owned();
        assert_eq!(body["event_id"], self.header("x-request-id"));
        assert_eq!(body["status_code"], self.status);
        (self.status, text("code"), text("param"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
