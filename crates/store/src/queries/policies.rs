//! What admission decides by beside virtual keys, as of one instant. No secret is read for it.

use diesel::prelude::*;

use super::{Conn, customer, meter, model_config, pricing_override, team};
use crate::error::StoreError;
use crate::schema::{budgets, rate_limits, virtual_keys};
use crate::store::Policies;

/// Owners, model configs, prices and counters.
pub(crate) fn load(c: &mut Conn) -> Result<Policies, StoreError> {
    Ok(Policies {
        customers: customer::load_all(c)?,
        teams: team::load_all(c)?,
        model_configs: model_config::load_all(c)?,
        pricing_overrides: pricing_override::load_all(c)?,
        counts: meter::load_all(c)?,
        virtual_keys: size(virtual_keys::table.count().get_result(c)?)?,
        limits: size(budgets::table.count().get_result(c)?)? + size(rate_limits::table.count().get_result(c)?)?,
    })
}

fn size(count: i64) -> Result<usize, StoreError> {
    usize::try_from(count).map_err(|_| StoreError::unreadable("a number of rows", count))
}
