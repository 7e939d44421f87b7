//! The server without its socket: the service of one worker, called on the caller's thread. Instructions are counted on it, which
//! sockets and threads of their own would blur: the count is of what a worker does for a request, and of nothing else.

use std::pin::pin;

use actix_web::body::MessageBody as _;
use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::rt::Runtime as Worker;
use actix_web::test::{TestRequest, init_service};
use bytes::Bytes;
use futures_util::future::{LocalBoxFuture, poll_fn};
use keyward_store::RootKey;
use tokio::runtime::Runtime;

use crate::config::Settings;
use crate::gateway;
use crate::server::{Parts, ServerError};

type Service = Box<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Result<ServiceResponse, actix_web::Error>>>;

/// A server that has one worker: the thread that calls it.
pub struct InProcess {
    service: Service,
    worker: Worker,
    /// Where everything runs that is not done by workers.
    _background: Runtime,
}

/// Why a call has no answer.
pub type CallError = Box<dyn std::error::Error>;

impl InProcess {
    /// Opens the database, loads policies and counters, and makes the worker's service.
    ///
    /// # Errors
    /// Whatever keeps it from serving.
    pub fn start(settings: Settings, root_key: Option<RootKey>) -> Result<Self, ServerError> {
        let failed = |error| ServerError::Serving(settings.listen, error);
        let background = Runtime::new().map_err(failed)?;
        let worker = Worker::new().map_err(failed)?;
        let (parts, _) = background.block_on(Parts::begin(settings, root_key))?;
        let service = worker.block_on(init_service(parts.app()));
        let service: Service = Box::new(move |request| {
            let answering = service.call(request.to_request());
            Box::pin(async move { Ok(answering.await?.map_into_boxed_body()) })
        });
        Ok(Self { service, worker, _background: background })
    }

    /// Sends a request to one of the gateway's routes, and reads its answer to the end. `heard` gets each piece of the body as it comes.
    ///
    /// # Errors
    /// When the answer breaks off.
    pub fn call(
        &self,
        path: &str,
        key: &str,
        body: Bytes,
        mut heard: impl FnMut(&[u8]),
    ) -> Result<StatusCode, CallError> {
        let request = TestRequest::post()
            .uri(path)
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .insert_header((header::CONTENT_LENGTH, body.len()))
            .insert_header((header::AUTHORIZATION, format!("Bearer {key}")))
            .set_payload(body);
        self.worker.block_on(async {
            let answer = (self.service)(request).await?;
            let status = answer.status();
            let mut body = pin!(answer.into_body());
            while let Some(piece) = poll_fn(|context| body.as_mut().poll_next(context)).await {
                heard(&piece?);
            }
            Ok(status)
        })
    }
}

/// Scans the body of a chat completion, as the gateway does. True when it can be understood.
#[must_use]
pub fn scan(body: &Bytes) -> bool {
    gateway::can_be_scanned(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sqlite_url;

    #[test]
    fn a_call_goes_all_the_way() {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings::new(([127, 0, 0, 1], 0).into(), sqlite_url(directory.path()));
        let server = InProcess::start(settings, None).unwrap();
        let mut answer = Vec::new();
        let body = Bytes::from_static(br#"{"model":"openai/gpt-4o","messages":[]}"#);
        let heard = |piece: &[u8]| answer.extend_from_slice(piece);
        let status = server.call("/v1/chat/completions", "sk-bf-nobody", body.clone(), heard).unwrap();
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["status_code"], 401);
        assert!(scan(&body) && !scan(&Bytes::from_static(b"{")));
    }
}
