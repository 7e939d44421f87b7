//! Edits of the server's configuration.

use keyward_core::authority::{Authority, Permissions};
use keyward_core::change::Change;
use keyward_core::error_code::ErrorCode;
use keyward_core::invalid::{Invalid, Pointer};
use keyward_core::secret::SecretSource;
use keyward_core::server_config::{
    AuthConfigInput, AuthDraft, ConfigSource, PasswordDraft, ServerConfig, UpdateConfig,
};
use keyward_store::{ConfigRecord, StoredAuth, StoredPassword};
use uuid::Uuid;

use super::{Access, InForce, password};
use crate::api::check_variable;
use crate::error::ApiError;
use crate::kept::Kept;
use crate::state::State;

impl Access {
    /// Edits the configuration. What it says is in force at once, and sessions of another credential are over.
    pub(crate) async fn update(
        &self,
        state: &State,
        change: Change,
        request: UpdateConfig,
    ) -> Result<ServerConfig, ApiError> {
        let in_force = self.in_force();
        let UpdateConfig { client_config, auth_config, updated_at: _ } = request;
        let client = match client_config {
            Some(input) => Some(in_force.shown().client_config.edited(input)?),
            None => None,
        };
        let trusts_others =
            client.as_ref().is_some_and(|client| client.allowed_origins != in_force.record.allowed_origins);
        if trusts_others && change.author.authority.permissions != Permissions::Everything {
            // Their pages could act with the administrator's cookie.
            let message = "A management key cannot change which web pages are trusted";
            let at = Pointer::from("client_config").member("allowed_origins");
            return Err(ApiError::new(ErrorCode::PermissionDenied, message).at(at));
        }
        let auth = match auth_config {
            Some(input) => self.stored(&in_force, input, &change.author.authority).await?,
            None => None,
        };
        let edit = move |record: ConfigRecord, _| {
            let record = ConfigRecord { auth: auth.or(record.auth), ..record };
            Ok(match client {
                Some(client) => ConfigRecord {
                    rotation_cooldown: client.vk_rotation_cooldown,
                    allowed_origins: client.allowed_origins,
                    ..record
                },
                None => record,
            })
        };
        let record = state.store.config_update(change, edit).await?;
        self.put(record).await.map_err(|error| {
            ApiError::new(ErrorCode::Internal, "The edit is stored, and not in force").because(error)
        })?;
        state.reload(Kept::EndedCooldowns).await?;
        Ok(self.in_force().shown())
    }

    /// What the request makes of who may manage; none: what it was.
    async fn stored(
        &self,
        in_force: &InForce,
        input: AuthConfigInput,
        authority: &Authority,
    ) -> Result<Option<StoredAuth>, ApiError> {
        let shown = in_force.shown().auth_config;
        let draft = shown.edited(input, self.is_public)?;
        if shown.is_kept_by(&draft) {
            return Ok(None);
        }
        let at = Pointer::from("auth_config");
        if in_force.source == ConfigSource::Environment {
            let message =
                "KEYWARD_ADMIN_USERNAME and KEYWARD_ADMIN_PASSWORD are set on the server: they say who may manage";
            return Err(Invalid::at(at, message).into());
        }
        if authority.permissions != Permissions::Everything {
            let message = "A management key cannot change who the administrator is";
            return Err(ApiError::new(ErrorCode::PermissionDenied, message).at(at));
        }
        let AuthDraft { is_enabled, username, password } = draft;
        let current = in_force.auth.as_ref().and_then(|auth| auth.password.clone());
        Ok(Some(StoredAuth { is_enabled, username, password: stored_password(password, current).await? }))
    }
}

async fn stored_password(
    draft: PasswordDraft,
    current: Option<StoredPassword>,
) -> Result<Option<StoredPassword>, ApiError> {
    match draft {
        PasswordDraft::Kept => Ok(current),
        PasswordDraft::Removed => Ok(None),
        PasswordDraft::New(SecretSource::Literal(secret)) => {
            // A fresh salt, so that the same password once more is another credential.
            let hash = password::hash(secret.into(), Uuid::new_v4().into_bytes()).await?;
            Ok(Some(StoredPassword::Hash(hash)))
        }
        PasswordDraft::New(SecretSource::Environment(name)) => {
            check_variable(Pointer::from("auth_config").member("admin_password"), &name)?;
            Ok(Some(StoredPassword::Variable(name)))
        }
    }
}
