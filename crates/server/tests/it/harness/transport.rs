//! The transport that every request of the tests goes through: it hands each answer to the contract.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use keyward_client::{HttpTransport, Transport};
use keyward_contract::Events;
use reqwest::header::CONTENT_TYPE;

use super::contract::Contract;

pub struct Checked {
    http: HttpTransport,
    contract: Arc<Contract>,
}

impl Checked {
    pub fn new(contract: Arc<Contract>) -> Self {
        Self { http: HttpTransport::new().unwrap(), contract }
    }
}

impl Transport for Checked {
    fn execute(
        &self,
        request: reqwest::Request,
    ) -> Pin<Box<dyn Future<Output = reqwest::Result<reqwest::Response>> + Send + '_>> {
        Box::pin(async move {
            let (method, path) = (request.method().to_string(), request.url().path().to_owned());
            let response = self.http.execute(request).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let is_stream =
                headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
            let mut head = http::Response::builder().status(status);
            head.headers_mut().unwrap().extend(headers.clone());
            if is_stream {
                self.contract.check(&method, &path, status.as_u16(), &headers, b"");
                let events = checked_events(self.contract.clone(), method, path, response.bytes_stream());
                return Ok(head.body(reqwest::Body::wrap_stream(events)).unwrap().into());
            }
            let body = response.bytes().await?;
            self.contract.check(&method, &path, status.as_u16(), &headers, &body);
            Ok(head.body(reqwest::Body::from(body)).unwrap().into())
        })
    }
}

/// Passes a stream on, and checks each event when it is whole. What a provider garbles passes as it is.
fn checked_events(
    contract: Arc<Contract>,
    method: String,
    path: String,
    stream: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
) -> impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static {
    let mut events = Events::default();
    stream.inspect(move |piece| {
        let Ok(piece) = piece else { return };
        for event in events.push(piece).unwrap_or_default() {
            contract.check_event(&method, &path, &event.data);
        }
    })
}
