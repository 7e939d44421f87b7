//! What admission decides by beside virtual keys, as of one instant. No secret is read for it.

use super::{Conn, customer, meter, model_config, pricing_override, team};
use crate::error::StoreError;
use crate::store::Policies;

/// Owners, model configs, prices and counters.
pub(crate) fn load(c: &mut Conn) -> Result<Policies, StoreError> {
    Ok(Policies {
        customers: customer::load_all(c)?,
        teams: team::load_all(c)?,
        model_configs: model_config::load_all(c)?,
        pricing_overrides: pricing_override::load_all(c)?,
        counts: meter::load_all(c)?,
    })
}
