//! Facts: what the expressions of routing rules can speak of.

use std::collections::HashMap;

use cel::Context;
use keyward_core::meter::Metric;
use keyward_engine::{Holder, Reading};

use super::{Sight, expression};

/// The most headers, and the most parameters, that expressions see.
const MAX_ENTRIES: usize = 64;
/// The longest value that expressions see, in bytes.
const MAX_VALUE: usize = 4_096;
/// Headers that carry credentials, whatever is in them.
const CREDENTIALS: [&str; 7] =
    ["authorization", "proxy-authorization", "cookie", "x-bf-vk", "x-api-key", "x-goog-api-key", "api-key"];
/// How every virtual key begins, wherever it stands.
const VIRTUAL_KEY: &str = "sk-bf-";

/// What is known of a request before it is routed.
pub(super) struct Facts {
    pub(super) request_type: &'static str,
    pub(super) headers: HashMap<String, String>,
    pub(super) params: HashMap<String, String>,
    pub(super) holder: Holder,
    pub(super) estimated_input_tokens: i64,
}

impl Facts {
    pub(super) fn of(sight: &Sight<'_>, holder: Holder) -> Self {
        let headers = sight.headers.iter().filter_map(|(name, value)| {
            let is_credential = CREDENTIALS.contains(&name.as_str());
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())).filter(|_| !is_credential)
        });
        let params = url::form_urlencoded::parse(sight.query.as_bytes());
        Self {
            request_type: sight.operation.request_type(),
            headers: bounded(headers),
            params: bounded(params.into_owned()),
            holder,
            // About four bytes of text make a token.
            estimated_input_tokens: i64::try_from(sight.body_bytes / 4).unwrap_or(i64::MAX),
        }
    }

    /// The variables of an expression, for the provider (empty when none is named) and the model that are being asked for.
    pub(super) fn variables(&self, provider: &str, model: &str, readings: &[Reading]) -> Context<'static, 'static> {
        let mut variables = expression::context();
        let holder = &self.holder;
        for (name, text) in [
            ("model", model),
            ("provider", provider),
            ("request_type", self.request_type),
            ("virtual_key_id", holder.virtual_key_id.as_str()),
            ("virtual_key_name", &holder.virtual_key_name),
            ("team_id", holder.team_id.as_ref().map_or("", |id| id.as_str())),
            ("team_name", &holder.team_name),
            ("customer_id", holder.customer_id.as_ref().map_or("", |id| id.as_str())),
            ("customer_name", &holder.customer_name),
        ] {
            variables.add_variable_from_value(name, text);
        }
        for (name, metric) in
            [("budget_used", Metric::Cost), ("tokens_used", Metric::Tokens), ("request", Metric::Requests)]
        {
            variables.add_variable_from_value(name, percent_used(readings, metric));
        }
        variables.add_variable_from_value("headers", self.headers.clone());
        variables.add_variable_from_value("params", self.params.clone());
        variables.add_variable_from_value("estimated_input_tokens", self.estimated_input_tokens);
        variables
    }
}

/// The first entries that are no credentials and not too long.
fn bounded(entries: impl Iterator<Item = (String, String)>) -> HashMap<String, String> {
    let fits = |(_, value): &(String, String)| value.len() <= MAX_VALUE && !value.contains(VIRTUAL_KEY);
    entries.filter(fits).take(MAX_ENTRIES).collect()
}

/// How much of the tightest limit is used, in percent; 0 without one.
fn percent_used(readings: &[Reading], metric: Metric) -> f64 {
    let of_metric = readings.iter().filter(|reading| reading.metric == metric);
    of_metric.map(|reading| share(reading.used, reading.cap)).fold(0.0, f64::max)
}

/// In percent, to the hundredth.
fn share(used: i64, cap: i64) -> f64 {
    let hundredths = (i128::from(used) * 10_000).checked_div(i128::from(cap)).unwrap_or(10_000);
    f64::from(i32::try_from(hundredths).unwrap_or(i32::MAX)) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_limit_counts() {
        let reading = |metric, used, cap| Reading { metric, used, cap };
        let readings = [
            reading(Metric::Cost, 10, 100),
            reading(Metric::Cost, 7, 8),
            reading(Metric::Requests, 3, 2),
            reading(Metric::Requests, 0, 0),
        ];
        let percent = |metric| percent_used(&readings, metric);
        assert_eq!([percent(Metric::Cost), percent(Metric::Requests), percent(Metric::Tokens)], [87.5, 150.0, 0.0]);
    }

    #[test]
    fn credentials_and_what_is_too_long_stay_out() {
        let request = actix_web::test::TestRequest::with_uri("/v1/chat/completions?a=1&b=sk-bf-secret&c=%20x")
            .insert_header(("Authorization", "Bearer secret"))
            .insert_header(("x-api-key", "secret"))
            .insert_header(("X-Mine", "sk-bf-secret"))
            .insert_header(("x-long", "l".repeat(MAX_VALUE + 1)))
            .insert_header(("X-Tier", "gold"));
        let holder = Holder {
            virtual_key_id: "vk".into(),
            virtual_key_name: "name".into(),
            team_id: None,
            team_name: "".into(),
            customer_id: None,
            customer_name: "".into(),
        };
        let request = request.to_http_request();
        let (headers, query) = (request.headers(), request.query_string());
        let operation = keyward_core::operation::Operation::ChatCompletions;
        let facts = Facts::of(&Sight { headers, query, body_bytes: 400, operation, is_rehearsal: false }, holder);
        assert_eq!(facts.headers, [("x-tier".to_owned(), "gold".to_owned())].into());
        assert_eq!(facts.params, [("a", "1"), ("c", " x")].map(|(n, v)| (n.to_owned(), v.to_owned())).into());
        assert_eq!(facts.estimated_input_tokens, 100);
    }
}
