//! Anthropic's messages: classes of input are disjoint from the beginning. A stream tells the input in its first event, and what
//! there is of output so far in later ones, which may tell the input again.

use keyward_core::price::{TokenUsage, Usage};
use serde_json::Value;

use super::{Members, Reader, Said, count, some, tier, value};

/// What events have told so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    input: Option<u64>,
    output: Option<u64>,
    cached: u64,
    written: u64,
    written_hour: u64,
    searches: u64,
    tier: keyward_core::price::ServiceTier,
}

impl Told {
    pub(super) const NOTHING: Self = Self {
        input: None,
        output: None,
        cached: 0,
        written: 0,
        written_hour: 0,
        searches: 0,
        tier: keyward_core::price::ServiceTier::Standard,
    };

    /// Takes in what a later event tells: what it does not tell stays. The output may not shrink.
    fn take_in(&mut self, usage: &Value) {
        self.input = count(usage, "/input_tokens").or(self.input);
        self.output = count(usage, "/output_tokens").max(self.output);
        self.cached = count(usage, "/cache_read_input_tokens").unwrap_or(self.cached);
        self.searches = count(usage, "/server_tool_use/web_search_requests").unwrap_or(self.searches);
        if let Some(name) = usage.get("service_tier").and_then(Value::as_str) {
            self.tier = tier(name);
        }
        let hour = count(usage, "/cache_creation/ephemeral_1h_input_tokens");
        let short = count(usage, "/cache_creation/ephemeral_5m_input_tokens");
        let all = count(usage, "/cache_creation_input_tokens");
        if hour.or(short).or(all).is_some() {
            let hour = hour.unwrap_or_else(|| all.map_or(0, |all| self.written_hour.min(all)));
            self.written_hour = hour;
            // What the sum has beyond its parts was written too.
            self.written = short.unwrap_or(0).max(all.unwrap_or(0).saturating_sub(hour));
        }
    }

    fn usage(&self) -> Option<Usage> {
        let Self { input, output, cached, written, written_hour, searches, tier } = *self;
        let counts = TokenUsage {
            input: input?,
            cached_input: cached,
            cache_write: written,
            cache_write_1h: written_hour,
            output: output?,
            searches,
            ..TokenUsage::default()
        };
        some(counts, tier, None)
    }
}

/// The usage of a message.
pub(super) fn usage(members: &Members<'_>) -> Option<Usage> {
    let mut told = Told::NOTHING;
    told.take_in(&value(members.usage)?);
    told.usage()
}

/// Reads an event. The output that the first one tells is of its first token only.
pub(super) fn read(reader: &mut Reader, members: &Members<'_>) -> Said {
    match members.kind().as_str() {
        "message_start" => {
            if let Some(usage) = value(members.message).and_then(|message| message.get("usage").cloned()) {
                reader.message.take_in(&usage);
                reader.note(reader.message.usage(), false);
            }
            Said::default()
        }
        "message_delta" => {
            if let Some(usage) = value(members.usage) {
                reader.message.take_in(&usage);
                reader.note(reader.message.usage(), count(&usage, "/output_tokens").is_some());
            }
            Said::default()
        }
        "message_stop" => Said { ends: true, ..Said::default() },
        "error" => Said { failed: true, ..Said::default() },
        _ => Said::default(),
    }
}
