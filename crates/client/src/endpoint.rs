//! Endpoints: addresses of operations, built from the base URL without ever pasting text into a path.

use url::Url;

use crate::error::Error;

/// Reads the base URL: http or https, maybe with a path prefix, nothing else.
///
/// The errors do not repeat the text: it may have a password in it.
///
/// # Errors
/// [`Error::Unexpected`] saying what is wrong with it.
pub(crate) fn base_url(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).map_err(|error| Error::unexpected(format!("invalid base URL: {error}")))?;
    let refuse = |what: &str| Err(Error::unexpected(format!("invalid base URL: {what}")));
    if !matches!(url.scheme(), "http" | "https") {
        refuse("it must begin with http:// or https://")
    } else if !url.username().is_empty() || url.password().is_some() {
        refuse("it must not have credentials in it")
    } else if url.query().is_some() || url.fragment().is_some() {
        refuse("it must not have a query or a fragment")
    } else {
        Ok(url)
    }
}

/// The address below `base` whose path has these segments, each percent-encoded.
///
/// # Errors
/// [`Error::Unexpected`] for a segment that no path can carry: it would address something else.
pub(crate) fn endpoint(base: &Url, segments: &[&str]) -> Result<Url, Error> {
    // URLs normalise dot segments, and drop tabs and line breaks; an empty id would address the whole collection.
    let is_lost = |segment: &str| matches!(segment, "" | "." | "..") || segment.contains(['\t', '\n', '\r']);
    if segments.iter().any(|segment| is_lost(segment)) {
        return Err(Error::unexpected("an id is empty or cannot be part of a path"));
    }
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| Error::unexpected("invalid base URL: it cannot have a path"))?
        .pop_if_empty()
        .extend(segments);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(base: &str, segments: &[&str]) -> String {
        endpoint(&base_url(base).unwrap(), segments).unwrap().to_string()
    }

    #[test]
    fn a_path_prefix_is_kept_with_and_without_its_slash() {
        assert_eq!(path("http://127.0.0.1:8080", &["v1", "models"]), "http://127.0.0.1:8080/v1/models");
        assert_eq!(path("https://llm.example/keyward", &["v1"]), "https://llm.example/keyward/v1");
        assert_eq!(path("https://llm.example/keyward/", &["v1"]), "https://llm.example/keyward/v1");
    }

    #[test]
    fn segments_are_encoded() {
        assert_eq!(
            path("http://h", &["a/b c", "100%?#", "é", "%2e%2e"]),
            "http://h/a%2Fb%20c/100%25%3F%23/%C3%A9/%252e%252e"
        );
    }

    #[test]
    fn segments_that_a_path_would_lose_are_refused() {
        let base = base_url("http://h/prefix").unwrap();
        for id in ["", ".", "..", "a\nb", ".\t.", "a\r"] {
            assert!(endpoint(&base, &["v1", id]).is_err(), "{id:?}");
        }
    }

    #[test]
    fn base_urls_are_checked_and_not_repeated() {
        for text in
            ["", "127.0.0.1:8080", "ftp://h", "http://u:hunter2@h", "http://h?key=hunter2", "http://h#x", "mailto:x"]
        {
            let error = base_url(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{text}");
        }
    }

    /// What a server makes of the last path segment.
    fn decoded_last_segment(url: &Url) -> Vec<u8> {
        let mut bytes = url.path().rsplit('/').next().unwrap().bytes();
        let mut decoded = Vec::new();
        while let Some(byte) = bytes.next() {
            decoded.push(match byte {
                b'%' => {
                    let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
                }
                other => other,
            });
        }
        decoded
    }

    proptest! {
        #[test]
        fn an_id_arrives_as_it_is_or_is_refused(id in any::<String>()) {
            let base = base_url("http://h/prefix/").unwrap();
            if let Ok(url) = endpoint(&base, &["things", &id]) {
                prop_assert_eq!(decoded_last_segment(&url), id.as_bytes());
                prop_assert_eq!(url.path().split('/').count(), 4);
                prop_assert!(url.path().starts_with("/prefix/things/"));
            }
        }
    }
}
