//! What fits what somebody has begun to write in a field: options for its datalist, a few of those that the visitor may see. They are read
//! here rather than from the lists of the API, whose answers have secrets.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpResponse, route, web};
use keyward_store::Store;
use serde::Deserialize;

use super::options::{self, Many};
use crate::auth::{Anything, Authed};
use crate::dashboard::components::choice::{Options, fitting_options};
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::{Path, Query};
use crate::state::State;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    VirtualKeys,
    Teams,
    Customers,
    /// Customers, teams and virtual keys.
    Owners,
    Providers,
    ProviderKeys,
    /// Models of the catalogue.
    Models,
    /// Models with their providers: those that can be called.
    Callable,
}

/// What was written.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    search: String,
}

#[route("/choices/{what}", method = "GET")]
pub(super) async fn fitting(
    caller: Authed<Anything>,
    state: web::Data<State>,
    what: Path<What>,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, store) = (Visitor::of(&caller, &state), caller.store(&state));
    let search = asked.0.search.trim();
    let found = match what.0 {
        What::VirtualKeys => Many::VirtualKeys.found(&store, &visitor, search).await?.entries,
        What::Teams => Many::Teams.found(&store, &visitor, search).await?.entries,
        What::Customers => Many::Customers.found(&store, &visitor, search).await?.entries,
        What::Owners => owners(&store, &visitor, search).await?,
        What::Providers => options::fitting(options::providers(&store, &visitor).await?, search),
        What::ProviderKeys => options::fitting(options::provider_keys(&store, &visitor).await?, search),
        What::Models => options::fitting(models(&state), search),
        What::Callable => options::fitting(callable(&state, &store, &visitor).await?, search),
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(fitting_options(&found).into_string()))
}

/// Owners of any kind, which is told with the name, and may be a part of what is looked for.
async fn owners(store: &Store, visitor: &Visitor, search: &str) -> Result<Options, ApiError> {
    let mut all = Options::new();
    for kind in Many::ALL {
        let found = kind.found(store, visitor, kind.sought(search)).await?.entries;
        all.extend(found.into_iter().map(|(id, name)| (id, kind.among_others(&name))));
    }
    Ok(all)
}

fn models(state: &State) -> Options {
    let mut names: Vec<&str> = state.catalogue.cards().into_iter().map(|(_, model, _)| model).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| (name.to_owned(), name.to_owned())).collect()
}

async fn callable(state: &State, store: &Store, visitor: &Visitor) -> Result<Options, ApiError> {
    let providers = options::providers(store, visitor).await?;
    let cards = state.catalogue.cards().into_iter();
    let of_these = cards.filter(|(provider, ..)| providers.iter().any(|(known, _)| known == provider));
    Ok(of_these.map(|(provider, model, _)| format!("{provider}/{model}")).map(|name| (name.clone(), name)).collect())
}
