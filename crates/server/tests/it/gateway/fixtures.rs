//! Every fixture, through the real server: the provider gets the client's bytes and the client the provider's, but for the splices
//! that the case names; and what it costs is what the case says, to the nano-dollar.

use std::collections::BTreeSet;

use keyward_client::VirtualKey;

use super::replaying::{Priced, expect_charge, free, key_for, provide, send};
use crate::harness::{App, Fixture, Received, Replay, Reply};

/// Replays all fixtures of a dialect, and tells all that is wrong at once.
async fn replayed(dialect: &str) {
    let fixtures: Vec<Fixture> = Fixture::of_dialect(dialect).into_iter().filter(|one| !one.is_story()).collect();
    let upstream = Replay::start(fixtures).await;
    let app = App::start().await;
    let providers: BTreeSet<&str> = upstream.fixtures().iter().map(|one| one.case.provider.as_str()).collect();
    for provider in providers {
        provide(&app, provider, &upstream).await;
    }
    let (mut faults, mut keys, mut owner) = (Vec::new(), Vec::new(), None::<VirtualKey>);
    for fixture in upstream.fixtures() {
        let key = match &owner {
            Some(owner) if fixture.is_about_kept() => owner.clone(),
            Some(_) | None => key_for(&app, &upstream, fixture, Priced::ForIt).await,
        };
        if fixture.is_about_kept() {
            if owner.is_none() {
                free(&app, &key, &fixture.case.model, "responses").await;
            }
            let made = upstream.fixtures().iter().find(|one| one.name == "openai-responses/plain").unwrap();
            assert_eq!(send(&app, &key, made).await.status, 200);
            // The id is that of one key for good.
            owner = Some(key.clone());
        }
        let before = upstream.received().len();
        let reply = send(&app, &key, fixture).await;
        let received = upstream.received().split_off(before);
        faults.extend(faults_of(fixture, &received, &reply).iter().map(|fault| told(fixture, fault)));
        keys.push(key);
    }
    faults.extend(faults_of_books(app, upstream.fixtures(), &keys).await);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// What is wrong with what went through.
fn faults_of(fixture: &Fixture, received: &[Received], reply: &Reply) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |what: &str, expected: String, found: String| {
        if expected != found {
            faults.push(format!("{what}\n  expected {expected}\n  got      {found}"));
        }
    };
    let case = &fixture.case;
    expect("the status", case.status.to_string(), reply.status.to_string());
    expect("the answer", shown(&fixture.spliced_answer()), shown(&reply.body));
    expect("the answer's type", fixture.answer_content_type().to_owned(), reply.header("content-type").to_owned());
    expect("the number of requests", "1".to_owned(), received.len().to_string());
    let Some(request) = received.first() else { return faults };
    let target =
        case.query.as_ref().map_or(case.upstream_path.clone(), |query| format!("{}?{query}", case.upstream_path));
    expect("the call", format!("{} {target}", case.method), format!("{} {}", request.method, request.target));
    expect("the request", shown(&fixture.spliced_request()), shown(&request.body));
    let content_type = request.header("content-type").unwrap_or_default();
    expect(
        "the request's type",
        if request.body.is_empty() { content_type } else { &case.content_type }.to_owned(),
        content_type.to_owned(),
    );
    for (name, value) in &case.upstream_headers {
        expect(name, value.clone(), request.header(name).unwrap_or_default().to_owned());
    }
    expect(
        "the virtual key at the provider",
        "false".to_owned(),
        format!("{request:?}").contains("sk-bf-").to_string(),
    );
    if fixture.is_error() {
        expect("whose error it is", "provider".to_owned(), reply.header("x-keyward-error-source").to_owned());
    }
    faults
}

/// What is wrong with what was written down.
async fn faults_of_books(app: App, fixtures: &[Fixture], keys: &[VirtualKey]) -> Vec<String> {
    let (store, _database) = app.stopped().await;
    let mut faults = Vec::new();
    for (fixture, key) in fixtures.iter().zip(keys) {
        let totals = store.ledger_totals(key.id.clone()).await.unwrap();
        // Those of one key were made anew for each, which is two entries for each of them.
        let kept = fixtures.iter().filter(|one| one.is_about_kept()).count() as i64;
        let entries = if fixture.is_about_kept() { totals.entries + 1 - 2 * kept } else { totals.entries };
        faults.extend(expect_charge(fixture, entries, totals.cost).map(|fault| told(fixture, &fault)));
    }
    faults
}

fn told(fixture: &Fixture, fault: &str) -> String {
    format!("{} ({}): {fault}", fixture.name, fixture.case.why)
}

/// Bytes as text, with what cannot be seen made visible.
fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

macro_rules! dialects {
    ($($test:ident = $dialect:literal;)+) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            replayed($dialect).await;
        })+

        #[test]
        fn every_dialect_with_fixtures_is_replayed() {
            assert_eq!(Fixture::dialects(), [$($dialect),+]);
        }
    };
}

dialects! {
    anthropic_count_tokens = "anthropic-count-tokens";
    anthropic_messages = "anthropic-messages";
    azure = "azure";
    gemini_count_tokens = "gemini-count-tokens";
    gemini_embed = "gemini-embed";
    gemini_generate = "gemini-generate";
    gemini_stream = "gemini-stream";
    openai_audio = "openai-audio";
    openai_chat = "openai-chat";
    openai_completions = "openai-completions";
    openai_embeddings = "openai-embeddings";
    openai_images = "openai-images";
    openai_moderations = "openai-moderations";
    openai_responses = "openai-responses";
}
