//! Badges: a state in one word.

use jiff::Timestamp;
use keyward_core::budget::Budget;
use keyward_core::virtual_key::VirtualKey;
use maud::{Markup, html};

use super::bar::Level;

/// How a state is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dashboard) enum Tone {
    Calm,
    Good,
    Warn,
    Bad,
}

impl Tone {
    /// The class of the stylesheet.
    pub(in crate::dashboard) const fn class(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// A state in one word.
pub(in crate::dashboard) fn badge(tone: Tone, text: &str) -> Markup {
    html! { span.badge.(tone.class()) { (text) } }
}

/// The state of a virtual key: whether the gateway takes it, and whether its own budgets have anything left.
pub(in crate::dashboard) fn key_state(key: &VirtualKey, now: Timestamp) -> Markup {
    if !key.is_active {
        badge(Tone::Calm, "Inactive")
    } else if key.expires_at.is_some_and(|end| end <= now) {
        badge(Tone::Bad, "Expired")
    } else if key.budgets.iter().any(is_used_up) {
        badge(Tone::Bad, "Exhausted")
    } else {
        badge(Tone::Good, "Active")
    }
}

/// Whether nothing is left of a budget.
fn is_used_up(budget: &Budget) -> bool {
    Level::of_budget(budget, 0).is_used_up()
}
