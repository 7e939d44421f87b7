//! Frames: how records lie in a segment, and how damage is told from a write that was cut short.
//!
//! A segment is a header and frames. A frame is a mark, the payload's length, a checksum, and the payload. The checksum also covers
//! where the frame lies, so that neither an old block of the disk nor a frame of another segment passes for one.

use crc32fast::Hasher;

/// What a segment begins with: a name, the format's version, the segment's number, and the database that it belongs to.
pub(crate) const HEADER: usize = 8 + 8 + 16;
const MAGIC: &[u8; 8] = b"KWJRNL\x00\x02";
/// Mark, length, checksum.
pub(crate) const FRAME: usize = 4 + 4 + 4;
const MARK: [u8; 4] = [0xF7, b'K', b'W', 0x1D];
/// The longest payload: a plan of a thousand meters is far shorter.
const LONGEST: usize = 1 << 20;

/// The header of a segment.
pub(crate) fn header(segment: u64, database: [u8; 16]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let bytes = MAGIC.iter().copied().chain(segment.to_le_bytes()).chain(database);
    header.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
    header
}

/// The number of a segment, and its database; none when this is no header of this version.
pub(crate) fn read_header(bytes: &[u8]) -> Option<(u64, [u8; 16])> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (number, rest) = rest.split_first_chunk()?;
    let (database, _) = rest.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), *database))
}

/// Fills in the front of a frame, which the payload follows.
pub(crate) fn close(frame: &mut [u8], segment: u64, offset: u64) {
    let Some((front, payload)) = frame.split_at_mut_checked(FRAME) else { return };
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let sum = checksum(payload, segment, offset);
    let bytes = MARK.into_iter().chain(length.to_le_bytes()).chain(sum.to_le_bytes());
    front.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
}

fn checksum(payload: &[u8], segment: u64, offset: u64) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(payload);
    hasher.update(&segment.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.finalize()
}

/// What lies at a place of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// A whole frame: its payload, and where the next one begins.
    Frame(&'a [u8], usize),
    /// The end of the segment.
    End,
    /// A write that was cut short, with nothing after it.
    Torn,
    /// Damage: whole frames come after it.
    Damaged,
}

/// Reads what lies at `offset`.
pub(crate) fn read(bytes: &[u8], segment: u64, offset: usize) -> Found<'_> {
    match frame_at(bytes, segment, offset) {
        Some((payload, next)) => Found::Frame(payload, next),
        None if offset >= bytes.len() => Found::End,
        None if (offset..bytes.len()).any(|later| frame_at(bytes, segment, later).is_some()) => Found::Damaged,
        None => Found::Torn,
    }
}

fn frame_at(bytes: &[u8], segment: u64, offset: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(offset..)?.strip_prefix(&MARK)?;
    let (length, rest) = rest.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length <= LONGEST)?;
    let payload = rest.get(..length)?;
    let is_whole = checksum(payload, segment, u64::try_from(offset).ok()?) == u32::from_le_bytes(*sum);
    is_whole.then_some((payload, offset + FRAME + length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segment(payloads: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = header(7, [1; 16]).to_vec();
        for payload in payloads {
            let offset = bytes.len();
            bytes.extend([0; FRAME]);
            bytes.extend(payload);
            close(&mut bytes[offset..], 7, u64::try_from(offset).unwrap());
        }
        bytes
    }

    fn walk(bytes: &[u8]) -> (Vec<Vec<u8>>, Found<'_>) {
        let (mut found, mut offset) = (Vec::new(), HEADER);
        loop {
            match read(bytes, 7, offset) {
                Found::Frame(payload, next) => {
                    found.push(payload.to_vec());
                    offset = next;
                }
                end @ (Found::End | Found::Torn | Found::Damaged) => return (found, end),
            }
        }
    }

    fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
        proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..8)
    }

    proptest! {
        /// Wherever a segment is cut, what was whole is read, and the rest is a torn tail.
        #[test]
        fn a_cut_is_a_torn_tail(payloads in payloads(), cut in any::<prop::sample::Index>()) {
            let bytes = segment(&payloads);
            let cut = HEADER + cut.index(bytes.len() - HEADER);
            let (found, end) = walk(&bytes[..cut]);
            prop_assert_eq!(&found[..], &payloads[..found.len()]);
            prop_assert!(matches!(end, Found::Torn | Found::End));
        }

        /// A changed bit is noticed; unless it is in the last frame, it is damage.
        #[test]
        fn a_changed_bit_is_noticed(payloads in payloads(), place in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut bytes = segment(&payloads);
            let place = HEADER + place.index(bytes.len() - HEADER);
            bytes[place] ^= 1 << bit;
            let (found, end) = walk(&bytes);
            prop_assert!(found.len() < payloads.len());
            prop_assert_eq!(&found[..], &payloads[..found.len()]);
            let is_last = found.len() + 1 == payloads.len();
            prop_assert_eq!(end, if is_last { Found::Torn } else { Found::Damaged });
        }
    }

    #[test]
    fn a_frame_of_another_place_is_none() {
        let bytes = segment(&[b"one".to_vec()]);
        assert_eq!(read(&bytes, 8, HEADER), Found::Torn);
        let mut moved = bytes.clone();
        moved.insert(HEADER, 0);
        assert_eq!(read(&moved, 7, HEADER), Found::Torn);
    }
}
