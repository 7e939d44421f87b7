//! The mock upstream: a provider that answers at once, on one thread. A gateway before it is the only thing that takes time.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use memchr::memmem;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::answers;

/// Where it says how many answers it has begun.
pub(crate) const COUNTS: &str = "/counts";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long it waits between the pieces of a stream, in milliseconds
    #[arg(long, default_value_t = 0)]
    gap_ms: u64,
}

type Body = Either<Full<Bytes>, StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>>;

#[derive(Clone)]
struct Answers {
    completion: Bytes,
    chunks: Arc<[Bytes]>,
    gap: Duration,
    begun: Arc<Begun>,
}

/// How many answers were begun, of each kind.
#[derive(Default)]
struct Begun {
    whole: AtomicU64,
    streams: AtomicU64,
}

/// Listens on a free port of loopback, prints its address, and answers until the process is ended.
///
/// # Errors
/// When no port can be had, or no more connections.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?);
    serve(&listener, Duration::from_millis(options.gap_ms)).await
}

/// Answers whoever connects.
///
/// # Errors
/// When no more connections can be had.
pub(crate) async fn serve(listener: &TcpListener, gap: Duration) -> Result<()> {
    let answers =
        Answers { completion: answers::completion(), chunks: answers::stream().into(), gap, begun: Arc::default() };
    let connections = TaskTracker::new();
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let answers = answers.clone();
        connections.spawn(async move {
            let service = service_fn(|request| answers.answer(request));
            // Whoever closes a connection in the middle of something finds out at its own end.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

impl Answers {
    async fn answer(&self, request: Request<Incoming>) -> hyper::Result<Response<Body>> {
        if request.uri().path() == COUNTS {
            return Ok(answered("application/json", Either::Left(Full::new(self.begun.told()))));
        }
        let body = request.into_body().collect().await?.to_bytes();
        let (kind, body, begun) = if memmem::find(&body, answers::WANTS_STREAM).is_some() {
            let pieces = Either::Right(StreamBody::new(pieces(self.chunks.clone(), self.gap)));
            ("text/event-stream", pieces, &self.begun.streams)
        } else {
            ("application/json", Either::Left(Full::new(self.completion.clone())), &self.begun.whole)
        };
        begun.fetch_add(1, Ordering::Relaxed);
        Ok(answered(kind, body))
    }
}

impl Begun {
    fn told(&self) -> Bytes {
        let [whole, streams] = [&self.whole, &self.streams].map(|count| count.load(Ordering::Relaxed));
        Bytes::from(format!("{{\"whole\":{whole},\"streams\":{streams}}}"))
    }
}

fn answered(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn pieces(chunks: Arc<[Bytes]>, gap: Duration) -> BoxStream<'static, Result<Frame<Bytes>, Infallible>> {
    let piece = move |number: usize| {
        let chunk = chunks.get(number).cloned();
        async move {
            if number > 0 && !gap.is_zero() {
                tokio::time::sleep(gap).await;
            }
            chunk.map(|chunk| (Ok(Frame::data(chunk)), number + 1))
        }
    };
    stream::unfold(0, piece).boxed()
}
