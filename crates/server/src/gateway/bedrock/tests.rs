//! Fixtures in, goldens out: each snapshot shows both.

use keyward_core::error_code::ErrorCode;
use serde_json::{Value, json};

use super::*;

mod answers;
mod questions;
mod refusals;
mod streams;

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

fn about() -> About {
    About { request_id: "fake-request".to_owned(), created: 1_767_225_600, model: CLAUDE.to_owned() }
}

fn pretty(json: &[u8]) -> String {
    let value: Value = serde_json::from_slice(json).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn model_ids_are_one_segment_of_the_path() {
    let profile = "arn:aws:bedrock:eu-west-1:000000000000:inference-profile/eu.amazon.nova-lite-v1:0";
    for (model, arn, streamed, expected) in [
        ("amazon.nova-lite-v1:0", None, false, "/model/amazon.nova-lite-v1%3A0/converse"),
        (
            profile,
            None,
            true,
            "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A000000000000%3Ainference-profile%2Feu.amazon.nova-lite-v1%3A0/converse-stream",
        ),
        (
            "abc",
            Some("arn:aws:bedrock:eu-west-1:000000000000:application-inference-profile"),
            false,
            "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A000000000000%3Aapplication-inference-profile%2Fabc/converse",
        ),
        ("../../x?y#z", None, false, "/model/..%2F..%2Fx%3Fy%23z/converse"),
    ] {
        assert_eq!(path(model, arn, streamed), expected);
    }
}
