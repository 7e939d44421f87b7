//! Tests of the parser, among them the property that the split of the bytes never matters.

use proptest::prelude::*;

use super::*;

/// The complete events of pieces that come one after the other, and the one that is cut off at the end.
fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Event>, Option<Event>) {
    let mut parser = Parser::new();
    let mut events = Vec::new();
    for piece in pieces {
        parser.push(Bytes::copy_from_slice(piece));
        while let Some(event) = parser.next_event().unwrap() {
            events.push(event);
        }
    }
    (events, parser.finish())
}

fn data(text: &str) -> Vec<String> {
    parse([text.as_bytes()]).0.into_iter().map(|event| String::from_utf8(event.data).unwrap()).collect()
}

#[test]
fn lines_may_end_in_three_ways() {
    for end in ["\n", "\r\n", "\r"] {
        assert_eq!(data(&"data: one|data: two||data:three||".replace('|', end)), ["one\ntwo", "three"]);
    }
}

#[test]
fn comments_unknown_fields_and_a_byte_order_mark_are_skipped() {
    assert_eq!(data("\u{feff}data: x\n: ping\nid: 1\nretry: 5\nnonsense\n\n: ping\n\n"), ["x"]);
    assert_eq!(data("data: x\n\n\u{feff}data: only the first one is a mark\n\n"), ["x"]);
}

#[test]
fn one_space_after_the_colon_is_not_data() {
    assert_eq!(data("data:  x \n\ndata\n\ndata:\n\n"), [" x ", "", ""]);
}

#[test]
fn a_name_belongs_to_one_event() {
    let (events, _) = parse([&b"event: error\ndata: a\n\nevent: lost\n\ndata: b\n\n"[..]]);
    let names: Vec<&[u8]> = events.iter().map(|event| event.name.as_slice()).collect();
    assert_eq!(names, [&b"error"[..], b""]);
}

#[test]
fn an_event_that_is_cut_off_comes_last() {
    let (events, rest) = parse([&b"data: a\n\ndata: [DONE]"[..]]);
    assert_eq!(events.len(), 1);
    assert_eq!(rest.unwrap().data, b"[DONE]");
    assert_eq!(parse([&b"data: a\n\n"[..]]).1, None);
}

#[test]
fn an_event_has_a_largest_size_and_a_stream_has_none() {
    let fits = Bytes::from("data: 12345678\n\n".repeat(100));
    let mut parser = Parser::with_cap(16);
    parser.push(fits);
    for _ in 0..100 {
        assert!(parser.next_event().unwrap().is_some());
    }
    for too_large in ["data: 123456789012", ": comment without an end", "data: 1234567\ndata: 12345678"] {
        let mut parser = Parser::with_cap(16);
        parser.push(Bytes::from(too_large));
        assert_eq!(parser.next_event(), Err(EventTooLarge), "{too_large}");
    }
}

/// The format once more, from the whole text at once: the oracle of the property below.
fn whole(text: &str) -> Vec<Event> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut blocks: Vec<&str> = text.split("\n\n").collect();
    blocks.pop();
    let field = |line: &str, name: &str| {
        let rest = line.strip_prefix(name)?;
        let value = if rest.is_empty() { rest } else { rest.strip_prefix(':')? };
        Some(value.strip_prefix(' ').unwrap_or(value).to_owned())
    };
    let event = |block: &str| {
        let data: Vec<String> = block.lines().filter_map(|line| field(line, "data")).collect();
        let name = block.lines().filter_map(|line| field(line, "event")).next_back().unwrap_or_default();
        (!data.is_empty()).then(|| Event { name: name.into_bytes(), data: data.join("\n").into_bytes() })
    };
    blocks.into_iter().filter_map(event).collect()
}

fn stream() -> impl Strategy<Value = String> {
    let end = || prop::sample::select(vec!["\n", "\r\n", "\r"]);
    let line = prop::sample::select(vec![
        "data: {\"a\":1}",
        "data",
        "data:",
        "data:  é ",
        "event: error",
        "event",
        ": ping",
        "id: 7",
        "database: x",
        "",
    ]);
    let body = prop::collection::vec((line, end()), 0..24);
    (any::<bool>(), body).prop_map(|(mark, lines)| {
        let body: String = lines.into_iter().flat_map(|(line, end)| [line, end]).collect();
        format!("{}{body}", if mark { "\u{feff}" } else { "" })
    })
}

proptest! {
    #[test]
    fn every_split_gives_the_same_events(text in stream(), size in 1usize..9) {
        let at_once = parse([text.as_bytes()]);
        prop_assert_eq!(&parse(text.as_bytes().chunks(size)), &at_once);
        for cut in 0..=text.len() {
            let (head, tail) = text.as_bytes().split_at(cut);
            prop_assert_eq!(&parse([head, tail]), &at_once);
        }
    }

    #[test]
    fn the_events_are_those_of_the_whole_text(text in stream()) {
        // Ends in a complete block, so that nothing is cut off.
        let text = format!("{text}\n\n");
        prop_assert_eq!(parse([text.as_bytes()]).0, whole(&text));
    }

    #[test]
    fn no_bytes_panic_and_splits_never_matter(bytes in prop::collection::vec(any::<u8>(), 0..200), size in 1usize..9) {
        prop_assert_eq!(parse(bytes.chunks(size)), parse([bytes.as_slice()]));
    }
}
