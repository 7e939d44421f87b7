//! What is asked of the ledger.

use keyward_core::ledger::LedgerQuery;
use keyward_core::usage::UsageReportQuery;
use serde::Deserialize;

use crate::dashboard::components::instants::from_minute;
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;

/// What is asked; fields that are empty say nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) request_id: String,
    pub(super) customer_id: String,
    pub(super) team_id: String,
    pub(super) virtual_key_id: String,
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) outcome: String,
    pub(super) after: String,
}

impl Asked {
    /// The same, as the API is asked for entries.
    pub(super) fn entries(&self) -> LedgerQuery {
        LedgerQuery {
            from: said(&from_minute(&self.from)),
            to: said(&from_minute(&self.to)),
            after: said(&self.after),
            request_id: said(&self.request_id),
            customer_id: said(&self.customer_id),
            team_id: said(&self.team_id),
            virtual_key_id: said(&self.virtual_key_id),
            provider: said(&self.provider),
            model: said(&self.model),
            outcome: said(&self.outcome),
            ..LedgerQuery::default()
        }
    }

    /// The same, as the API is asked what was refused.
    pub(super) fn refusals(&self) -> UsageReportQuery {
        UsageReportQuery {
            from: said(&from_minute(&self.from)),
            to: said(&from_minute(&self.to)),
            group_by: Some("outcome".to_owned()),
            order_by: Some("refusals".to_owned()),
            customer_id: said(&self.customer_id),
            team_id: said(&self.team_id),
            virtual_key_id: said(&self.virtual_key_id),
            provider: said(&self.provider),
            model: said(&self.model),
            ..UsageReportQuery::default()
        }
    }

    /// The page with all of this asked of it, from the place `after` on.
    pub(super) fn page(&self, after: &str) -> Link {
        let link = Link::to(Section::Ledger.path()).with("from", &self.from).with("to", &self.to);
        self.narrowing(link).with("after", after)
    }

    /// All that matches, as a file: `csv` or `ndjson`.
    pub(super) fn file(&self, format: &str) -> Link {
        let link = Link::to("/api/governance/ledger").with("format", format);
        self.narrowing(link.with("from", from_minute(&self.from)).with("to", from_minute(&self.to)))
    }

    fn narrowing(&self, link: Link) -> Link {
        link.with("request_id", &self.request_id)
            .with("customer_id", &self.customer_id)
            .with("team_id", &self.team_id)
            .with("virtual_key_id", &self.virtual_key_id)
            .with("provider", &self.provider)
            .with("model", &self.model)
            .with("outcome", &self.outcome)
    }

    pub(super) fn is_narrowed(&self) -> bool {
        let all = [
            &self.from,
            &self.to,
            &self.request_id,
            &self.customer_id,
            &self.team_id,
            &self.virtual_key_id,
            &self.provider,
            &self.model,
            &self.outcome,
        ];
        all.into_iter().any(|text| !text.is_empty())
    }
}

fn said(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}
