//! W3C trace context: which trace a request is part of, and below which span.

use actix_web::http::header::HeaderMap;
use http::HeaderValue;
use http::header::HeaderName;

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The longest `tracestate` that is passed on, in bytes: what everybody has to take.
const MAX_STATE: usize = 512;

/// A place in a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TraceContext {
    /// Never 0.
    pub(super) trace_id: u128,
    /// Never 0.
    pub(super) span_id: u64,
    /// Whether somebody records the trace.
    pub(super) is_sampled: bool,
    /// What other systems have to say of it, as they said it.
    pub(super) state: String,
}

impl TraceContext {
    /// The place that a request says it is at; none when it says none, or nothing sensible.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut parents = headers.get_all("traceparent");
        let (parent, None) = (parents.next()?, parents.next()) else { return None };
        let read = Self::read(parent.to_str().ok()?)?;
        let states: Option<Vec<&str>> = headers.get_all("tracestate").map(|state| state.to_str().ok()).collect();
        let state = states.map(|states| states.join(",")).filter(|state| state.len() <= MAX_STATE);
        Some(Self { state: state.unwrap_or_default(), ..read })
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace_id) = (hex(parts.next()?, 2)?, hex(parts.next()?, 32)?);
        let (span_id, flags) = (hex(parts.next()?, 16)?, hex(parts.next()?, 2)?);
        // Later versions may say more; the first one may not.
        let is_readable = version < 0xff && (version > 0 || parts.next().is_none());
        let span_id = u64::try_from(span_id).ok()?;
        let is_somewhere = trace_id != 0 && span_id != 0;
        let is_sampled = flags & 1 == 1;
        (is_readable && is_somewhere).then(|| Self { trace_id, span_id, is_sampled, state: String::new() })
    }

    /// The beginning of a new trace.
    pub(super) fn root(is_sampled: bool) -> Self {
        Self { trace_id: rand::random::<u128>().max(1), span_id: span_id(), is_sampled, state: String::new() }
    }

    /// A new span below this one.
    pub(super) fn child(&self) -> Self {
        Self { span_id: span_id(), ..self.clone() }
    }

    /// Says to a provider that the request is part of the trace. What another said of a trace is not kept.
    pub(crate) fn write(&self, headers: &mut http::HeaderMap) {
        let parent = format!("00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.is_sampled));
        headers.remove(TRACESTATE);
        for (name, text) in [(TRACEPARENT, &parent), (TRACESTATE, &self.state)] {
            if let (false, Ok(value)) = (text.is_empty(), HeaderValue::from_str(text)) {
                headers.insert(name, value);
            }
        }
    }
}

fn span_id() -> u64 {
    rand::random::<u64>().max(1)
}

/// A number in so many lower-case hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    u128::from_str_radix(text, 16).ok().filter(|_| is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_is_read_is_written_below_a_new_span() {
        let read = TraceContext::read(PARENT).unwrap();
        assert_eq!((read.span_id, read.is_sampled), (0xb7ad_6b71_6920_3331, true));
        let child = TraceContext { state: "a=b".to_owned(), ..read.child() };
        let mut headers = http::HeaderMap::new();
        child.write(&mut headers);
        let written = headers.get("traceparent").unwrap().to_str().unwrap();
        assert_eq!(TraceContext { state: "a=b".to_owned(), ..TraceContext::read(written).unwrap() }, child);
        assert_ne!(child.span_id, read.span_id);
        assert_eq!(child.trace_id, read.trace_id);
        assert_eq!(headers.get("tracestate").unwrap(), "a=b");
    }

    #[test]
    fn what_is_no_trace_context_is_none() {
        for text in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::read(text), None, "{text}");
        }
        assert!(TraceContext::read("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more").is_some());
    }
}
