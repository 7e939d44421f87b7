//! What providers keep beyond one request: whose it is, where it is asked for, and what it costs.

mod batches;
mod files;
mod message_batches;
mod responses;

use keyward_client::VirtualKey;

use crate::harness::{App, Reply};

/// Calls a route with a virtual key.
pub async fn call(app: &App, key: &VirtualKey, method: &str, path: &str, body: &str) -> Reply {
    app.raw(method, path).header("x-api-key", key.value.expose()).body(body.to_owned()).send().await
}

/// Uploads a file as a form.
pub async fn upload(app: &App, key: &VirtualKey, purpose: &str, content: &str) -> Reply {
    let form = format!(
        "--b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\n{purpose}\r\n--b\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"f.jsonl\"\r\n\
         content-type: application/octet-stream\r\n\r\n{content}\r\n--b--\r\n"
    );
    let request = app.raw("POST", "/v1/files").header("x-api-key", key.value.expose());
    request.header("content-type", "multipart/form-data; boundary=b").body(form).send().await
}
