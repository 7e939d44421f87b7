//! The prices of a pricing override, and what they make of a model's own.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::cost_field::{BASE, CostField, FAMILIES, LONG_CONTEXT, TokenFields};
use crate::money::{InvalidAmount, parse_scaled};
use crate::price::{LongContext, PicoUsd, Price, Rates};

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
        Some(Price { base, long_context: self.long_context(price.and_then(|price| price.long_context), base) })
    }

    /// The rates for long inputs: the model's own threshold stays; a model without one gets the lowest that has a price here.
    fn long_context(&self, own: Option<LongContext>, base: Rates) -> Option<LongContext> {
        let Some(own) = own else {
            let (above_input_tokens, fields) = LONG_CONTEXT.iter().find(|(_, fields)| self.has_any(fields))?;
            let rates = self.rates(fields, Some(base))?;
            return Some(LongContext { above_input_tokens: *above_input_tokens, rates });
        };
        let fields = LONG_CONTEXT.iter().find(|(threshold, _)| *threshold == own.above_input_tokens);
        let rates = fields.map_or(Some(own.rates), |(_, fields)| self.rates(fields, Some(own.rates)))?;
        Some(LongContext { rates, ..own })
    }

    fn rates(&self, fields: &TokenFields, own: Option<Rates>) -> Option<Rates> {
        let input = self.price(fields.input).or(own.map(|own| own.input))?;
        let output = self.price(fields.output).or(own.map(|own| own.output))?;
        let cache = |field, of: fn(&Rates) -> PicoUsd| {
            let own = own.filter(|own| of(own) != own.input).map(|own| of(&own));
            self.price(field).or(own).unwrap_or(input)
        };
        let cached_input = cache(fields.cached_input, |own| own.cached_input);
        Some(Rates { input, output, cached_input, cache_write: cache(fields.cache_write, |own| own.cache_write) })
    }

    fn has_any(&self, fields: &TokenFields) -> bool {
        let TokenFields { input, output, cached_input, cache_write } = fields;
        [input, output, cached_input, cache_write].into_iter().any(|field| self.0.contains_key(field))
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
                "Prices by the name of their field, exact to 12 decimals. What is absent stays as it is.",
            ))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        let price = |unit| ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0)).description(Some(unit));
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
        let own = Price { base: rates(100, 400, 50, 100), long_context: None };
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
    fn long_inputs_have_the_tier_of_the_model_else_that_of_the_patch() {
        let tier = |json: &str, own: Option<Price>| patch(json).applied_to(own).unwrap().long_context;
        let own = Price { base: rates(1, 2, 1, 1), long_context: None };
        let added = tier(r#"{"input_cost_per_token_above_200k_tokens":0.000000000009}"#, Some(own)).unwrap();
        assert_eq!((added.above_input_tokens, added.rates), (200_000, rates(9, 2, 9, 9)));
        let long = LongContext { above_input_tokens: 272_000, rates: rates(5, 6, 5, 5) };
        let own = Price { long_context: Some(long), ..own };
        assert_eq!(tier(r#"{"input_cost_per_token_above_200k_tokens":1}"#, Some(own)), Some(long));
        let edited = tier(r#"{"output_cost_per_token_above_272k_tokens":0.000000000009}"#, Some(own)).unwrap();
        assert_eq!((edited.above_input_tokens, edited.rates), (272_000, rates(5, 9, 5, 5)));
    }
}
