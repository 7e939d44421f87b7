//! Instants: in UTC here, and rewritten by a script for the reader's zone.

use jiff::Timestamp;
use maud::{Markup, html};

/// An instant, to the minute.
pub(in crate::dashboard) fn instant(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (at.strftime("%Y-%m-%d %H:%M UTC")) } }
}

/// An instant, or what its absence means.
pub(in crate::dashboard) fn instant_or(at: Option<Timestamp>, absent: &str) -> Markup {
    match at {
        Some(at) => instant(at),
        None => html! { span.muted { (absent) } },
    }
}
