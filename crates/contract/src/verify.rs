//! The whole of a verification: what is done, in which order, and that nothing is left behind.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value;
use url::Url;

use crate::call::{Call, text};
use crate::coverage::Reached;
use crate::credential::Credential;
use crate::report::Report;
use crate::run::Run;
use crate::{scenario, unprovoked};

/// What to verify, and as whom.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server. A path before the API's own paths may be part of it.
    pub url: Url,
    /// Who manages it.
    pub credential: Credential,
    /// True: the server was made for this, so that every status is provoked, also those that last; and it may be sent to upstreams
    /// on this machine. False: only what the run makes itself is touched.
    pub disposable: bool,
}

/// Why nothing was verified.
#[derive(Debug, thiserror::Error)]
pub enum CannotRun {
    /// An embedded document is no JSON.
    #[error("the published documents cannot be read")]
    Document(#[source] serde_json::Error),
    /// There is no TLS, or no way out.
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
    /// Nothing is there.
    #[error("{0} does not answer")]
    Unreachable(Url),
    /// The server does not know whoever asks.
    #[error("the server refuses the credential: {0}")]
    Refused(String),
    /// A scripted upstream could not be started.
    #[error("no port of loopback can be had")]
    Upstream(#[source] std::io::Error),
}

/// A list by which what was left behind is found.
struct Swept {
    list: &'static str,
    /// The member that has the elements.
    items: &'static str,
    /// Where an element has its id, and its name.
    id: &'static str,
    name: &'static str,
    /// What removes one, and the parameter that has the id.
    delete: &'static str,
    parameter: &'static str,
}

const SWEPT: [Swept; 9] = [
    swept("virtual_key_list", "virtual_keys", "virtual_key_delete", "vk_id"),
    swept("team_list", "teams", "team_delete", "team_id"),
    swept("customer_list", "customers", "customer_delete", "customer_id"),
    swept("management_key_list", "management_keys", "management_key_delete", "key_id"),
    swept("routing_rule_list", "rules", "routing_rule_delete", "rule_id"),
    swept("pricing_override_list", "pricing_overrides", "pricing_override_delete", "override_id"),
    Swept { name: "/model_name", ..swept("model_config_list", "model_configs", "model_config_delete", "mc_id") },
    Swept {
        id: "/config/client_id",
        name: "/config/name",
        ..swept("mcp_client_list", "clients", "mcp_client_delete", "client_id")
    },
    Swept { id: "/name", ..swept("provider_list", "providers", "provider_delete", "provider") },
];

const fn swept(list: &'static str, items: &'static str, delete: &'static str, parameter: &'static str) -> Swept {
    Swept { list, items, id: "/id", name: "/name", delete, parameter }
}

/// Verifies a server, and removes whatever that has made of it, also when `interrupted` ends first.
///
/// # Errors
/// When there is nothing to verify. What the server does wrong is in the report.
pub async fn verify(options: &Options, interrupted: impl Future<Output = ()>) -> Result<Report, CannotRun> {
    let begin = Instant::now();
    let mut run = Run::new(options)?;
    let Some(probe) = run.quietly(&Call::to("config_get")).await else {
        return Err(CannotRun::Unreachable(options.url.clone()));
    };
    if probe.status == 401 {
        return Err(CannotRun::Refused(probe.said()));
    }
    let is_whole = tokio::select! {
        () = scenario::play(&mut run) => true,
        () = interrupted => false,
    };
    clean(&mut run).await;
    if is_whole {
        scenario::last(&mut run).await;
    }
    if options.disposable && is_whole {
        complain(&mut run);
    }
    Ok(Report::of(run, options, is_whole, begin.elapsed()))
}

/// Removes what was made, the last first, and then whatever still has a name of this run.
async fn clean(run: &mut Run) {
    for removal in run.take_made() {
        run.quietly(&removal).await;
    }
    for swept in &SWEPT {
        for (id, name) in left(run, swept).await {
            let removed = run.quietly(&Call::to(swept.delete).at([(swept.parameter, id.as_str())])).await;
            if removed.is_none_or(|reply| reply.status != 200) {
                run.fail(swept.delete, format!("{name} could not be removed"));
            }
        }
    }
}

/// The ids and names of what still has a name of this run.
async fn left(run: &Run, swept: &Swept) -> Vec<(String, String)> {
    let mut call = Call::to(swept.list);
    if run.contract.operation(swept.list).is_some_and(|(_, list)| list.has_parameters("query")) {
        call = call.query("search", &run.prefix);
    }
    let found = run.quietly(&call).await.map(|reply| reply.json());
    let found = found.and_then(|page| page.get(swept.items).and_then(Value::as_array).cloned()).unwrap_or_default();
    let named = found.iter().map(|item| (text(item, swept.id), text(item, swept.name)));
    named.filter(|(_, name)| name.starts_with(&run.prefix)).collect()
}

/// Says what should have been reached and was not.
fn complain(run: &mut Run) {
    let [management, gateway] = run.contract.documents();
    let reached = &run.coverage.0;
    let mut complaints = unprovoked::complaints(management, reached);
    complaints.extend(unanswered(gateway.operations().iter().map(|operation| operation.id.as_str()), reached));
    for (operation, what) in complaints {
        run.fail(&operation, what);
    }
}

/// Operations of the gateway that never did what they are for, or never asked for a virtual key.
fn unanswered<'a>(
    operations: impl Iterator<Item = &'a str>,
    reached: &BTreeMap<String, Reached>,
) -> Vec<(String, String)> {
    let has = |id: &str, status| reached.get(id).is_some_and(|reached| reached.statuses.contains_key(&status));
    let pairs = operations.flat_map(|id| [(id, 200), (id, 401)]);
    let missing = pairs.filter(|(id, status)| !has(id, *status));
    missing.map(|(id, status)| (id.to_owned(), format!("{status} was not reached"))).collect()
}
