//! The prices of a pricing override, and what they make of a model's own.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use super::cost_field::{BASE, CostField, FAMILIES, LONG_CONTEXT, TokenFields};
use crate::money::{InvalidAmount, parse_scaled};
use crate::price::{LongContext, LongContexts, PicoUsd, Price, Rates};

/// A price of one unit of whatever is counted, in US dollars. On the wire it is a plain number, read from its literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitPrice(PicoUsd);

/// Decimal places of a pico-dollar.
const PICO_SCALE: u32 = 12;

impl Serialize for UnitPrice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let dollars = Decimal::new(self.0.picos(), PICO_SCALE).normalize();
        RawValue::from_string(dollars.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for UnitPrice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let literal = Box::<RawValue>::deserialize(deserializer)?;
        let refuse = |what: String| Err(D::Error::custom(what));
        match parse_scaled(literal.get(), PICO_SCALE) {
            Ok(negative) if negative < 0 => refuse(format!("a cost cannot be negative: {}", literal.get())),
            Ok(picos) => Ok(Self(PicoUsd::from_picos(picos))),
            Err(InvalidAmount::TooFine(text)) => refuse(format!("`{text}` is finer than a pico-dollar (12 decimals)")),
            Err(InvalidAmount::OutOfRange(text)) => refuse(format!("`{text}` is out of range")),
            Err(InvalidAmount::NotDecimal(text)) => refuse(format!("a cost is a number of US dollars, not {text}")),
        }
    }
}

/// Prices by the name of their field. What is not in it stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct PricePatch(BTreeMap<CostField, UnitPrice>);

impl<'de> Deserialize<'de> for PricePatch {
    /// Null is the same as absent.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = BTreeMap::<CostField, Option<UnitPrice>>::deserialize(deserializer)?;
        Ok(Self(fields.into_iter().filter_map(|(field, price)| Some((field, price?))).collect()))
    }
}

impl PricePatch {
    /// What a model costs with these prices in place of its own. A price that neither names is none: without its own, input
    /// and output must both be here. A cache price that was the price of input stays that.
    #[must_use]
    pub fn applied_to(&self, price: Option<Price>) -> Option<Price> {
        let base = self.rates(&BASE, price.map(|price| price.base))?;
        let own = price.map(|price| price.long_contexts).unwrap_or_default();
        Some(Price { base, long_contexts: self.long_contexts(own, base)? })
    }

    /// The rates for long inputs. A threshold that the model has keeps what is not named here; one that it does not have has the
    /// rates of shorter inputs there.
    fn long_contexts(&self, own: LongContexts, base: Rates) -> Option<LongContexts> {
        let named = LONG_CONTEXT.iter().filter(|(_, fields)| self.has_any(fields));
        named.into_iter().try_fold(own, |all, (above_input_tokens, fields)| {
            let below = all.iter().take_while(|one| one.above_input_tokens <= *above_input_tokens).last();
            let rates = self.rates(fields, Some(below.map_or(base, |one| one.rates)))?;
            Some(all.with(LongContext { above_input_tokens: *above_input_tokens, rates }))
        })
    }

    fn rates(&self, fields: &TokenFields, own: Option<Rates>) -> Option<Rates> {
        let input = self.price(fields.input).or(own.map(|own| own.input))?;
        let output = self.price(fields.output).or(own.map(|own| own.output))?;
        let cache = |field: Option<CostField>, of: fn(&Rates) -> PicoUsd| {
            let own = own.filter(|own| of(own) != own.input).map(|own| of(&own));
            field.and_then(|field| self.price(field)).or(own).unwrap_or(input)
        };
        let cached_input = cache(fields.cached_input, |own| own.cached_input);
        Some(Rates { input, output, cached_input, cache_write: cache(fields.cache_write, |own| own.cache_write) })
    }

    fn has_any(&self, fields: &TokenFields) -> bool {
        let TokenFields { input, output, cached_input, cache_write } = fields;
        let fields = [Some(*input), Some(*output), *cached_input, *cache_write];
        fields.into_iter().flatten().any(|field| self.0.contains_key(&field))
    }

    fn price(&self, field: CostField) -> Option<PicoUsd> {
        self.0.get(&field).map(|price| price.0)
    }

    /// The patch as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Names and numbers can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl PartialSchema for PricePatch {
    fn schema() -> RefOr<Schema> {
        let fields = FAMILIES.iter().flat_map(|family| family.fields.iter().map(|field| (*field, family.unit)));
        let object = ObjectBuilder::new()
            .description(Some(
                "Prices by the name of their field, exact to 12 decimals. What is absent or null stays as it is.",
            ))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        let price = |unit| {
            let number_or_null = SchemaType::from_iter([Type::Number, Type::Null]);
            ObjectBuilder::new().schema_type(number_or_null).minimum(Some(0)).description(Some(unit))
        };
        fields.fold(object, |object, (field, unit)| object.property(field, price(unit))).into()
    }
}

impl ToSchema for PricePatch {
    fn name() -> std::borrow::Cow<'static, str> {
        "PricePatch".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::TokenUsage;

    fn patch(json: &str) -> PricePatch {
        serde_json::from_str(json).unwrap()
    }

    fn rates(input: i64, output: i64, cached_input: i64, cache_write: i64) -> Rates {
        let [input, output, cached_input, cache_write] =
            [input, output, cached_input, cache_write].map(PicoUsd::from_picos);
        Rates { input, output, cached_input, cache_write }
    }

    #[test]
    fn prices_are_read_and_written_exactly_or_refused() {
        let text = r#"{"input_cost_per_token":0.00000015,"output_cost_per_token":6e-7,"output_cost_per_image":0.04}"#;
        let written =
            r#"{"input_cost_per_token":0.00000015,"output_cost_per_image":0.04,"output_cost_per_token":0.0000006}"#;
        assert_eq!(patch(text).to_json(), written);
        assert_eq!(patch(r#"{"input_cost_per_token":null}"#), PricePatch::default());
        for (value, reason) in [
            ("-1", "negative"),
            ("0.0000000000001", "finer than a pico-dollar"),
            ("\"1\"", "a number of US dollars"),
            ("99999999999", "out of range"),
        ] {
            let text = format!(r#"{{"input_cost_per_token":{value}}}"#);
            let error = serde_json::from_str::<PricePatch>(&text).unwrap_err().to_string();
            assert!(error.contains(reason), "{value}: {error}");
        }
        assert!(serde_json::from_str::<PricePatch>(r#"{"input_cost":1}"#).is_err());
    }

    #[test]
    fn given_prices_replace_the_models_own_field_by_field() {
        let own = Price { base: rates(100, 400, 50, 100), long_contexts: LongContexts::NONE };
        let price = patch(r#"{"input_cost_per_token":0.00000000007}"#).applied_to(Some(own)).unwrap();
        assert_eq!(price.base, rates(70, 400, 50, 70), "a cache write that cost what input did still does");
        assert_eq!(patch("{}").applied_to(Some(own)), Some(own));
    }

    #[test]
    fn a_model_without_a_price_needs_both_input_and_output() {
        assert_eq!(patch(r#"{"input_cost_per_token":1e-6}"#).applied_to(None), None);
        let price = patch(r#"{"input_cost_per_token":1e-6,"output_cost_per_token":0}"#).applied_to(None).unwrap();
        let usage = TokenUsage { input: 3, cached_input: 1, cache_write: 1, output: 9 };
        assert_eq!(price.cost(&usage).to_string(), "0.000005");
    }

    #[test]
    fn each_threshold_that_is_named_has_its_rates_and_the_rest_of_those_below() {
        let long = |above_input_tokens, rates| LongContext { above_input_tokens, rates };
        let tiers = |json: &str, own: Price| patch(json).applied_to(Some(own)).unwrap().long_contexts;
        let of = |all: &[LongContext]| all.iter().copied().fold(LongContexts::NONE, LongContexts::with);
        let flat = Price { base: rates(1, 2, 1, 1), long_contexts: LongContexts::NONE };
        let one = r#"{"input_cost_per_token_above_128k_tokens":0.000000000009}"#;
        assert_eq!(tiers(one, flat), of(&[long(128_000, rates(9, 2, 9, 9))]));
        let two = r#"{"output_cost_per_token_above_272k_tokens":0.000000000007,"input_cost_per_token_above_200k_tokens":0.000000000009}"#;
        let expected = [long(200_000, rates(9, 2, 9, 9)), long(272_000, rates(9, 7, 9, 9))];
        assert_eq!(tiers(two, flat), of(&expected));
        // The model's own threshold keeps what is not named.
        let own = Price { long_contexts: of(&[long(272_000, rates(5, 6, 5, 5))]), ..flat };
        let edited = r#"{"output_cost_per_token_above_272k_tokens":0.000000000009}"#;
        assert_eq!(tiers(edited, own), of(&[long(272_000, rates(5, 9, 5, 5))]));
        assert_eq!(tiers(one, own), of(&[long(128_000, rates(9, 2, 9, 9)), long(272_000, rates(5, 6, 5, 5))]));
    }

    #[test]
    fn the_highest_threshold_below_the_input_sets_its_price() {
        let json = r#"{"input_cost_per_token_above_128k_tokens":2e-9,"input_cost_per_token_above_200k_tokens":3e-9}"#;
        let price = patch(json).applied_to(Some(Price { base: rates(1_000, 0, 1_000, 1_000), ..Price::FREE })).unwrap();
        let cost = |input| price.cost(&TokenUsage { input, ..TokenUsage::default() }).nanos();
        assert_eq!((cost(128_000), cost(128_001), cost(200_001)), (128_000, 256_002, 600_003));
    }
}
