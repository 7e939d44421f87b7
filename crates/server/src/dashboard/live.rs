//! Live parts of pages: a stream of events, each with the part as it looks now. It ends when the server is about to stop, and when
//! its reader may not see it any more.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::stream::unfold;
use maud::Markup;

use crate::auth::{Authed, Permission};
use crate::error::ApiError;
use crate::state::State;

/// How often a part is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// After how many looks without a change the reader is told that the stream lives.
const QUIET: u32 = 15;

/// What goes on between two events.
struct Watch<F> {
    request: HttpRequest,
    state: web::Data<State>,
    look: F,
    last: String,
    quiet: u32,
}

/// Streams a part of a page: `look` makes it anew. Who asks is found out anew each time, so that a session that has ended sees no more.
pub(super) fn stream<P, F>(request: HttpRequest, state: web::Data<State>, look: F) -> HttpResponse
where
    P: Permission,
    F: AsyncFn(&Authed<P>, &State) -> Result<Markup, ApiError> + 'static,
{
    let watch = Watch { request, state, look, last: String::new(), quiet: 0 };
    let events = unfold(watch, |watch| async move { next::<P, F>(watch).await });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(events)
}

async fn next<P, F>(mut watch: Watch<F>) -> Option<(Result<Bytes, Infallible>, Watch<F>)>
where
    P: Permission,
    F: AsyncFn(&Authed<P>, &State) -> Result<Markup, ApiError>,
{
    loop {
        if !watch.last.is_empty() {
            tokio::time::sleep(EVERY).await;
        }
        if watch.state.is_draining() {
            return None;
        }
        let caller = Authed::<P>::of(&watch.request).await.ok()?;
        let part = (watch.look)(&caller, &watch.state).await.ok()?.into_string();
        watch.quiet += 1;
        if part != watch.last {
            let event = event(&part);
            watch.last = part;
            watch.quiet = 0;
            return Some((Ok(event), watch));
        }
        if watch.quiet >= QUIET {
            watch.quiet = 0;
            return Some((Ok(Bytes::from_static(b": still here\n\n")), watch));
        }
    }
}

/// The event of a part. Whatever ends a line in a stream of events ends one here: no text of the part is taken for a field.
fn event(part: &str) -> Bytes {
    let data = part.split(['\n', '\r']).map(|line| format!("data: {line}\n")).collect::<String>();
    Bytes::from(format!("event: part\n{data}\n"))
}

#[cfg(test)]
mod tests {
    use super::event;

    #[test]
    fn no_text_gets_out_of_its_event() {
        let text = event("<p>a\rid: 1\n\nevent: other\r\n</p>");
        let lines: Vec<&str> = std::str::from_utf8(&text).unwrap().trim_end().split('\n').collect();
        assert_eq!(lines.first(), Some(&"event: part"));
        assert!(lines.iter().skip(1).all(|line| line.starts_with("data: ") && !line.contains('\r')), "{lines:?}");
    }
}
