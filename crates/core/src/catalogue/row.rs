//! A model as a line of the catalogue's JSON: prices by the names of their classes, and under conditions.
//!
//! Tokens are in US dollars per million, units in US dollars for one. Amounts are read from their literals, and written exactly.

use std::fmt;

use rust_decimal::Decimal;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::ModelCard;
use crate::money::parse_scaled;
use crate::price::{Class, ClassKind, PicoUsd, Price, PriceSheet, ServiceTier, Variant};

/// One model.
pub(super) struct Row {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) card: ModelCard,
}

/// Decimal places of a pico-dollar in the unit of a class.
const fn scale(class: Class) -> u32 {
    match class.kind() {
        ClassKind::Input | ClassKind::Output => 6,
        ClassKind::Unit => 12,
    }
}

/// A price in the unit of its class.
pub(super) fn read(class: Class, literal: &str) -> Result<PicoUsd, String> {
    match parse_scaled(literal, scale(class)) {
        Ok(negative) if negative < 0 => Err(format!("{class}: a price cannot be negative: {literal}")),
        Ok(picos) => Ok(PicoUsd::from_picos(picos)),
        Err(invalid) => Err(format!("{class}: {invalid}")),
    }
}

/// The same as text.
pub(super) fn written(class: Class, price: PicoUsd) -> String {
    Decimal::new(price.picos(), scale(class)).normalize().to_string()
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a model with its prices")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Row, A::Error> {
        let (mut provider, mut model) = (None, None);
        let mut card = ModelCard::default();
        let mut base = PriceSheet::default();
        let mut variants: Vec<VariantRow> = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "provider" => provider = Some(members.next_value()?),
                "model" => model = Some(members.next_value()?),
                "context_tokens" => card.context_tokens = Some(members.next_value()?),
                "max_output_tokens" => card.max_output_tokens = Some(members.next_value()?),
                "variants" => variants = members.next_value()?,
                other => price_of(other, &mut base, &mut members)?,
            }
        }
        card.price = variants.into_iter().map(|VariantRow(one)| one).fold(Price::flat(base), Price::with);
        Ok(Row {
            provider: provider.ok_or_else(|| A::Error::missing_field("provider"))?,
            model: model.ok_or_else(|| A::Error::missing_field("model"))?,
            card,
        })
    }
}

fn price_of<'de, A: MapAccess<'de>>(name: &str, sheet: &mut PriceSheet, members: &mut A) -> Result<(), A::Error> {
    let class = Class::find(name).ok_or_else(|| A::Error::custom(format_args!("unknown member `{name}`")))?;
    let literal: Box<RawValue> = members.next_value()?;
    *sheet.get_mut(class) = Some(read(class, literal.get()).map_err(A::Error::custom)?);
    Ok(())
}

struct VariantRow(Variant);

impl<'de> Deserialize<'de> for VariantRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(VariantVisitor)
    }
}

struct VariantVisitor;

impl<'de> Visitor<'de> for VariantVisitor {
    type Value = VariantRow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("prices under a condition")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<VariantRow, A::Error> {
        let mut variant = Variant { tier: ServiceTier::Standard, above_input_tokens: 0, sheet: PriceSheet::default() };
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "tier" => {
                    let tier: String = members.next_value()?;
                    let known = ServiceTier::find(&tier);
                    variant.tier = known.ok_or_else(|| A::Error::custom(format_args!("unknown tier `{tier}`")))?;
                }
                "above_input_tokens" => variant.above_input_tokens = members.next_value()?,
                other => price_of(other, &mut variant.sheet, &mut members)?,
            }
        }
        Ok(VariantRow(variant))
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { provider, model, card: ModelCard { price, context_tokens, max_output_tokens } } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("provider", provider)?;
        map.serialize_entry("model", model)?;
        write_sheet::<S>(&mut map, &price.base)?;
        if !price.variants().is_empty() {
            let variants: Vec<VariantRow> = price.variants().iter().copied().map(VariantRow).collect();
            map.serialize_entry("variants", &variants)?;
        }
        for (name, limit) in [("context_tokens", context_tokens), ("max_output_tokens", max_output_tokens)] {
            if let Some(limit) = limit {
                map.serialize_entry(name, limit)?;
            }
        }
        map.end()
    }
}

impl Serialize for VariantRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Variant { tier, above_input_tokens, sheet } = self.0;
        let mut map = serializer.serialize_map(None)?;
        if tier != ServiceTier::Standard {
            map.serialize_entry("tier", tier.as_str())?;
        }
        if above_input_tokens > 0 {
            map.serialize_entry("above_input_tokens", &above_input_tokens)?;
        }
        write_sheet::<S>(&mut map, &sheet)?;
        map.end()
    }
}

fn write_sheet<S: Serializer>(map: &mut S::SerializeMap, sheet: &PriceSheet) -> Result<(), S::Error> {
    for (class, price) in sheet.set() {
        if let Some(price) = price {
            let literal = RawValue::from_string(written(class, price)).map_err(S::Error::custom)?;
            map.serialize_entry(class.as_str(), &literal)?;
        }
    }
    Ok(())
}
