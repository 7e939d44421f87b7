//! One virtual key: what it may do, what is used of its limits now, its last attempts, and why requests of it were refused.

use actix_web::{HttpRequest, HttpResponse, route, web};
use jiff::Timestamp;
use keyward_core::change::Versioned as _;
use keyward_core::ids::VirtualKeyId;
use keyward_core::permission::Resource;
use keyward_core::provider_config::ProviderConfig;
use keyward_core::virtual_key::VirtualKey;
use keyward_store::Reveal;
use maud::{Markup, html};

use super::actions::{actions, dialogs};
use super::overrides::overrides;
use crate::auth::{Authed, VirtualKeysRead};
use crate::clock;
use crate::dashboard::components::limits::meters;
use crate::dashboard::components::number::count;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::live;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Path;
use crate::state::State;

mod about;
mod spent;

use about::{configs, facts};
use spent::Spent;

#[route("/virtual-keys/{id}", method = "GET", method = "HEAD")]
pub(super) async fn virtual_key_detail(
    caller: Authed<VirtualKeysRead>,
    state: web::Data<State>,
    theme: Theme,
    id: Path<VirtualKeyId>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now) = (Visitor::of(&caller, &state), clock::now());
    let store = caller.store(&state);
    let key = store.virtual_key_get(id.0, Reveal::Redacted).await?.observed(&state.read(), now);
    let spent = match visitor.may_read(Resource::Usage) {
        true => Some(Spent::load(&state, &store, &key, now).await?),
        false => None,
    };
    let (etag, may_write) = (key.version().etag(), visitor.may_write(Resource::VirtualKeys));
    let link = Link::of(Section::VirtualKeys.path(), &key.id);
    let content = html! {
        div.columns {
            section.card aria-labelledby="meters" {
                div.card-head {
                    h2 #meters { "Limits now" }
                    span.live #meters-light role="status" { "As of this page" }
                }
                div data-live=(link.clone().then("meters")) data-light="meters-light" { (limits_now(&key, &state, now)) }
            }
            (facts(&key, now))
        }
        @if let Some(spent) = &spent { (spent.shown()) }
        (configs(&key))
        @if may_write {
            (overrides(&key))
            (dialogs(&key, &etag))
        }
    };
    let trial = Link::to(Section::Playground.path()).with("virtual_key_id", &key.id);
    let actions = html! {
        a.button href=(trial) { "Try it" }
        @if may_write { (actions(&key, &etag, link)) }
    };
    let crumb = html! { a href=(Section::VirtualKeys.path()) { "Virtual keys" } };
    let (section, title) = (Section::VirtualKeys, key.name.as_str());
    Ok(Page { visitor: &visitor, theme, section, title, crumb: Some(crumb), actions, content }.respond())
}

/// The meters of a key, again whenever they change.
#[route("/virtual-keys/{id}/meters", method = "GET")]
pub(super) async fn virtual_key_meters(
    caller: Authed<VirtualKeysRead>,
    request: HttpRequest,
    state: web::Data<State>,
    id: Path<VirtualKeyId>,
) -> Result<HttpResponse, ApiError> {
    caller.store(&state).virtual_key_get(id.0.clone(), Reveal::Redacted).await?;
    let look = async move |caller: &Authed<VirtualKeysRead>, state: &State| {
        let now = clock::now();
        let key = caller.store(state).virtual_key_get(id.0.clone(), Reveal::Redacted).await?;
        Ok(limits_now(&key.observed(&state.read(), now), state, now))
    };
    Ok(live::stream(request, state, look))
}

fn limits_now(key: &VirtualKey, state: &State, now: Timestamp) -> Markup {
    let holds = |id: &keyward_core::meter::MeterId| state.engine.held(id, now);
    let parallel = key.parallel_meter().map(|meter| (holds(&meter.id), meter.cap));
    html! {
        div.stack {
            (meters(&key.limits(), &holds, now))
            @if let Some((running, cap)) = parallel {
                p { b { (count(running)) } " of " (count(cap)) " requests at the same time are running." }
            }
            @for (config, limits) in with_limits(key) {
                h3 { "At " (config.provider) }
                (meters(&limits, &holds, now))
            }
            @for config in &key.provider_configs {
                @for model in &config.model_budgets {
                    h3 { "At " (config.provider) ", model " (model.model) }
                    (meters(&model.limits(), &holds, now))
                }
            }
        }
    }
}

/// The provider configs that have limits.
fn with_limits(key: &VirtualKey) -> impl Iterator<Item = (&ProviderConfig, keyward_core::limits::Limits)> {
    let configs = key.provider_configs.iter().map(|config| (config, config.limits()));
    configs.filter(|(_, limits)| !limits.budgets.is_empty() || limits.rate_limit.is_some())
}
