//! The SDK's types of requests and answers lose nothing: every fixture that they are about, through the real server.

use std::collections::BTreeSet;

use keyward_client::{Client, Error, TryStreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::replaying::{Priced, key_for, provide};
use crate::harness::{App, Fixture, Replay};

/// The answers of one request, as they came.
async fn answers(client: &Client, fixture: &Fixture) -> Result<Vec<Value>, Error> {
    let is_stream = fixture.answer_content_type().starts_with("text/event-stream");
    match (fixture.case.path.as_str(), is_stream) {
        ("/v1/chat/completions", false) => whole(client.chat_completion_create(&typed(fixture)).await),
        ("/v1/chat/completions", true) => {
            pieces(client.chat_completion_stream(&typed(fixture)).await?.try_collect().await)
        }
        ("/v1/responses", false) => whole(client.response_create(&typed(fixture)).await),
        ("/v1/responses", true) => pieces(client.response_stream(&typed(fixture)).await?.try_collect().await),
        ("/v1/embeddings", _) => whole(client.embedding_create(&typed(fixture)).await),
        (path, _) => panic!("{path} has no types"),
    }
}

fn typed<T: DeserializeOwned + Serialize>(fixture: &Fixture) -> T {
    let request: T = serde_json::from_slice(&fixture.request).unwrap();
    let wanted: Value = serde_json::from_slice(&fixture.request).unwrap();
    assert_eq!(known(serde_json::to_value(&request).unwrap()), known(wanted), "{}", fixture.name);
    request
}

fn whole(answer: Result<impl Serialize, Error>) -> Result<Vec<Value>, Error> {
    Ok(vec![serde_json::to_value(answer?).unwrap()])
}

fn pieces(answers: Result<Vec<impl Serialize>, Error>) -> Result<Vec<Value>, Error> {
    Ok(answers?.iter().map(|answer| serde_json::to_value(answer).unwrap()).collect())
}

/// Without members that are null, which is what absent ones mean; numbers as far as vectors have them, however they are written.
fn known(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            for member in members.values_mut() {
                *member = known(member.take());
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| *element = known(element.take())),
        Value::Number(number) => value = (number.as_f64().unwrap() as f32).into(),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
    value
}

/// What the fixture's provider answers: one body, or the data of each event.
fn expected(fixture: &Fixture) -> Vec<Value> {
    let answer = fixture.spliced_answer();
    if !fixture.answer_content_type().starts_with("text/event-stream") {
        return vec![serde_json::from_slice(&answer).unwrap()];
    }
    let text = String::from_utf8(answer).unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
}

async fn lose_nothing(dialect: &str) {
    let paths = ["/v1/chat/completions", "/v1/responses", "/v1/embeddings"];
    let is_typed = |one: &Fixture| {
        one.case.method == "POST"
            && one.case.status == 200
            && paths.contains(&one.case.path.as_str())
            && !one.is_story()
    };
    let upstream = Replay::start(Fixture::of_dialect(dialect).into_iter().filter(is_typed).collect()).await;
    let app = App::start().await;
    let providers: BTreeSet<&str> = upstream.fixtures().iter().map(|one| one.case.provider.as_str()).collect();
    for provider in providers {
        provide(&app, provider, &upstream).await;
    }
    assert!(upstream.fixtures().len() > 1);
    for fixture in upstream.fixtures() {
        let key = key_for(&app, &upstream, fixture, Priced::ForIt).await;
        let answers =
            answers(&app.caller(&key), fixture).await.unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
        let answers: Vec<_> = answers.into_iter().map(known).collect();
        let expected: Vec<_> = expected(fixture).into_iter().map(known).collect();
        assert_eq!(answers, expected, "{}", fixture.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chat_completions() {
    lose_nothing("openai-chat").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn responses() {
    lose_nothing("openai-responses").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn embeddings() {
    lose_nothing("openai-embeddings").await;
}
