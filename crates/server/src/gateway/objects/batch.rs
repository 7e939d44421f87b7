//! Batches in OpenAI's dialect: the requests are in a file that was uploaded through Keyward, and read then.

use actix_web::HttpResponse;
use bytes::Bytes;
use http::{HeaderValue, Method};
use keyward_core::error_code::ErrorCode;
use keyward_core::provider_object::{ObjectKind, ObjectState, ProviderObject};
use keyward_engine::{Permit, Principal};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::bounded::{Intent, check};
use super::file::made;
use super::owned::find;
use super::way::{Parcel, Traveller, Way};
use crate::clock;
use crate::error::ApiError;
use crate::gateway::arriving::Arriving;
use crate::gateway::credential::MeteringClass;
use crate::gateway::report::About;
use crate::json::parse;
use crate::pieces::Pieces;

/// What a batch is made of. Anything else might bring requests that nobody has read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBatch {
    input_file_id: String,
    endpoint: String,
    #[serde(rename = "completion_window")]
    _completion_window: String,
    #[serde(default, rename = "metadata")]
    _metadata: IgnoredAny,
    #[serde(default, rename = "output_expires_after")]
    _output_expires_after: IgnoredAny,
}

impl<C: MeteringClass> Arriving<C> {
    /// Begins a batch.
    ///
    /// # Errors
    /// Whatever keeps it from being begun.
    pub(in crate::gateway) async fn begin_batch(self) -> Result<HttpResponse, ApiError> {
        let mut report = self.report("batch_create");
        let begun = self.run_batch(&mut report.about).await;
        report.on(begun)
    }

    async fn run_batch(self, about: &mut About) -> Result<HttpResponse, ApiError> {
        let (body, principal, who) = self.read_batch().await?;
        let wanted: CreateBatch = parse(&body)?;
        let file = find(&who.state, ObjectKind::File, &wanted.input_file_id, principal.virtual_key_id()).await;
        let file = file.map_err(|error| error.at("/input_file_id"))?;
        about.extra.provider = file.provider.to_string();
        about.virtual_key = Some(file.virtual_key_id.clone());
        let object = ProviderObject { kind: ObjectKind::Batch, ..file };
        let Some(endpoint) = object.endpoint.as_deref() else {
            let message = "The file was not uploaded for a batch (purpose 'batch')";
            return Err(ApiError::new(ErrorCode::InvalidRequest, message).at("/input_file_id"));
        };
        if endpoint != wanted.endpoint {
            let message = format!("The file's lines are for '{endpoint}', not for '{}'", wanted.endpoint);
            return Err(ApiError::new(ErrorCode::InvalidRequest, message).at("/endpoint"));
        }
        begin(who, &principal, object, body, about).await
    }

    /// Reads a body, and who sends it. What the key may do afterwards is what counts.
    pub(super) async fn read_batch(self) -> Result<(Bytes, Principal, Traveller), ApiError> {
        let Self { caller, request, identity, state, payload, .. } = self;
        state.engine.identify(&caller.hash, clock::now())?;
        let body = crate::body::read(&request, payload, state.settings.max_gateway_body_bytes).await?;
        let principal = state.engine.identify(&caller.hash, clock::now())?;
        let request_id = identity.id().clone();
        Ok((body, principal, Traveller { request, request_id, state }))
    }
}

/// Begins a batch as `object` describes it, which is written down once the provider has named it.
pub(super) async fn begin(
    who: Traveller,
    principal: &Principal,
    object: ProviderObject,
    body: Bytes,
    about: &About,
) -> Result<HttpResponse, ApiError> {
    let intent = Intent {
        request_id: &who.request_id,
        kind: object.kind,
        provider: &object.provider,
        key_id: &object.provider_key_id,
        endpoint: object.endpoint.as_deref(),
        models: &object.models,
    };
    check(&who.state, principal, &intent)?;
    let way = Way::to(&who.state, permit(principal, &object)?, object.kind, Some(&object.provider_key_id))?;
    let content_type = Some(HeaderValue::from_static("application/json"));
    let parcel = Parcel {
        method: Method::POST,
        rest: String::new(),
        content_type,
        body: Pieces::whole(body),
        is_content: false,
    };
    let object = ProviderObject {
        request_id: who.request_id.clone(),
        state: ObjectState::Open,
        created_at: clock::now(),
        expires_at: None,
        ..object
    };
    let made = made(who.state.clone(), object);
    way.go(who, parcel, about.extra.clone(), made).await
}

/// A batch is one request for its first model.
fn permit(principal: &Principal, object: &ProviderObject) -> Result<Permit, ApiError> {
    let (principal, provider) = (principal.clone(), object.provider.clone());
    Ok(match object.models.first() {
        Some(model) => principal.permit(provider, model.asked.clone())?,
        None => principal.permit_provider(provider)?,
    })
}
