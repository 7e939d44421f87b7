//! The sections of the dashboard, as the navigation shows them: only those that the visitor may read, and that there are.

use keyward_core::permission::{Access, Permission, Resource};
use maud::{Markup, html};

/// A part of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Overview,
    Playground,
    VirtualKeys,
    Teams,
    Customers,
    Limits,
    Providers,
    Routing,
    Models,
    Ledger,
    Events,
    Audit,
    Settings,
}

impl Section {
    pub(super) const ALL: [Self; 13] = [
        Self::Overview,
        Self::Playground,
        Self::VirtualKeys,
        Self::Teams,
        Self::Customers,
        Self::Limits,
        Self::Providers,
        Self::Routing,
        Self::Models,
        Self::Ledger,
        Self::Events,
        Self::Audit,
        Self::Settings,
    ];

    /// The section whose pages begin with this name.
    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|section| *section != Self::Overview && section.path().strip_prefix('/') == Some(name))
    }

    /// Where it begins.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/",
            Self::Playground => "/playground",
            Self::VirtualKeys => "/virtual-keys",
            Self::Teams => "/teams",
            Self::Customers => "/customers",
            Self::Limits => "/limits",
            Self::Providers => "/providers",
            Self::Routing => "/routing",
            Self::Models => "/models",
            Self::Ledger => "/ledger",
            Self::Events => "/events",
            Self::Audit => "/audit",
            Self::Settings => "/settings",
        }
    }

    /// What it is called.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Playground => "Playground",
            Self::VirtualKeys => "Virtual keys",
            Self::Teams => "Teams",
            Self::Customers => "Customers",
            Self::Limits => "Limits",
            Self::Providers => "Providers",
            Self::Routing => "Routing rules",
            Self::Models => "Models and prices",
            Self::Ledger => "Ledger",
            Self::Events => "Events",
            Self::Audit => "Audit log",
            Self::Settings => "Settings",
        }
    }

    /// What a visitor needs for it; none: nothing but to be let in.
    pub(super) const fn needs(self) -> Option<Permission> {
        let resource = match self {
            Self::Overview | Self::Settings => return None,
            Self::Playground | Self::VirtualKeys => Resource::VirtualKeys,
            Self::Teams => Resource::Teams,
            Self::Customers => Resource::Customers,
            Self::Limits => Resource::ModelConfigs,
            Self::Providers => Resource::Providers,
            Self::Routing => Resource::RoutingRules,
            Self::Models => Resource::PricingOverrides,
            Self::Ledger => Resource::Usage,
            Self::Events => Resource::Events,
            Self::Audit => Resource::Audit,
        };
        Some(Permission::new(resource, Access::Read))
    }

    /// A picture of it, for the navigation.
    pub(super) fn icon(self) -> Markup {
        let path = match self {
            Self::Overview => "M2 13V9h3v4M6.5 13V3h3v10M11 13V6h3v7",
            Self::Playground => "M4.5 2.5v11l9-5.5-9-5.5Z",
            Self::VirtualKeys => "M8.5 7.5 14 2m-2 2 1.5 1.5M9 10a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0Z",
            Self::Teams => "M8 7.5A2.5 2.5 0 1 0 8 2.5a2.5 2.5 0 0 0 0 5ZM3 13.5a5 5 0 0 1 10 0",
            Self::Customers => "M3 13.5v-11h6v11M9 6h4v7.5M1.5 13.5h13M5 5.5h2M5 8h2M5 10.5h2",
            Self::Limits => "M2.5 12a6 6 0 1 1 11 0M8 9.5 11 6M7 10.5a1 1 0 1 0 2 0 1 1 0 0 0-2 0",
            Self::Providers => "M4.5 12.5h7a3 3 0 0 0 .5-5.95A4 4 0 0 0 4.3 7.2a2.7 2.7 0 0 0 .2 5.3Z",
            Self::Routing => "M3 3v4a3 3 0 0 0 3 3h7m-2.5-2.5L13 10l-2.5 2.5M3 7h10m-2.5-2.5L13 7",
            Self::Models => "M2.5 8 8 2.5h5.5V8L8 13.5 2.5 8ZM10.7 5.3h.01",
            Self::Ledger => "M3 2.5h9a1 1 0 0 1 1 1v10H4a1 1 0 0 1-1-1v-10ZM5.5 5.5h5M5.5 8h5M5.5 10.5h3",
            Self::Events => {
                "M8 2a4 4 0 0 0-4 4c0 4-1.5 5.5-1.5 5.5h11S12 10 12 6a4 4 0 0 0-4-4ZM6.8 14a1.4 1.4 0 0 0 2.4 0"
            }
            Self::Audit => "M8 1.5 13 3.5v4c0 3.2-2 5.6-5 7-3-1.4-5-3.8-5-7v-4l5-2ZM5.8 7.8l1.6 1.6 3-3.2",
            Self::Settings => "M2 4.5h7m3 0h2M2 11.5h2m3 0h7M10.5 3v3M5.5 10v3",
        };
        html! {
            svg viewBox="0 0 16 16" aria-hidden="true" {
                path d=(path) fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" {}
            }
        }
    }
}
