//! What a call of a tool costs: the price of the tool, where its client has one. Other tools are free by declaration.

use keyward_core::mcp_client::McpClient;
use keyward_core::money::NanoUsd;
use keyward_core::price::{PicoUsd, Possible, Price, PriceSheet, PriceVersion, TokenUsage, Usage, VersionedPrice};
use keyward_engine::{Demand, OutputDemand};

/// The charge of one call.
pub(super) struct Charge {
    /// The price that it is held and settled by: a fee for the call, and nothing else.
    pub(super) price: VersionedPrice,
}

impl Charge {
    pub(super) fn new(client: &McpClient, tool: &str) -> Self {
        let fee = client.tool_pricing.get(tool).copied().unwrap_or(NanoUsd::ZERO);
        // A nano-dollar is a thousand pico-dollars.
        let requests = Some(PicoUsd::from_picos(fee.nanos().saturating_mul(1_000)));
        let base = PriceSheet { requests, ..Price::FREE.base };
        let version = PriceVersion::from(format!("mcp:{}@{}", client.name, client.updated_at).as_str());
        Self { price: VersionedPrice { price: Price::flat(base), version } }
    }

    /// What is held: one call.
    pub(super) fn demand(&self) -> Demand<'static> {
        let output = OutputDemand { per_answer: 0, answers: 1, capped_by_client: true, can_clamp: false, least: 1 };
        let possible = Possible { units: self.counts(), ..Possible::default() };
        Demand { input: 0, counted_input: None, output, possible }
    }

    /// What is settled when the tool was used.
    pub(super) fn used(&self) -> Usage {
        self.counts().into()
    }

    /// What is settled when it was not.
    pub(super) fn nothing() -> Usage {
        Usage::default()
    }

    fn counts(&self) -> TokenUsage {
        self.price.price.with_fee(TokenUsage::default())
    }
}
