//! AWS's published frames, in any pieces; and anything else.

use proptest::prelude::*;

use super::written::{event, frame};
use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Frames that AWS publishes with its readers: every type of header, no payload, no headers.
const PUBLISHED: [(&str, &str); 3] = [
    (
        "000000960000007a8bb495fb0474727565000566616c736501046279746502320573686f7274034e2003696e74040007a120046c6f6e67\
         050000000ba43b740005627974657306000a736f6d6520627974657303737472070008736f6d65207374720474696d6508000000012a05\
         f200047575696409b79bc914de214e13b8b2bc47e85b7f0b736f6d65207061796c6f616401a05860",
        "some payload",
    ),
    ("0000001f0000000f172dc2ab0b736f6d652d6865616465720301f4933c5cad", ""),
    ("0000002400000000516356ad616e6f746865722074657374207061796c6f61648df80e65", "another test payload"),
];

fn read(stream: &mut EventStream) -> Vec<String> {
    let next = || stream.next().unwrap().map(|message| String::from_utf8(message.payload.to_vec()).unwrap());
    std::iter::from_fn(next).collect()
}

#[test]
fn published_frames_are_read_in_any_pieces() {
    let all: Vec<u8> = PUBLISHED.iter().flat_map(|(frame, _)| bytes(frame)).collect();
    for size in 1..=all.len() {
        let mut stream = EventStream::default();
        let mut found = Vec::new();
        for piece in all.chunks(size) {
            stream.push(piece);
            found.extend(read(&mut stream));
        }
        assert_eq!(found, PUBLISHED.map(|(_, payload)| payload.to_owned()), "in pieces of {size}");
        assert!(stream.is_at_boundary());
    }
}

#[test]
fn a_flipped_bit_is_found_wherever_it_is() {
    let whole = bytes(PUBLISHED[0].0);
    for at in 0..whole.len() * 8 {
        let mut damaged = whole.clone();
        damaged[at / 8] ^= 1 << (at % 8);
        let mut stream = EventStream::default();
        stream.push(&damaged);
        // A length that has grown waits for what never comes.
        assert!(!matches!(stream.next(), Ok(Some(_))), "bit {at}");
    }
}

#[test]
fn frames_of_impossible_lengths_are_refused_before_they_have_come() {
    for length in [0_u32, 15, 4 * 1024 * 1024 + 1, u32::MAX] {
        let mut stream = EventStream::default();
        stream.push(&length.to_be_bytes());
        assert_eq!(stream.next(), Err(BrokenStream::Length), "{length}");
    }
}

#[test]
fn a_frame_tells_what_kind_of_thing_it_is() {
    for (headers, expected) in [
        (&[(":message-type", "event"), (":event-type", "a")][..], Kind::Event("a".to_owned())),
        (&[(":message-type", "exception"), (":exception-type", "b")], Kind::Exception("b".to_owned())),
        (
            &[(":message-type", "error"), (":error-code", "c"), (":error-message", "d")],
            Kind::Error("c".to_owned(), "d".to_owned()),
        ),
        (&[], Kind::Event(String::new())),
    ] {
        let mut stream = EventStream::default();
        stream.push(&frame(headers, "{}"));
        assert_eq!(stream.next(), Ok(Some(Message { kind: expected, payload: Bytes::from_static(b"{}") })));
    }
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        fuzz(&bytes);
    }

    #[test]
    fn nor_does_a_frame_with_anything_in_it(length in 0_u32..64, headers in any::<u32>(), rest in proptest::collection::vec(any::<u8>(), 0..64)) {
        let prelude = [length.to_be_bytes(), headers.to_be_bytes()].concat();
        let checksum = crc32(&prelude);
        fuzz(&[prelude, checksum.to_be_bytes().to_vec(), rest].concat());
    }

    #[test]
    fn what_is_written_is_read(payloads in proptest::collection::vec("[a-z]{0,30}", 0..8), size in 1_usize..64) {
        let all: Vec<u8> = payloads.iter().flat_map(|payload| event("e", payload)).collect();
        let mut stream = EventStream::default();
        let mut found = Vec::new();
        for piece in all.chunks(size) {
            stream.push(piece);
            found.extend(read(&mut stream));
        }
        prop_assert_eq!(found, payloads);
    }
}

/// The checksum of the frames, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}
