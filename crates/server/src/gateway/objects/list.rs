//! Lists: what a virtual key has made, with what the provider last said of it. No provider is asked: its own list would have what
//! others have made too, page by page.

use keyward_core::provider_object::{ObjectKind, ProviderObject};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::clock;
use crate::error::ApiError;
use crate::gateway::credential::{Free, Metered};
use crate::state::State;

/// Which part of a list, as OpenAI's clients ask.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::gateway) struct Range {
    /// The id behind which the page begins.
    after: Option<String>,
    /// How many elements a page has at most; of files 10,000 unless given, of batches 20.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<usize>,
    /// `asc` or `desc`, by age; `desc` unless given.
    order: Option<String>,
    /// Only files of this purpose.
    purpose: Option<String>,
}

/// Which part of a list, as Anthropic's clients ask.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::gateway) struct AnthropicRange {
    /// The id behind which the page begins.
    after_id: Option<String>,
    /// The id before which the page ends.
    before_id: Option<String>,
    /// How many elements a page has at most; 20 unless given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// A page of what a virtual key has made.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::gateway) struct ObjectPage {
    /// `list`; only OpenAI's dialect has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'static str>,
    /// What the provider last said of each.
    #[schema(value_type = Vec<Object>)]
    data: Vec<Box<RawValue>>,
    /// The id of the first element.
    first_id: Option<String>,
    /// The id of the last element.
    last_id: Option<String>,
    /// True when there are more behind the last element.
    has_more: bool,
}

/// How many elements a page of files has at most, unless it is said.
const FILES: usize = 10_000;
/// How many a page of batches has.
const BATCHES: usize = 20;

#[derive(Deserialize)]
struct Purpose {
    purpose: String,
}

impl Range {
    /// The page of a virtual key's own objects.
    pub(in crate::gateway) async fn page(
        self,
        state: &State,
        caller: &Metered<Free>,
        kind: ObjectKind,
    ) -> Result<ObjectPage, ApiError> {
        let mut all = made(state, caller, kind).await?;
        if let Some(purpose) = &self.purpose {
            let is_for = |told: &str| serde_json::from_str::<Purpose>(told).is_ok_and(|told| told.purpose == *purpose);
            all.retain(|object| object.told.as_deref().is_some_and(is_for));
        }
        if self.order.as_deref() == Some("asc") {
            all.reverse();
        }
        let usual = if kind == ObjectKind::File { FILES } else { BATCHES };
        let behind = self.after.as_deref().and_then(|id| all.iter().position(|object| object.id == id));
        let rest = all.into_iter().skip(behind.map_or(0, |place| place + 1));
        Ok(ObjectPage { object: Some("list"), ..page(rest.collect(), self.limit.unwrap_or(usual).clamp(1, FILES)) })
    }
}

impl AnthropicRange {
    /// The page of a virtual key's own batches of messages.
    pub(in crate::gateway) async fn page(self, state: &State, caller: &Metered<Free>) -> Result<ObjectPage, ApiError> {
        let mut all = made(state, caller, ObjectKind::MessageBatch).await?;
        let limit = self.limit.unwrap_or(BATCHES).clamp(1, 1_000);
        let place = |id: &str| all.iter().position(|object| object.id == id);
        let (behind, before) = (self.after_id.as_deref().and_then(place), self.before_id.as_deref().and_then(place));
        if let Some(end) = before {
            all.truncate(end);
            let begin = all.len().saturating_sub(limit);
            let has_more = begin > 0;
            return Ok(ObjectPage { has_more, ..page(all.split_off(begin), limit) });
        }
        Ok(page(all.into_iter().skip(behind.map_or(0, |place| place + 1)).collect(), limit))
    }
}

/// What the caller has made, newest first, as far as something was said of it.
async fn made(state: &State, caller: &Metered<Free>, kind: ObjectKind) -> Result<Vec<ProviderObject>, ApiError> {
    let principal = state.engine.identify(&caller.hash, clock::now())?;
    let all = state.store.provider_object_list(kind, principal.virtual_key_id().clone()).await?;
    Ok(all.into_iter().filter(|object| object.told.is_some()).collect())
}

fn page(objects: Vec<ProviderObject>, limit: usize) -> ObjectPage {
    let has_more = objects.len() > limit;
    let shown = objects.into_iter().take(limit).filter_map(|object| {
        let told = RawValue::from_string(object.told?).ok()?;
        Some((object.id, told))
    });
    let (ids, data): (Vec<String>, Vec<Box<RawValue>>) = shown.unzip();
    ObjectPage { object: None, data, first_id: ids.first().cloned(), last_id: ids.last().cloned(), has_more }
}
