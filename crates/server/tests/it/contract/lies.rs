//! The verifier is verified: each kind of lie that a server may tell is told once, and caught; and nothing is left behind.

use keyward_client::{ListQuery, VirtualKeyQuery};
use keyward_contract::Credential;
use serde_json::{Value, json};

use super::kept::verified;
use super::liar::{Answer, Liar};
use crate::harness::App;

const CUSTOMER_LIST: &str = "/api/governance/customers?";
const ONE_CUSTOMER: &str = "/api/governance/customers/";

/// Panics unless the lie is found at this operation, in these words.
async fn caught(disposable: bool, lie: impl Fn(&mut Answer) + Send + Sync + 'static, (at, words): (&str, &str)) {
    let app = App::start().await;
    let liar = Liar::start(&app.url, lie).await;
    let report = verified(&liar.url, Credential::Nothing, disposable).await;
    let is_found = report.failures().any(|(operation, failure)| operation == at && failure.contains(words));
    assert!(is_found && !report.is_passed(), "{words:?} is not found at {at}:\n{report}");
    assert_eq!(app.client.customer_list(&ListQuery::default()).await.unwrap().total_count, 0, "it is cleaned up");
    assert_eq!(app.client.virtual_key_list(&VirtualKeyQuery::default()).await.unwrap().total_count, 0);
}

/// A lie about successful answers of an operation.
fn about(method: &'static str, path: &'static str, lie: impl Fn(&mut Answer)) -> impl Fn(&mut Answer) {
    move |answer| {
        if answer.status == 200 && answer.is_about(method, path) {
            lie(answer);
        }
    }
}

/// A lie in the body of such answers.
fn within(method: &'static str, path: &'static str, lie: impl Fn(&mut Value)) -> impl Fn(&mut Answer) {
    about(method, path, move |answer| answer.edit(&lie))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lie() {
    let app = App::start().await;
    let liar = Liar::start(&app.url, |_| ()).await;
    let report = verified(&liar.url, Credential::Nothing, false).await;
    assert!(report.is_passed(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_status() {
    let lie = about("GET", ONE_CUSTOMER, |answer| answer.status = 404);
    caught(false, lie, ("customer_get", "200 was due, and 404 came")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undocumented_status() {
    let lie = about("GET", "/livez", |answer| answer.status = 418);
    caught(false, lie, ("livez", "the status is not documented")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_missing() {
    let lie = within("GET", CUSTOMER_LIST, |body| drop(body.as_object_mut().unwrap().remove("total_count")));
    caught(false, lie, ("customer_list", "\"total_count\" is a required property")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_the_wrong_type() {
    let lie = within("GET", "/livez", |body| body["message"] = json!(7));
    caught(false, lie, ("livez", "not as documented: \"/message\"")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_nobody_knows() {
    let lie = within("GET", "/livez", |body| body["extra"] = json!(1));
    caught(false, lie, ("livez", "'extra' was unexpected")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn null_where_there_must_be_something() {
    let lie = within("GET", ONE_CUSTOMER, |body| body["customer"]["name"] = Value::Null);
    caught(false, lie, ("customer_get", "/customer/name")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_out_of_its_bounds() {
    let lie = within("GET", "/api/routing/rules/", |body| body["rule"]["targets"][0]["weight"] = json!(2));
    caught(false, lie, ("routing_rule_get", "is greater than the maximum of 1")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_total_that_does_not_match() {
    let more = |body: &mut Value| body["total_count"] = json!(body["total_count"].as_u64().unwrap() + 1);
    caught(false, within("GET", CUSTOMER_LIST, more), ("customer_list", "total_count is 3, and 2 have such a name"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_content_type() {
    let lie = about("GET", "/livez", |answer| answer.set("content-type", "text/html"));
    caught(false, lie, ("livez", "the content type \"text/html\" is not documented")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_is_missing() {
    let lie = about("GET", ONE_CUSTOMER, |answer| drop(answer.headers.remove("etag")));
    caught(false, lie, ("customer_get", "the documented header ETag is missing")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_nobody_knows() {
    let lie = about("GET", "/livez", |answer| answer.set("x-powered-by", "lies"));
    caught(false, lie, ("livez", "the header x-powered-by is not documented")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_cut() {
    let lie = about("GET", "/livez", |answer| answer.body.truncate(answer.body.len() - 1));
    caught(false, lie, ("livez", "the body is no JSON")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_changes_by_itself() {
    let lie = about("GET", ONE_CUSTOMER, |answer| answer.set("etag", "\"another\""));
    caught(false, lie, ("customer_get", "what nobody has changed has another version")).await;
}

/// What the status says, the envelope says too.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_contradicts_itself() {
    let lie = |answer: &mut Answer| {
        if answer.status == 404 && answer.is_about("GET", ONE_CUSTOMER) {
            answer.edit(|body| body["status_code"] = json!(400));
        }
    };
    caught(false, lie, ("customer_get", "status_code is not the status")).await;
}

fn is_stream(answer: &Answer) -> bool {
    answer.is_about("POST", "/v1/chat/completions")
        && answer.headers.get("content-type").is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_malformed() {
    let lie = |answer: &mut Answer| {
        if is_stream(answer) {
            answer.body.truncate(answer.body.len() - 1);
        }
    };
    caught(true, lie, ("chat_completion_create", "the stream ended within an event")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_the_wrong_shape() {
    let lie = |answer: &mut Answer| {
        if is_stream(answer) {
            answer.body.splice(0..0, b"data: {\"id\":1}\n\n".iter().copied());
        }
    };
    caught(true, lie, ("chat_completion_create", "not as documented")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_answers_is_no_server_of_ours() {
    let options = keyward_contract::Options {
        url: "http://127.0.0.1:1".parse().unwrap(),
        credential: Credential::Nothing,
        disposable: false,
    };
    let error = keyward_contract::verify(&options, std::future::pending()).await.unwrap_err();
    assert!(matches!(error, keyward_contract::CannotRun::Unreachable(_)));
}
