//! The prices of a pricing override, and what they make of a model's own.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use super::cost_field::{CostField, FAMILIES};
use super::place::Place;
use crate::money::{InvalidAmount, parse_scaled};
use crate::price::{PicoUsd, Price, PriceSheet, Variant};

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
    /// What a model costs with these prices in place of its own. A price that neither names is none: without its own, the model must
    /// have prices of input and output here, or of the units that it is billed by.
    #[must_use]
    pub fn applied_to(&self, own: Option<Price>) -> Option<Price> {
        let has_own = own.is_some();
        let places = self.0.iter().filter_map(|(field, price)| Some((field.place()?, price.0)));
        let price = places.fold(own.unwrap_or_default(), |price, (place, picos)| {
            let Place { class, tier, above_input_tokens } = place;
            let mut sheet = PriceSheet::default();
            *sheet.get_mut(class) = Some(picos);
            price.with(Variant { tier, above_input_tokens, sheet })
        });
        let PriceSheet { input, output, images, seconds, characters, .. } = price.base;
        let has_tokens = input.is_some() && output.is_some();
        let has_units = [images, seconds, characters].into_iter().any(|unit| unit.is_some());
        (has_own || has_tokens || has_units).then_some(price)
    }

    /// These prices, and those of `under` for what has none here.
    #[must_use]
    pub fn over(&self, under: &Self) -> Self {
        let mut all = under.0.clone();
        all.extend(self.0.iter().map(|(field, price)| (*field, *price)));
        Self(all)
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
    use crate::price::{Class, ServiceTier, TokenUsage, Usage};

    fn patch(json: &str) -> PricePatch {
        serde_json::from_str(json).unwrap()
    }

    fn price(rates: &[(Class, i64)]) -> PriceSheet {
        rates.iter().map(|(class, picos)| (*class, Some(PicoUsd::from_picos(*picos)))).collect()
    }

    fn long(above_input_tokens: u64, sheet: PriceSheet) -> Variant {
        Variant { tier: ServiceTier::Standard, above_input_tokens, sheet }
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
        let own = Price::flat(price(&[(Class::Input, 100), (Class::Output, 400), (Class::CachedInput, 50)]));
        let edited = patch(r#"{"input_cost_per_token":0.00000000007}"#).applied_to(Some(own.clone())).unwrap();
        let expected = price(&[(Class::Input, 70), (Class::Output, 400), (Class::CachedInput, 50)]);
        assert_eq!(edited.base, expected);
        assert_eq!(edited.base.rates().cache_write.picos(), 70, "a cache write that cost what input did still does");
        assert_eq!(patch("{}").applied_to(Some(own.clone())), Some(own));
    }

    #[test]
    fn a_model_without_a_price_needs_both_input_and_output_or_a_unit() {
        assert_eq!(patch(r#"{"input_cost_per_token":1e-6}"#).applied_to(None), None);
        let tokens = patch(r#"{"input_cost_per_token":1e-6,"output_cost_per_token":0}"#).applied_to(None).unwrap();
        let usage = TokenUsage { input: 3, cached_input: 1, cache_write: 1, output: 9, ..TokenUsage::default() };
        assert_eq!(tokens.cost(&usage.into()).to_string(), "0.000005");
        let speech = patch(r#"{"input_cost_per_character":0.000015}"#).applied_to(None).unwrap();
        let usage = TokenUsage { characters: 1_000, ..TokenUsage::default() };
        assert_eq!(speech.cost(&usage.into()).to_string(), "0.015");
    }

    #[test]
    fn every_class_and_tier_has_the_price_that_is_named() {
        let text = r#"{
            "input_cost_per_token":1e-6, "output_cost_per_token":2e-6, "input_cost_per_token_flex":5e-7,
            "output_cost_per_token_priority":4e-6, "cache_creation_input_token_cost_above_1hr":7e-6,
            "input_cost_per_audio_token":3e-5, "output_cost_per_image":0.04, "input_cost_per_second":0.0001,
            "input_cost_per_audio_per_second":0.5, "input_cost_per_token_above_200k_tokens_priority":9e-6
        }"#;
        let price = patch(text).applied_to(None).unwrap();
        let cost = |tier, counts: TokenUsage| price.cost(&Usage { tier, ..counts.into() }).to_string();
        let of = |class| [(class, 1_000)].into_iter().collect();
        let standard = ServiceTier::Standard;
        assert_eq!(cost(standard, of(Class::Input)), "0.001");
        assert_eq!(cost(ServiceTier::Flex, of(Class::Input)), "0.0005");
        assert_eq!(cost(ServiceTier::Priority, of(Class::Output)), "0.004");
        assert_eq!(cost(standard, of(Class::CacheWriteHour)), "0.007");
        assert_eq!(cost(standard, of(Class::AudioInput)), "0.03");
        assert_eq!(cost(standard, of(Class::Images)), "40");
        assert_eq!(cost(ServiceTier::Priority, TokenUsage { input: 300_000, ..TokenUsage::default() }), "2.7");
        assert_eq!(cost(standard, of(Class::Seconds)), "0.1", "of two names for it, one counts");
    }

    #[test]
    fn each_threshold_that_is_named_has_its_rates_and_the_rest_of_those_below() {
        let flat = Price::flat(price(&[(Class::Input, 1), (Class::Output, 2)]));
        let one = r#"{"input_cost_per_token_above_128k_tokens":0.000000000009}"#;
        let nine = price(&[(Class::Input, 9)]);
        assert_eq!(patch(one).applied_to(Some(flat.clone())), Some(flat.clone().with(long(128_000, nine))));
        // The model's own threshold keeps what is not named.
        let own = flat.with(long(272_000, price(&[(Class::Input, 5), (Class::Output, 6)])));
        let edited =
            patch(r#"{"output_cost_per_token_above_272k_tokens":0.000000000009}"#).applied_to(Some(own)).unwrap();
        assert_eq!(edited.variants(), [long(272_000, price(&[(Class::Input, 5), (Class::Output, 9)]))]);
    }

    #[test]
    fn the_highest_threshold_below_the_input_sets_its_price() {
        let json = r#"{"input_cost_per_token_above_128k_tokens":2e-9,"input_cost_per_token_above_200k_tokens":3e-9}"#;
        let own = Price::flat(price(&[(Class::Input, 1_000), (Class::Output, 0)]));
        let price = patch(json).applied_to(Some(own)).unwrap();
        let cost = |input| price.cost(&TokenUsage { input, ..TokenUsage::default() }.into()).nanos();
        assert_eq!((cost(128_000), cost(128_001), cost(200_001)), (128_000, 256_002, 600_003));
    }
}
