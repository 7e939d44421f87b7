//! Server-sent events, as the HTML standard reads them, and stricter: what a reader would pass over in silence is an error here.

/// A reader of a stream that comes in pieces.
#[derive(Debug, Default)]
pub struct Events {
    pending: Vec<u8>,
    event: Event,
    is_begun: bool,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// What kind it is; empty: of the default kind.
    pub kind: String,
    /// Its lines of data, joined by line ends.
    pub data: String,
}

/// Why a stream cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A line is not UTF-8.
    #[error("a line is not UTF-8")]
    Text,
    /// A line has no field that the standard knows.
    #[error("a line is no field: {0:?}")]
    Line(String),
    /// The stream ended within an event.
    #[error("the stream ended within an event")]
    Cut,
}

impl Events {
    /// Takes the next piece, and gives the events that are whole now.
    ///
    /// # Errors
    /// When a line is none of a stream of events.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<Event>, Malformed> {
        self.pending.extend_from_slice(piece);
        let mut events = Vec::new();
        while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            let line = String::from_utf8(line).map_err(|_| Malformed::Text)?;
            events.extend(self.line(line.trim_end_matches(['\n', '\r']))?);
        }
        Ok(events)
    }

    /// Says that nothing more comes.
    ///
    /// # Errors
    /// When an event has begun and not ended.
    pub fn finish(self) -> Result<(), Malformed> {
        if self.is_begun || !self.pending.is_empty() { Err(Malformed::Cut) } else { Ok(()) }
    }

    fn line(&mut self, line: &str) -> Result<Option<Event>, Malformed> {
        if line.is_empty() {
            let is_whole = std::mem::take(&mut self.is_begun);
            let event = std::mem::take(&mut self.event);
            return Ok(is_whole.then_some(event));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            // A comment, which keeps connections open.
            "" => return Ok(None),
            "event" => value.clone_into(&mut self.event.kind),
            "data" => self.data(value),
            "id" | "retry" => {}
            _ => return Err(Malformed::Line(line.to_owned())),
        }
        self.is_begun = true;
        Ok(None)
    }

    fn data(&mut self, value: &str) {
        if !self.event.data.is_empty() {
            self.event.data.push('\n');
        }
        self.event.data.push_str(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&str]) -> Result<Vec<(String, String)>, Malformed> {
        let mut events = Events::default();
        let mut found = Vec::new();
        for piece in pieces {
            found.extend(events.push(piece.as_bytes())?.into_iter().map(|event| (event.kind, event.data)));
        }
        events.finish()?;
        Ok(found)
    }

    #[test]
    fn events_are_read_however_they_are_cut_into_pieces() {
        let expected = Ok(vec![(String::new(), "one".to_owned()), ("x".to_owned(), "two\nthree".to_owned())]);
        assert_eq!(read(&["data: one\n\n: ping\n\nevent: x\r\ndata: two\ndata:three\n\n"]), expected);
        assert_eq!(read(&["da", "ta: one\n", "\n", "event: x\ndata: two\r", "\ndata:three\n\n"]), expected);
    }

    #[test]
    fn what_is_no_event_is_noticed() {
        assert_eq!(read(&["data: one\n"]), Err(Malformed::Cut));
        assert_eq!(read(&["data: one"]), Err(Malformed::Cut));
        assert_eq!(read(&["{\"a\": 1}\n\n"]), Err(Malformed::Line("{\"a\": 1}".to_owned())));
        let mut events = Events::default();
        assert_eq!(events.push(b"data: \xff\n"), Err(Malformed::Text));
    }
}
