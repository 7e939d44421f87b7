//! Uploads: a file goes to one provider. One for a batch is read line by line before it leaves.

use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use http::Method;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::{ProviderKeyId, ProviderName};
use keyward_core::operation::Dialect;
use keyward_core::provider_object::{ObjectKind, ObjectModel, ObjectState, ProviderObject};
use keyward_engine::{Choice, Principal};

use super::collected::Collected;
use super::told::Told;
use super::way::{Parcel, Traveller, Way};
use super::{line, remember};
use crate::clock;
use crate::error::ApiError;
use crate::gateway::arriving::Arriving;
use crate::gateway::credential::MeteringClass;
use crate::gateway::report::About;
use crate::gateway::scan::Form;
use crate::pieces::Pieces;
use crate::state::State;
use crate::upstreams::by_lot;

/// How a client says which provider shall have the file.
const PROVIDER_HEADER: &str = "x-model-provider";

/// A file that is ready to leave.
struct Upload {
    provider: ProviderName,
    key_id: Option<ProviderKeyId>,
    endpoint: Option<String>,
    models: Vec<ObjectModel>,
    body: Pieces,
}

impl<C: MeteringClass> Arriving<C> {
    /// Uploads a file.
    ///
    /// # Errors
    /// Whatever keeps it from being uploaded.
    pub(in crate::gateway) async fn upload(self) -> Result<HttpResponse, ApiError> {
        let mut report = self.report("file_upload");
        let uploaded = self.run_upload(&mut report.about).await;
        report.on(uploaded)
    }

    async fn run_upload(self, about: &mut About) -> Result<HttpResponse, ApiError> {
        let Self { caller, request, identity, state, payload, .. } = self;
        state.engine.identify(&caller.hash, clock::now())?;
        let body = crate::body::read(&request, payload, state.settings.max_gateway_body_bytes).await?;
        let principal = state.engine.identify(&caller.hash, clock::now())?;
        about.virtual_key = Some(principal.virtual_key_id().clone());
        let form = Form::read(request.headers().get(CONTENT_TYPE), &body).await?;
        let named = named(request.headers(), request.query_string())?;
        let Upload { provider, key_id, endpoint, models, body } = upload(&state, &principal, &form, named, body)?;
        about.extra.provider = provider.to_string();
        let virtual_key_id = principal.virtual_key_id().clone();
        let permit = principal.permit_provider(provider.clone())?;
        let way = Way::to(&state, permit, ObjectKind::File, key_id.as_ref())?;
        let content_type = Some(form.content_type());
        let parcel = Parcel { method: Method::POST, rest: String::new(), content_type, body, is_content: false };
        let object = ProviderObject {
            kind: ObjectKind::File,
            provider,
            id: String::new(),
            virtual_key_id,
            provider_key_id: way.key_id().clone(),
            request_id: identity.id().clone(),
            endpoint,
            models,
            state: ObjectState::Kept,
            told: None,
            created_at: clock::now(),
            expires_at: None,
        };
        let request_id = object.request_id.clone();
        let made = made(state.clone(), object);
        way.go(Traveller { request, request_id, state }, parcel, about.extra.clone(), made).await
    }
}

/// What is done once the provider has made an object: it is written down under its id.
pub(super) fn made(
    state: web::Data<State>,
    object: ProviderObject,
) -> impl AsyncFnOnce(Bytes) -> Result<(), ApiError> + 'static {
    async move |body: Bytes| {
        let told = Told::read(&body);
        let unnamed = || ApiError::new(ErrorCode::UpstreamInvalid, "The provider's answer does not tell an id");
        let id = told.id.clone().filter(|id| ProviderObject::is_id(id)).ok_or_else(unnamed)?;
        let expires_at = if object.kind == ObjectKind::File { told.expires_at() } else { None };
        let text = std::str::from_utf8(&body).ok().map(str::to_owned);
        let object = ProviderObject { id, told: text, expires_at, ..object };
        if let Err(error) = state.store.provider_objects_put(vec![object.clone()]).await {
            // It is there, and must not be lost: a batch would not be charged.
            tracing::warn!(%error, "what a provider keeps could not be written down; it is tried again");
            remember(&state, Some(object));
        }
        Ok(())
    }
}

/// The provider that the client names.
fn named(headers: &HeaderMap, query: &str) -> Result<Option<ProviderName>, ApiError> {
    let unreadable = |_| ApiError::new(ErrorCode::InvalidRequest, "It is not readable text").at(PROVIDER_HEADER);
    let in_header = headers.get(PROVIDER_HEADER).map(|value| value.to_str().map_err(unreadable)).transpose()?;
    let in_query = || url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "provider");
    Ok(in_header.map(ProviderName::from).or_else(|| in_query().map(|(_, name)| ProviderName::from(name.as_ref()))))
}

/// Reads the form: where it goes, and how it leaves.
fn upload(
    state: &State,
    principal: &Principal,
    form: &Form,
    named: Option<ProviderName>,
    body: Bytes,
) -> Result<Upload, ApiError> {
    let content = form.content("file")?;
    let missing = || ApiError::new(ErrorCode::InvalidRequest, "The form must have a part 'purpose'").at("/purpose");
    let purpose = form.text("purpose")?.ok_or_else(missing)?;
    // A provider that ignores case would otherwise read another purpose than we do.
    if !purpose.trim().eq_ignore_ascii_case("batch") {
        let provider = match named {
            Some(provider) => provider,
            None => by_choice(state, principal)?,
        };
        return Ok(Upload { provider, key_id: None, endpoint: None, models: Vec::new(), body: Pieces::whole(body) });
    }
    let mut collected = Collected::new(state, principal, ObjectKind::Batch, named);
    let line::Written { endpoint, content: spliced } = line::read(content, &mut collected)?;
    let body = form.with_content(&body, "file", &spliced)?;
    let nobody = || ApiError::new(ErrorCode::InvalidRequest, "The file names no model").at("/file");
    Ok(Upload {
        provider: collected.provider.clone().ok_or_else(nobody)?,
        key_id: Some(collected.key_id()),
        endpoint: Some(endpoint.to_owned()),
        models: collected.models,
        body,
    })
}

/// The provider that gets a file when nobody is named: by weight, among those that the virtual key may use and that have files.
/// Where it may use all, the dialect's own comes first.
fn by_choice(state: &State, principal: &Principal) -> Result<ProviderName, ApiError> {
    let keeps = |provider: &ProviderName| state.upstreams.keeps(provider, ObjectKind::File);
    let choices: Vec<Choice> = match principal.provider_choices() {
        Some(choices) => choices.into_iter().filter(|choice| keeps(&choice.provider)).collect(),
        None => {
            let home = ProviderName::from(Dialect::OpenAi.home());
            if keeps(&home) {
                return Ok(home);
            }
            let there = state.upstreams.names().into_iter().filter(keeps);
            there.map(|provider| Choice { provider, weight: 1.0, names_model: false }).collect()
        }
    };
    let chance = |_: &str| 1.0 - rand::random::<f64>();
    let ordered = by_lot(choices, |choice| (choice.provider.as_str(), choice.weight), &chance);
    ordered.into_iter().next().map(|choice| choice.provider).ok_or_else(|| {
        let message = format!("No provider that this virtual key may use has files; {PROVIDER_HEADER} can name one");
        ApiError::new(ErrorCode::InvalidRequest, message).at(PROVIDER_HEADER)
    })
}
