//! What a call of a tool costs: the price of the tool, where its client has one. Other tools are free by declaration.
//!
//! The price of a call is held and charged as that of one output token, which is what the books can tell today.

use keyward_core::mcp_client::McpClient;
use keyward_core::money::NanoUsd;
use keyward_core::price::{LongContexts, PicoUsd, Price, PriceVersion, Rates, TokenUsage, VersionedPrice};
use keyward_engine::{Demand, OutputDemand};

/// The charge of one call.
pub(super) struct Charge {
    /// The price that it is held and settled by.
    pub(super) price: VersionedPrice,
    /// How many calls are charged: one, or none of a free tool.
    calls: u64,
}

impl Charge {
    pub(super) fn new(client: &McpClient, tool: &str) -> Self {
        let fee = client.tool_pricing.get(tool).copied().unwrap_or(NanoUsd::ZERO);
        // A nano-dollar is a thousand pico-dollars.
        let output = PicoUsd::from_picos(fee.nanos().saturating_mul(1_000));
        let base = Rates { output, ..Rates::default() };
        let version = PriceVersion::from(format!("mcp:{}@{}", client.name, client.updated_at).as_str());
        let price = VersionedPrice { price: Price { base, long_contexts: LongContexts::NONE }, version };
        Self { price, calls: u64::from(fee > NanoUsd::ZERO) }
    }

    /// What is held.
    pub(super) fn demand(&self) -> Demand<'static> {
        let output =
            OutputDemand { per_answer: self.calls, answers: 1, capped_by_client: true, can_clamp: false, least: 1 };
        Demand { input: 0, counted_input: None, output }
    }

    /// What is settled when the tool was used.
    pub(super) fn used(&self) -> TokenUsage {
        TokenUsage { output: self.calls, ..TokenUsage::default() }
    }

    /// What is settled when it was not.
    pub(super) fn nothing() -> TokenUsage {
        TokenUsage::default()
    }
}
