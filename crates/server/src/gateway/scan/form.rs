//! Forms: bodies of several parts, as uploads have them. What governance needs stands in parts of their own.
//!
//! Readers of forms differ, most of all in what they take for the name of a part. A form is let through when there is one way to read it.

use std::ops::Range;

use actix_web::http::header::HeaderValue as ContentType;
use bytes::Bytes;
use futures_util::stream;
use http::header::HeaderValue;
use keyward_core::error_code::ErrorCode;
use keyward_core::operation::Operation;
use memchr::memmem;
use multer::{Field, Multipart};

use super::Scan;
use super::splice::edited;
use crate::error::ApiError;
use crate::pieces::Pieces;

/// The part that names the model.
const MODEL: &str = "model";

/// The most parts of a form.
const MOST_PARTS: usize = 64;
/// The longest boundary of parts (RFC 2046, section 5.1.1).
const LONGEST_BOUNDARY: usize = 70;

/// A form, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::gateway) struct Form {
    boundary: String,
    content_type: HeaderValue,
    /// Where the first part begins.
    first: usize,
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq, Eq)]
struct Part {
    name: String,
    content: Bytes,
    /// Where its content stands in the body.
    at: Range<usize>,
}

impl Form {
    /// Takes a body apart.
    ///
    /// # Errors
    /// A body that is no form, or that can be read as another one.
    pub(in crate::gateway) async fn read(content_type: Option<&ContentType>, body: &Bytes) -> Result<Self, ApiError> {
        let text = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(text).map_err(malformed)?;
        let content_type = content_type_of(&boundary)?;
        let whole = stream::iter([Ok::<_, std::convert::Infallible>(body.clone())]);
        let mut form = Multipart::new(whole, boundary.clone());
        // One before each part, and one behind the last.
        let delimiters: Vec<usize> = memmem::find_iter(body, &format!("--{boundary}")).collect();
        let mut parts = Vec::new();
        while let Some(field) = form.next_field().await.map_err(malformed)? {
            if parts.len() == MOST_PARTS {
                return Err(ApiError::new(ErrorCode::InvalidRequest, format!("A form has at most {MOST_PARTS} parts")));
            }
            let place = place(body, &delimiters, parts.len()).ok_or_else(ambiguous)?;
            let name = name(&field, body.get(place.head).unwrap_or_default()).ok_or_else(ambiguous)?;
            let (content, at) = (field.bytes().await.map_err(malformed)?, place.content);
            // What was found by its place is what was read.
            if body.get(at.clone()) != Some(&content) {
                return Err(ambiguous());
            }
            parts.push(Part { name, content, at });
        }
        match delimiters.first() {
            Some(first) if delimiters.len() == parts.len() + 1 => {
                Ok(Self { first: *first, boundary, content_type, parts })
            }
            Some(_) | None => Err(ambiguous()),
        }
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
        scan.images = self.images();
        let named = self.text(MODEL)?.map(str::to_owned);
        scan.form = Some(self);
        scan.meant(in_path, named)
    }

    /// How many images there are to look at: `image`, `image[]`, `image[0]`, `mask`.
    fn images(&self) -> u64 {
        let is_image = |part: &&Part| {
            let name = part.name.to_ascii_lowercase();
            name == "image" || name == "mask" || name.starts_with("image[")
        };
        u64::try_from(self.parts.iter().filter(is_image).count()).unwrap_or(u64::MAX)
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

    /// The form with the provider's name of the model: every other byte is the client's.
    pub(super) fn with_model(&self, body: &Bytes, model: &str) -> Pieces {
        let named = self.parts.iter().find(|part| part.name == MODEL);
        let edit = named.map(|part| (part.at.clone(), model.to_owned())).unwrap_or_else(|| {
            let head = format!("content-disposition: form-data; name=\"{MODEL}\"");
            (self.first..self.first, format!("--{}\r\n{head}\r\n\r\n{model}\r\n", self.boundary))
        });
        edited(body, vec![(edit.0, edit.1.into_bytes())])
    }

    /// The form with another content of the part of this name: every other byte is the client's.
    ///
    /// # Errors
    /// A form that has no such part.
    pub(in crate::gateway) fn with_content(
        &self,
        body: &Bytes,
        name: &str,
        content: &[u8],
    ) -> Result<Pieces, ApiError> {
        let part = self.parts.iter().find(|part| part.name == name).ok_or_else(ambiguous)?;
        Ok(edited(body, vec![(part.at.clone(), content.to_vec())]))
    }
}

/// The content type of a form that is taken apart at this boundary, and at no other: readers differ in which they take where a header
/// names two, so that the client's own text does not leave.
fn content_type_of(boundary: &str) -> Result<HeaderValue, ApiError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"'+_-.".contains(&byte);
    let is_quotable = |byte: u8| is_plain(byte) || b"(),/:=?".contains(&byte);
    if boundary.is_empty() || boundary.len() > LONGEST_BOUNDARY || !boundary.bytes().all(is_quotable) {
        let message = "The boundary of a form has 1 to 70 characters: letters, digits, and '()+_,-./:=?";
        return Err(ApiError::new(ErrorCode::InvalidRequest, message));
    }
    let quote = if boundary.bytes().all(is_plain) { "" } else { "\"" };
    HeaderValue::from_str(&format!("multipart/form-data; boundary={quote}{boundary}{quote}")).map_err(malformed)
}

/// Where a part stands in a body.
struct Place {
    /// Its headers, with the end of each line.
    head: Range<usize>,
    content: Range<usize>,
}

/// Where the part behind a delimiter stands.
fn place(body: &[u8], delimiters: &[usize], index: usize) -> Option<Place> {
    let (start, end) = (*delimiters.get(index)?, *delimiters.get(index + 1)?);
    let within = body.get(start..end)?;
    let (line, head) = (memmem::find(within, b"\r\n")? + 2, memmem::find(within, b"\r\n\r\n")? + 2);
    Some(Place { head: start + line.min(head)..start + head, content: start + head + 2..end.checked_sub(2)? })
}

/// The name of a part, if its head is written as every reader takes it for the same: one disposition, which has the name first, then
/// perhaps the file's. What was read, written down again, is what stands there.
fn name(field: &Field<'_>, head: &[u8]) -> Option<String> {
    let (name, head) = (field.name()?, std::str::from_utf8(head).ok()?);
    let is_disposition = |line: &&str| line.to_ascii_lowercase().trim_start().starts_with("content-disposition");
    let lines: Vec<&str> = head.split("\r\n").collect();
    let is_folded = lines.iter().any(|line| line.starts_with([' ', '\t']) || line.contains(['\r', '\n']));
    let mut dispositions = lines.into_iter().filter(is_disposition);
    let (Some(line), None, false) = (dispositions.next(), dispositions.next(), is_folded) else { return None };
    let value = line.get("content-disposition".len()..)?.strip_prefix(':')?.trim();
    // The file's name once more, for who reads other letters.
    let value = match value.split_once("; filename*=") {
        Some((value, extended)) => extended.bytes().all(is_of_extended_value).then_some(value)?,
        None => value,
    };
    let of_file = field.file_name().filter(|_| value.contains("; filename=\""));
    let written = match of_file {
        Some(file) => format!("form-data; name=\"{name}\"; filename=\"{file}\""),
        None => format!("form-data; name=\"{name}\""),
    };
    let is_odd = |text: &str| text.contains(['"', '\\']) || (text.contains(';') && text.contains('='));
    let is_one_reading = value == written && !is_odd(name) && !of_file.is_some_and(is_odd);
    is_one_reading.then(|| name.to_owned())
}

/// What an extended value of a header is made of: `UTF-8''na%C3%AFve.txt`.
const fn is_of_extended_value(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'\'' | b'%' | b'-' | b'.' | b'_' | b'~' | b'!' | b'#' | b'$' | b'&' | b'+')
}

fn ambiguous() -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, "The form can be read in more than one way")
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
        let pieces = read(body).await?.with_model(&Bytes::copy_from_slice(body.as_bytes()), model);
        Ok(String::from_utf8(pieces.joined().to_vec()).unwrap())
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
    async fn what_leaves_names_the_boundary_that_was_read_and_no_other() {
        let body = Bytes::from_static(b"--a=1\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\ny\r\n--a=1--\r\n");
        for header in [
            "multipart/form-data; boundary=\"a=1\"; boundary=b",
            "multipart/form-data; boundary=\"a=1\"; boundary*=us-ascii''b",
            "Multipart/Form-Data; charset=x; boundary=\"a=1\"",
        ] {
            let form = Form::read(Some(&ContentType::from_static(header)), &body).await.unwrap();
            assert_eq!(form.content_type(), "multipart/form-data; boundary=\"a=1\"", "{header}");
        }
        assert_eq!(content_type_of("--x.1").unwrap(), "multipart/form-data; boundary=--x.1");
        for boundary in ["", "a b", "a\"", "a;b", &"x".repeat(71)] {
            assert!(content_type_of(boundary).is_err(), "{boundary}");
        }
    }

    #[tokio::test]
    async fn every_image_is_counted() {
        let part = |name: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\nx\r\n");
        let body = ["model", "image[]", "image[]", "image[2]", "Mask", "prompt"].map(part).concat() + "--b--\r\n";
        assert_eq!(read(&body).await.unwrap().scan(Operation::ImageEdits, None).unwrap().images, 4);
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

    #[tokio::test]
    async fn a_part_whose_name_readers_may_take_for_another_is_refused() {
        let of = |head: &str| format!("--b\r\n{head}\r\n\r\nx\r\n--b--\r\n");
        for head in [
            "Content-Disposition: form-data; name=\"x\"; name=\"model\"",
            "Content-Disposition: form-data; name=\"x\"; filename=\"a; name=model\"",
            "Content-Disposition: form-data; filename=\"a\"; name=\"model\"",
            "Content-Disposition: form-data; name=x; name=model",
            "Content-Disposition: form-data; name=\"x\"; name*=UTF-8''model",
            "Content-Disposition: form-data; name=\"x\\\"; name=\"model\"",
            "Content-Disposition: form-data; name=\"x\"\r\nContent-Disposition: form-data; name=\"model\"",
            "Content-Disposition: form-data; name=\"x\"\r\nContent-Disposition : form-data; name=\"model\"",
            "Content-Disposition: form-data; name=\"x\";\r\n name=\"model\"",
            "X-Odd: y\nContent-Disposition: form-data; name=\"model\"\r\nContent-Disposition: form-data; name=\"x\"",
            "X-Odd: y",
        ] {
            assert!(read(&of(head)).await.is_err(), "{head}");
        }
        for head in [
            "content-disposition: form-data; name=\"x\"; filename=\"a b.mp3\"\r\nContent-Type: audio/mpeg",
            "Content-Disposition: form-data; name=\"x\"; filename=\"a.mp3\"; filename*=UTF-8''na%C3%AFve.mp3",
            "Content-Type: audio/mpeg\r\nContent-Disposition: form-data; name=\"x\"",
        ] {
            assert_eq!(read(&of(head)).await.unwrap().parts[0].name, "x", "{head}");
        }
    }
}
