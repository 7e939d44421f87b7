//! Where requests go at clouds: addresses made of a provider key's settings. A provider's own base URL, where one is configured,
//! stands in place of the cloud's host.

use keyward_core::base_url::BaseUrl;
use keyward_core::provider::Setting;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;

use crate::credentials::{CredentialError, KeyTexts, domain, is_role};

/// What stands for itself in a segment of a path.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where an operation of a key is, and the model's name in the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) model: String,
}

/// Azure. With an `api_version`, deployments are in the path; without one, or with `v1`, in the body. `path` is the
/// operation's in OpenAI's dialect, such as `/chat/completions`.
pub(crate) fn azure(key: &KeyTexts, endpoint: &BaseUrl, path: &str, deployment: &str) -> Place {
    let origin = endpoint.as_str().strip_suffix("/openai").unwrap_or(endpoint.as_str());
    let version = key.settings.get(&Setting::AzureApiVersion).map(ExposeSecret::expose_secret);
    let url = match version.filter(|version| !version.is_empty() && *version != "v1") {
        None => format!("{origin}/openai/v1{path}"),
        Some(version) => {
            let (deployment, version) = (encoded(deployment), encoded(version));
            format!("{origin}/openai/deployments/{deployment}{path}?api-version={version}")
        }
    };
    Place { url, model: deployment.to_owned() }
}

/// Vertex's endpoint in OpenAI's dialect, where a model has its publisher's name: Google's, unless another is given.
pub(crate) fn vertex_chat(key: &KeyTexts, base_url: Option<&BaseUrl>, model: &str) -> Result<Place, CredentialError> {
    let url = vertex(key, base_url, "/endpoints/openapi/chat/completions")?;
    let model = if model.contains('/') { model.to_owned() } else { format!("google/{model}") };
    Ok(Place { url, model })
}

/// Vertex's endpoint in Gemini's dialect. `verb` is what follows the model, such as `generateContent`.
pub(crate) fn vertex_native(
    key: &KeyTexts,
    base_url: Option<&BaseUrl>,
    model: &str,
    verb: &str,
) -> Result<Place, CredentialError> {
    let bare = model.strip_prefix("google/").unwrap_or(model);
    let url = vertex(key, base_url, &format!("/publishers/google/models/{}:{verb}", encoded(bare)))?;
    Ok(Place { url, model: bare.to_owned() })
}

fn vertex(key: &KeyTexts, base_url: Option<&BaseUrl>, path: &str) -> Result<String, CredentialError> {
    let needed = |setting, name| {
        let text = key.settings.get(&setting).map(ExposeSecret::expose_secret);
        text.filter(|text| !text.is_empty()).ok_or(CredentialError::Missing(name))
    };
    let (project, region) = (needed(Setting::VertexProjectId, "project_id")?, needed(Setting::VertexRegion, "region")?);
    let is_region = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !region.bytes().all(is_region) {
        return Err(CredentialError::Malformed("region", "it is not the name of a region"));
    }
    let path = format!("/v1/projects/{}/locations/{region}{path}", encoded(project));
    Ok(match (base_url, region) {
        (Some(base_url), _) => base_url.join(&path),
        (None, "global") => format!("https://aiplatform.googleapis.com{path}"),
        (None, region) => format!("https://{region}-aiplatform.googleapis.com{path}"),
    })
}

/// Bedrock. `path` makes the path of a model, where the key has an ARN of models, of that and the model.
pub(crate) fn bedrock(
    key: &KeyTexts,
    base_url: Option<&BaseUrl>,
    model: &str,
    path: impl Fn(&str, Option<&str>) -> String,
) -> Result<Place, CredentialError> {
    let arn = key.settings.get(&Setting::BedrockArn).map(ExposeSecret::expose_secret).filter(|arn| !is_role(arn));
    let path = path(model, arn);
    let url = match base_url {
        Some(base_url) => base_url.join(&path),
        None => {
            let region = key.region()?;
            format!("https://bedrock-runtime.{region}.{}{path}", domain(&region))
        }
    };
    Ok(Place { url, model: model.to_owned() })
}

fn encoded(segment: &str) -> String {
    utf8_percent_encode(segment, IN_PATH).to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn key(settings: &[(Setting, &str)]) -> KeyTexts {
        let settings: BTreeMap<_, _> = settings.iter().map(|(setting, text)| (*setting, (*text).into())).collect();
        KeyTexts { secret: None, settings, scopes: Vec::new() }
    }

    fn url(place: Result<Place, CredentialError>) -> String {
        place.map_or_else(|error| error.to_string(), |place| place.url)
    }

    #[test]
    fn deployments_of_azure_are_in_the_path_or_in_the_body() {
        let at = |endpoint: &str, settings: &[_]| {
            azure(&key(settings), &endpoint.parse().unwrap(), "/chat/completions", "my gpt").url
        };
        let version = |version| [(Setting::AzureApiVersion, version)];
        let newer = "https://fake.openai.azure.com/openai/v1/chat/completions";
        assert_eq!(
            at("https://fake.openai.azure.com/", &version("2024-10-21")),
            "https://fake.openai.azure.com/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21"
        );
        assert_eq!(at("https://fake.openai.azure.com/", &[]), newer);
        assert_eq!(at("https://fake.openai.azure.com/", &version("v1")), newer);
        assert_eq!(at("https://fake.openai.azure.com/openai/v1/", &[]), newer);
    }

    #[test]
    fn vertex_has_an_endpoint_in_each_dialect() {
        let settings = |region| key(&[(Setting::VertexProjectId, "fake-project"), (Setting::VertexRegion, region)]);
        let chat = vertex_chat(&settings("europe-west1"), None, "gemini-2.5-flash").unwrap();
        assert_eq!(
            chat.url,
            "https://europe-west1-aiplatform.googleapis.com/v1/projects/fake-project/locations/europe-west1/endpoints/openapi/chat/completions"
        );
        assert_eq!(chat.model, "google/gemini-2.5-flash");
        assert_eq!(
            url(vertex_native(&settings("global"), None, "gemini-2.5-flash", "generateContent")),
            "https://aiplatform.googleapis.com/v1/projects/fake-project/locations/global/publishers/google/models/gemini-2.5-flash:generateContent"
        );
        let elsewhere = url(vertex_chat(&settings("evil.example/"), None, "m"));
        assert_eq!(elsewhere, "region cannot be used: it is not the name of a region");
        assert_eq!(url(vertex_chat(&key(&[]), None, "m")), "the key has no project_id");
    }

    #[test]
    fn bedrock_is_in_its_region_or_where_the_provider_is_configured_to_be() {
        let path = |model: &str, arn: Option<&str>| format!("/{model}/{}", arn.unwrap_or("-"));
        let at = |settings: &[_], base: Option<&str>| {
            let base: Option<BaseUrl> = base.map(|base| base.parse().unwrap());
            url(bedrock(&key(settings), base.as_ref(), "m", path))
        };
        let region = |region| (Setting::BedrockRegion, region);
        assert_eq!(at(&[region("eu-west-1")], None), "https://bedrock-runtime.eu-west-1.amazonaws.com/m/-");
        assert_eq!(at(&[region("cn-north-1")], None), "https://bedrock-runtime.cn-north-1.amazonaws.com.cn/m/-");
        assert_eq!(at(&[], Some("http://127.0.0.1:9")), "http://127.0.0.1:9/m/-");
        let role = (Setting::BedrockArn, "arn:aws:iam::000000000000:role/fake");
        assert_eq!(at(&[role], Some("http://127.0.0.1:9")), "http://127.0.0.1:9/m/-");
        let profile = (Setting::BedrockArn, "arn:aws:bedrock:eu-west-1:1:p");
        assert_eq!(at(&[profile], Some("http://127.0.0.1:9")), "http://127.0.0.1:9/m/arn:aws:bedrock:eu-west-1:1:p");
    }
}
