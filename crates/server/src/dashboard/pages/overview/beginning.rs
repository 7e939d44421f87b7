//! The overview of a server that has not served yet: what to do first.

use keyward_core::permission::Resource;
use maud::{Markup, html};

use crate::dashboard::visitor::Visitor;

/// The first steps, as far as the visitor may take them.
pub(super) fn first_steps(visitor: &Visitor) -> Markup {
    html! {
        section.card aria-labelledby="first-steps" {
            h2 #first-steps { "Nothing has been asked in this time" }
            p.muted { "An application sends its requests here with a virtual key, and Keyward sends them on with the provider's real one." }
            ol.steps {
                @if visitor.may_write(Resource::VirtualKeys) {
                    li { b { "Make a virtual key" } " with a budget. " a href="/new/virtual-keys" { "Make a key" } "." }
                }
                @if visitor.may_read(Resource::VirtualKeys) {
                    li { b { "Try it in the playground." } " See what a request would hold, send it, and watch the budget move. " a href="/playground" { "Open the playground" } "." }
                }
                @if visitor.may_read(Resource::Usage) {
                    li { b { "See it in the ledger." } " Every attempt is an entry, to the nano-dollar. " a href="/ledger" { "Open the ledger" } "." }
                }
                li {
                    b { "Point your application at this server" } ": the base URL is this one with " code { "/v1" }
                    ", the API key is the virtual key's secret."
                }
                li { b { "Look here again." } " What is spent, who spends it, and which budget runs out next." }
            }
        }
    }
}

/// What is shown to whoever may not read usage.
pub(super) fn without_usage() -> Markup {
    html! {
        section.card {
            h2 { "You are signed in" }
            p.muted { "Your management key does not have the permission “usage”: figures are not shown. What you may see is in the navigation." }
        }
    }
}
