//! Trials: an expression evaluated on a request that nobody sends, by the code that routes. Nothing that happens is remembered.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use keyward_core::ids::VirtualKeyId;
use keyward_core::operation::Operation;

use super::{Expression, Facts, Sight};
use crate::clock;
use crate::gateway::resolve::asked;
use crate::state::State;

/// A request that is not sent.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Who would send it.
    pub(crate) virtual_key_id: VirtualKeyId,
    /// What it would ask for: `provider/model`, or a model alone.
    pub(crate) model: String,
    /// `name: value` in each line.
    pub(crate) headers: String,
    /// Its parameters.
    pub(crate) query: String,
    /// How long its body would be.
    pub(crate) body_bytes: usize,
}

/// Whether a rule with this expression would apply to the request.
///
/// # Errors
/// Why that cannot be said, in words.
pub(crate) async fn trial(state: &State, source: &str, sample: &Sample) -> Result<bool, String> {
    let expression = Expression::compiled(source.to_owned()).await?;
    let now = clock::now();
    let principal = state.engine.principal_of(&sample.virtual_key_id, now).map_err(|refusal| refusal.to_string())?;
    let place = asked(&sample.model).map_err(|error| error.to_string())?;
    let headers = headers(&sample.headers)?;
    let sight = Sight {
        headers: &headers,
        query: &sample.query,
        body_bytes: sample.body_bytes,
        operation: Operation::ChatCompletions,
        is_rehearsal: true,
    };
    let provider = place.provider.unwrap_or_else(|| "".into());
    let readings = state.engine.readings(&principal, &provider, &place.model, now);
    let facts = Facts::of(&sight, state.engine.holder(&principal));
    expression.holds(&facts.variables(provider.as_str(), place.model.as_str(), &readings))
}

fn headers(text: &str) -> Result<HeaderMap, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let read = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().parse::<HeaderName>().ok()?, HeaderValue::from_str(value.trim()).ok()?))
    };
    lines.map(|line| read(line).ok_or_else(|| format!("no header: {line}"))).collect()
}
