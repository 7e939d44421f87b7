//! Whose requests a pricing override is for, and which ids each kind of scope wants.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{ProviderKeyId, ProviderName, VirtualKeyId};
use crate::invalid::Invalid;

/// What kind of requests a pricing override is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PricingScopeKind {
    /// All.
    Global,
    /// Those to one provider.
    Provider,
    /// Those that one provider key serves.
    ProviderKey,
    /// Those of one virtual key.
    VirtualKey,
    /// Those of one virtual key to one provider.
    VirtualKeyProvider,
    /// Those of one virtual key that one key of one provider serves.
    VirtualKeyProviderKey,
}

impl PricingScopeKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Global,
        Self::Provider,
        Self::ProviderKey,
        Self::VirtualKey,
        Self::VirtualKeyProvider,
        Self::VirtualKeyProviderKey,
    ];

    /// The kind's name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Provider => "provider",
            Self::ProviderKey => "provider_key",
            Self::VirtualKey => "virtual_key",
            Self::VirtualKeyProvider => "virtual_key_provider",
            Self::VirtualKeyProviderKey => "virtual_key_provider_key",
        }
    }

    /// The kind of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| Invalid::at("scope_kind".into(), format!("unsupported scope_kind \"{text}\"")))
    }
}

/// Whose requests a pricing override is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PricingScope {
    /// Everybody's.
    Global,
    /// Those to one provider.
    Provider(ProviderName),
    /// Those that one provider key serves.
    ProviderKey(ProviderKeyId),
    /// Those of one virtual key.
    VirtualKey(VirtualKeyId),
    /// Those of one virtual key to one provider.
    VirtualKeyProvider(VirtualKeyId, ProviderName),
    /// Those of one virtual key that one key of one provider serves.
    VirtualKeyProviderKey(VirtualKeyId, ProviderName, ProviderKeyId),
}

impl PricingScope {
    /// The scope of this kind with these ids.
    ///
    /// # Errors
    /// An id that is missing, or that the kind has no use for.
    pub fn new(
        kind: PricingScopeKind,
        virtual_key: Option<VirtualKeyId>,
        provider: Option<ProviderName>,
        provider_key: Option<ProviderKeyId>,
    ) -> Result<Self, Invalid> {
        use PricingScopeKind as Kind;
        let refuse = |member: &str, message: &str| Err(Invalid::at(member.into(), message));
        match (kind, virtual_key, provider, provider_key) {
            (Kind::Global, None, None, None) => Ok(Self::Global),
            (Kind::Global, ..) => refuse("scope_kind", "global scope_kind must not include scope identifiers"),
            (Kind::Provider, None, Some(provider), None) => Ok(Self::Provider(provider)),
            (Kind::Provider, _, None, _) => refuse("provider_id", "provider_id is required for provider scope_kind"),
            (Kind::Provider, ..) => refuse("scope_kind", "provider scope_kind only supports provider_id"),
            (Kind::ProviderKey, None, None, Some(key)) => Ok(Self::ProviderKey(key)),
            (Kind::ProviderKey, _, _, None) => {
                refuse("provider_key_id", "provider_key_id is required for provider_key scope_kind")
            }
            (Kind::ProviderKey, ..) => refuse("scope_kind", "provider_key scope_kind only supports provider_key_id"),
            (Kind::VirtualKey, Some(virtual_key), None, None) => Ok(Self::VirtualKey(virtual_key)),
            (Kind::VirtualKey, None, _, _) => {
                refuse("virtual_key_id", "virtual_key_id is required for virtual_key scope_kind")
            }
            (Kind::VirtualKey, ..) => refuse("scope_kind", "virtual_key scope_kind only supports virtual_key_id"),
            (Kind::VirtualKeyProvider, Some(virtual_key), Some(provider), None) => {
                Ok(Self::VirtualKeyProvider(virtual_key, provider))
            }
            (Kind::VirtualKeyProvider, Some(_), Some(_), Some(_)) => {
                refuse("provider_key_id", "virtual_key_provider scope_kind does not support provider_key_id")
            }
            (Kind::VirtualKeyProvider, ..) => {
                refuse("scope_kind", "virtual_key_id and provider_id are required for virtual_key_provider scope_kind")
            }
            (Kind::VirtualKeyProviderKey, Some(virtual_key), Some(provider), Some(key)) => {
                Ok(Self::VirtualKeyProviderKey(virtual_key, provider, key))
            }
            (Kind::VirtualKeyProviderKey, ..) => refuse(
                "scope_kind",
                "virtual_key_id, provider_id, and provider_key_id are required for virtual_key_provider_key scope_kind",
            ),
        }
    }
}
