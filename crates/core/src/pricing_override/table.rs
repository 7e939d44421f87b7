//! Every pricing override, compiled: the one that wins is found by hash, without looking at the others.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Pattern, PricePatch, PricingOverride, PricingScope, RequestType};
use crate::ids::{ProviderKeyId, ProviderName, VirtualKeyId};
use crate::invalid::Invalid;
use crate::price::{PriceVersion, VersionedPrice};

/// What a price is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced<'a> {
    /// The virtual key that asks.
    pub virtual_key: &'a VirtualKeyId,
    /// The provider.
    pub provider: &'a ProviderName,
    /// The provider key that serves.
    pub provider_key: &'a ProviderKeyId,
    /// The model.
    pub model: &'a str,
    /// The kind of request.
    pub request_type: RequestType,
}

/// Every pricing override, by scope and pattern.
#[derive(Debug, Default)]
pub struct PricingTable(HashMap<(PricingScope, RequestType), Patterns>);

/// The overrides of one scope.
#[derive(Debug, Default)]
struct Patterns {
    exact: HashMap<String, Arc<Entry>>,
    prefixes: HashMap<String, Arc<Entry>>,
    /// The lengths of the prefixes, longest first.
    lengths: Vec<usize>,
}

/// What one override changes.
#[derive(Debug)]
struct Entry {
    /// Names the override, as it was last edited.
    version: PriceVersion,
    patch: PricePatch,
}

impl PricingTable {
    /// Compiles pricing overrides. Where two have the same scope, pattern and kind of request, the later one in the list counts.
    ///
    /// # Errors
    /// One whose members do not fit each other, which no checked one's do.
    pub fn new<'a>(overrides: impl IntoIterator<Item = &'a PricingOverride>) -> Result<Self, Invalid> {
        let mut table = Self::default();
        for entry in overrides {
            let version = PriceVersion::from(format!("override {} of {}", entry.id, entry.updated_at).as_str());
            let compiled = Arc::new(Entry { version, patch: entry.patch.clone() });
            for request_type in &entry.request_types {
                let patterns = table.0.entry((entry.scope()?, *request_type)).or_default();
                patterns.insert(entry.model_pattern()?, compiled.clone());
            }
        }
        Ok(table)
    }

    /// What a model costs whose own price is `own`: with the prices of the override that wins, if there is one.
    #[must_use]
    pub fn price(&self, priced: &Priced<'_>, own: Option<VersionedPrice>) -> Option<VersionedPrice> {
        let Some(Entry { version, patch }) = self.winner(priced) else { return own };
        let price = patch.applied_to(own.as_ref().map(|own| own.price))?;
        let version = match own {
            Some(own) => PriceVersion::from(format!("{}; {version}", own.version).as_str()),
            None => version.clone(),
        };
        Some(VersionedPrice { price, version })
    }

    /// The most specific scope wins; in it an exact pattern, else the longest prefix.
    fn winner(&self, priced: &Priced<'_>) -> Option<&Entry> {
        if self.0.is_empty() {
            return None;
        }
        let found = scopes(priced).into_iter().find_map(|scope| {
            let patterns = self.0.get(&(scope, priced.request_type))?;
            patterns.find(priced.model)
        });
        found.map(Arc::as_ref)
    }
}

/// The scopes that a request has, most specific first.
fn scopes(priced: &Priced<'_>) -> [PricingScope; 6] {
    let (virtual_key, provider, key) =
        (priced.virtual_key.clone(), priced.provider.clone(), priced.provider_key.clone());
    [
        PricingScope::VirtualKeyProviderKey(virtual_key.clone(), provider.clone(), key.clone()),
        PricingScope::VirtualKeyProvider(virtual_key.clone(), provider.clone()),
        PricingScope::VirtualKey(virtual_key),
        PricingScope::ProviderKey(key),
        PricingScope::Provider(provider),
        PricingScope::Global,
    ]
}

impl Patterns {
    fn insert(&mut self, pattern: Pattern, entry: Arc<Entry>) {
        match pattern {
            Pattern::Exact(model) => drop(self.exact.insert(model, entry)),
            Pattern::Prefix(prefix) => {
                if let Err(index) = self.lengths.binary_search_by(|length| prefix.len().cmp(length)) {
                    self.lengths.insert(index, prefix.len());
                }
                self.prefixes.insert(prefix, entry);
            }
        }
    }

    fn find(&self, model: &str) -> Option<&Arc<Entry>> {
        self.exact.get(model).or_else(|| {
            let mut beginnings = self.lengths.iter().filter_map(|length| model.get(..*length));
            beginnings.find_map(|beginning| self.prefixes.get(beginning))
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn entry(index: usize, kind: &str, ids: [Option<&str>; 3], pattern: &str, request_type: &str) -> PricingOverride {
        let match_type = if pattern.ends_with('*') { "wildcard" } else { "exact" };
        let cost = format!("0.{:012}", index + 1).parse::<f64>().unwrap();
        let members = json!({
            "id": "id", "name": "n", "scope_kind": kind, "virtual_key_id": ids[0], "provider_id": ids[1],
            "provider_key_id": ids[2], "match_type": match_type, "pattern": pattern, "request_types": [request_type],
            "patch": {"input_cost_per_token": cost, "output_cost_per_token": 0}, "pricing_patch": "", "config_hash": "",
            "created_at": Timestamp::UNIX_EPOCH, "updated_at": Timestamp::UNIX_EPOCH,
        });
        let members: serde_json::Map<String, Value> =
            members.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
        serde_json::from_str(&Value::Object(members).to_string()).unwrap()
    }

    /// Goes through all of them and keeps the best by the documented rule.
    fn naive<'a>(entries: &'a [PricingOverride], priced: &Priced<'_>) -> Option<&'a PricingOverride> {
        let rank = |entry: &&PricingOverride| {
            let fits = entry.virtual_key_id.as_ref().is_none_or(|id| id == priced.virtual_key)
                && entry.provider_id.as_ref().is_none_or(|name| name == priced.provider)
                && entry.provider_key_id.as_ref().is_none_or(|id| id == priced.provider_key)
                && entry.request_types.contains(&priced.request_type);
            let length = match entry.pattern.strip_suffix('*') {
                Some(prefix) => priced.model.starts_with(prefix).then_some(prefix.len()),
                None => (entry.pattern == priced.model).then_some(usize::MAX),
            };
            let kinds = ["global", "provider", "provider_key", "virtual_key", "virtual_key_provider"];
            let specific = kinds.iter().position(|kind| *kind == entry.scope_kind.as_str()).unwrap_or(kinds.len());
            length.filter(|_| fits).map(|length| (specific, length))
        };
        // Of equals the last one is the maximum.
        entries.iter().filter(|entry| rank(entry).is_some()).max_by_key(rank)
    }

    fn any_entry() -> impl Strategy<Value = (usize, usize, usize, usize, &'static str, &'static str)> {
        let pattern = prop_oneof![Just("*"), Just("g*"), Just("gp*"), Just("gpt"), Just("gpt*"), Just("é*"), Just("x")];
        let request_type = prop_oneof![4 => Just("chat_completion"), 1 => Just("embedding")];
        (0usize..6, 0usize..2, 0usize..2, 0usize..2, pattern, request_type)
    }

    proptest! {
        /// The table finds what a search through everything finds.
        #[test]
        fn the_table_agrees_with_a_search_through_everything(
            made in proptest::collection::vec(any_entry(), 0..20),
            model in prop_oneof![Just("gpt"), Just("gp"), Just("gpt-4o"), Just("x"), Just("é"), Just("é1"), Just("")],
        ) {
            let entries: Vec<PricingOverride> = made
                .iter()
                .enumerate()
                .map(|(index, (kind, virtual_key, provider, key, pattern, request_type))| {
                    let (kind, has) = [
                        ("global", [false, false, false]),
                        ("provider", [false, true, false]),
                        ("provider_key", [false, false, true]),
                        ("virtual_key", [true, false, false]),
                        ("virtual_key_provider", [true, true, false]),
                        ("virtual_key_provider_key", [true, true, true]),
                    ][*kind];
                    let ids = [["v0", "v1"][*virtual_key], ["p0", "p1"][*provider], ["k0", "k1"][*key]];
                    let ids = std::array::from_fn(|place| has[place].then_some(ids[place]));
                    entry(index, kind, ids, pattern, request_type)
                })
                .collect();
            let (virtual_key, provider, provider_key) = ("v0".into(), "p0".into(), "k0".into());
            let priced = Priced {
                virtual_key: &virtual_key,
                provider: &provider,
                provider_key: &provider_key,
                model,
                request_type: RequestType::ChatCompletion,
            };
            let found = PricingTable::new(&entries).unwrap().price(&priced, None);
            prop_assert_eq!(found.map(|found| found.price), naive(&entries, &priced).and_then(|entry| entry.patch.applied_to(None)));
        }
    }
}
