//! Forms: bodies of several parts, as uploads have them. What governance needs stands in parts of their own.

use actix_web::http::header::HeaderValue as ContentType;
use bytes::Bytes;
use futures_util::stream;
use http::header::HeaderValue;
use keyward_core::error_code::ErrorCode;
use keyward_core::operation::Operation;
use memchr::memmem;
use multer::Multipart;

use super::Scan;
use super::splice::edited;
use crate::error::ApiError;

/// The part that names the model.
const MODEL: &str = "model";

/// The most parts of a form.
const MOST_PARTS: usize = 64;

/// A form, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form {
    boundary: String,
    content_type: HeaderValue,
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq, Eq)]
struct Part {
    name: String,
    content: Bytes,
}

impl Form {
    /// Takes a body apart.
    ///
    /// # Errors
    /// A body that is no form.
    pub(super) async fn read(content_type: Option<&ContentType>, body: &Bytes) -> Result<Self, ApiError> {
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
            let name = field.name().unwrap_or_default().to_owned();
            parts.push(Part { name, content: field.bytes().await.map_err(malformed)? });
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
        let named = self.text(MODEL)?.map(str::to_owned);
        scan.form = Some(self);
        scan.meant(in_path, named)
    }

    /// The text of the one part of this name.
    fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
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
    pub(super) fn content_type(&self) -> HeaderValue {
        self.content_type.clone()
    }

    /// The form with the provider's name of the model: every other byte is the client's.
    ///
    /// # Errors
    /// A form that can be read in two ways.
    pub(super) fn with_model(&self, body: &Bytes, model: &str) -> Result<Bytes, ApiError> {
        let delimiter = format!("--{}", self.boundary);
        let ambiguous = || ApiError::new(ErrorCode::InvalidRequest, "The form can be read in more than one way");
        let starts: Vec<usize> = memmem::find_iter(body, &delimiter).collect();
        // One delimiter before each part, and one behind the last.
        let first = *starts.first().filter(|_| starts.len() == self.parts.len() + 1).ok_or_else(ambiguous)?;
        let Some(index) = self.parts.iter().position(|part| part.name == MODEL) else {
            let part = format!("{delimiter}\r\ncontent-disposition: form-data; name=\"{MODEL}\"\r\n\r\n{model}\r\n");
            return Ok(edited(body, vec![(first..first, part.into_bytes())]));
        };
        let place = || {
            let (start, end) = (*starts.get(index)?, *starts.get(index + 1)?);
            let within = body.get(start..end)?;
            let content = start + memmem::find(within, b"\r\n\r\n")? + 4;
            Some(content..end.checked_sub(2)?)
        };
        let at = place().ok_or_else(ambiguous)?;
        // What was found by its place is what was read.
        let is_same = |part: &Part| body.get(at.clone()) == Some(&part.content);
        match self.parts.get(index).is_some_and(is_same) {
            true => Ok(edited(body, vec![(at, model.as_bytes().to_vec())])),
            false => Err(ambiguous()),
        }
    }
}

fn malformed(error: impl std::error::Error + Send + Sync + 'static) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, format!("The body is not a form (multipart/form-data): {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=b";

    async fn read(body: &str) -> Result<Form, ApiError> {
        Form::read(Some(&ContentType::from_static(TYPE)), &Bytes::copy_from_slice(body.as_bytes())).await
    }

    async fn with_model(body: &str, model: &str) -> Result<String, ApiError> {
        let bytes = read(body).await?.with_model(&Bytes::copy_from_slice(body.as_bytes()), model)?;
        Ok(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn only_the_model_changes() {
        let body = |model: &str| {
            format!(
                "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\0model\r\n--b\r\nContent-Disposition:  form-data; name=\"model\"\r\nx-odd: 1\r\n\r\n{model}\r\n--b--\r\n"
            )
        };
        assert_eq!(with_model(&body("p/m"), "served").await.unwrap(), body("served"));
        let scan = read(&body("p/m")).await.unwrap().scan(Operation::Transcriptions, None).unwrap();
        assert_eq!(scan.model, "p/m");
    }

    #[tokio::test]
    async fn a_model_of_the_path_is_put_in_front() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--b--\r\n";
        let expected = format!("--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nserved\r\n{body}");
        assert_eq!(with_model(body, "served").await.unwrap(), expected);
    }

    #[tokio::test]
    async fn what_can_be_read_in_two_ways_is_refused() {
        let part = |name: &str, content: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
        };
        let twice = format!("{}{}--b--\r\n", part("model", "a"), part("model", "b"));
        assert!(read(&twice).await.unwrap().scan(Operation::Transcriptions, None).is_err());
        let misspelt = format!("{}--b--\r\n", part("Model", "a"));
        assert!(read(&misspelt).await.unwrap().scan(Operation::Transcriptions, None).is_err());
        let hidden = format!("{}{}--b--\r\n", part("file", "x --b y"), part("model", "a"));
        assert!(with_model(&hidden, "m").await.is_err());
        assert!(read("no form").await.is_err());
    }
}
