//! What the scenarios stand on: a provider and a virtual key of the run's own.

use crate::call::text;
use crate::run::{Run, Stop};

use super::{resource, resources};

/// Things of the run's own, which others are about.
pub(super) struct Ground {
    /// The name of a provider.
    pub(super) provider: String,
    /// The id of a virtual key.
    pub(super) key: String,
    /// Its secret.
    pub(super) secret: String,
}

impl Ground {
    pub(super) async fn lay(run: &mut Run, base_url: &str) -> Result<Self, Stop> {
        let provider = resources::provider(base_url).make(run).await?.id;
        let key: resource::Made = resources::virtual_key().make(run).await?;
        Ok(Self { provider, secret: text(&key.value, "/value"), key: key.id })
    }
}
