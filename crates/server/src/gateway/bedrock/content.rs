//! The parts of a message: text, images and documents, which come along as data.

use keyward_core::invalid::{Invalid, Pointer};
use serde::Deserialize;

use super::converse::{Block, CachePoint, Source};
use super::question::{OneOrMany, Untranslatable};
use super::untranslatable;

/// A part of a message's content.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    refusal: Option<String>,
    image_url: Option<ImageUrl>,
    file: Option<File>,
    cache_control: Option<CacheControl>,
    #[serde(default, rename = "input_audio")]
    _input_audio: Untranslatable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageUrl {
    url: String,
    /// How closely to look, which is the model's own choice there.
    #[serde(default, rename = "detail")]
    _detail: serde::de::IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    file_data: Option<String>,
    filename: Option<String>,
    #[serde(default, rename = "file_id")]
    _file_id: Untranslatable,
}

/// That what stands up to here shall be kept in the provider's cache.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CacheControl {
    #[serde(rename = "type")]
    kind: CacheKind,
    ttl: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum CacheKind {
    Ephemeral,
}

impl CacheControl {
    pub(super) fn point(&self) -> CachePoint {
        match self.kind {
            CacheKind::Ephemeral => CachePoint::new(self.ttl.clone()),
        }
    }
}

/// The types of images that Converse takes.
const IMAGES: [(&str, &str); 4] =
    [("image/png", "png"), ("image/jpeg", "jpeg"), ("image/gif", "gif"), ("image/webp", "webp")];
/// The types of documents that Converse takes.
const DOCUMENTS: [(&str, &str); 9] = [
    ("application/pdf", "pdf"),
    ("text/csv", "csv"),
    ("application/msword", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
];

/// The blocks of a content.
pub(super) fn blocks(content: OneOrMany<Part>, at: &Pointer) -> Result<Vec<Block>, Invalid> {
    match content {
        OneOrMany::One(text) => Ok(vec![Block::Text(text)]),
        OneOrMany::Many(parts) => {
            let mut blocks = Vec::with_capacity(parts.len());
            for (index, part) in parts.into_iter().enumerate() {
                let point = part.cache_control.as_ref().map(CacheControl::point);
                blocks.push(block(part, &at.element(index))?);
                blocks.extend(point.map(Block::CachePoint));
            }
            Ok(blocks)
        }
    }
}

fn block(part: Part, at: &Pointer) -> Result<Block, Invalid> {
    let missing = |name: &str| Invalid::at(at.member(name), format!("{name} is required"));
    match part.kind.as_str() {
        "text" => Ok(Block::Text(part.text.ok_or_else(|| missing("text"))?)),
        "refusal" => Ok(Block::Text(part.refusal.ok_or_else(|| missing("refusal"))?)),
        "image_url" => image(part.image_url.ok_or_else(|| missing("image_url"))?, &at.member("image_url")),
        "file" => document(part.file.ok_or_else(|| missing("file"))?, &at.member("file")),
        other => {
            let message = format!("Bedrock's Converse takes no content of type '{other}'");
            Err(untranslatable(at.member("type"), message))
        }
    }
}

fn image(image: ImageUrl, at: &Pointer) -> Result<Block, Invalid> {
    let at = at.member("url");
    let Some((media_type, data)) = data_url(&image.url) else {
        let message = "Bedrock takes images as data only: send a data URL with base64 in it";
        return Err(untranslatable(at, message));
    };
    match format(&IMAGES, media_type) {
        Some(format) => Ok(Block::Image { format, source: Source { bytes: data.to_owned() } }),
        None => Err(untranslatable(at, "Bedrock takes images of the types png, jpeg, gif and webp")),
    }
}

fn document(file: File, at: &Pointer) -> Result<Block, Invalid> {
    let at = at.member("file_data");
    let data = file.file_data.ok_or_else(|| Invalid::at(at.clone(), "file_data is required"))?;
    let Some((media_type, data)) = data_url(&data) else {
        return Err(untranslatable(at, "Bedrock takes files as data only: send a data URL with base64 in it"));
    };
    let Some(format) = format(&DOCUMENTS, media_type) else {
        let message = "Bedrock takes documents of the types pdf, csv, doc, docx, xls, xlsx, html, txt and md";
        return Err(untranslatable(at, message));
    };
    let name = document_name(file.filename.as_deref().unwrap_or("document"));
    Ok(Block::Document { format, name, source: Source { bytes: data.to_owned() } })
}

/// A document's name with what Converse takes in one: no dots, for example.
fn document_name(name: &str) -> String {
    let permitted =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '(' | ')' | '[' | ']');
    let name: String = name.chars().map(|character| if permitted(character) { character } else { '-' }).collect();
    if name.is_empty() { "document".to_owned() } else { name }
}

fn format(formats: &[(&str, &'static str)], media_type: &str) -> Option<&'static str> {
    formats.iter().find(|(known, _)| media_type.eq_ignore_ascii_case(known)).map(|(_, format)| *format)
}

/// The media type and the base64 text of a data URL.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let media_type = head.strip_suffix(";base64")?;
    let bare = media_type.split_once(';').map_or(media_type, |(bare, _)| bare);
    (!data.is_empty()).then_some((bare, data))
}
