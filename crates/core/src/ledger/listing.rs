//! The ledger, to read: entries as answers show them, and which of them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::ids::{CustomerId, ModelName, ProviderKeyId, ProviderName, RequestId, TeamId, VirtualKeyId};
use crate::invalid::Invalid;
use crate::list::{instant, whole_number};
use crate::money::NanoUsd;
use crate::price::TokenUsage;
use crate::usage::{Filters, one_of};

/// One attempt, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LedgerRecord {
    /// The request.
    #[schema(value_type = String)]
    pub request_id: RequestId,
    /// Which attempt of the request, from 0.
    pub attempt: i32,
    /// When it was settled.
    #[schema(value_type = String, format = DateTime)]
    pub settled_at: Timestamp,
    /// How it ended: `completed`, `client_cancelled`, `timed_out`, `upstream_error`, `abandoned`.
    pub outcome: String,
    /// The virtual key.
    #[schema(value_type = String)]
    pub virtual_key_id: VirtualKeyId,
    /// The key's team then.
    #[schema(value_type = Option<String>, required = true)]
    pub team_id: Option<TeamId>,
    /// The key's or its team's customer then.
    #[schema(value_type = Option<String>, required = true)]
    pub customer_id: Option<CustomerId>,
    /// The provider.
    #[schema(value_type = String)]
    pub provider: ProviderName,
    /// The provider key that served it.
    #[schema(value_type = String)]
    pub provider_key_id: ProviderKeyId,
    /// The model that was asked for.
    #[schema(value_type = String)]
    pub model: ModelName,
    /// The model that was sent to the provider.
    #[schema(value_type = String)]
    pub model_served: ModelName,
    /// What kind of request it was; null: one that is free by declaration.
    #[schema(required = true)]
    pub request_type: Option<String>,
    /// Tokens that went to the model.
    pub input_tokens: i64,
    /// Tokens that came from it.
    pub output_tokens: i64,
    /// How much was used of each class; what there is nothing of is left out.
    #[schema(value_type = std::collections::HashMap<String, u64>)]
    pub usage: TokenUsage,
    /// Who says so: `provider`, `counted`, `estimated`.
    pub usage_source: String,
    /// The tier that served: `standard`, `flex`, `priority`, `batch`.
    pub service_tier: String,
    /// US dollars that it costs, with what was adjusted since.
    pub cost: NanoUsd,
    /// US dollars of that which were adjusted since it was settled; less than nothing where it became cheaper.
    pub adjusted: NanoUsd,
    /// US dollars that were held for it.
    pub held: NanoUsd,
    /// Why it costs that: rates, and what each class cost, in pico-dollars. Null: the model has no price.
    #[schema(value_type = Option<Object>, required = true)]
    pub pricing: Option<Value>,
    /// When it was admitted.
    #[schema(value_type = String, format = DateTime)]
    pub admitted_at: Timestamp,
    /// When the provider's answer began; null: it never did.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub first_byte_at: Option<Timestamp>,
    /// From admission to settlement, in milliseconds.
    pub latency_ms: i64,
    /// From admission to the first byte of the answer, in milliseconds; null: there was none.
    #[schema(required = true)]
    pub time_to_first_byte_ms: Option<i64>,
}

impl LedgerRecord {
    /// Where it is.
    #[must_use]
    pub fn place(&self) -> LedgerPlace {
        LedgerPlace { settled_at: self.settled_at, request_id: self.request_id.to_string(), attempt: self.attempt }
    }
}

/// An entry's place among all, by when it was settled.
///
/// As text it is opaque: it is only there to be given back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LedgerPlace {
    /// When it was settled.
    pub settled_at: Timestamp,
    /// The request.
    pub request_id: String,
    /// The attempt.
    pub attempt: i32,
}

impl fmt::Display for LedgerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.settled_at.as_microsecond(), self.attempt, self.request_id)
    }
}

impl FromStr for LedgerPlace {
    type Err = UnknownPlace;

    fn from_str(text: &str) -> Result<Self, UnknownPlace> {
        let read = || {
            let mut parts = text.splitn(3, '.');
            let settled_at = Timestamp::from_microsecond(parts.next()?.parse().ok()?).ok()?;
            let attempt = parts.next()?.parse().ok()?;
            Some(Self { settled_at, attempt, request_id: parts.next()?.to_owned() })
        };
        read().ok_or(UnknownPlace)
    }
}

/// The text is no place in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no place in the ledger")]
pub struct UnknownPlace;

/// Which entries are asked for, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct LedgerQuery {
    /// Only entries that were settled since this instant (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub from: Option<String>,
    /// Only entries that were settled before this instant (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub to: Option<String>,
    /// How many entries at most: 25 unless given, at most 100. As `csv` or `ndjson`: all unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 2147483647)]
    pub limit: Option<String>,
    /// Only what follows this place: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// `desc`, the newest first, unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<LedgerOrder>)]
    pub order: Option<String>,
    /// `json`, a page, unless given. `csv` is a table, `ndjson` an entry in each line; both have all that matches, and are streamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<LedgerFormat>)]
    pub format: Option<String>,
    /// Only attempts of this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Only of this customer; empty: of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// Only of this team; empty: of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Only of this virtual key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_key_id: Option<String>,
    /// Only at this provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Only of this model, without its provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Only attempts that ended so, such as `upstream_error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// Which entries come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LedgerOrder {
    /// The oldest.
    Asc,
    /// The newest.
    #[default]
    Desc,
}

impl LedgerOrder {
    const ALL: [Self; 2] = [Self::Asc, Self::Desc];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}

/// What the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LedgerFormat {
    /// A page.
    #[default]
    Json,
    /// A table.
    Csv,
    /// An entry in each line, as JSON.
    Ndjson,
}

impl LedgerFormat {
    const ALL: [Self; 3] = [Self::Json, Self::Csv, Self::Ndjson];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

/// A checked [`LedgerQuery`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerFilter {
    /// Only entries that were settled since this instant.
    pub from: Option<Timestamp>,
    /// Only entries that were settled before this instant.
    pub to: Option<Timestamp>,
    /// Only what follows this place.
    pub after: Option<LedgerPlace>,
    /// Which entries come first.
    pub order: LedgerOrder,
    /// Only attempts of this request.
    pub request_id: Option<String>,
    /// Only attempts that have this in common.
    pub filters: Filters,
}

/// A page of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LedgerList {
    /// The entries.
    pub entries: Vec<LedgerRecord>,
    /// How many entries this page has.
    pub count: i64,
    /// What `after` has to be for the next page; null when there is none.
    #[schema(required = true)]
    pub next: Option<String>,
}

/// Entries on a page unless the request says otherwise, and at most.
const LIMITS: (i64, i64) = (25, 100);

impl LedgerQuery {
    /// Checks the parameters: which entries, how many at most (none: all), and in what form.
    ///
    /// # Errors
    /// Something that cannot be read.
    pub fn check(self) -> Result<(LedgerFilter, Option<i64>, LedgerFormat), Invalid> {
        let format = one_of("format", self.format.as_deref(), &LedgerFormat::ALL, LedgerFormat::as_str)?;
        let format = format.unwrap_or_default();
        let asked = whole_number("limit", self.limit.as_deref())?.filter(|limit| *limit > 0);
        let (usual, most) = LIMITS;
        let limit = match format {
            LedgerFormat::Json => Some(asked.unwrap_or(usual).min(most)),
            LedgerFormat::Csv | LedgerFormat::Ndjson => asked,
        };
        let refuse = |_| Invalid::at("after".into(), "Invalid after parameter: must be `next` of a page");
        let filter = LedgerFilter {
            from: instant("from", self.from)?,
            to: instant("to", self.to)?,
            after: self.after.map(|place| place.parse().map_err(refuse)).transpose()?,
            order: one_of("order", self.order.as_deref(), &LedgerOrder::ALL, LedgerOrder::as_str)?.unwrap_or_default(),
            request_id: self.request_id,
            filters: Filters {
                customer: self.customer_id,
                team: self.team_id,
                virtual_key: self.virtual_key_id,
                provider: self.provider,
                model: self.model,
                outcome: self.outcome,
            },
        };
        Ok((filter, limit, format))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_from_its_text() {
        let settled_at: Timestamp = "2026-11-23T12:00:00.000001Z".parse().unwrap();
        let place = LedgerPlace { settled_at, request_id: "a.b-c".to_owned(), attempt: 2 };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in ["", "1", "1.2", "x.1.r", "1.x.r", "99999999999999999999.1.r"] {
            assert_eq!(text.parse::<LedgerPlace>(), Err(UnknownPlace), "{text}");
        }
    }

    #[test]
    fn a_page_is_short_and_an_export_is_everything() {
        let check = |format: Option<&str>, limit: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let query = LedgerQuery { format: owned(format), limit: owned(limit), ..LedgerQuery::default() };
            query.check().map(|(_, limit, _)| limit).map_err(|invalid| invalid.pointer.to_string())
        };
        assert_eq!(check(None, None), Ok(Some(25)));
        assert_eq!(check(Some("json"), Some("5000")), Ok(Some(100)));
        assert_eq!(check(Some("csv"), None), Ok(None));
        assert_eq!(check(Some("ndjson"), Some("5000")), Ok(Some(5_000)));
        assert_eq!(check(Some("xml"), None), Err("/format".to_owned()));
        assert_eq!(check(None, Some("-1")), Err("/limit".to_owned()));
        let after = LedgerQuery { after: Some("there".to_owned()), ..LedgerQuery::default() };
        assert_eq!(after.check().unwrap_err().pointer.to_string(), "/after");
    }
}
