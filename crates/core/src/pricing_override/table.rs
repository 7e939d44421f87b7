//! Every pricing override, compiled: those that fit are found by hash, without looking at the others. Each narrower one is laid over
//! the wider ones, so that one with only some prices leaves the others as they are.

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

    /// What a model costs whose own price is `own`, with the prices of every override that fits: the model's name, or the alias
    /// that it was asked for by.
    #[must_use]
    pub fn price(&self, priced: &Priced<'_>, asked: &str, own: Option<VersionedPrice>) -> Option<VersionedPrice> {
        let fitting = self.fitting(priced, asked);
        if fitting.is_empty() {
            return own;
        }
        let merged = fitting.iter().fold(PricePatch::default(), |under, entry| entry.patch.over(&under));
        let price = merged.applied_to(own.as_ref().map(|own| own.price.clone()))?;
        let own = own.iter().map(|own| own.version.as_str());
        let versions: Vec<&str> = own.chain(fitting.iter().map(|entry| entry.version.as_str())).collect();
        Some(VersionedPrice { price, version: PriceVersion::from(versions.join("; ").as_str()) })
    }

    /// The overrides that fit, the one that counts most last: of the most specific scope, in it an exact pattern, else the longest
    /// prefix; of two alike, that of the alias.
    fn fitting(&self, priced: &Priced<'_>, asked: &str) -> Vec<&Entry> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let alias = Some(asked).filter(|asked| *asked != priced.model);
        let mut all: Vec<&Entry> = Vec::new();
        for scope in scopes(priced) {
            let Some(patterns) = self.0.get(&(scope, priced.request_type)) else { continue };
            let mut found: Vec<((usize, bool), &Arc<Entry>)> = patterns.find(priced.model, false).collect();
            found.extend(alias.into_iter().flat_map(|alias| patterns.find(alias, true)));
            found.sort_by_key(|(rank, _)| *rank);
            for (_, entry) in found {
                all.retain(|other| !std::ptr::eq(*other, entry.as_ref()));
                all.push(entry);
            }
        }
        all
    }
}

/// The scopes that a request has, least specific first.
fn scopes(priced: &Priced<'_>) -> [PricingScope; 6] {
    let (virtual_key, provider, key) =
        (priced.virtual_key.clone(), priced.provider.clone(), priced.provider_key.clone());
    [
        PricingScope::Global,
        PricingScope::Provider(provider.clone()),
        PricingScope::ProviderKey(key.clone()),
        PricingScope::VirtualKey(virtual_key.clone()),
        PricingScope::VirtualKeyProvider(virtual_key.clone(), provider.clone()),
        PricingScope::VirtualKeyProviderKey(virtual_key, provider, key),
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

    /// Those that fit a name, each with how closely, and whether the name is an alias.
    fn find(&self, model: &str, is_alias: bool) -> impl Iterator<Item = ((usize, bool), &Arc<Entry>)> {
        let exact = self.exact.get(model).map(|entry| ((usize::MAX, is_alias), entry));
        let prefixes = self.lengths.iter().filter_map(move |length| {
            let entry = self.prefixes.get(model.get(..*length)?)?;
            Some(((*length, is_alias), entry))
        });
        exact.into_iter().chain(prefixes)
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
        let fields = ["input_cost_per_token", "output_cost_per_token", "output_cost_per_token_flex"];
        let members = json!({
            "id": "id", "name": "n", "scope_kind": kind, "virtual_key_id": ids[0], "provider_id": ids[1],
            "provider_key_id": ids[2], "match_type": match_type, "pattern": pattern, "request_types": [request_type],
            "patch": {fields[index % 3]: cost, fields[(index + 1) % 3]: 0}, "pricing_patch": "", "config_hash": "",
            "created_at": Timestamp::UNIX_EPOCH, "updated_at": Timestamp::UNIX_EPOCH,
        });
        let members: serde_json::Map<String, Value> =
            members.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
        serde_json::from_str(&Value::Object(members).to_string()).unwrap()
    }

    /// Goes through all of them and lays those that fit over each other by the documented rule.
    fn naive(entries: &[PricingOverride], priced: &Priced<'_>, asked: &str) -> PricePatch {
        let rank = |entry: &PricingOverride| {
            let fits = entry.virtual_key_id.as_ref().is_none_or(|id| id == priced.virtual_key)
                && entry.provider_id.as_ref().is_none_or(|name| name == priced.provider)
                && entry.provider_key_id.as_ref().is_none_or(|id| id == priced.provider_key)
                && entry.request_types.contains(&priced.request_type);
            let length = |model: &str| match entry.pattern.strip_suffix('*') {
                Some(prefix) => model.starts_with(prefix).then_some(prefix.len()),
                None => (entry.pattern == model).then_some(usize::MAX),
            };
            let kinds = ["global", "provider", "provider_key", "virtual_key", "virtual_key_provider"];
            let specific = kinds.iter().position(|kind| *kind == entry.scope_kind.as_str()).unwrap_or(kinds.len());
            let (served, alias) =
                (length(priced.model).map(|length| (length, false)), length(asked).map(|length| (length, true)));
            served.max(alias).filter(|_| fits).map(|rank| (specific, rank))
        };
        // Of those with one scope and pattern the last one counts, and the others do not.
        let is_replaced = |index: usize| {
            let of =
                |entry: &PricingOverride| (entry.scope().unwrap(), entry.pattern.clone(), entry.request_types.clone());
            entries[index + 1..].iter().any(|later| of(later) == of(&entries[index]))
        };
        let mut fitting: Vec<_> = (0..entries.len()).filter(|index| !is_replaced(*index)).collect();
        fitting.retain(|index| rank(&entries[*index]).is_some());
        fitting.sort_by_key(|index| rank(&entries[*index]));
        fitting.iter().fold(PricePatch::default(), |under, index| entries[*index].patch.over(&under))
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
            asked in prop_oneof![Just("gpt"), Just("x"), Just("é1")],
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
            let found = PricingTable::new(&entries).unwrap().price(&priced, asked, None);
            prop_assert_eq!(found.map(|found| found.price), naive(&entries, &priced, asked).applied_to(None));
        }
    }
}
