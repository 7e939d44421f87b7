//! Images: the most tokens that one can take, as far as providers publish everything that this depends on.
//!
//! An image is scaled down before it is read, so its size in the request does not matter, nor whether it is there or only its
//! address.

use super::Served;
use crate::gateway::scan::Scan;

/// The most tokens of all images; none when there are some and nobody says how many tokens they take.
pub(super) fn most(scan: &Scan, served: &Served<'_>) -> Option<u64> {
    match scan.images {
        0 => Some(0),
        images => Some(of_one(served)?.saturating_mul(images)),
    }
}

fn of_one(served: &Served<'_>) -> Option<u64> {
    let is_served = |name: &str| served.model.strip_prefix(name).is_some_and(is_version);
    match served.provider {
        "openai" => OPENAI.iter().find(|(name, _)| is_served(name)).map(|(_, tokens)| *tokens),
        "anthropic" => ANTHROPIC.iter().any(|name| is_served(name)).then_some(ANTHROPIC_MOST),
        _ => None,
    }
}

/// True for what may follow a model's name and leaves it that model: nothing, or the date of its snapshot.
fn is_version(rest: &str) -> bool {
    rest.is_empty() || rest.strip_prefix('-').is_some_and(|date| date.starts_with("20") && date.len() >= 8)
}

/// Tiles of 512 pixels, after an image is scaled into 2,048 by 2,048 and its short side to 768: eight at most.
const fn tiles(base: u64, tile: u64) -> u64 {
    base + 8 * tile
}

/// <https://platform.openai.com/docs/guides/images-vision>. Patches of 32 pixels: 1,536 at most, times a factor of the model.
const OPENAI: &[(&str, u64)] = &[
    ("gpt-4o", tiles(85, 170)),
    ("gpt-4.1", tiles(85, 170)),
    ("gpt-4-turbo", tiles(85, 170)),
    ("gpt-4o-mini", tiles(2_833, 5_667)),
    ("gpt-5", tiles(70, 140)),
    ("gpt-5-chat-latest", tiles(70, 140)),
    ("o1", tiles(75, 150)),
    ("o1-pro", tiles(75, 150)),
    ("o3", tiles(75, 150)),
    // Factors of 1.62, 2.46 and 1.72, rounded up.
    ("gpt-4.1-mini", 2_489),
    ("gpt-5-mini", 2_489),
    ("gpt-4.1-nano", 3_779),
    ("gpt-5-nano", 3_779),
    ("o4-mini", 2_642),
    // Tiles of an image whose short side is 512, and at a high fidelity 6,240 more: less than so many.
    ("gpt-image-1", 8_000),
    ("gpt-image-1-mini", 8_000),
    ("gpt-image-1.5", 8_000),
];

/// <https://platform.claude.com/docs/en/build-with-claude/vision>: the largest figure of any model.
const ANTHROPIC_MOST: u64 = 4_784;
const ANTHROPIC: &[&str] = &[
    "claude-3-haiku",
    "claude-3-sonnet",
    "claude-3-opus",
    "claude-3-5-sonnet",
    "claude-3-7-sonnet",
    "claude-haiku-4-5",
    "claude-opus-4-0",
    "claude-opus-4",
    "claude-opus-4-1",
    "claude-opus-4-5",
    "claude-opus-4-6",
    "claude-opus-4-7",
    "claude-sonnet-4-0",
    "claude-sonnet-4",
    "claude-sonnet-4-5",
    "claude-sonnet-4-6",
];
