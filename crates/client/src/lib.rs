//! Typed async client for Keyward: what the README below shows, and every type that its methods take and give.

#![doc = include_str!("../README.md")]

#[cfg(feature = "http")]
mod answer;
#[cfg(feature = "http")]
mod builder;
#[cfg(feature = "http")]
mod call;
#[cfg(feature = "http")]
mod client;
#[cfg(feature = "http")]
mod decode;
#[cfg(feature = "http")]
mod endpoint;
#[cfg(feature = "http")]
mod error;
#[cfg(feature = "http")]
mod operations;
#[cfg(feature = "http")]
mod pages;
#[cfg(feature = "http")]
mod retry;
#[cfg(feature = "http")]
mod sse;
#[cfg(feature = "http")]
mod stream;
#[cfg(feature = "http")]
mod tls;
#[cfg(feature = "http")]
mod trace;
#[cfg(feature = "http")]
mod transport;

#[cfg(feature = "http")]
pub use builder::ClientBuilder;
#[cfg(feature = "http")]
pub use client::Client;
#[cfg(feature = "http")]
pub use error::{ApiError, Error, ErrorSource};
#[cfg(feature = "http")]
pub use pages::Pages;
#[cfg(feature = "http")]
pub use retry::Retries;
#[cfg(feature = "http")]
pub use stream::{AnswerStream, ChatStream, ResponsesStream};
#[cfg(feature = "http")]
pub use transport::{HttpTransport, Transport};

#[cfg(feature = "http")]
pub use futures_util::{Stream, StreamExt, TryStreamExt};
#[cfg(feature = "http")]
pub use reqwest;
#[cfg(feature = "http")]
pub use secrecy::SecretString;

pub use keyward_core::allow_list::{AllowList, InvalidAllowList};
pub use keyward_core::audit::{AuditEntry, AuditList, AuditQuery, AuditVerification};
pub use keyward_core::base_url::{BaseUrl, InvalidBaseUrl};
pub use keyward_core::budget::{
    Budget, BudgetInput, BudgetOverridden, ModelUsage, OverrideBudget, OverrideMode, ResetConfig, ResetConfigInput,
};
pub use keyward_core::change::{Actor, ActorKind, Version, Versioned};
pub use keyward_core::chat::{
    ChatChoice, ChatChunkChoice, ChatCompletion, ChatCompletionChunk, ChatCompletionRequest, ChatDelta, ChatMessage,
    ChatUsage, StreamOptions,
};
pub use keyward_core::duration::{InvalidDuration, Milliseconds, ResetDuration};
pub use keyward_core::embeddings::{
    Embedding, Embeddings, EmbeddingsInput, EmbeddingsRequest, EmbeddingsUsage, Vector,
};
pub use keyward_core::error_body::{ErrorBody, ErrorDetail, ErrorExtra};
pub use keyward_core::error_code::ErrorCode;
pub use keyward_core::event::{
    DeliveryState, Event, EventDelivery, EventList, EventQuery, EventType, Threshold, ThresholdReached,
};
pub use keyward_core::explanation::{
    ExplainRequest, ExplainedDestination, ExplainedHold, ExplainedMeter, Explanation, RequestDialect,
};
pub use keyward_core::ids::{
    CustomerId, EventId, LimitId, ManagementKeyId, McpClientId, ModelBudgetId, ModelConfigId, ModelName,
    PricingOverrideId, ProviderKeyId, ProviderName, RoutingRuleId, SessionId, TeamId, VirtualKeyId,
};
pub use keyward_core::ledger::{LedgerFormat, LedgerList, LedgerOrder, LedgerQuery, LedgerRecord};
pub use keyward_core::list::{
    BudgetList, CustomerChanged, CustomerDetail, CustomerList, Done, Health, ListQuery, ManagementKeyChanged,
    ManagementKeyDetail, ManagementKeyIssued, ManagementKeyList, McpClientChanged, McpClientDetail, McpClientList,
    McpClientRemoved, ModelConfigChanged, ModelConfigDetail, ModelConfigList, PageQuery, PricingOverrideChanged,
    PricingOverrideDetail, PricingOverrideList, ProviderGovernanceChanged, ProviderGovernanceList, ProviderKeyList,
    ProviderList, RateLimitList, RoutingRuleChanged, RoutingRuleDetail, RoutingRuleList, TeamChanged, TeamDetail,
    TeamList, VirtualKeyChanged, VirtualKeyList,
};
pub use keyward_core::management_key::{CreateManagementKey, ManagementKey, UpdateManagementKey};
pub use keyward_core::mcp_client::{
    CreateMcpClient, McpAuthType, McpClient, McpClientEntry, McpClientQuery, McpClientState, McpConnectionType,
    McpStdioConfig, McpVirtualKey, McpVirtualKeyInput, UpdateMcpClient,
};
pub use keyward_core::meter::{Enforcement, Metric, OutputClamp};
pub use keyward_core::model_budget::{ModelBudget, ModelBudgetInput};
pub use keyward_core::model_config::{
    CreateModelConfig, ModelConfig, ModelConfigQuery, ModelConfigScope, UpdateModelConfig,
};
pub use keyward_core::model_list::{Model, ModelList};
pub use keyward_core::money::{InvalidAmount, NanoUsd};
pub use keyward_core::month::{Month, UnknownMonth};
pub use keyward_core::owner::{CreateCustomer, CreateTeam, Customer, Team, TeamQuery, UpdateCustomer, UpdateTeam};
pub use keyward_core::patch::Patch;
pub use keyward_core::permission::{Access, Permission, Resource};
pub use keyward_core::pricing_override::{
    CostField, CreatePricingOverride, MatchType, PricePatch, PricingOverride, PricingOverrideQuery, PricingScopeKind,
    RequestType, UnitPrice, UpdatePricingOverride,
};
pub use keyward_core::provider::{
    Aliases, AzureKeyConfig, AzureKeyConfigInput, BatchS3Config, BedrockKeyConfig, BedrockKeyConfigInput,
    ConcurrencyAndBufferSize, CreateProvider, CreateProviderKey, CustomProviderConfig, NetworkConfig,
    NetworkConfigInput, OllamaKeyConfig, OllamaKeyConfigInput, OpenaiKeyConfig, Provider, ProviderKey, ProviderStatus,
    ProxyConfig, ReplicateKeyConfig, S3Bucket, SglKeyConfig, SglKeyConfigInput, UpdateProvider, UpdateProviderKey,
    VertexKeyConfig, VertexKeyConfigInput, VllmKeyConfig, VllmKeyConfigInput,
};
pub use keyward_core::provider_config::{
    AttachedKey, ProviderConfig, ProviderConfigInput, VirtualKeyAzureConfig, VirtualKeyBedrockConfig,
    VirtualKeyProviderKey, VirtualKeyVertexConfig,
};
pub use keyward_core::provider_governance::{ProviderGovernance, UpdateProviderGovernance};
pub use keyward_core::rate_limit::{RateLimit, RateLimitInput, RateLimitRule, RateMetric};
pub use keyward_core::refusal::{LimitRefusal, Quantity};
pub use keyward_core::responses::{
    ResponsesAnswer, ResponsesEvent, ResponsesInput, ResponsesItem, ResponsesPart, ResponsesRequest, ResponsesUsage,
};
pub use keyward_core::routing_rule::{
    CreateRoutingRule, Fallback, FallbackParts, RoutingFailure, RoutingRule, RoutingRuleQuery, RoutingScope,
    RoutingTarget, UpdateRoutingRule,
};
pub use keyward_core::scope::{Scope, ScopeKind};
pub use keyward_core::secret::ManagementKeyValue;
pub use keyward_core::secret::{EnvVar, SecretSource, VirtualKeyValue};
pub use keyward_core::server_config::{
    AuthConfig, AuthConfigInput, ClientConfig, ClientConfigInput, ConfigSource, RotationCooldown, ServerConfig,
    UpdateConfig,
};
pub use keyward_core::session::{AuthStatus, AuthType, Login, Session, SessionList};
pub use keyward_core::usage::{
    BudgetForecast, BudgetScope, Dimension, ForecastList, ForecastQuery, GroupMember, Interval, Percentiles, Ranking,
    TokenSums, UsageGroup, UsagePoint, UsageReport, UsageReportQuery, UsageRest, UsageSums,
};
pub use keyward_core::virtual_key::{
    CreateVirtualKey, McpConfig, McpConfigInput, Metadata, ModelQuota, RotateVirtualKeys, UpdateVirtualKey, VirtualKey,
    VirtualKeyDetail, VirtualKeyQuery, VirtualKeyQuota, VirtualKeyRevealed, VirtualKeysRotated,
};
pub use keyward_core::zone::{UnknownZone, Zone};

/// The examples in Rust of the project's own pages, which are tested here.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
#[doc = include_str!("../../../docs/sdk.md")]
struct Guide;
