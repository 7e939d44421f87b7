//! Batches of messages, in Anthropic's dialect: the requests are in the body.

use actix_web::HttpResponse;
use bytes::{BufMut, Bytes, BytesMut};
use keyward_core::error_code::ErrorCode;
use keyward_core::operation::Operation;
use keyward_core::provider_object::{ObjectKind, ObjectState, ProviderObject};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::batch::begin;
use super::collected::Collected;
use crate::clock;
use crate::error::ApiError;
use crate::gateway::arriving::Arriving;
use crate::gateway::credential::MeteringClass;
use crate::gateway::report::About;
use crate::gateway::scan::span;
use crate::json::parse;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateMessageBatch<'a> {
    #[serde(borrow)]
    requests: Vec<OneOfMany<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneOfMany<'a> {
    #[serde(rename = "custom_id")]
    _custom_id: String,
    #[serde(borrow)]
    params: &'a RawValue,
}

impl<C: MeteringClass> Arriving<C> {
    /// Begins a batch of messages.
    ///
    /// # Errors
    /// Whatever keeps it from being begun.
    pub(in crate::gateway) async fn begin_message_batch(self) -> Result<HttpResponse, ApiError> {
        let mut report = self.report("batch_create");
        let begun = self.run_message_batch(&mut report.about).await;
        report.on(begun)
    }

    async fn run_message_batch(self, about: &mut About) -> Result<HttpResponse, ApiError> {
        let (body, principal, who) = self.read_batch().await?;
        let mut collected = Collected::new(&who.state, &principal, ObjectKind::MessageBatch, None);
        let body = written(&body, &mut collected)?;
        let nobody = || ApiError::new(ErrorCode::InvalidRequest, "The batch has no request").at("/requests");
        let object = ProviderObject {
            kind: ObjectKind::MessageBatch,
            provider: collected.provider.clone().ok_or_else(nobody)?,
            id: String::new(),
            virtual_key_id: principal.virtual_key_id().clone(),
            provider_key_id: collected.key_id(),
            request_id: who.request_id.clone(),
            endpoint: None,
            models: collected.models,
            state: ObjectState::Open,
            told: None,
            created_at: clock::now(),
            expires_at: None,
        };
        about.extra.provider = object.provider.to_string();
        about.virtual_key = Some(object.virtual_key_id.clone());
        begin(who, &principal, object, body, about).await
    }
}

/// The body for the provider: each request with the provider's own name of its model.
fn written(body: &Bytes, collected: &mut Collected<'_>) -> Result<Bytes, ApiError> {
    let CreateMessageBatch { requests } = parse(body)?;
    let (mut written, mut copied) = (BytesMut::with_capacity(body.len()), 0);
    for (index, OneOfMany { params, .. }) in requests.into_iter().enumerate() {
        let at = span(body, params).ok_or_else(|| ApiError::new(ErrorCode::Internal, "The body was copied"))?;
        let spliced = collected.take(Operation::Messages, &body.slice(at.clone())).map_err(|error| {
            error.within(format_args!("request {index}")).at(format_args!("/requests/{index}/params"))
        })?;
        written.put_slice(body.get(copied..at.start).unwrap_or_default());
        spliced.iter().for_each(|piece| written.put_slice(piece));
        copied = at.end;
    }
    written.put_slice(body.get(copied..).unwrap_or_default());
    Ok(written.freeze())
}
