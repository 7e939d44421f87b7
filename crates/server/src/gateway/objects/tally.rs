//! Tallies: what came of a batch, read line by line, and what it costs. Each answer is priced on its own, since a long input may have
//! rates of its own; answers with the same model and the same rates are one sum, and one entry of the ledger.

use keyward_core::ids::{ProviderKeyId, ProviderName, VirtualKeyId};
use keyward_core::operation::Operation;
use keyward_core::price::{PicoUsd, Price, PriceSheet, PriceVersion, ServiceTier, VersionedPrice};
use keyward_core::pricing_override::{PriceList, Priced, RequestType};
use keyward_core::provider_object::{ObjectKind, ObjectModel, ProviderObject};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::line::operation;
use crate::gateway::usage::{self, Usage};
use crate::state::State;

/// Whose price is asked for.
pub(super) struct Subject<'a> {
    pub(super) virtual_key: &'a VirtualKeyId,
    pub(super) provider: &'a ProviderName,
    pub(super) key_id: &'a ProviderKeyId,
    pub(super) kind: ObjectKind,
    pub(super) endpoint: Option<&'a str>,
}

impl Subject<'_> {
    /// What the requests are for.
    fn operation(&self) -> Operation {
        match self.kind {
            ObjectKind::MessageBatch => Operation::Messages,
            ObjectKind::Response | ObjectKind::File | ObjectKind::Batch => {
                self.endpoint.and_then(operation).unwrap_or(Operation::ChatCompletions)
            }
        }
    }
}

/// What a model costs when it is asked at once; none: it has no price.
pub(super) fn price(state: &State, subject: &Subject<'_>, model: &ObjectModel) -> Option<VersionedPrice> {
    let operation = subject.operation();
    if operation.is_free() {
        return Some(VersionedPrice { price: Price::FREE, version: state.catalogue.version().into() });
    }
    let priced = Priced {
        virtual_key: subject.virtual_key,
        provider: subject.provider,
        provider_key: subject.key_id,
        model: model.served.as_str(),
        request_type: RequestType::find(operation.request_type()).unwrap_or(RequestType::ChatCompletion),
    };
    let overrides = state.pricing.load();
    let otherwise = state.settings.unpriced_models.price();
    PriceList { catalogue: &state.catalogue, overrides: &overrides, otherwise }.price(&priced, model.asked.as_str())
}

/// Tells what a model costs.
type PriceOf<'a> = &'a (dyn Fn(&ObjectModel) -> Option<VersionedPrice> + Sync);

/// What answers with one model and at the same rates have used together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sum {
    pub(super) model: ObjectModel,
    /// None: the model has no price.
    pub(super) price: Option<VersionedPrice>,
    pub(super) usage: Usage,
}

/// The sums of a batch, in the order in which its answers first needed them: the same whenever the same answers are read.
pub(super) struct Tally<'a> {
    batch: &'a ProviderObject,
    price: PriceOf<'a>,
    operation: Operation,
    pub(super) sums: Vec<Sum>,
    /// How many answers did not tell their usage.
    pub(super) unreported: u64,
}

/// A line of OpenAI's output files.
#[derive(Deserialize)]
struct Answered<'a> {
    #[serde(borrow, default)]
    response: Option<Response<'a>>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(default)]
    status_code: Option<u16>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

/// A line of Anthropic's results.
#[derive(Deserialize)]
struct Resulted<'a> {
    #[serde(borrow)]
    result: MessageResult<'a>,
}

#[derive(Deserialize)]
struct MessageResult<'a> {
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    model: Option<String>,
}

impl<'a> Tally<'a> {
    pub(super) fn new(batch: &'a ProviderObject, price: PriceOf<'a>) -> Self {
        let ProviderObject { virtual_key_id, provider, provider_key_id, kind, endpoint, .. } = batch;
        let (kind, endpoint) = (*kind, endpoint.as_deref());
        let subject = Subject { virtual_key: virtual_key_id, provider, key_id: provider_key_id, kind, endpoint };
        Self { batch, price, operation: subject.operation(), sums: Vec::new(), unreported: 0 }
    }

    /// Reads one line. What failed has used nothing that anybody bills.
    pub(super) fn read(&mut self, line: &[u8]) {
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let answer = match self.batch.kind {
            ObjectKind::MessageBatch => {
                serde_json::from_slice::<Resulted<'_>>(line).ok().map(|resulted| resulted.result.message)
            }
            ObjectKind::Response | ObjectKind::File | ObjectKind::Batch => {
                let answered = serde_json::from_slice::<Answered<'_>>(line).ok();
                answered.map(|answered| answered.response.filter(Response::has_succeeded).and_then(|it| it.body))
            }
        };
        match answer {
            Some(Some(body)) => self.count(body.get().as_bytes()),
            Some(None) => {}
            None => self.unreported += 1,
        }
    }

    fn count(&mut self, body: &[u8]) {
        let used = usage::of_answer(usage::shape(self.operation), body).ok().flatten();
        let Some(used) = used else {
            self.unreported += u64::from(!self.operation.is_free());
            return;
        };
        let named = serde_json::from_slice::<Named>(body).ok().and_then(|named| named.model).unwrap_or_default();
        let unknown = || ObjectModel { asked: named.as_str().into(), served: named.as_str().into() };
        let model = self.batch.model_of(&named).cloned().unwrap_or_else(unknown);
        let used = Usage { tier: ServiceTier::Batch, reported: None, ..used };
        let price = (self.price)(&model).map(|known| for_batches(&known, &used));
        match self.sums.iter_mut().find(|sum| sum.model == model && sum.price == price) {
            Some(sum) => sum.usage = added(&sum.usage, &used),
            None => self.sums.push(Sum { model, price, usage: used }),
        }
    }
}

impl Response<'_> {
    fn has_succeeded(&self) -> bool {
        self.status_code.is_none_or(|status| (200..300).contains(&status))
    }
}

/// What an answer costs in a batch: at the price that the model has for batches, else half of what it costs at once, which is what
/// OpenAI and Anthropic bill. The rates are those that hold for its own input, however much all inputs are together.
fn for_batches(known: &VersionedPrice, used: &Usage) -> VersionedPrice {
    let is_known = known.price.variants().iter().any(|one| one.tier == ServiceTier::Batch);
    let rates = match is_known {
        true => known.price.rates_for(used),
        false => known.price.rates_for(&Usage { tier: ServiceTier::Standard, ..*used }).map(|_, rate| half(rate)),
    };
    let sheet: PriceSheet = rates.map(|_, rate| Some(rate));
    let version = match is_known {
        true => known.version.clone(),
        false => PriceVersion::from(format!("{}+batch", known.version).as_str()),
    };
    VersionedPrice { price: Price::flat(sheet), version }
}

/// Rounded up.
const fn half(price: PicoUsd) -> PicoUsd {
    PicoUsd::from_picos(price.picos() / 2 + price.picos() % 2)
}

fn added(one: &Usage, other: &Usage) -> Usage {
    let counts = one.counts.map(|class, count| count.saturating_add(*other.counts.get(class)));
    Usage { counts, ..*one }
}

#[cfg(test)]
mod tests;
