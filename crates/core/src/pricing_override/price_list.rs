//! All that makes a price: the catalogue, the overrides, and what a model costs that neither knows.

use super::{Priced, PricingTable};
use crate::catalogue::Catalogue;
use crate::price::{Price, VersionedPrice};

/// The prices that hold.
#[derive(Debug)]
pub struct PriceList<'a> {
    /// What models cost.
    pub catalogue: &'a Catalogue,
    /// What changes that.
    pub overrides: &'a PricingTable,
    /// What a model costs that the catalogue does not know; none: it has no price.
    pub otherwise: Option<Price>,
}

impl PriceList<'_> {
    /// What a model costs. `asked` is the name that it was asked for by: an alias has the price of the model that it stands
    /// for, if that is known, else its own; overrides may name either.
    #[must_use]
    pub fn price(&self, priced: &Priced<'_>, asked: &str) -> Option<VersionedPrice> {
        let provider = priced.provider.as_str();
        let card = self.catalogue.find(provider, priced.model).or_else(|| self.catalogue.find(provider, asked));
        let own = card.map(|card| card.price.clone()).or_else(|| self.otherwise.clone());
        let own = own.map(|price| VersionedPrice { price, version: self.catalogue.version().into() });
        self.overrides.price(priced, asked, own)
    }
}
