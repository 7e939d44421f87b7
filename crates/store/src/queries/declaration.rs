//! Applying what a configuration file declares, in one unit of work: through the same queries as the API's requests, each
//! entity in a savepoint of its own, so that everything that is wrong can be told at once.
//!
//! An edit that turns out to change nothing is undone: it leaves no trace in the audit log and no new version.

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::audit::configuration;
use keyward_core::change::Change;
use keyward_core::declaration::{Basis, Declaration, Find};
use keyward_core::ids::ProviderKeyId;
use keyward_core::invalid::{Invalid, Pointer};
use keyward_core::limits::Edit;
use keyward_core::server_config::ClientConfig;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::config_hash::{self, Subject};
use super::{Conn, mcp_client, server_config};
use crate::error::StoreError;
use crate::recorder::{AuditChain, Recorder};
use crate::root_key::KeyHasher;
use crate::schema::provider_keys;
use crate::seal::Sealer;
use crate::store::ConfigRecord;

mod mcp_clients;
mod owners;
mod policies;
mod providers;
mod removal;
mod virtual_keys;

/// What an application needs besides the file.
pub(crate) struct Tools<'a> {
    pub(crate) at: Timestamp,
    pub(crate) chain: &'a AuditChain,
    pub(crate) sealer: &'a Sealer,
    /// Hashes the values of virtual keys.
    pub(crate) values: &'a KeyHasher,
    /// Hashes definitions.
    pub(crate) definitions: &'a KeyHasher,
    pub(crate) mint: fn() -> Uuid,
}

/// An application that is going on.
struct Application<'a> {
    tools: &'a Tools<'a>,
    digest: &'a dyn Fn(&str) -> String,
    is_authoritative: bool,
    /// What was wrong so far.
    faults: Vec<Invalid>,
}

/// Makes the database what the file declares.
pub(crate) fn apply(c: &mut Conn, file: &Declaration, tools: &Tools<'_>) -> Result<(), StoreError> {
    let digest = |definition: &str| hexadecimal(&tools.definitions.hash(definition).0);
    let is_authoritative = file.is_authoritative;
    let mut application = Application { tools, digest: &digest, is_authoritative, faults: Vec::new() };
    application.client(c, file)?;
    if is_authoritative {
        application.remove(c, file)?;
    }
    application.providers(c, file)?;
    application.mcp_clients(c, file)?;
    application.customers(c, file)?;
    application.teams(c, file)?;
    let keys = key_names(c)?;
    let find = |named: &ProviderKeyId| find_key(&keys, named);
    let clients = mcp_client::names(c)?;
    let find_client = |named: &str| find_client(&clients, named);
    application.virtual_keys(c, file, Find { provider_key: &find, mcp_client: &find_client })?;
    application.model_configs(c, file)?;
    application.routing_rules(c, file, &find)?;
    application.pricing_overrides(c, file, &find)?;
    match application.faults.is_empty() {
        true => Ok(()),
        false => Err(StoreError::Declared(application.faults)),
    }
}

impl<'a> Application<'a> {
    const fn basis(&self) -> Basis<'a> {
        Basis { digest: self.digest, is_authoritative: self.is_authoritative }
    }

    fn recorder(&self, operation: &'static str) -> Recorder {
        Recorder::new(Change::by_config_file(operation, self.tools.at), self.tools.chain.clone())
    }

    /// The instant of an edit of something that was last edited at `before`.
    fn after(&self, before: Timestamp) -> Timestamp {
        Change::by_config_file("", self.tools.at).after(before)
    }

    fn editing<T>(&self, now: Timestamp, work: impl FnOnce(&mut Edit<'_>) -> T) -> T {
        let mut mint = self.tools.mint;
        work(&mut Edit { now, mint: &mut mint })
    }

    /// Remembers the file's definition of a thing.
    fn remember(&self, c: &mut Conn, subject: Subject<'_>, definition: &str) -> Result<(), StoreError> {
        config_hash::set(c, subject, &(self.digest)(definition))
    }

    /// Carries out the part of the work that is about one entity, which stands at `at` in the file. What is wrong with it is
    /// noted, and nothing of it stays.
    fn entity(
        &mut self,
        c: &mut Conn,
        at: &Pointer,
        work: impl FnOnce(&Self, &mut Conn) -> Result<(), Failed>,
    ) -> Result<(), StoreError> {
        match c.transaction(|c| work(self, c)) {
            Ok(()) => Ok(()),
            Err(Failed::Placed(invalid)) => {
                self.faults.push(invalid);
                Ok(())
            }
            Err(Failed::Store(error)) => {
                self.faults.push(told(error, at)?);
                Ok(())
            }
        }
    }

    fn client(&mut self, c: &mut Conn, file: &Declaration) -> Result<(), StoreError> {
        let Some((input, at)) = &file.client else { return Ok(()) };
        let definition = serde_json::to_string(input).map_err(StoreError::internal)?;
        self.entity(c, at, |this, c| {
            let stored = server_config::config_hash(c)?;
            if !this.basis().differs(&definition, &stored) {
                return Ok(());
            }
            let before = server_config::get(c)?;
            let shown = ClientConfig::new(before.rotation_cooldown, before.allowed_origins.clone());
            let client = shown.clone().edited(input.clone()).map_err(|invalid| {
                let inner = invalid.pointer.within(&"client_config".into()).unwrap_or_default();
                Failed::Placed(Invalid { pointer: at.join(&inner), ..invalid })
            })?;
            if client != shown {
                server_config::update(c, &this.recorder("config_update"), |record, _| {
                    Ok(ConfigRecord {
                        rotation_cooldown: client.vk_rotation_cooldown,
                        allowed_origins: client.allowed_origins,
                        ..record
                    })
                })?;
            }
            Ok(this.remember(c, Subject::Client, &definition)?)
        })
    }
}

/// Why an entity could not be applied.
enum Failed {
    /// It cannot be carried out, and this is where in the file.
    Placed(Invalid),
    /// The store did not do it.
    Store(StoreError),
}

impl From<Invalid> for Failed {
    /// Of what the file's own entities say.
    fn from(invalid: Invalid) -> Self {
        Self::Placed(invalid)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<diesel::result::Error> for Failed {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What the store says of a request, said of the file.
fn located<T>(result: Result<T, StoreError>, locate: impl Fn(Invalid) -> Invalid) -> Result<T, Failed> {
    result.map_err(|error| match named(error) {
        Ok(invalid) => Failed::Placed(locate(invalid)),
        Err(other) => Failed::Store(other),
    })
}

/// What the store says of a member, if it does.
fn named(error: StoreError) -> Result<Invalid, StoreError> {
    if let StoreError::Invalid(invalid) | StoreError::Taken(invalid) | StoreError::Denied(invalid) = error {
        Ok(invalid)
    } else {
        Err(error)
    }
}

/// What is wrong with the entity at `at`; faults stay faults.
fn told(error: StoreError, at: &Pointer) -> Result<Invalid, StoreError> {
    if let StoreError::Duplicate(noun) = error {
        let message = format!("{} with this name, id or value exists already", noun.words());
        return Ok(Invalid::at(at.clone(), message));
    }
    if let StoreError::NotFound(noun) = error {
        return Ok(Invalid::at(at.clone(), format!("{} not found", noun.words())));
    }
    named(error).map(|invalid| invalid.under(at))
}

/// Carries out an edit, and undoes it when it turns out to change nothing. Gives the thing as it is then.
fn unless_same<T: Serialize>(
    c: &mut Conn,
    before: T,
    edit: impl FnOnce(&mut Conn) -> Result<T, Failed>,
) -> Result<T, Failed> {
    enum Outcome {
        Same,
        Failed(Failed),
    }
    impl From<diesel::result::Error> for Outcome {
        fn from(error: diesel::result::Error) -> Self {
            Self::Failed(error.into())
        }
    }
    let edited = c.transaction(|c| {
        let after = edit(c).map_err(Outcome::Failed)?;
        let same = settings(&before).and_then(|old| Ok(old == settings(&after)?));
        match same.map_err(|error| Outcome::Failed(error.into()))? {
            true => Err(Outcome::Same),
            false => Ok(after),
        }
    });
    match edited {
        Ok(after) => Ok(after),
        Err(Outcome::Same) => Ok(before),
        Err(Outcome::Failed(failed)) => Err(failed),
    }
}

/// What of a thing its editors decide.
fn settings(thing: &impl Serialize) -> Result<Value, StoreError> {
    let mut value = configuration(serde_json::to_value(thing).map_err(StoreError::internal)?);
    without_versions(&mut value);
    Ok(value)
}

fn without_versions(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("updated_at");
            members.values_mut().for_each(without_versions);
        }
        Value::Array(elements) => elements.iter_mut().for_each(without_versions),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The ids and names of all provider keys.
fn key_names(c: &mut Conn) -> Result<Vec<(String, String)>, StoreError> {
    Ok(provider_keys::table.select((provider_keys::id, provider_keys::name)).load(c)?)
}

/// The key that has this id, else the one of this name.
fn find_key(keys: &[(String, String)], named: &ProviderKeyId) -> Option<ProviderKeyId> {
    let by_id = keys.iter().find(|(id, _)| id == named.as_str());
    let found = by_id.or_else(|| keys.iter().find(|(_, name)| name == named.as_str()));
    found.map(|(id, _)| id.as_str().into())
}

/// The name of the MCP client of this name, else of the one of this id, else of the one of this row number.
fn find_client(clients: &[(i64, String, String)], named: &str) -> Option<String> {
    let by_name = clients.iter().find(|(_, _, name)| name == named);
    let by_id = || clients.iter().find(|(_, id, _)| id == named);
    let by_number = || clients.iter().find(|(number, _, _)| number.to_string() == named);
    by_name.or_else(by_id).or_else(by_number).map(|(_, _, name)| name.clone())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
