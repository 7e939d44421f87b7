//! AWS's published examples, and that nothing of a signature is told.

use bytes::Bytes;

use super::*;

fn keys(session_token: Option<&str>) -> AwsKeys {
    AwsKeys {
        access_key: "AKIDEXAMPLE".into(),
        secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        session_token: session_token.map(Into::into),
    }
}

fn signed(keys: AwsKeys, request: http::request::Builder, body: &'static str) -> http::Request<Pieces> {
    let mut request = request.body(Pieces::whole(body)).unwrap();
    let signer = AwsSigner::new(keys, "us-east-1".to_owned(), "service").unwrap();
    signer.sign(&mut request, "2015-08-30T12:36:00Z".parse().unwrap()).unwrap();
    request
}

fn signature(request: &http::Request<Pieces>) -> &str {
    request.headers()["authorization"].to_str().unwrap().rsplit_once("Signature=").unwrap().1
}

#[test]
fn requests_are_signed_as_in_the_published_examples() {
    const NOTHING: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    const UNRESERVED: &str = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (method, target, expected) in [
        ("GET", "/", NOTHING),
        ("GET", "//", NOTHING),
        ("GET", "/./", NOTHING),
        ("GET", "/example/..", NOTHING),
        ("GET", "/example1/example2/../..", NOTHING),
        ("GET", "//example//", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
        ("GET", "/?Param1=value1", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
        ("GET", "/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        (
            "GET",
            "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
            "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
        ),
        ("GET", &format!("/{UNRESERVED}"), "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
        (
            "GET",
            &format!("/?{UNRESERVED}={UNRESERVED}"),
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        ),
        ("POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ("POST", "/?Param1=value1", "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
    ] {
        let request = http::Request::builder().method(method).uri(format!("https://example.amazonaws.com{target}"));
        assert_eq!(signature(&signed(keys(None), request, "")), expected, "{method} {target}");
    }
}

#[test]
fn the_content_type_and_the_body_are_signed() {
    let post = |content_type| http::Request::post("https://example.amazonaws.com/").header(CONTENT_TYPE, content_type);
    for (content_type, expected) in [
        ("application/x-www-form-urlencoded", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
        (
            "application/x-www-form-urlencoded; charset=utf8",
            "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
        ),
    ] {
        assert_eq!(signature(&signed(keys(None), post(content_type), "Param1=value1")), expected);
    }
    let request = signed(keys(None), post("text/plain"), "Param1=value1");
    assert!(
        request.headers()["authorization"].to_str().unwrap().contains("SignedHeaders=content-type;host;x-amz-date,")
    );
}

#[test]
fn a_body_in_pieces_is_signed_as_the_whole() {
    let signed = |parts: &[&'static str]| {
        let mut body = Pieces::default();
        parts.iter().for_each(|part| body.push(Bytes::from(*part)));
        let mut request = http::Request::post("https://example.amazonaws.com/").body(body).unwrap();
        let signer = AwsSigner::new(keys(None), "us-east-1".to_owned(), "service").unwrap();
        signer.sign(&mut request, "2015-08-30T12:36:00Z".parse().unwrap()).unwrap();
        signature(&request).to_owned()
    };
    assert_eq!(signed(&["Param1", "=", "value1"]), signed(&["Param1=value1"]));
    assert_ne!(signed(&["=", "Param1", "value1"]), signed(&["Param1=value1"]));
}

#[test]
fn a_sessions_token_goes_along_and_is_signed() {
    let token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
    let request = signed(keys(Some(token)), http::Request::get("https://example.amazonaws.com/"), "");
    assert_eq!(request.headers()["x-amz-security-token"], token);
    assert_eq!(signature(&request), "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8");
}

#[test]
fn headers_with_secrets_are_marked() {
    let request = signed(keys(Some("fake-session")), http::Request::get("https://example.amazonaws.com/"), "");
    let shown = format!("{:?}", request.headers());
    assert!(!shown.contains("fake-session") && !shown.contains("AKIDEXAMPLE"), "{shown}");
}

#[test]
fn keys_that_no_header_can_carry_are_refused() {
    let refused = AwsSigner::new(keys(Some("a\nb")), "us-east-1".to_owned(), "service");
    assert_eq!(refused.err(), Some(CredentialError::Unsendable));
}

/// Everything that is said at any level.
#[derive(Clone, Default)]
struct Heard(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_most_talkative_log_hears_nothing_of_it() {
    let heard = Heard::default();
    let writer = heard.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        tracing::trace!("heard");
        signed(keys(Some("fake-session")), http::Request::get("https://example.amazonaws.com/"), "");
    });
    let heard = String::from_utf8(heard.0.lock().unwrap().clone()).unwrap();
    assert!(heard.contains("heard") && !heard.contains("fake-session") && !heard.contains("AKIDEXAMPLE"), "{heard}");
}

#[test]
fn what_is_encoded_in_a_path_is_encoded_again_where_it_is_signed() {
    let url = "https://lambda.us-east-2.amazonaws.com/2015-03-31/functions/\
               arn%3Aaws%3Alambda%3Aus-west-2%3A892717189312%3Afunction%3Amy-rusty-fun/invocations";
    let mut request = http::Request::post(url).body(Pieces::default()).unwrap();
    let signer = AwsSigner::new(keys(None), "us-east-2".to_owned(), "lambda").unwrap();
    signer.sign(&mut request, "2021-05-11T15:40:45Z".parse().unwrap()).unwrap();
    assert_eq!(signature(&request), "4b93abbcc68be32bd64c18e2c71150660ab4c29bbd6c32a383a7517a88fc1804");
    assert_eq!(request.uri(), url);
}
