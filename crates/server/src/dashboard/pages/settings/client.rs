//! What holds for the API's clients: the cooldown of rotations, and the web pages that may call.

use jiff::SignedDuration;
use keyward_core::change::Versioned as _;
use keyward_core::permission::Resource;
use keyward_core::server_config::{RotationCooldown, ServerConfig};
use maud::{Markup, html};

use crate::dashboard::components::action::{Call, Look, form, form_error, submit};
use crate::dashboard::components::field::{Empty, Field, Kind};
use crate::dashboard::visitor::Visitor;

/// The card, with a form for whoever may edit it. Only an administrator says which pages are trusted.
pub(super) fn card(config: &ServerConfig, visitor: &Visitor, is_administrator: bool) -> Markup {
    let client = &config.client_config;
    let (cooldown, etag) = (cooldown(client.vk_rotation_cooldown), config.version().etag());
    let call = Call { etag: &etag, ..Call::new("PUT", "/api/config") };
    let origins = client.allowed_origins.join("\n");
    let fields = html! {
        (Field::new("client_config.vk_rotation_cooldown", "Cooldown of rotations").value(&cooldown).reads(Kind::Text, Empty::Text)
            .hint("How long the old secret of a rotated virtual key works on, such as 24h; 0: not at all.").input())
        @if is_administrator {
            (Field::new("client_config.allowed_origins", "Allowed origins").value(&origins).reads(Kind::List, Empty::List)
                .placeholder("https://admin.example.com").hint("Whose web pages may call the management API, one in each line.").area())
        }
        (form_error())
        div.row { (submit(Look::Primary, "Save")) }
    };
    html! {
        section.card aria-labelledby="configuration" {
            h2 #configuration { "Configuration" }
            @if visitor.may_write(Resource::Config) { (form(&call, "stack", &fields)) }
            @else {
                dl.facts {
                    dt { "Cooldown" } dd { (cooldown) }
                    dt { "Origins" } dd { @if origins.is_empty() { span.muted { "None" } } @else { code { (origins) } } }
                }
            }
            p.hint { "In force at once. Everything else is in the configuration file and the environment, and is read at start." }
        }
    }
}

/// A cooldown, in the largest unit that tells it exactly.
fn cooldown(cooldown: RotationCooldown) -> String {
    let duration: SignedDuration = cooldown.duration();
    let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
    match (seconds, nanoseconds) {
        (0, 0) => "0".to_owned(),
        (_, 1..) => format!("{}ms", duration.as_millis()),
        _ if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        _ if seconds % 60 == 0 => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use keyward_core::server_config::{CooldownForms, RotationCooldown};

    #[test]
    fn a_cooldown_is_written_as_it_is_read() {
        for text in ["0", "24h", "90m", "61s", "1500ms"] {
            let read = RotationCooldown::try_from(CooldownForms::Text(text.to_owned())).unwrap();
            assert_eq!(super::cooldown(read), text);
        }
    }
}
