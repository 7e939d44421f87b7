//! Rotating the virtual keys that are chosen in the list, by one call of the management API.

use keyward_core::virtual_key::VirtualKey;
use maud::{Markup, html};

use crate::dashboard::components::action::{Look, form_error, opener, submit};

/// The head of the column that chooses.
pub(super) fn choose_all() -> Markup {
    html! { th scope="col" { input #choose-all type="checkbox" aria-label="Choose all on this page" data-needs-script disabled; } }
}

/// Chooses a key.
pub(super) fn choose(key: &VirtualKey) -> Markup {
    html! { td { input type="checkbox" value=(key.id) data-chooses aria-label={ "Choose " (key.name) } data-needs-script disabled; } }
}

/// The button that asks what to do with those that are chosen. A script lets it be used once there are some.
pub(super) fn button() -> Markup {
    opener("rotate-chosen", Look::Plain, "Rotate chosen keys")
}

/// The dialog that asks, and the one that shows the new secrets.
pub(super) fn dialogs() -> Markup {
    html! {
        dialog #rotate-chosen aria-labelledby="rotate-chosen-title" {
            form #rotation.stack {
                h2 #rotate-chosen-title { "Rotate the chosen keys?" }
                p { span #rotate-count {} " a new secret, which is shown once. Limits and usage stay. Old secrets work on for the cooldown that the server is configured with." }
                (form_error())
                div.row {
                    (submit(Look::Primary, "Rotate them"))
                    button.button type="button" data-closes { "Cancel" }
                }
            }
        }
        dialog #rotated aria-labelledby="rotated-title" {
            div.stack {
                h2 #rotated-title { "Copy the secrets now" }
                p { "They are shown here once: each key with its new secret, in a line of its own." }
                pre #rotated-secrets tabindex="0" {}
                div.row {
                    button.button type="button" data-copies="rotated-secrets" { "Copy" }
                    button.button.primary type="button" data-closes { "I have copied them" }
                }
            }
        }
    }
}
