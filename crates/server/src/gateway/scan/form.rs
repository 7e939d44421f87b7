//! Forms: bodies of several parts, as uploads have them. What governance needs stands in parts of their own.

use actix_web::http::header::HeaderValue as ContentType;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream;
use http::header::{HeaderMap, HeaderValue};
use keyward_core::error_code::ErrorCode;
use keyward_core::operation::Operation;
use multer::Multipart;

use super::Scan;
use crate::error::ApiError;

/// The most parts of a form.
const MOST_PARTS: usize = 64;

/// A form, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::gateway) struct Form {
    boundary: String,
    content_type: HeaderValue,
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq, Eq)]
struct Part {
    name: String,
    headers: HeaderMap,
    content: Bytes,
}

impl Form {
    /// Takes a body apart.
    ///
    /// # Errors
    /// A body that is no form.
    pub(in crate::gateway) async fn read(content_type: Option<&ContentType>, body: &Bytes) -> Result<Self, ApiError> {
        let text = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(text).map_err(malformed)?;
        let content_type = HeaderValue::from_str(text).map_err(malformed)?;
        let whole = stream::iter([Ok::<_, std::convert::Infallible>(body.clone())]);
        let mut form = Multipart::new(whole, boundary.clone());
        let mut parts = Vec::new();
        while let Some(field) = form.next_field().await.map_err(malformed)? {
            if parts.len() == MOST_PARTS {
                return Err(ApiError::new(ErrorCode::InvalidRequest, format!("A form has at most {MOST_PARTS} parts")));
            }
            let (name, headers) = (field.name().unwrap_or_default().to_owned(), field.headers().clone());
            parts.push(Part { name, headers, content: field.bytes().await.map_err(malformed)? });
        }
        Ok(Self { boundary, content_type, parts })
    }

    /// What the form asks for.
    ///
    /// # Errors
    /// A member that is there twice or that is no text, and a form without a model.
    pub(super) fn scan(self, operation: Operation, in_path: Option<&str>) -> Result<Scan, ApiError> {
        let mut scan = Scan::nothing(operation);
        scan.stream = self.text("stream")?.is_some_and(|text| text.eq_ignore_ascii_case("true") || text == "1");
        if let Some(answers) = self.text("n")? {
            let wrong = |_| ApiError::new(ErrorCode::InvalidRequest, "n must be a whole number").at("/n");
            scan.answers = answers.trim().parse::<u64>().map_err(wrong)?.max(1);
        }
        let named = self.text("model")?.map(str::to_owned);
        scan.form = Some(self);
        scan.meant(in_path, named)
    }

    /// The content of the one part of this name.
    ///
    /// # Errors
    /// When there is none, or several.
    pub(in crate::gateway) fn content(&self, name: &str) -> Result<&Bytes, ApiError> {
        let mut parts = self.parts.iter().filter(|part| part.name.eq_ignore_ascii_case(name));
        match (parts.next(), parts.next()) {
            (Some(part), None) if part.name == name => Ok(&part.content),
            (Some(_) | None, _) => {
                let message = format!("The form must have one part '{name}'");
                Err(ApiError::new(ErrorCode::InvalidRequest, message).at(format!("/{name}")))
            }
        }
    }

    /// The form with another content of one part: the same parts with the same boundary.
    pub(in crate::gateway) fn with_content(&self, name: &str, content: &Bytes) -> Bytes {
        let mut written = BytesMut::with_capacity(content.len() + 1_024);
        self.write_parts(&mut written, |part| if part.name == name { content } else { &part.content });
        written.freeze()
    }

    /// The text of the one part of this name.
    pub(in crate::gateway) fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let refuse =
            |what: &str| ApiError::new(ErrorCode::InvalidRequest, format!("'{name}' {what}")).at(format!("/{name}"));
        // A provider that ignores case would otherwise read another request than the one that was held for.
        let mut parts = self.parts.iter().filter(|part| part.name.eq_ignore_ascii_case(name));
        let Some(part) = parts.next() else { return Ok(None) };
        if parts.next().is_some() || part.name != name {
            return Err(refuse("is there twice, or misspelt"));
        }
        std::str::from_utf8(&part.content).map(Some).map_err(|_| refuse("is not text"))
    }

    /// What the body is said to be.
    pub(in crate::gateway) fn content_type(&self) -> HeaderValue {
        self.content_type.clone()
    }

    /// The form with the provider's name of the model: the client's own bytes where that is the name it has, else the same parts
    /// with the same boundary.
    pub(super) fn with_model(&self, body: &Bytes, model: &str) -> Bytes {
        let is_so_named = |part: &Part| part.name == "model" && part.content == model.as_bytes();
        if self.parts.iter().any(is_so_named) {
            return body.clone();
        }
        let mut written = BytesMut::with_capacity(body.len() + 128);
        let has_model = self.parts.iter().any(|part| part.name == "model");
        if !has_model {
            let disposition = b"content-disposition: form-data; name=\"model\"\r\n";
            self.write(&mut written, disposition, model.as_bytes());
        }
        self.write_parts(&mut written, |part| if part.name == "model" { model.as_bytes() } else { &part.content });
        written.freeze()
    }

    fn write_parts<'a>(&'a self, written: &mut BytesMut, content: impl Fn(&'a Part) -> &'a [u8]) {
        for part in &self.parts {
            let mut headers = BytesMut::new();
            for (name, value) in &part.headers {
                headers.put_slice(name.as_str().as_bytes());
                headers.put_slice(b": ");
                headers.put_slice(value.as_bytes());
                headers.put_slice(b"\r\n");
            }
            self.write(written, &headers, content(part));
        }
        written.put_slice(format!("--{}--\r\n", self.boundary).as_bytes());
    }

    fn write(&self, written: &mut BytesMut, headers: &[u8], content: &[u8]) {
        written.put_slice(format!("--{}\r\n", self.boundary).as_bytes());
        written.put_slice(headers);
        written.put_slice(b"\r\n");
        written.put_slice(content);
        written.put_slice(b"\r\n");
    }
}

fn malformed(error: impl std::error::Error + Send + Sync + 'static) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, format!("The body is not a form (multipart/form-data): {error}"))
}
