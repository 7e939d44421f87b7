//! Everything that admission decides by, as of one instant. No secret is read for it.

use keyward_core::list::Page;
use keyward_core::model_config::ModelConfigFilter;
use keyward_core::pricing_override::PricingOverrideFilter;

use super::{Conn, customer, meter, model_config, pricing_override, team, virtual_key};
use crate::error::StoreError;
use crate::seal::Sealer;
use crate::store::{Policies, Reveal};

/// Owners, virtual keys, model configs, prices and counters.
pub(crate) fn load(c: &mut Conn, sealer: &Sealer) -> Result<Policies, StoreError> {
    let everything = Page::default();
    Ok(Policies {
        customers: customer::list(c, &everything)?.entries,
        teams: team::list(c, &everything)?.entries,
        virtual_keys: virtual_key::list(c, &everything, Reveal::Redacted, sealer)?.entries,
        model_configs: model_config::list(c, &ModelConfigFilter::default())?.entries,
        pricing_overrides: pricing_override::list(c, &PricingOverrideFilter::default())?.entries,
        counts: meter::load_all(c)?,
    })
}
