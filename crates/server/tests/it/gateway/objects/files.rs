//! Files: they belong to whoever uploaded them, and one for a batch is read before it leaves.

use keyward_client::{CreateVirtualKey, ProviderConfigInput};

use super::{call, upload};
use crate::harness::{App, Routed};

const FILE: &str = r#"{"id":"file-1","object":"file","purpose":"batch"}"#;

fn line(id: &str, url: &str, body: &str) -> String {
    format!("{{\"custom_id\":\"{id}\",\"method\":\"POST\",\"url\":\"{url}\",\"body\":{body}}}\n")
}

fn chat_line(id: &str, model: &str) -> String {
    line(id, "/v1/chat/completions", &format!(r#"{{"model":"{model}","messages":[]}}"#))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_there_for_the_key_that_uploaded_it_and_for_no_other() {
    let app = App::start().await;
    let upstream = Routed::start(&[
        ("POST /v1/files ", r#"{"id":"file-1","object":"file","purpose":"user_data"}"#),
        ("GET /v1/files/file-1 ", r#"{"id":"file-1","bytes":4}"#),
        ("GET /v1/files/file-1/content ", "some content\n"),
        ("DELETE /v1/files/file-1 ", r#"{"id":"file-1","deleted":true}"#),
    ])
    .await;
    app.provider("openai", upstream.base_url()).await;
    let (key, other) = (app.key(CreateVirtualKey::default()).await, app.key(CreateVirtualKey::default()).await);
    let uploaded = upload(&app, &key, "user_data", "any thing").await;
    assert_eq!((uploaded.status, uploaded.json()["id"].as_str()), (200, Some("file-1")));
    assert!(upstream.requests()[0].contains("any thing"), "as it came");
    for (method, path) in
        [("GET", "/v1/files/file-1"), ("GET", "/v1/files/file-1/content"), ("DELETE", "/v1/files/file-1")]
    {
        assert_eq!(call(&app, &other, method, path, "").await.error().0, 404, "{method} {path}");
    }
    let ids = |reply: crate::harness::Reply| {
        let page = reply.json();
        page["data"].as_array().unwrap().iter().map(|file| file["id"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(ids(call(&app, &key, "GET", "/v1/files", "").await), ["\"file-1\""]);
    assert!(ids(call(&app, &key, "GET", "/v1/files?purpose=batch", "").await).is_empty());
    assert!(ids(call(&app, &other, "GET", "/openai/v1/files", "").await).is_empty());
    assert_eq!(call(&app, &key, "GET", "/v1/files/file-1", "").await.json()["bytes"], 4);
    assert_eq!(call(&app, &key, "GET", "/v1/files/file-1/content", "").await.body, b"some content\n");
    let ask = |id: &str| {
        format!(
            r#"{{"model":"gpt-4o-mini","input":[{{"role":"user","content":[{{"type":"input_file","file_id":"{id}"}}]}}]}}"#
        )
    };
    let refused = call(&app, &other, "POST", "/v1/responses", &ask("file-1")).await.error();
    assert_eq!(refused, (404, "not_found".to_owned(), "file_id".to_owned()));
    assert_eq!(call(&app, &key, "DELETE", "/v1/files/file-1", "").await.status, 200);
    assert!(ids(call(&app, &key, "GET", "/v1/files", "").await).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_bad_line_of_a_file_for_a_batch_is_named_and_nothing_leaves() {
    let app = App::start().await;
    let upstream = Routed::start(&[("POST /v1/files ", FILE)]).await;
    app.provider("openai", upstream.base_url()).await;
    let config = ProviderConfigInput {
        allowed_models: Some(vec!["gpt-4o-mini".to_owned()].try_into().unwrap()),
        ..at("openai")
    };
    let key = app.key(CreateVirtualKey { provider_configs: Some(vec![config]), ..CreateVirtualKey::default() }).await;
    let good = chat_line("a", "gpt-4o-mini");
    let tool = r#"{"model":"gpt-4o-mini","messages":[],"tools":[{"type":"web_search"}]}"#;
    let stream = r#"{"model":"gpt-4o-mini","messages":[],"stream":true}"#;
    let previous = r#"{"model":"gpt-4o-mini","input":"a","previous_response_id":"resp_1"}"#;
    for (bad, status, why) in [
        (chat_line("b", "gpt-4o"), 403, "gpt-4o"),
        (chat_line("b", "anthropic/gpt-4o-mini"), 400, "the batch goes to 'openai'"),
        (line("b", "/v1/chat/completions", tool), 400, "cannot be metered"),
        (line("b", "/v1/chat/completions", stream), 400, "answers nothing in pieces"),
        (line("b", "/v1/images/generations", "{}"), 400, "url must be one of"),
        (line("b", "/v1/completions", r#"{"model":"gpt-4o-mini","prompt":"a"}"#), 400, "another one in lines before"),
        (good.replace("custom_id", "custom"), 400, "unknown field"),
        (good.replace("POST", "GET"), 400, "method must be"),
        ("nonsense\n".to_owned(), 400, "Invalid JSON"),
    ] {
        let refused = upload(&app, &key, "batch", &format!("{good}\n{bad}{good}")).await;
        let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!(refused.status, status, "{bad}{message}");
        assert!(message.starts_with("line 3: ") && message.contains(why), "{message}");
        assert_eq!(refused.error().2, "/file");
    }
    let refused = upload(&app, &key, "batch", &line("a", "/v1/responses", previous)).await;
    assert_eq!(refused.status, 400, "what a provider keeps is not looked up for a batch");
    assert!(upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_written_anew_only_where_they_name_the_provider() {
    let app = App::start().await;
    let upstream = Routed::start(&[("POST /v1/files ", FILE)]).await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(CreateVirtualKey::default()).await;
    let odd = r#"{ "body" : {"messages":[ ], "model": "gpt-4o-mini"},"custom_id":"b","url":"/v1/chat/completions","method":"POST" }"#;
    let content = format!("{}{odd}", chat_line("a", "openai/gpt-4o-mini"));
    assert_eq!(upload(&app, &key, "batch", &content).await.status, 200);
    let sent = upstream.requests()[0].clone();
    assert!(sent.contains(&format!("\r\n\r\n{}{odd}\r\n--b--\r\n", chat_line("a", "gpt-4o-mini"))), "{sent}");
}

fn at(provider: &str) -> ProviderConfigInput {
    ProviderConfigInput { provider: Some(provider.into()), ..ProviderConfigInput::default() }
}
