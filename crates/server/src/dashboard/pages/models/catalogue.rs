//! The catalogue: which models are known, what they cost, and how much they take and give.

use actix_web::{HttpResponse, route, web};
use keyward_core::catalogue::ModelCard;
use keyward_core::permission::Resource;
use keyward_core::price::PicoUsd;
use maud::{Markup, html};
use serde::Deserialize;

use super::overrides::Overrides;
use crate::auth::{Authed, PricingRead};
use crate::dashboard::components::choice::Choice;
use crate::dashboard::components::empty::empty;
use crate::dashboard::components::filter::{choice, text};
use crate::dashboard::components::number::{count, per_million};
use crate::dashboard::components::pager::{PAGE, pager};
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Query;
use crate::state::State;

/// What is asked of the catalogue; fields that are empty say nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    search: String,
    provider: String,
    offset: String,
}

impl Asked {
    fn link(&self) -> Link {
        Link::to(Section::Models.path()).with("search", &self.search).with("provider", &self.provider)
    }

    fn is_narrowed(&self) -> bool {
        !self.search.is_empty() || !self.provider.is_empty()
    }

    fn matches(&self, provider: &str, model: &str) -> bool {
        let wanted = self.search.to_ascii_lowercase();
        (self.provider.is_empty() || self.provider == provider) && model.to_ascii_lowercase().contains(&wanted)
    }
}

/// A model with its provider.
type Entry<'a> = (&'a str, &'a str, &'a ModelCard);

#[route("/models", method = "GET", method = "HEAD")]
pub(super) async fn model_list(
    caller: Authed<PricingRead>,
    state: web::Data<State>,
    theme: Theme,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, asked) = (Visitor::of(&caller, &state), asked.0);
    let all = state.catalogue.cards();
    let mut providers: Vec<(String, String)> =
        all.iter().map(|(provider, ..)| ((*provider).to_owned(), (*provider).to_owned())).collect();
    providers.dedup();
    let providers = Choice::Few(providers);
    let found: Vec<Entry<'_>> = all.into_iter().filter(|(provider, model, _)| asked.matches(provider, model)).collect();
    let offset = asked.offset.parse::<usize>().unwrap_or_default().min(found.len());
    let shown: Vec<&Entry<'_>> = found.iter().skip(offset).take(usize::try_from(PAGE).unwrap_or_default()).collect();
    let overrides = Overrides::load(&state, visitor.may_write(Resource::PricingOverrides)).await?;
    let number = |of: usize| i64::try_from(of).unwrap_or(i64::MAX);
    let content = html! {
        (overrides.card())
        (filters(&asked, &providers))
        section.card.flush aria-labelledby="catalogue" {
            div.card-head { h2 #catalogue { "Catalogue" } span.hint { "prices of " (state.catalogue.version()) ", in US dollars per million tokens" } }
            @if shown.is_empty() {
                (empty("No model is like this", "A model that the catalogue does not know needs a pricing override, if a budget covers it.", &html! { a.button href=(Section::Models.path()) { "Show all" } }))
            } @else {
                (table(&shown))
                (pager(&asked.link(), number(offset), number(shown.len()), number(found.len())))
            }
        }
        (overrides.dialogs())
    };
    let actions =
        html! { @if overrides.may_write { a.button.primary href="/models/overrides/new" { "Override prices" } } };
    let (section, title) = (Section::Models, "Models and prices");
    Ok(Page { visitor: &visitor, theme, section, title, crumb: None, actions, content }.respond())
}

fn filters(asked: &Asked, providers: &Choice) -> Markup {
    html! {
        form.filters role="search" action=(Section::Models.path()) {
            (text("search", "Model", &asked.search, "Part of its name"))
            (choice("provider", "Provider", providers, &asked.provider))
            button.button type="submit" { "Search" }
            @if asked.is_narrowed() { a.button.quiet href=(Section::Models.path()) { "Show all" } }
        }
    }
}

fn table(models: &[&Entry<'_>]) -> Markup {
    scrolled(
        "Catalogue",
        &html! { th scope="col" { "Model" } th.number scope="col" { "Input" } th.number scope="col" { "Cached" }
        th.number scope="col" { "Output" } th.number scope="col" { "Context" } th.number scope="col" { "Longest answer" } },
        &html! { @for (provider, model, card) in models { (row(provider, model, card)) } },
    )
}

fn row(provider: &str, model: &str, card: &ModelCard) -> Markup {
    let base = &card.price.base;
    html! {
        tr {
            th scope="row" {
                (provider) "/" (model)
                @if !card.price.variants().is_empty() { " " span.muted { "and other prices under conditions" } }
            }
            td.number { (price(base.input)) }
            td.number { (price(base.cached_input)) }
            td.number { (price(base.output)) }
            td.number { (tokens(card.context_tokens)) }
            td.number { (tokens(card.max_output_tokens)) }
        }
    }
}

fn price(price: Option<PicoUsd>) -> String {
    price.map_or_else(|| "–".to_owned(), |price| per_million(price.picos()))
}

fn tokens(number: Option<u64>) -> String {
    number.map_or_else(|| "–".to_owned(), count)
}
