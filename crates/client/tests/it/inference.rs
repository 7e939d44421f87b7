//! Responses and embeddings: what is sent, what comes back, and how a streamed response ends.

use keyward_client::{
    EmbeddingsInput, EmbeddingsRequest, Error, ErrorCode, ResponsesInput, ResponsesRequest, StreamExt,
};

use crate::loopback::{Loopback, Then};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
const DELTA: &str = r#"data: {"type":"response.output_text.delta","sequence_number":4,"delta":"Hi"}"#;
const COMPLETED: &str = r#"data: {"type":"response.completed","response":{"id":"r","model":"m","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"Hi"}]}],"usage":{"input_tokens":3,"output_tokens":1,"total_tokens":4}}}"#;

fn question() -> ResponsesRequest {
    let input = ResponsesInput::Text("Hello".to_owned());
    ResponsesRequest { model: "openai/m".to_owned(), input, ..ResponsesRequest::default() }
}

/// The kinds of events that came, and the error that came last.
async fn outcome(pieces: &[&str]) -> (Vec<String>, Option<Error>) {
    let server = Loopback::start([HEAD].iter().chain(pieces), Then::Close).await;
    let mut stream = server.client().response_stream(&question()).await.unwrap();
    let mut kinds = Vec::new();
    while let Some(next) = stream.next().await {
        match next {
            Ok(event) => kinds.push(event.kind),
            Err(error) => {
                assert!(stream.next().await.is_none(), "something after an error");
                return (kinds, Some(error));
            }
        }
    }
    (kinds, None)
}

#[tokio::test]
async fn a_response_is_read_as_far_as_it_is_named() {
    let body = COMPLETED.split_once(r#""response":"#).unwrap().1.strip_suffix('}').unwrap();
    let mut server = Loopback::answering("200 OK", "", body).await;
    let answer = server.client().response_create(&question()).await.unwrap();
    assert_eq!((answer.text().as_str(), answer.usage.map(|usage| usage.total_tokens)), ("Hi", Some(4)));
    assert_eq!(server.received().await.body, r#"{"model":"openai/m","input":"Hello"}"#);
}

#[tokio::test]
async fn a_streamed_response_ends_with_an_event_that_has_all_of_it() {
    let (kinds, error) = outcome(&[DELTA, "\n\n", COMPLETED, "\n\ndata: nonsense\n\n"]).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(kinds, ["response.output_text.delta", "response.completed"]);
    let (kinds, error) = outcome(&[DELTA, "\n\n", COMPLETED]).await;
    assert!(error.is_none() && kinds.len() == 2, "the last blank line may be missing: {error:?}");
}

#[tokio::test]
async fn a_streamed_response_without_its_last_event_broke_off() {
    for rest in ["", "\n\ndata: {\"type\":\"response.compl", "\n\ndata: [DONE]\n\n"] {
        let (_, error) = outcome(&[DELTA, rest]).await;
        let broke_off = matches!(error, Some(Error::Unexpected { .. }));
        assert!(broke_off, "{rest:?}: {error:?}");
    }
}

#[tokio::test]
async fn an_error_event_ends_a_streamed_response() {
    let event = r#"{"type":"error","code":"upstream_timeout","message":"Slow","param":null,"error":{"event_id":"r","status_code":504,"error":{"code":"upstream_timeout","message":"Slow"}}}"#;
    for name in ["", "event: error\n"] {
        let (kinds, error) = outcome(&[DELTA, "\n\n", name, "data: ", event, "\n\n"]).await;
        let Some(Error::Api(api)) = error else { panic!("{error:?}") };
        assert_eq!((kinds.len(), api.code, api.status), (1, Some(ErrorCode::UpstreamTimeout), 504));
    }
}

#[tokio::test]
async fn a_request_for_a_stream_is_not_sent_where_none_is_read() {
    let mut server = Loopback::answering("404 Not Found", "", "").await;
    let streamed = ResponsesRequest { stream: Some(true), ..question() };
    assert!(server.client().response_create(&streamed).await.is_err());
    assert!(server.has_no_more());
}

#[tokio::test]
async fn vectors_come_as_numbers() {
    let body = r#"{"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":[0.5,-2.5e-1]}],
        "usage":{"prompt_tokens":2,"total_tokens":2}}"#;
    let mut server = Loopback::answering("200 OK", "", body).await;
    let input = EmbeddingsInput::Texts(vec!["a".to_owned(), "b".to_owned()]);
    let request = EmbeddingsRequest { model: "openai/m".to_owned(), input, ..EmbeddingsRequest::default() };
    let answer = server.client().embedding_create(&request).await.unwrap();
    assert_eq!(answer.data[0].embedding.numbers(), Some([0.5, -0.25].as_slice()));
    assert_eq!(server.received().await.body, r#"{"model":"openai/m","input":["a","b"]}"#);
}
