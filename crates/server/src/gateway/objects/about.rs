//! Requests about one object: it is asked for where it was made, for the virtual key that made it.

use actix_web::HttpResponse;
use bytes::Bytes;
use http::Method;
use keyward_core::error_code::ErrorCode;
use keyward_core::provider_object::{ObjectKind, ObjectState, ProviderObject};

use super::errand::{Effect, Errand};
use super::owned::find;
use super::told::Told;
use super::way::{Parcel, Traveller, Way};
use crate::clock;
use crate::error::ApiError;
use crate::gateway::arriving::Arriving;
use crate::gateway::credential::MeteringClass;
use crate::gateway::report::About;
use crate::pieces::Pieces;
use crate::state::State;

/// Parameters of a query that are not the provider's.
const OURS: [&str; 3] = ["key", "provider", "api-version"];

impl<C: MeteringClass> Arriving<C> {
    /// Does an errand about the object of this id.
    ///
    /// # Errors
    /// Whatever keeps it from being done; an object that the virtual key has not made is not there.
    pub(in crate::gateway) async fn about(self, errand: Errand, id: String) -> Result<HttpResponse, ApiError> {
        let mut report = self.report(errand.request_type());
        let done = self.run_errand(errand, &id, &mut report.about).await;
        report.on(done)
    }

    async fn run_errand(self, errand: Errand, id: &str, about: &mut About) -> Result<HttpResponse, ApiError> {
        let Self { caller, request, identity, state, .. } = self;
        let principal = state.engine.identify(&caller.hash, clock::now())?;
        about.virtual_key = Some(principal.virtual_key_id().clone());
        let object = find(&state, errand.kind(), id, principal.virtual_key_id()).await?;
        about.extra.provider = object.provider.to_string();
        if errand.effect() == Effect::Deletes {
            check_not_awaited(&state, &object).await?;
        }
        let permit = principal.permit_provider(object.provider.clone())?;
        let way = Way::to(&state, permit, object.kind, Some(&object.provider_key_id))?;
        let query = if errand.method() == Method::GET { forwarded(request.query_string()) } else { String::new() };
        let parcel = Parcel {
            method: errand.method(),
            rest: format!("/{}{}{query}", object.id, errand.behind()),
            content_type: None,
            body: Pieces::default(),
            is_content: errand.is_content(),
        };
        let after = {
            let state = state.clone();
            async move |body: Bytes| match errand.effect() {
                Effect::Nothing => Ok(()),
                Effect::Tells => told(&state, object, &body).await,
                Effect::Deletes => Ok(state.store.provider_object_delete(object).await?),
            }
        };
        let who = Traveller { request, request_id: identity.id().clone(), state };
        way.go(who, parcel, about.extra.clone(), after).await
    }
}

/// A file with the usage of a batch must not go before that is charged.
async fn check_not_awaited(state: &State, object: &ProviderObject) -> Result<(), ApiError> {
    let is_awaited =
        object.kind == ObjectKind::File && state.store.provider_object_is_awaited(object.request_id.clone()).await?;
    match is_awaited {
        true => {
            let message = "The file has the usage of a batch that is not charged yet: delete it a little later";
            Err(ApiError::new(ErrorCode::BatchNotCharged, message))
        }
        false => Ok(()),
    }
}

/// Notes what the provider says of an object. A batch that has come to its end is charged now, and what it brought forth belongs to
/// whoever made the batch.
async fn told(state: &State, object: ProviderObject, body: &[u8]) -> Result<(), ApiError> {
    let Ok(text) = std::str::from_utf8(body) else { return Ok(()) };
    let told = Told::read(body);
    state.store.provider_objects_put(told.files_of(&object)).await?;
    state.store.provider_object_tell(object.clone(), text.to_owned()).await?;
    if object.state == ObjectState::Open && told.is_done(object.kind) {
        state.objects.finish(object);
    }
    Ok(())
}

/// The query as the provider gets it.
fn forwarded(query: &str) -> String {
    let pairs = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| !OURS.contains(&name.as_ref()));
    let written = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    if written.is_empty() { written } else { format!("?{written}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_goes_on_without_what_is_ours() {
        assert_eq!(forwarded(""), "");
        assert_eq!(forwarded("key=sk-bf-x&api-version=1"), "");
        assert_eq!(forwarded("include[]=a%20b&limit=2&provider=openai"), "?include%5B%5D=a+b&limit=2");
    }
}
