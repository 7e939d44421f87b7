//! A body that is sent piece by piece, so that what stays of another one is not copied.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};

/// The body of a request to somebody: pieces, none of them empty, one behind the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pieces(VecDeque<Bytes>);

impl Pieces {
    /// A body that is there whole.
    pub(crate) fn whole(body: impl Into<Bytes>) -> Self {
        let mut pieces = Self::default();
        pieces.push(body.into());
        pieces
    }

    /// Adds a piece behind the others.
    pub(crate) fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.0.push_back(piece);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Bytes> {
        self.0.iter()
    }

    /// All of it in one: several pieces are copied.
    pub(crate) fn joined(mut self) -> Bytes {
        if self.0.len() <= 1 {
            return self.0.pop_front().unwrap_or_default();
        }
        let mut whole = BytesMut::with_capacity(self.iter().map(Bytes::len).sum());
        self.iter().for_each(|piece| whole.extend_from_slice(piece));
        whole.freeze()
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let lengths = self.iter().map(|piece| u64::try_from(piece.len()).unwrap_or(u64::MAX));
        SizeHint::with_exact(lengths.sum())
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn what_is_sent_is_the_pieces_in_their_order_and_as_long_as_announced() {
        let parts = ["one", "", "two", "three"].map(Bytes::from);
        let mut pieces = Pieces::default();
        parts.into_iter().for_each(|part| pieces.push(part));
        assert_eq!(pieces.size_hint().exact(), Some(11));
        assert!(!pieces.is_end_stream());
        assert_eq!(pieces.clone().joined(), "onetwothree");
        let mut sent = Vec::new();
        while let Some(Ok(frame)) = pieces.frame().await {
            sent.push(frame.into_data().unwrap());
        }
        assert_eq!(sent, ["one", "two", "three"]);
        assert!(pieces.is_end_stream());
    }

    #[test]
    fn one_piece_is_not_copied() {
        let whole = Bytes::from(b"whole".to_vec());
        assert_eq!(Pieces::whole(whole.clone()).joined().as_ptr(), whole.as_ptr());
        assert_eq!(Pieces::whole(Bytes::new()), Pieces::default());
    }
}
