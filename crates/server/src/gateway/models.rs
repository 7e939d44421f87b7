//! The models that a virtual key may use: those that are known, from the catalogue and from provider keys, as far as the virtual
//! key's provider configs allow them and a provider key can serve them. No provider is asked.

use std::collections::BTreeSet;

use keyward_core::catalogue::ModelCard;
use keyward_core::ids::{ModelName, ProviderName};
use keyward_core::model_list::{AnthropicModel, AnthropicModelList, GeminiModel, GeminiModelList, Model, ModelList};
use keyward_core::operation::{Dialect, Operation};
use keyward_engine::Principal;

use crate::state::State;

/// A model that may be used.
pub(super) struct Usable {
    provider: ProviderName,
    model: String,
    card: Option<ModelCard>,
}

/// The models that requests of the dialect can name, in the order of their names.
pub(super) fn usable(state: &State, principal: &Principal, dialect: Dialect) -> Vec<Usable> {
    let mut found = Vec::new();
    for provider in state.upstreams.names() {
        if !Operation::ALL.iter().any(|operation| {
            operation.dialect() == dialect && !operation.is_free() && state.upstreams.offers(&provider, *operation)
        }) {
            continue;
        }
        let Some(upstream) = state.upstreams.find(&provider) else { continue };
        let known = state.catalogue.models(provider.as_str());
        let names: BTreeSet<&str> = known.chain(upstream.named_models()).collect();
        for name in names {
            let permit = principal.clone().permit(provider.clone(), ModelName::from(name));
            if permit.is_ok_and(|permit| upstream.serves(permit.key_access(), name)) {
                let card = state.catalogue.find(provider.as_str(), name).cloned();
                found.push(Usable { provider: provider.clone(), model: name.to_owned(), card });
            }
        }
    }
    found
}

impl Usable {
    /// Whether this is what its provider calls it.
    pub(super) fn is_called(&self, model: &str) -> bool {
        self.model == model
    }

    /// What requests of a dialect name it: its own provider need not be named there.
    fn named_in(&self, dialect: Dialect) -> String {
        match dialect {
            Dialect::Anthropic | Dialect::Gemini if self.provider.as_str() == dialect.home() => self.model.clone(),
            Dialect::OpenAi | Dialect::Anthropic | Dialect::Gemini => format!("{}/{}", self.provider, self.model),
        }
    }

    pub(super) fn for_openai(&self) -> Model {
        Model {
            id: self.named_in(Dialect::OpenAi),
            object: "model".to_owned(),
            created: 0,
            owned_by: self.provider.to_string(),
            context_length: self.card.as_ref().and_then(|card| card.context_tokens),
            max_output_tokens: self.card.as_ref().and_then(|card| card.max_output_tokens),
        }
    }

    pub(super) fn for_anthropic(&self) -> AnthropicModel {
        let id = self.named_in(Dialect::Anthropic);
        AnthropicModel {
            display_name: id.clone(),
            id,
            kind: "model".to_owned(),
            created_at: "1970-01-01T00:00:00Z".to_owned(),
        }
    }

    pub(super) fn for_gemini(&self) -> GeminiModel {
        let name = self.named_in(Dialect::Gemini);
        GeminiModel {
            name: format!("models/{name}"),
            display_name: name,
            input_token_limit: self.card.as_ref().and_then(|card| card.context_tokens),
            output_token_limit: self.card.as_ref().and_then(|card| card.max_output_tokens),
            supported_generation_methods: ["generateContent", "countTokens"].map(str::to_owned).to_vec(),
        }
    }
}

/// The list for OpenAI's clients, whole.
pub(super) fn for_openai(models: &[Usable]) -> ModelList {
    ModelList { object: "list".to_owned(), data: models.iter().map(Usable::for_openai).collect() }
}

/// A page for Anthropic's clients: so many behind `after`, or before `before`.
pub(super) fn for_anthropic(
    models: &[Usable],
    (after, before): (Option<&str>, Option<&str>),
    limit: usize,
) -> AnthropicModelList {
    let all: Vec<AnthropicModel> = models.iter().map(Usable::for_anthropic).collect();
    let at = |id: &str| all.iter().position(|model| model.id == id);
    let start = after.and_then(at).map_or(0, |index| index + 1);
    let end = before.and_then(at).unwrap_or(all.len());
    let within = all.get(start..end).unwrap_or_default();
    // What is asked for before something is the last of what stands there.
    let skipped = if before.is_some() { within.len().saturating_sub(limit) } else { 0 };
    let data: Vec<AnthropicModel> = within.iter().skip(skipped).take(limit).cloned().collect();
    AnthropicModelList {
        first_id: data.first().map(|model| model.id.clone()),
        last_id: data.last().map(|model| model.id.clone()),
        has_more: within.len() > data.len(),
        data,
    }
}

/// A page for Google's clients: so many, from the one of this name on.
pub(super) fn for_gemini(models: &[Usable], token: Option<&str>, limit: usize) -> GeminiModelList {
    let all: Vec<GeminiModel> = models.iter().map(Usable::for_gemini).collect();
    let start = token.and_then(|token| all.iter().position(|model| model.name == token)).unwrap_or(0);
    let next_page_token = all.get(start + limit).map(|model| model.name.clone());
    GeminiModelList { models: all.into_iter().skip(start).take(limit).collect(), next_page_token }
}
