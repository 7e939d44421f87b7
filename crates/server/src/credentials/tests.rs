//! Credentials against a token endpoint that is really asked.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use futures_util::future::join_all;
use keyward_core::provider::Setting;
use serde_json::json;

use super::*;
use crate::gateway::tls;
use crate::pieces::Pieces;

/// A token endpoint: what it was asked, and where it is.
struct TokenServer {
    origin: String,
    asked: Receiver<String>,
}

impl TokenServer {
    /// Gives this answer to everyone, as long as the test runs.
    fn answering(status: u16, body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (tell, asked) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read(&mut BufReader::new(&stream));
                // Before the answer: whoever has that knows that it was asked.
                if tell.send(request).is_err() {
                    return;
                }
                let length = body.len();
                write!(stream, "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
                    .unwrap();
            }
        });
        Self { origin, asked }
    }

    /// Everything that was asked until now.
    fn asked(&self) -> Vec<String> {
        self.asked.try_iter().collect()
    }

    fn endpoints(&self) -> TokenEndpoints {
        TokenEndpoints {
            entra: Some(self.origin.parse().unwrap()),
            sts: Some(self.origin.parse().unwrap()),
            application_credentials: None,
            allow_metadata: false,
            block_private: false,
        }
    }
}

fn read(stream: &mut impl BufRead) -> String {
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let from = request.len();
        stream.read_line(&mut request).unwrap();
        let line = request[from..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    request + std::str::from_utf8(&body).unwrap()
}

fn client() -> UpstreamClient {
    UpstreamClient::new(&tls().unwrap(), false)
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn key(settings: &[(Setting, &str)]) -> KeyTexts {
    let settings = settings.iter().map(|(setting, text)| (*setting, SecretString::from(*text))).collect();
    KeyTexts { secret: None, settings, scopes: Vec::new() }
}

const ENTRA: [(Setting, &str); 3] = [
    (Setting::AzureClientId, "fake-client"),
    (Setting::AzureClientSecret, "fake-secret"),
    (Setting::AzureTenantId, "fake-tenant"),
];

fn granted() -> String {
    json!({"access_token": "fake-token", "expires_in": 3600, "token_type": "Bearer"}).to_string()
}

fn bearer(stamp: &Stamp) -> String {
    let request = http::Request::post("https://upstream.example/x").body(Pieces::default()).unwrap();
    stamp.sign(request, now()).unwrap().headers()["authorization"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_entra_client_gets_one_token_for_fifty_requests() {
    let server = TokenServer::answering(200, granted());
    let auth = key(&ENTRA).auth("azure", &server.endpoints()).unwrap();
    let client = client();
    let stamps = join_all((0..50).map(|_| auth.ready(&Scheme::Bearer, &client, now()))).await;
    assert!(stamps.iter().all(|stamp| bearer(stamp.as_ref().unwrap()) == "Bearer fake-token"));
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("POST /fake-tenant/oauth2/v2.0/token HTTP/1.1"), "{asked:?}");
    let form = "grant_type=client_credentials&client_id=fake-client&client_secret=fake-secret&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default";
    assert!(asked[0].ends_with(form), "{asked:?}");
}

#[tokio::test]
async fn scopes_of_the_key_are_asked_for() {
    let server = TokenServer::answering(200, granted());
    let texts = KeyTexts { scopes: vec!["a/.default".to_owned(), "b".to_owned()], ..key(&ENTRA) };
    let auth = texts.auth("azure", &server.endpoints()).unwrap();
    auth.ready(&Scheme::Bearer, &client(), now()).await.unwrap();
    assert!(server.asked()[0].ends_with("scope=a%2F.default+b"));
}

#[tokio::test]
async fn a_service_account_shows_its_statement() {
    let server = TokenServer::answering(200, granted());
    let file = google::tests::service_account(&format!("{}/token", server.origin));
    let auth = key(&[(Setting::VertexAuthCredentials, &file)]).auth("vertex", &server.endpoints()).unwrap();
    let stamp = auth.ready(&Scheme::Bearer, &client(), now()).await.unwrap();
    assert_eq!(bearer(&stamp), "Bearer fake-token");
    let asked = server.asked();
    assert!(
        asked[0].contains("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=ey"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn the_file_of_default_credentials_is_read_when_a_token_is_needed() {
    let server = TokenServer::answering(200, granted());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("adc.json");
    let endpoints = TokenEndpoints { application_credentials: Some(path.clone()), ..server.endpoints() };
    let auth = key(&[]).auth("vertex", &endpoints).unwrap();
    let missing = auth.ready(&Scheme::Bearer, &client(), now()).await.unwrap_err();
    assert_eq!(missing, CredentialError::Unreadable(std::io::ErrorKind::NotFound));
    let file = json!({
        "type": "authorized_user", "client_id": "fake-client", "client_secret": "fake-secret",
        "refresh_token": "fake-refresh", "token_uri": format!("{}/token", server.origin),
    });
    std::fs::write(path, file.to_string()).unwrap();
    let stamp = auth.ready(&Scheme::Bearer, &client(), now()).await.unwrap();
    assert_eq!(bearer(&stamp), "Bearer fake-token");
    assert!(server.asked()[0].ends_with("client_secret=fake-secret&refresh_token=fake-refresh"));
}

#[tokio::test]
async fn a_role_is_assumed_and_its_session_signs() {
    let body = "<r><Credentials><AccessKeyId>ASIAFAKE</AccessKeyId><SecretAccessKey>fake-secret</SecretAccessKey>\
                <SessionToken>fake-session</SessionToken><Expiration>2026-01-01T01:00:00Z</Expiration></Credentials></r>";
    let server = TokenServer::answering(200, body.to_owned());
    let auth = key(&[
        (Setting::BedrockAccessKey, "AKIAFAKE"),
        (Setting::BedrockSecretKey, "fake-secret"),
        (Setting::BedrockRegion, "eu-west-1"),
        (Setting::BedrockArn, "arn:aws:iam::000000000000:role/fake"),
    ])
    .auth("bedrock", &server.endpoints())
    .unwrap();
    let client = client();
    let stamps = join_all((0..50).map(|_| auth.ready(&Scheme::Bearer, &client, now()))).await;
    let request = http::Request::post("https://bedrock.example/model/m/converse").body(Pieces::default()).unwrap();
    let request = stamps[0].as_ref().unwrap().sign(request, now()).unwrap();
    let authorization = request.headers()["authorization"].to_str().unwrap();
    assert!(authorization.contains("Credential=ASIAFAKE/20260101/eu-west-1/bedrock/aws4_request"), "{authorization}");
    assert_eq!(request.headers()["x-amz-security-token"], "fake-session");
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].contains("Credential=AKIAFAKE/20260101/eu-west-1/sts/aws4_request"), "{asked:?}");
    assert!(asked[0].ends_with("RoleArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Ffake&RoleSessionName=keyward"));
}

#[tokio::test]
async fn a_refusal_is_told_by_its_code_alone() {
    let body = json!({"error": "invalid_client", "error_description": "fake-secret", "error_codes": [7000215]});
    for (status, body, expected) in [
        (401, body.to_string(), "the token endpoint answered 401: invalid_client.7000215"),
        (400, json!({"error": "fake secret"}).to_string(), "the token endpoint answered 400"),
        (502, "fake-secret".to_owned(), "the token endpoint answered 502"),
        (200, "fake-secret".to_owned(), "the token endpoint's answer has no token in it"),
        (200, "x".repeat(100_000), "the token endpoint's answer has no token in it"),
    ] {
        let server = TokenServer::answering(status, body);
        let auth = key(&ENTRA).auth("azure", &server.endpoints()).unwrap();
        let error = auth.ready(&Scheme::Bearer, &client(), now()).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(!format!("{error:?} {:?}", crate::error::ApiError::from(error.clone())).contains("fake-secret"));
    }
}

#[tokio::test]
async fn nobody_at_home_is_unreachable() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = TokenServer::answering(200, String::new());
    let endpoints = TokenEndpoints { entra: Some(format!("http://{free}").parse().unwrap()), ..server.endpoints() };
    let auth = key(&ENTRA).auth("azure", &endpoints).unwrap();
    let error = auth.ready(&Scheme::Bearer, &client(), now()).await.unwrap_err();
    assert_eq!(error, CredentialError::Unreachable);
}

#[tokio::test]
async fn a_plain_secret_goes_where_the_dialect_has_it() {
    let (auth, client) = (Auth::Secret("fake key".into()), client());
    let signed = async |scheme| {
        let request = http::Request::post("https://upstream.example/x?alt=sse").body(Pieces::default()).unwrap();
        auth.ready(&scheme, &client, now()).await.unwrap().sign(request, now()).unwrap()
    };
    assert_eq!(signed(Scheme::Bearer).await.headers()["authorization"], "Bearer fake key");
    let header = signed(Scheme::Header(HeaderName::from_static("x-api-key"))).await;
    assert_eq!(header.headers()["x-api-key"], "fake key");
    assert!(!format!("{:?}", header.headers()).contains("fake key"));
}
