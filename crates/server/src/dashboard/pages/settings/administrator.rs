//! The administrator's credential: whether there is one and where it comes from, never the password.

use keyward_core::change::Versioned as _;
use keyward_core::server_config::{ConfigSource, ServerConfig};
use maud::{Markup, html};

use crate::dashboard::components::action::{Call, Look, dialog, opener};
use crate::dashboard::components::badge::{Tone, badge};
use crate::dashboard::components::field::{Empty, Field, Kind};

/// The card; the administrator may put another credential in place, where the environment does not decide.
pub(super) fn card(config: &ServerConfig, is_administrator: bool) -> Markup {
    let auth = &config.auth_config;
    let may_change = is_administrator && auth.source != ConfigSource::Environment;
    html! {
        section.card aria-labelledby="administrator" {
            div.card-head {
                h2 #administrator { "Administrator" }
                @if auth.is_enabled { (badge(Tone::Good, "Credential needed")) }
                @else { (badge(Tone::Warn, "Open to this machine")) }
            }
            dl.facts {
                dt { "User name" } dd { @if auth.admin_username.is_empty() { span.muted { "None" } } @else { (auth.admin_username) } }
                dt { "Password" } dd { (if auth.admin_password.is_empty() { "None" } else { "Set" }) }
                dt { "Comes from" } dd { (source(auth.source)) }
            }
            @if auth.source == ConfigSource::Environment { p.hint { "The server's environment decides: change it there." } }
            @if may_change {
                div.row { (opener("credential", Look::Plain, "Change the credential")) }
                (change(config))
            }
        }
    }
}

const fn source(source: ConfigSource) -> &'static str {
    match source {
        ConfigSource::Environment => "The environment",
        ConfigSource::Database => "This page, or the API",
        ConfigSource::ConfigFile => "The configuration file",
        ConfigSource::Default => "Nobody has said anything",
    }
}

fn change(config: &ServerConfig) -> Markup {
    let auth = &config.auth_config;
    let etag = config.version().etag();
    let call = Call { etag: &etag, ..Call::new("PUT", "/api/config") };
    let content = html! {
        p { "Another credential is in force at once, and ends every session, this one too." }
        (Field::new("auth_config.is_enabled", "Managing needs the credential").checkbox(true))
        (Field::new("auth_config.admin_username", "User name").value(&auth.admin_username).reads(Kind::Text, Empty::Omit).input())
        (Field::new("auth_config.admin_password", "New password").reads(Kind::Text, Empty::Omit).hint("Empty: it stays.").secret())
    };
    dialog("credential", "Change the administrator's credential", &call, &content, (Look::Primary, "Change it"))
}
