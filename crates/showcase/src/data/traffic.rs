//! What the virtual keys did: requests over 90 days, more by day than by night, each written down or refused.

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp, Zoned};
use keyward_core::catalogue::Catalogue;
use keyward_core::ids::{ProviderKeyId, ProviderName};
use keyward_core::ledger::{Attribution, LedgerEntry, Outcome, Pricing, UsageSource};
use keyward_core::model_config::ModelConfig;
use keyward_core::money::NanoUsd;
use keyward_core::price::{TokenUsage, Usage};
use keyward_core::pricing_override::RequestType;
use keyward_core::provider::Provider;
use keyward_core::virtual_key::VirtualKey;

use super::chance::Chance;
use super::maker::Maker;
use super::organisation::Organisation;
use super::refused::Refused;
use super::{DAYS, REQUESTS, hostile, providers};

mod admission;
mod scopes;

use admission::Admission;

/// Models with their providers, and how often they are asked.
const MODELS: [(&str, &str, i64); 8] = [
    ("openai", "gpt-4.1", 26),
    ("openai", "gpt-4.1-mini", 24),
    ("anthropic", "claude-sonnet-4-0", 18),
    ("anthropic", "claude-haiku-4-5", 12),
    ("gemini", "gemini-2.5-flash", 10),
    ("mistral", "mistral-small-latest", 6),
    (providers::OWN, "llama", 3),
    (providers::OWN, hostile::SCRIPT, 1),
];
/// How often each hour of the day is asked in, in UTC.
const HOURS: [i64; 24] = [1, 1, 0, 0, 0, 1, 3, 8, 14, 18, 20, 19, 16, 18, 21, 20, 17, 13, 9, 6, 4, 3, 2, 1];
/// How attempts end, in thousandths.
const OUTCOMES: [(Outcome, i64); 5] = [
    (Outcome::Completed, 958),
    (Outcome::ClientCancelled, 17),
    (Outcome::UpstreamError, 15),
    (Outcome::TimedOut, 8),
    (Outcome::Abandoned, 2),
];
/// How many entries are written at once.
const BATCH: usize = 4_000;

/// What there is for requests to be made with.
pub(super) struct World {
    pub(super) providers: Vec<Provider>,
    pub(super) organisation: Organisation,
    pub(super) keys: Vec<VirtualKey>,
    pub(super) limits: Vec<ModelConfig>,
}

/// A request that somebody makes.
struct Asked<'a> {
    key: &'a VirtualKey,
    provider: ProviderName,
    model: &'static str,
    at: Timestamp,
}

pub(super) async fn write(maker: &mut Maker<'_>, world: &World) -> Result<()> {
    let catalogue = Catalogue::built_in()?;
    let mut admission = Admission::new(world);
    let (mut entries, mut refused) = (Vec::new(), Refused::default());
    for at in instants(maker)? {
        let Some(asked) = ask(&mut maker.chance, world, at) else { continue };
        let mut entry = entry(&mut maker.chance, world, &catalogue, &asked)?;
        match admission.admit(&mut entry, asked.key) {
            Ok(()) => entries.push(entry),
            Err(code) => refused.count(&entry, code),
        }
    }
    for batch in entries.chunks(BATCH) {
        maker.store.ledger_append(batch.to_vec()).await?;
    }
    maker.store.refusals_add(refused.counts()).await?;
    Ok(())
}

/// When requests are made, one after the other.
fn instants(maker: &mut Maker<'_>) -> Result<Vec<Timestamp>> {
    let begin = maker.ago(SignedDuration::from_hours(24 * DAYS))?;
    let span = i64::try_from(maker.now.duration_since(begin).as_millis())?;
    let mut instants = Vec::new();
    let most = HOURS.into_iter().max().unwrap_or_default();
    while instants.len() < usize::try_from(REQUESTS)? {
        // The last minutes belong to attempts that are not settled yet.
        let after = maker.chance.number(0, span - 120_000);
        let at = begin.checked_add(SignedDuration::from_millis(after))?;
        let grown = maker.chance.number(0, span * 2) < span + after;
        if grown && maker.chance.number(0, most * 7) < busyness(&at.to_zoned(jiff::tz::TimeZone::UTC)) {
            instants.push(at);
        }
    }
    instants.sort_unstable();
    Ok(instants)
}

/// How much is asked at an hour, less at weekends.
fn busyness(at: &Zoned) -> i64 {
    let of_day = usize::try_from(at.hour()).ok().and_then(|hour| HOURS.get(hour)).copied().unwrap_or_default();
    of_day * if at.weekday().to_monday_zero_offset() < 5 { 7 } else { 2 }
}

/// Few virtual keys ask most of what is asked: the first ones.
fn ask<'a>(chance: &mut Chance, world: &'a World, at: Timestamp) -> Option<Asked<'a>> {
    let number = i64::try_from(world.keys.len()).ok()?;
    let place = chance.number(0, number) * chance.number(0, number) / number;
    let key = world.keys.get(usize::try_from(place).ok()?)?;
    let (provider, model, _) = chance.weighted(&MODELS, |(_, _, weight)| *weight)?;
    (key.created_at < at).then(|| Asked { key, provider: (*provider).into(), model, at })
}

fn entry(chance: &mut Chance, world: &World, catalogue: &Catalogue, asked: &Asked<'_>) -> Result<LedgerEntry> {
    let outcome = chance.weighted(&OUTCOMES, |(_, weight)| *weight).context("no outcome")?.0;
    let usage = usage(chance, outcome)?;
    let card = catalogue.find(asked.provider.as_str(), asked.model);
    let pricing = card.map(|card| Pricing { version: catalogue.version().into(), rates: card.price.rates_for(&usage) });
    let cost = card.map_or(NanoUsd::ZERO, |card| card.price.cost(&usage));
    let first_byte = chance.number(180, 2_400);
    let end = first_byte + chance.number(40, 14_000);
    let after = |millis: i64| asked.at.checked_add(SignedDuration::from_millis(millis));
    Ok(LedgerEntry {
        attribution: Attribution {
            request_id: chance.uuid().to_string().as_str().into(),
            attempt: 0,
            virtual_key_id: asked.key.id.clone(),
            team_id: asked.key.team_id.clone(),
            customer_id: scopes::customer(world, asked.key).map(|customer| customer.id.clone()),
            request_type: Some(RequestType::ChatCompletion),
            provider: asked.provider.clone(),
            provider_key_id: provider_key(chance, world, &asked.provider).unwrap_or_else(|| "".into()),
            model: asked.model.into(),
            model_served: asked.model.into(),
        },
        usage,
        usage_source: if outcome == Outcome::Completed { UsageSource::Provider } else { UsageSource::Counted },
        cost,
        pricing,
        held: NanoUsd::from_nanos(cost.nanos().saturating_mul(3) / 2),
        outcome,
        admitted_at: asked.at,
        first_byte_at: (outcome != Outcome::UpstreamError).then(|| after(first_byte)).transpose()?,
        settled_at: after(end)?,
        postings: Default::default(),
    })
}

fn usage(chance: &mut Chance, outcome: Outcome) -> Result<Usage> {
    if outcome == Outcome::UpstreamError {
        return Ok(Usage::default());
    }
    let input = chance.number(80, 9_000) * chance.number(1, 6);
    let cached = if chance.number(0, 3) == 0 { input / 2 } else { 0 };
    let counts = TokenUsage {
        input: u64::try_from(input - cached)?,
        cached_input: u64::try_from(cached)?,
        output: u64::try_from(chance.number(20, 3_500))?,
        ..TokenUsage::default()
    };
    Ok(counts.into())
}

fn provider_key(chance: &mut Chance, world: &World, provider: &ProviderName) -> Option<ProviderKeyId> {
    let provider = world.providers.iter().find(|one| one.name == *provider)?;
    let able: Vec<_> = provider.keys.iter().filter(|key| key.enabled).collect();
    chance.weighted(&able, |_| 1).map(|key| key.id.clone())
}
