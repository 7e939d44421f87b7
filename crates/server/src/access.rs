//! Who may manage, and what the API's clients may do: what is in force at the moment, where it comes from, and its edits.
//!
//! The environment wins over the database, the database over the configuration file.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::SessionId;
use keyward_core::management_key::ManagementKey;
use keyward_core::secret::KeyHash;
use keyward_core::server_config::{ConfigSource, MAX_CREDENTIAL, ServerConfig};
use keyward_store::{ConfigRecord, KeyHasher, SessionTerms, Store, StoredAuth, StoredPassword};
use secrecy::SecretString;

use crate::clock;
use crate::config::{ConfigError, Settings, environment};
use crate::error::ApiError;
use crate::server::ServerError;

mod guesser;
mod password;
mod throttle;
mod update;

use guesser::{Guesser, Throttles};
use password::Credential;

/// Who may manage.
pub(crate) struct Access {
    hasher: KeyHasher,
    /// The credential of the environment or the file, and whether it is the environment's.
    seed: Option<(Arc<Credential>, bool)>,
    /// Whether others can reach the server.
    is_public: bool,
    session_idle_limit: SignedDuration,
    in_force: ArcSwap<InForce>,
    /// One password is hashed at a time, so that guesses are counted one after the other and cannot fill the memory.
    turn: Arc<tokio::sync::Mutex<()>>,
    throttles: Mutex<Throttles>,
}

/// What is in force.
pub(crate) struct InForce {
    /// What the API has said.
    pub(crate) record: ConfigRecord,
    auth: Option<StoredAuth>,
    source: ConfigSource,
    /// The credential that managing needs; none: it needs none.
    pub(crate) credential: Option<Arc<Credential>>,
}

impl Access {
    /// What is in force at start.
    pub(crate) async fn load(store: &Store, settings: &Settings) -> Result<Self, ServerError> {
        let hasher = store.token_hasher();
        let seed = match &settings.admin {
            Some(admin) => {
                let credential = credential(&hasher, admin.username.clone(), admin.password.clone()).await;
                Some((Arc::new(credential.map_err(ServerError::password)?), admin.is_fixed))
            }
            None => None,
        };
        let record = store.config_get().await?;
        if record.auth.is_some() && settings.admin.as_ref().is_some_and(|admin| !admin.is_fixed) {
            tracing::warn!(
                "governance.auth_config of the file is without effect: PUT /api/config has said who may manage"
            );
        }
        let access = Self {
            in_force: ArcSwap::from_pointee(InForce::open(record.clone())),
            seed,
            is_public: !settings.listen.ip().is_loopback(),
            session_idle_limit: SignedDuration::try_from(settings.session_idle_limit).unwrap_or(SignedDuration::MAX),
            turn: Arc::default(),
            throttles: Mutex::default(),
            hasher,
        };
        access.put(record).await?;
        // Those of a credential that is in force no more end for good, also if it should come back.
        store.sessions_keep_only(access.session_terms().map(|terms| terms.credential)).await?;
        match access.is_public && !access.in_force().is_auth_enabled() {
            true => Err(ConfigError::OpenToOthers(settings.listen).into()),
            false => Ok(access),
        }
    }

    /// What is in force at the moment.
    pub(crate) fn in_force(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    /// Brings what the API has said into force.
    async fn put(&self, record: ConfigRecord) -> Result<(), ServerError> {
        let in_force = match (&self.seed, record.auth.clone()) {
            (Some((credential, true)), _) => InForce::seeded(record, credential, ConfigSource::Environment),
            (_, Some(auth)) => {
                let credential = self.stored_credential(&auth).await?;
                InForce { record, auth: Some(auth), source: ConfigSource::Database, credential }
            }
            (Some((credential, false)), None) => InForce::seeded(record, credential, ConfigSource::ConfigFile),
            (None, None) => InForce::open(record),
        };
        self.in_force.store(Arc::new(in_force));
        Ok(())
    }

    async fn stored_credential(&self, auth: &StoredAuth) -> Result<Option<Arc<Credential>>, ServerError> {
        let StoredAuth { is_enabled: true, username: Some(username), password: Some(password) } = auth.clone() else {
            return Ok(None);
        };
        let credential = match password {
            StoredPassword::Hash(hash) => Credential::new(username, hash),
            StoredPassword::Variable(name) => {
                let secret = environment(&name).ok_or(ConfigError::UnsetPassword(name))?;
                credential(&self.hasher, username, secret).await.map_err(ServerError::password)?
            }
        };
        Ok(Some(Arc::new(credential)))
    }

    /// Whether an environment variable has the administrator's password: nothing else may read it.
    pub(crate) fn has_password_in(&self, variable: &str) -> bool {
        let in_force = self.in_force();
        let password = in_force.record.auth.as_ref().and_then(|auth| auth.password.as_ref());
        matches!(password, Some(StoredPassword::Variable(name)) if name == variable)
    }

    /// What sessions must fulfil; none while there are none.
    pub(crate) fn session_terms(&self) -> Option<SessionTerms> {
        Some(self.terms_of(self.in_force().credential.as_ref()?))
    }

    /// What sessions that this credential opens must fulfil.
    pub(crate) fn terms_of(&self, credential: &Credential) -> SessionTerms {
        SessionTerms { credential: credential.stamp(), idle_limit: self.session_idle_limit }
    }

    /// Makes sure that these are the administrator's user name and password, and answers with the credential. Wrong tries are
    /// counted by address and by name, before they are looked at: who hangs up does not get a free one.
    pub(crate) async fn prove(
        &self,
        username: &str,
        password: SecretString,
        address: &str,
    ) -> Result<Arc<Credential>, ApiError> {
        use secrecy::ExposeSecret as _;
        let in_force = self.in_force();
        let Some(credential) = &in_force.credential else {
            return Err(ApiError::new(ErrorCode::AuthenticationDisabled, "Authentication is not enabled"));
        };
        if username.len() > MAX_CREDENTIAL || password.expose_secret().len() > MAX_CREDENTIAL {
            return Err(ApiError::new(ErrorCode::Unauthorized, "Unauthorized"));
        }
        let digest = self.hasher.hash(format!("password\0{username}\0{}", password.expose_secret()));
        let guesser = Guesser::new(&self.hasher, address, username);
        if credential.remembers(digest, clock::now()) {
            return Ok(credential.clone());
        }
        self.may_try(guesser, clock::now())?;
        let turn = self.turn.clone().lock_owned().await;
        let now = clock::now();
        if credential.remembers(digest, now) {
            return Ok(credential.clone());
        }
        self.may_try(guesser, now)?;
        self.count(guesser, now);
        if !credential.verify(username, password, turn).await? {
            return Err(ApiError::new(ErrorCode::Unauthorized, "Unauthorized"));
        }
        self.forgive(guesser);
        credential.remember(digest, now);
        Ok(credential.clone())
    }

    /// Makes sure that this is the secret of a management key that is in force, and answers with the key. Wrong tries are counted by
    /// address; a right one forgives none of them: its holder may be who guesses the administrator's password.
    pub(crate) async fn prove_key(
        &self,
        store: &Store,
        secret: &SecretString,
        address: &str,
    ) -> Result<ManagementKey, ApiError> {
        use secrecy::ExposeSecret as _;
        let guesser = Guesser::new(&self.hasher, address, secret.expose_secret());
        let now = clock::now();
        self.may_try(guesser, now)?;
        let found = store.management_key_find(secret.expose_secret()).await?;
        found.filter(|key| key.is_usable(now)).ok_or_else(|| {
            self.count(guesser, now);
            ApiError::new(ErrorCode::Unauthorized, "No management key that is in force has this secret")
        })
    }

    /// What pages of a session carry, so that its changes are known to come from them.
    pub(crate) fn page_token(&self, session: &SessionId) -> String {
        let KeyHash(token) = self.hasher.hash(format!("page\0{session}"));
        BASE64_URL_SAFE_NO_PAD.encode(token)
    }

    fn may_try(&self, guesser: Guesser, now: Timestamp) -> Result<(), ApiError> {
        match self.throttles.lock().unwrap_or_else(PoisonError::into_inner).wait(guesser, now) {
            None => Ok(()),
            Some(wait) => {
                let message = "Too many wrong passwords came from this address or for this user name";
                Err(ApiError::new(ErrorCode::LoginThrottled, message).retry_after(wait))
            }
        }
    }

    fn count(&self, guesser: Guesser, now: Timestamp) {
        self.throttles.lock().unwrap_or_else(PoisonError::into_inner).failed(guesser, now);
    }

    fn forgive(&self, guesser: Guesser) {
        self.throttles.lock().unwrap_or_else(PoisonError::into_inner).succeeded(guesser);
    }
}

/// The credential of a password that is given anew at each start: a salt of its own making keeps its sessions alive.
async fn credential(hasher: &KeyHasher, username: String, password: SecretString) -> Result<Credential, ApiError> {
    let KeyHash(digest) = hasher.hash(format!("salt\0{username}"));
    let salt = digest.first_chunk().copied().unwrap_or_default();
    Ok(Credential::new(username, password::hash(password, salt).await?))
}

impl InForce {
    /// Nobody has said who may manage.
    const fn open(record: ConfigRecord) -> Self {
        Self { record, auth: None, source: ConfigSource::Default, credential: None }
    }

    fn seeded(record: ConfigRecord, credential: &Arc<Credential>, source: ConfigSource) -> Self {
        let auth = StoredAuth {
            is_enabled: true,
            username: Some(credential.username.clone()),
            password: Some(StoredPassword::Hash(credential.hash().to_owned())),
        };
        Self { record, auth: Some(auth), source, credential: Some(credential.clone()) }
    }

    /// Whether managing needs a credential. An enabled authentication without one never comes into force.
    pub(crate) const fn is_auth_enabled(&self) -> bool {
        self.credential.is_some()
    }

    /// What answers show of it.
    pub(crate) fn shown(&self) -> ServerConfig {
        let record = ConfigRecord { auth: self.auth.clone(), ..self.record.clone() };
        let mut shown = record.shown();
        shown.auth_config.source = self.source;
        shown
    }
}
