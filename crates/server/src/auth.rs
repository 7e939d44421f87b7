//! Who may manage: a handler says what it does by the type it asks for, and cannot run without the check. What it then
//! changes is changed in the caller's name, and under the caller's authority.

use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use keyward_core::authority::{Authority, Permissions, Reach};
use keyward_core::change::{Actor, ActorKind, Author, Change, Grounds, Idempotency};
use keyward_core::error_code::ErrorCode;
use keyward_core::invalid::Invalid;
use keyward_core::management_key::ManagementKey;
use keyward_core::permission::{Access, Permission as Grant, Resource};
use keyward_store::{OpenSession, Reveal, Store};
use secrecy::ExposeSecret as _;

use crate::body::Body;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::state::State;
use crate::{clock, cors};

pub(crate) mod csrf;
pub(crate) mod opening;
pub(crate) mod origin;
pub(crate) mod presented;

use origin::{not_foreign, same_machine, same_origin};
use presented::Presented;

/// Proof that the caller may do what `P` stands for.
#[derive(Debug)]
pub(crate) struct Authed<P> {
    caller: Caller,
    permission: PhantomData<P>,
}

impl<P> Authed<P> {
    /// A change in the caller's name.
    pub(crate) fn change(&self, operation: &'static str) -> Change {
        self.caller.change(operation)
    }

    /// The making of what the body asks for, in the caller's name; made once, however often it is asked for under one
    /// `Idempotency-Key`.
    pub(crate) fn creation<T>(&self, operation: &'static str, body: &Body<T>) -> Change {
        let fingerprint = body.fingerprint;
        let idempotency = self.caller.idempotency_key.clone().map(|key| Idempotency { key, fingerprint });
        Change { idempotency, ..self.caller.change(operation) }
    }

    /// Who calls, and what it may do.
    pub(crate) const fn author(&self) -> &Author {
        self.caller.author()
    }

    /// Whether the caller may do this as well.
    pub(crate) fn may(&self, other: Grant) -> bool {
        self.caller.authority().allows(other)
    }

    /// Makes sure that the caller does not take for repeatable what is not.
    pub(crate) fn refuse_idempotency_key(&self) -> Result<(), Invalid> {
        match self.caller.idempotency_key {
            None => Ok(()),
            Some(_) => {
                let message =
                    "only creates can be repeated under an Idempotency-Key: another rotation makes another secret";
                Err(Invalid::at_header("idempotency-key", message))
            }
        }
    }

    /// Whether answers to the caller carry virtual keys' secrets: they do for those who may make virtual keys anyway.
    pub(crate) fn reveal(&self, state: &State) -> Reveal {
        match self.may(Grant::new(Resource::VirtualKeys, Access::Write)) {
            true => state.reveal(),
            false => Reveal::Redacted,
        }
    }

    /// The store as the caller may see it.
    pub(crate) fn store(&self, state: &State) -> Store {
        state.store.within(&self.caller.authority().reach)
    }
}

/// A route that anyone may call.
#[derive(Debug)]
pub(crate) struct Open;

/// Something that a manager may be allowed to do.
pub(crate) trait Permission: 'static {
    /// What a management key must have been granted for it; none: no management key may do it.
    const NEEDS: Option<Grant>;
    /// True: whoever is let in at all may do it.
    const IS_EVERYBODYS: bool = false;
    /// Whether it shows or changes what belongs to several owners at once, so that nobody of limited reach may do it.
    const IS_WHOLE: bool = false;
    /// What must have been granted besides.
    const BESIDES: &[Grant] = &[];
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: $resource:ident $access:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name;
        impl Permission for $name {
            const NEEDS: Option<Grant> = Some(Grant::new(Resource::$resource, Access::$access));
        }
    )+};
}

permissions! {
    /// Reads virtual keys.
    VirtualKeysRead: VirtualKeys Read,
    /// Makes, edits and deletes virtual keys.
    VirtualKeysWrite: VirtualKeys Write,
    /// Reads teams.
    TeamsRead: Teams Read,
    /// Makes and deletes teams.
    TeamsWrite: Teams Write,
    /// Reads customers.
    CustomersRead: Customers Read,
    /// Makes and deletes customers.
    CustomersWrite: Customers Write,
    /// Reads providers and their redacted keys.
    ProvidersRead: Providers Read,
    /// Makes and deletes providers and their keys.
    ProvidersWrite: Providers Write,
    /// Reads model configs and the limits of providers.
    ModelConfigsRead: ModelConfigs Read,
    /// Makes, edits and deletes model configs and the limits of providers.
    ModelConfigsWrite: ModelConfigs Write,
    /// Reads pricing overrides.
    PricingRead: PricingOverrides Read,
    /// Makes, edits and deletes pricing overrides.
    PricingWrite: PricingOverrides Write,
    /// Reads routing rules.
    RoutingRulesRead: RoutingRules Read,
    /// Makes, edits and deletes routing rules.
    RoutingRulesWrite: RoutingRules Write,
    /// Reads MCP clients, and which virtual keys may use them.
    McpClientsRead: McpClients Read,
    /// Makes, edits and deletes MCP clients.
    McpClientsWrite: McpClients Write,
    /// Reads and verifies the audit log.
    AuditRead: Audit Read,
    /// Reads events.
    EventsRead: Events Read,
    /// Reads usage, the ledger, and forecasts.
    UsageRead: Usage Read,
    /// Reads metrics.
    MetricsRead: Metrics Read,
    /// Reads the server's configuration.
    ConfigRead: Config Read,
    /// Edits the server's configuration.
    ConfigWrite: Config Write,
    /// Reads management keys.
    ManagementKeysRead: ManagementKeys Read,
    /// Makes, edits, rotates and deletes management keys.
    ManagementKeysWrite: ManagementKeys Write,
}

/// Reads the limits of all owners.
#[derive(Debug)]
pub(crate) struct LimitsRead;

impl Permission for LimitsRead {
    const NEEDS: Option<Grant> = Some(Grant::new(Resource::Customers, Access::Read));
    const IS_WHOLE: bool = true;
    const BESIDES: &[Grant] = &[
        Grant::new(Resource::Teams, Access::Read),
        Grant::new(Resource::VirtualKeys, Access::Read),
        Grant::new(Resource::ModelConfigs, Access::Read),
    ];
}

/// Looks at what everybody may see who is let in.
#[derive(Debug)]
pub(crate) struct Anything;

impl Permission for Anything {
    const NEEDS: Option<Grant> = None;
    const IS_EVERYBODYS: bool = true;
}

/// Reads and ends sessions.
#[derive(Debug)]
pub(crate) struct Sessions;

impl Permission for Sessions {
    const NEEDS: Option<Grant> = None;
}

impl<P: Permission> FromRequest for Authed<P> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Self::of(&request).await })
    }
}

impl<P: Permission> Authed<P> {
    /// Makes sure that whoever asks may do this now.
    pub(crate) async fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let (actor, authority, grounds) = authenticate(request).await?;
        let may = match P::NEEDS {
            Some(wanted) => authority.allows(wanted) && P::BESIDES.iter().all(|besides| authority.allows(*besides)),
            None => P::IS_EVERYBODYS || authority.permissions == Permissions::Everything,
        };
        let reaches = !P::IS_WHOLE || authority.reach == Reach::Everything;
        if !may || !reaches {
            let message = "The management key may not do this";
            return Err(ApiError::new(ErrorCode::PermissionDenied, message));
        }
        Ok(Self { caller: Caller::of(request, actor, authority, grounds)?, permission: PhantomData })
    }
}

/// Finds out who asks, what it may do, and on what grounds.
async fn authenticate(request: &HttpRequest) -> Result<(Actor, Authority, Grounds), ApiError> {
    let Some(state) = request.app_data::<web::Data<State>>() else { return Err(unauthorized()) };
    let in_force = state.access.in_force();
    let configured = || Ok::<_, ApiError>(Grounds::Configured(in_force.record.auth_stamp()?));
    let (name, grounds) = match (Presented::of(request.headers()), in_force.is_auth_enabled()) {
        (Presented::ManagementKey(secret), _) => return management_key(state, secret.expose_secret()).await,
        (_, false) => {
            same_machine(request.headers())?;
            return Ok((Actor::named(ActorKind::Local, String::new()), Authority::FULL, configured()?));
        }
        (Presented::Password(username, password), true) => {
            if !request.method().is_safe() && !cors::admits(&in_force, request.headers()) {
                // A browser that keeps a password sends it for whichever page asks.
                not_foreign(request.headers(), &in_force.record.allowed_origins)?;
            }
            let proved = state.access.prove(&username, password, &address(request)).await?;
            (proved.username.clone(), configured()?)
        }
        (Presented::Session { token, by_cookie }, true) => {
            if by_cookie && !request.method().is_safe() {
                same_origin(request.headers(), &in_force.record.allowed_origins)?;
            }
            let open = session(state, token.expose_secret()).await?.ok_or_else(unauthorized)?;
            if by_cookie && !request.method().is_safe() {
                csrf::from_page(&state.access, &open.session, request.headers())?;
            }
            return Ok(of_session(open));
        }
        (Presented::Unknown | Presented::Nothing, true) => return Err(unauthorized()),
    };
    Ok((Actor::named(ActorKind::Admin, name), Authority::FULL, grounds))
}

async fn management_key(state: &State, secret: &str) -> Result<(Actor, Authority, Grounds), ApiError> {
    let found = state.store.management_key_find(secret).await?;
    let key = found.filter(|key| key.is_usable(clock::now())).ok_or_else(unauthorized)?;
    Ok((actor_of_key(&key), key.authority(), Grounds::ManagementKey(key.id)))
}

fn actor_of_key(key: &ManagementKey) -> Actor {
    Actor { kind: ActorKind::ManagementKey, name: key.name.clone(), id: key.id.to_string() }
}

/// Who acts in a session, what it may do now, and on what grounds.
fn of_session(open: OpenSession) -> (Actor, Authority, Grounds) {
    let OpenSession { session, key } = open;
    let (actor, authority) = match key {
        Some(key) => (actor_of_key(&key), key.authority()),
        None => (Actor::named(ActorKind::Admin, session.username), Authority::FULL),
    };
    (actor, authority, Grounds::Session(session.id))
}

/// The open session with this token.
pub(crate) async fn session(state: &State, token: &str) -> Result<Option<OpenSession>, ApiError> {
    let Some(terms) = state.access.session_terms() else { return Ok(None) };
    Ok(state.store.session_use(token, terms, clock::now()).await?)
}

/// The network address that a request came from.
pub(crate) fn address(request: &HttpRequest) -> String {
    request.peer_addr().map(|address| address.ip().to_string()).unwrap_or_default()
}

fn unauthorized() -> ApiError {
    ApiError::new(ErrorCode::Unauthorized, "Unauthorized")
}

impl FromRequest for Open {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self))
    }
}
