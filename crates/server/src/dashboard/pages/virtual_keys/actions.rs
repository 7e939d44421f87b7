//! What can be done with a virtual key: edit, switch on and off, rotate, reveal, delete. Each is a call of the management API.

use keyward_core::virtual_key::VirtualKey;
use maud::{Markup, html};

use crate::dashboard::components::action::{Call, Look, button, dialog, opener};
use crate::dashboard::components::field::{Kind, hidden};
use crate::dashboard::link::Link;

/// The path of a key in the management API.
pub(super) fn api_path(key: &VirtualKey) -> String {
    Link::of("/api/governance/virtual-keys", &key.id).to_string()
}

/// The buttons beside the key's name. `link` is the key's own page.
pub(super) fn actions(key: &VirtualKey, etag: &str, link: Link) -> Markup {
    let path = api_path(key);
    let switch = Call { etag, ..Call::new("PUT", &path) };
    let (turned, text) = if key.is_active { ("false", "Switch off") } else { ("true", "Switch on") };
    html! {
        a.button href=(link.then("edit")) { "Edit" }
        (button(&switch, text, &hidden("is_active", turned, Kind::Boolean)))
        button.button type="button" data-reveals={ (path) "/reveal" } data-place="secret-shown" data-needs-script disabled { "Reveal" }
        (opener("rotate", Look::Plain, "Rotate"))
        (opener("delete", Look::Danger, "Delete"))
    }
}

/// The dialogs of those that cannot be taken back.
pub(super) fn dialogs(key: &VirtualKey, etag: &str) -> Markup {
    let path = api_path(key);
    let rotate_path = format!("{path}/rotate");
    let rotate = Call { etag, secret: "virtual_key.value", ..Call::new("POST", &rotate_path) };
    let delete = Call { etag, then: "/virtual-keys", ..Call::new("DELETE", &path) };
    let about_rotation = html! {
        p { "“" (key.name) "” gets a new secret, which is shown once. Its limits and its usage stay. The old secret works on for the cooldown that the server is configured with; without one it is refused at once." }
    };
    let about_deletion = html! {
        p { "Requests with “" (key.name) "” are refused from now on. What it has spent stays in the ledger. This cannot be taken back; switching it off can." }
    };
    html! {
        (dialog("rotate", "Rotate this key?", &rotate, &about_rotation, (Look::Primary, "Rotate")))
        (dialog("delete", "Delete this key?", &delete, &about_deletion, (Look::Danger, "Delete")))
    }
}
