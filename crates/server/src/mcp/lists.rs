//! Lists of tools: Keyward asks each server for its own, in its own name and at most once in an interval, however often callers ask.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rmcp::model::{PaginatedRequestParams, Tool};

use super::servers::Server;
use super::sessions::{Owner, SessionError};
use crate::clock;
use crate::state::State;

/// How long a list is used unless it is configured.
const USUAL_INTERVAL: SignedDuration = SignedDuration::from_mins(10);
/// How long to wait after a failure.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// How long a server may take to tell its tools.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most tools of one server, and the most pages that they come on.
const MOST_TOOLS: usize = 1_000;
const MOST_PAGES: usize = 100;

/// The tools of a server, as it last told them.
pub(super) struct Listed {
    tools: Arc<[Tool]>,
    /// When to ask again; none: never.
    until: Option<Timestamp>,
}

impl Server {
    /// The tools of the server, whoever may use them: as it tells them, or when it does not, as it last did.
    pub(super) async fn tools(self: &Arc<Self>, state: &actix_web::web::Data<State>) -> Arc<[Tool]> {
        if self.client.disabled || self.connection.is_none() {
            return Arc::default();
        }
        let mut listed = self.listed.lock().await;
        let now = clock::now();
        if let Some(listed) = listed.as_ref().filter(|listed| listed.until.is_none_or(|until| now < until)) {
            return listed.tools.clone();
        }
        let (server, owned) = (self.clone(), state.clone());
        // On a runtime that outlives the caller: sessions are kept.
        let asking = async move { tokio::time::timeout(PATIENCE, server.ask(&owned)).await };
        let asked = state.tasks.spawn_on(asking, &state.runtime).await;
        let (tools, until) = match asked {
            Ok(Ok(Ok(tools))) => (tools.into(), self.interval().map(|interval| clock::now() + interval)),
            failed => {
                let why = match failed {
                    Ok(Ok(Err(error))) => error.to_string(),
                    Ok(Err(_)) => "it took too long".to_owned(),
                    Ok(Ok(Ok(_))) | Err(_) => "asking was interrupted".to_owned(),
                };
                tracing::warn!(mcp_client = self.client.name, why, "an MCP server does not tell its tools");
                let known = listed.as_ref().map(|listed| listed.tools.clone());
                (known.unwrap_or_default(), Some(clock::now() + PAUSE))
            }
        };
        *listed = Some(Listed { tools: tools.clone(), until });
        tools
    }

    /// How long a list is used; none: for good.
    fn interval(&self) -> Option<SignedDuration> {
        match self.client.tool_sync_interval {
            0 => Some(USUAL_INTERVAL),
            nanos if nanos > 0 => Some(SignedDuration::from_nanos(nanos).max(SignedDuration::from_secs(1))),
            _ => None,
        }
    }

    async fn ask(&self, state: &State) -> Result<Vec<Tool>, SessionError> {
        let session = state.mcp.sessions.of(Owner::keyward(&self.client), clock::now());
        let session = session.open(self).await?;
        let mut tools = Vec::new();
        let mut cursor = None;
        for _ in 0..MOST_PAGES {
            let page = PaginatedRequestParams::default().with_cursor(cursor);
            let page = session.peer().list_tools(Some(page)).await?;
            tools.extend(page.tools);
            cursor = page.next_cursor;
            if cursor.is_none() || tools.len() >= MOST_TOOLS {
                break;
            }
        }
        tools.truncate(MOST_TOOLS);
        Ok(tools)
    }
}
