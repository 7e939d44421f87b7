//! Who may manage, and what the API's clients may do: what is in force at the moment, where it comes from, and its edits.
//!
//! The environment wins over the database, the database over the configuration file.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use keyward_core::error_code::ErrorCode;
use keyward_core::secret::KeyHash;
use keyward_core::server_config::{ConfigSource, MAX_CREDENTIAL, ServerConfig};
use keyward_store::{ConfigRecord, KeyHasher, SessionTerms, Store, StoredAuth, StoredPassword};
use secrecy::SecretString;

use crate::clock;
use crate::config::{ConfigError, Settings, environment};
use crate::error::ApiError;
use crate::server::ServerError;

mod password;
mod throttle;
mod update;

use password::Credential;
use throttle::Throttle;

/// The longest wait of an address.
const LONGEST_BY_ADDRESS: SignedDuration = SignedDuration::from_mins(15);
/// The longest wait for a user name. Short: others can cause it.
const LONGEST_BY_NAME: SignedDuration = SignedDuration::from_mins(1);

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
    turn: tokio::sync::Mutex<()>,
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

struct Throttles {
    by_address: Throttle,
    by_name: Throttle,
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
        let access = Self {
            in_force: ArcSwap::from_pointee(InForce::open(record.clone())),
            seed,
            is_public: !settings.listen.ip().is_loopback(),
            session_idle_limit: SignedDuration::try_from(settings.session_idle_limit).unwrap_or(SignedDuration::MAX),
            turn: tokio::sync::Mutex::default(),
            throttles: Mutex::new(Throttles {
                by_address: Throttle::new(LONGEST_BY_ADDRESS),
                by_name: Throttle::new(LONGEST_BY_NAME),
            }),
            hasher,
        };
        access.put(record).await?;
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

    /// What sessions must fulfil; none while there are none.
    pub(crate) fn session_terms(&self) -> Option<SessionTerms> {
        let credential = self.in_force().credential.as_ref()?.stamp();
        Some(SessionTerms { credential, idle_limit: self.session_idle_limit })
    }

    /// Makes sure that these are the administrator's user name and password, and answers with the name. Wrong tries are
    /// counted by address and by name, before they are looked at: who hangs up does not get a free one.
    pub(crate) async fn prove(
        &self,
        username: &str,
        password: SecretString,
        address: &str,
    ) -> Result<String, ApiError> {
        use secrecy::ExposeSecret as _;
        let in_force = self.in_force();
        let Some(credential) = &in_force.credential else {
            return Err(ApiError::new(ErrorCode::AuthenticationDisabled, "Authentication is not enabled"));
        };
        let digest = self.hasher.hash(format!("password\0{username}\0{}", password.expose_secret()));
        let guesser = [self.hasher.hash(format!("address\0{address}")), self.hasher.hash(format!("name\0{username}"))];
        if credential.remembers(digest, clock::now()) {
            return Ok(credential.username.clone());
        }
        self.may_try(guesser, clock::now())?;
        let _turn = self.turn.lock().await;
        let now = clock::now();
        if credential.remembers(digest, now) {
            return Ok(credential.username.clone());
        }
        self.may_try(guesser, now)?;
        self.count(guesser, now);
        let fits = username.len() <= MAX_CREDENTIAL && password.expose_secret().len() <= MAX_CREDENTIAL;
        if !fits || !credential.verify(username, password).await? {
            return Err(ApiError::new(ErrorCode::Unauthorized, "Unauthorized"));
        }
        self.forgive(guesser);
        credential.remember(digest, now);
        Ok(credential.username.clone())
    }

    fn may_try(&self, [address, name]: [KeyHash; 2], now: Timestamp) -> Result<(), ApiError> {
        let throttles = self.throttles.lock().unwrap_or_else(PoisonError::into_inner);
        match throttles.by_address.wait(address, now).max(throttles.by_name.wait(name, now)) {
            None => Ok(()),
            Some(wait) => {
                let message = "Too many wrong passwords came from this address or for this user name";
                Err(ApiError::new(ErrorCode::LoginThrottled, message).retry_after(wait))
            }
        }
    }

    fn count(&self, [address, name]: [KeyHash; 2], now: Timestamp) {
        let mut throttles = self.throttles.lock().unwrap_or_else(PoisonError::into_inner);
        throttles.by_address.failed(address, now);
        throttles.by_name.failed(name, now);
    }

    fn forgive(&self, [address, name]: [KeyHash; 2]) {
        let mut throttles = self.throttles.lock().unwrap_or_else(PoisonError::into_inner);
        throttles.by_address.succeeded(address);
        throttles.by_name.succeeded(name);
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
