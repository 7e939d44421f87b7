//! Server-sent events: an incremental parser that gives the same events however the bytes are split.
//!
//! After the event stream format of the HTML standard, as far as answers use it: `id` and `retry` are ignored. No event
//! may be larger than [`MAX_EVENT`], so that a stream cannot fill the memory.

use bytes::{Buf, Bytes};

/// The most bytes of one event: as many as the gateway passes on.
pub(crate) const MAX_EVENT: usize = 64 * 1024 * 1024;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Event {
    /// The event's name; empty when it has none.
    pub(crate) name: Vec<u8>,
    /// Its data lines, joined by line feeds.
    pub(crate) data: Vec<u8>,
}

/// An event was larger than [`MAX_EVENT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventTooLarge;

/// Takes bytes as they come and gives events.
#[derive(Debug)]
pub(crate) struct Parser {
    input: Bytes,
    line: Vec<u8>,
    /// A line feed that comes next belongs to the carriage return before it.
    after_return: bool,
    /// No line has ended yet: the one that comes may begin with a byte order mark.
    at_start: bool,
    event: Event,
    max_event: usize,
}

impl Parser {
    pub(crate) fn new() -> Self {
        Self::with_cap(MAX_EVENT)
    }

    fn with_cap(max_event: usize) -> Self {
        Self {
            input: Bytes::new(),
            line: Vec::new(),
            after_return: false,
            at_start: true,
            event: Event::default(),
            max_event,
        }
    }

    /// Adds bytes. Call it when [`Self::next_event`] has nothing more to give.
    pub(crate) fn push(&mut self, bytes: Bytes) {
        debug_assert!(self.input.is_empty(), "bytes would be lost");
        self.input = bytes;
    }

    /// The next event that is complete; none when more bytes are needed.
    pub(crate) fn next_event(&mut self) -> Result<Option<Event>, EventTooLarge> {
        while self.input.has_remaining() {
            let byte = self.input.get_u8();
            let after_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    if let Some(event) = self.end_line() {
                        return Ok(Some(event));
                    }
                }
                _ => self.line.push(byte),
            }
            if self.line.len() + self.event.name.len() + self.event.data.len() > self.max_event {
                return Err(EventTooLarge);
            }
        }
        Ok(None)
    }

    /// The event that the end of the bytes cut off, if there is one.
    pub(crate) fn finish(mut self) -> Option<Event> {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.end_event()
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        let line = match std::mem::take(&mut self.at_start) {
            true => line.strip_prefix(BOM).unwrap_or(&line),
            false => &line,
        };
        if line.is_empty() {
            return self.end_event();
        }
        // A line that begins with a colon is a comment: its field has no name.
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (field, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => self.event.name = value.to_vec(),
            b"data" => {
                self.event.data.extend_from_slice(value);
                self.event.data.push(b'\n');
            }
            _ => {}
        }
        None
    }

    /// An event without data is none, whatever its name.
    fn end_event(&mut self) -> Option<Event> {
        let mut event = std::mem::take(&mut self.event);
        event.data.pop()?;
        Some(event)
    }
}

#[cfg(test)]
mod tests;
