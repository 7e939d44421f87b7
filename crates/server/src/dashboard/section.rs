//! The sections of the dashboard, as the navigation shows them: only those that the visitor may read, and that there are.

use keyward_core::permission::{Access, Permission, Resource};
use maud::{Markup, html};

/// A part of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Overview,
    VirtualKeys,
    Teams,
    Customers,
}

impl Section {
    pub(super) const ALL: [Self; 4] = [Self::Overview, Self::VirtualKeys, Self::Teams, Self::Customers];

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
            Self::VirtualKeys => "/virtual-keys",
            Self::Teams => "/teams",
            Self::Customers => "/customers",
        }
    }

    /// What it is called.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::VirtualKeys => "Virtual keys",
            Self::Teams => "Teams",
            Self::Customers => "Customers",
        }
    }

    /// What a visitor needs for it; none: nothing but to be let in.
    pub(super) const fn needs(self) -> Option<Permission> {
        let resource = match self {
            Self::Overview => return None,
            Self::VirtualKeys => Resource::VirtualKeys,
            Self::Teams => Resource::Teams,
            Self::Customers => Resource::Customers,
        };
        Some(Permission::new(resource, Access::Read))
    }

    /// A picture of it, for the navigation.
    pub(super) fn icon(self) -> Markup {
        let path = match self {
            Self::Overview => "M2 13V9h3v4M6.5 13V3h3v10M11 13V6h3v7",
            Self::VirtualKeys => "M8.5 7.5 14 2m-2 2 1.5 1.5M9 10a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0Z",
            Self::Teams => "M8 7.5A2.5 2.5 0 1 0 8 2.5a2.5 2.5 0 0 0 0 5ZM3 13.5a5 5 0 0 1 10 0",
            Self::Customers => "M3 13.5v-11h6v11M9 6h4v7.5M1.5 13.5h13M5 5.5h2M5 8h2M5 10.5h2",
        };
        html! {
            svg viewBox="0 0 16 16" aria-hidden="true" {
                path d=(path) fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" {}
            }
        }
    }
}
