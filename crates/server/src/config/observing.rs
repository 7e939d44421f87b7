//! What is told of requests: to a collector, and, where a virtual key wants it, content to the log.

use std::num::NonZeroU64;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use keyward_core::base_url::BaseUrl;
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::{ConfigError, environment};

/// Who decides whether contents are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentLoggingMode {
    /// Nobody: they never are.
    Off,
    /// Each virtual key: those of one with `disable_content_logging: false` are.
    PerKey,
}

/// Whether and how contents are logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContentLogging {
    /// Who decides.
    pub mode: ContentLoggingMode,
    /// How much of each body is logged at most, in bytes.
    pub max_body_bytes: usize,
}

impl Default for ContentLogging {
    fn default() -> Self {
        Self { mode: ContentLoggingMode::Off, max_body_bytes: 16 * 1024 }
    }
}

/// Where traces and metrics go, and which.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// The collector.
    pub endpoint: BaseUrl,
    /// What every request to it carries besides; secrets, that nothing shows.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What the server calls itself.
    pub service_name: String,
    /// What else it says about itself.
    pub resource: Vec<(String, String)>,
    /// Which share of the traces that begin here is recorded, from 0 to 1.
    pub sample_ratio: f64,
    /// How often what has gathered is sent.
    pub export_interval: Duration,
}

impl TelemetrySettings {
    /// Everything that is recorded goes to a collector.
    #[must_use]
    pub fn to(endpoint: BaseUrl) -> Self {
        let TelemetryInput { sample_ratio: SampleRatio(sample_ratio), export_interval_seconds, .. } =
            TelemetryInput::default();
        Self {
            endpoint,
            headers: Vec::new(),
            service_name: "keyward".to_owned(),
            resource: Vec::new(),
            sample_ratio,
            export_interval: Duration::from_secs(export_interval_seconds.get()),
        }
    }
}

/// The same as the file has it. Headers are of the environment alone: they are secrets.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TelemetryInput {
    endpoint: Option<BaseUrl>,
    service_name: Option<String>,
    sample_ratio: SampleRatio,
    export_interval_seconds: NonZeroU64,
}

/// A number from 0 to 1.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
struct SampleRatio(f64);

impl TryFrom<f64> for SampleRatio {
    type Error = &'static str;

    fn try_from(ratio: f64) -> Result<Self, &'static str> {
        if (0.0..=1.0).contains(&ratio) { Ok(Self(ratio)) } else { Err("a sample ratio is a number from 0 to 1") }
    }
}

impl From<SampleRatio> for f64 {
    fn from(SampleRatio(ratio): SampleRatio) -> Self {
        ratio
    }
}

impl Default for TelemetryInput {
    fn default() -> Self {
        let export_interval_seconds = NonZeroU64::MIN.saturating_add(4);
        Self { endpoint: None, service_name: None, sample_ratio: SampleRatio(1.0), export_interval_seconds }
    }
}

/// Puts the file and the variables of OpenTelemetry together; none: nothing is exported.
pub(super) fn telemetry(file: TelemetryInput) -> Result<Option<TelemetrySettings>, ConfigError> {
    let text = |name| environment(name).map(|value| value.expose_secret().to_owned());
    if text("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let unusable = |name: &'static str| move |why: String| ConfigError::Telemetry(name, why);
    let endpoint = match text("OTEL_EXPORTER_OTLP_ENDPOINT") {
        Some(url) => {
            let parsed = url.parse::<BaseUrl>().map_err(|error| error.to_string().replace("base_url", "the endpoint"));
            Some(parsed.map_err(unusable("OTEL_EXPORTER_OTLP_ENDPOINT"))?)
        }
        None => file.endpoint,
    };
    let Some(endpoint) = endpoint else { return Ok(None) };
    let headers = text("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
    let headers = pairs(&headers).and_then(|pairs| pairs.into_iter().map(header).collect());
    let resource = pairs(&text("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default());
    let SampleRatio(sample_ratio) = file.sample_ratio;
    let whole = TelemetrySettings::to(endpoint);
    Ok(Some(TelemetrySettings {
        headers: headers.map_err(unusable("OTEL_EXPORTER_OTLP_HEADERS"))?,
        service_name: text("OTEL_SERVICE_NAME").or(file.service_name).unwrap_or(whole.service_name),
        resource: resource.map_err(unusable("OTEL_RESOURCE_ATTRIBUTES"))?,
        sample_ratio,
        export_interval: Duration::from_secs(file.export_interval_seconds.get()),
        endpoint: whole.endpoint,
    }))
}

/// `name=value,name=value`, percent-encoded. What is wrong is told without the values.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let read = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        Some((name.trim().to_owned(), value.into_owned()))
    };
    let listed = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    listed.map(|pair| read(pair).ok_or_else(|| "it is a list of name=value, separated by commas".to_owned())).collect()
}

fn header((name, value): (String, String)) -> Result<(HeaderName, HeaderValue), String> {
    let parsed = HeaderName::try_from(name.as_str()).map_err(|_| format!("{name:?} is no name of a header"))?;
    let mut value = HeaderValue::from_str(&value).map_err(|_| format!("the value of {name} cannot be sent"))?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_as_opentelemetry_writes_them() {
        let read = pairs("authorization=Bearer%20fake-token, team=a=b,").unwrap();
        assert_eq!(
            read,
            [("authorization", "Bearer fake-token"), ("team", "a=b")].map(|(n, v)| (n.to_owned(), v.to_owned()))
        );
        let error = pairs("fake-token").unwrap_err();
        assert!(!error.contains("fake"), "{error}");
        let (name, value) = header(("x-key".to_owned(), "fake-token".to_owned())).unwrap();
        assert!(!format!("{name} {value:?}").contains("fake"));
    }

    #[test]
    fn a_ratio_is_from_0_to_1() {
        for (text, is_one) in [("0", true), ("0.25", true), ("1", true), ("1.1", false), ("-0.1", false)] {
            assert_eq!(serde_json::from_str::<SampleRatio>(text).is_ok(), is_one, "{text}");
        }
    }
}
