//! Lots: what decides between several places. Chance does, unless a request says which session it belongs to: then the session
//! does, so that its requests go where the earlier ones went. There is nothing to remember, and nothing to lose.

use std::cell::Cell;

use actix_web::http::header::HeaderMap;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::VirtualKeyId;
use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// Headers that say which session a request belongs to: ours, and the compatible product's.
const SESSION: [&str; 2] = ["x-keyward-session", "x-bf-session-id"];
/// The longest name of a session, in bytes.
const MAX_SESSION: usize = 255;

/// What decides between several places.
pub(in crate::gateway) struct Lots {
    /// None: chance.
    session: Option<Sha256>,
    drawn: Cell<u64>,
}

impl Lots {
    /// The lots of chance.
    pub(in crate::gateway) const fn of_chance() -> Self {
        Self { session: None, drawn: Cell::new(0) }
    }

    /// The lots of a request: those of its session, if it names one. A session is the virtual key's own.
    ///
    /// # Errors
    /// When the session's name is too long or no text.
    pub(in crate::gateway) fn of(
        headers: &HeaderMap,
        virtual_key: impl FnOnce() -> VirtualKeyId,
    ) -> Result<Self, ApiError> {
        let named = SESSION.into_iter().find_map(|name| Some((name, headers.get(name)?)));
        let Some((name, value)) = named.filter(|(_, value)| !value.is_empty()) else { return Ok(Self::of_chance()) };
        let session = value.to_str().ok().filter(|session| session.len() <= MAX_SESSION);
        let session = session.ok_or_else(|| {
            let message = format!("{name} must be a text of at most {MAX_SESSION} bytes of ASCII");
            ApiError::new(ErrorCode::InvalidRequest, message).at(name)
        })?;
        Ok(Self { session: Some(seed(virtual_key().as_str(), session)), drawn: Cell::new(0) })
    }

    /// A number above 0 and at most 1 for something that is named: in a session the same each time.
    pub(in crate::gateway) fn of_name(&self, kind: &str, name: &str) -> f64 {
        match &self.session {
            None => 1.0 - rand::random::<f64>(),
            Some(session) => number(session.clone().chain_update(framed(kind)).chain_update(framed(name))),
        }
    }

    /// The next number at least 0 and below 1: in a session the same row of numbers for each request.
    pub(in crate::gateway) fn next(&self) -> f64 {
        let drawn = self.drawn.replace(self.drawn.get().wrapping_add(1));
        match &self.session {
            None => rand::random(),
            Some(session) => {
                1.0 - number(session.clone().chain_update(framed("draw")).chain_update(drawn.to_le_bytes()))
            }
        }
    }
}

fn seed(virtual_key: &str, session: &str) -> Sha256 {
    Sha256::new().chain_update(framed(virtual_key)).chain_update(framed(session))
}

/// A text that no other begins with.
fn framed(text: &str) -> Vec<u8> {
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes();
    [length.as_slice(), text.as_bytes()].concat()
}

/// The hash as a number above 0 and at most 1.
fn number(hash: Sha256) -> f64 {
    let hash = hash.finalize();
    let [a, b, c, d, e, f, ..] = <[u8; 32]>::from(hash);
    let high = f64::from(u32::from_be_bytes([0, a, b, c]));
    let low = f64::from(u32::from_be_bytes([0, d, e, f]));
    // 48 bits: the sum is exact.
    (high * 16_777_216.0 + low + 1.0) / 281_474_976_710_656.0
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use actix_web::http::header::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;
    use crate::upstreams::by_lot;

    fn lots(key: &str, session: &str) -> Lots {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(SESSION[0]), HeaderValue::from_str(session).unwrap());
        Lots::of(&headers, || key.into()).unwrap()
    }

    fn order<'n>(lots: &Lots, names: &[(&'n str, f64)]) -> Vec<&'n str> {
        let ordered = by_lot(names.to_vec(), |one| *one, &|name| lots.of_name("key", name));
        ordered.into_iter().map(|(name, _)| name).collect()
    }

    const KEYS: [(&str, f64); 4] = [("a", 1.0), ("b", 2.0), ("c", 1.0), ("idle", 0.0)];

    #[test]
    fn a_session_is_the_virtual_keys_own_and_stays_where_it_is() {
        let first: Vec<Vec<&str>> = (0..64).map(|n| order(&lots("vk", &n.to_string()), &KEYS)).collect();
        let again: Vec<Vec<&str>> = (0..64).map(|n| order(&lots("vk", &n.to_string()), &KEYS)).collect();
        let others: Vec<Vec<&str>> = (0..64).map(|n| order(&lots("other", &n.to_string()), &KEYS)).collect();
        assert_eq!(first, again);
        assert_ne!(first, others);
        assert_ne!(lots("a", "bc").of_name("key", "k"), lots("ab", "c").of_name("key", "k"));
        let row = |lots: Lots| [lots.next(), lots.next(), lots.next()];
        assert_eq!(row(lots("vk", "s")), row(lots("vk", "s")));
        assert_ne!(row(lots("vk", "s")), row(lots("vk", "t")));
    }

    /// The hash is fixed, so the counts are: each is within four deviations of its share.
    #[test]
    fn sessions_spread_by_weight() {
        const SESSIONS: u32 = 8_000;
        let mut firsts: HashMap<&str, u32> = HashMap::new();
        for session in 0..SESSIONS {
            *firsts.entry(order(&lots("vk", &session.to_string()), &KEYS)[0]).or_default() += 1;
        }
        for (name, weight) in KEYS {
            let share = weight / 4.0;
            let count = f64::from(firsts.get(name).copied().unwrap_or_default());
            let deviation = (f64::from(SESSIONS) * share * (1.0 - share)).sqrt();
            let off = (count - f64::from(SESSIONS) * share).abs();
            assert!(off <= 4.0 * deviation, "{name}: {count}");
        }
    }

    #[test]
    fn a_bad_name_is_refused_and_an_empty_one_is_none() {
        let of = |name: &'static str, value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
            Lots::of(&headers, || "vk".into()).map(|lots| lots.session.is_some()).map_err(|error| error.code())
        };
        for name in SESSION {
            assert_eq!(of(name, b"s").ok(), Some(true));
            assert_eq!(of(name, b"").ok(), Some(false));
            assert_eq!(of(name, "s".repeat(256).as_bytes()).unwrap_err(), ErrorCode::InvalidRequest);
            assert_eq!(of(name, b"\xff").unwrap_err(), ErrorCode::InvalidRequest);
        }
    }

    proptest! {
        /// Only the sessions of a key that goes move, each to what was its second choice.
        #[test]
        fn removing_a_key_moves_nobody_else(session in "[a-z]{1,12}", gone in 0_usize..3) {
            let lots = lots("vk", &session);
            let before = order(&lots, &KEYS);
            let mut left = KEYS.to_vec();
            let (name, _) = left.remove(gone);
            let after = order(&lots, &left);
            let expected: Vec<&str> = before.into_iter().filter(|key| *key != name).collect();
            prop_assert_eq!(after, expected);
        }

        #[test]
        fn numbers_keep_their_bounds(session in "[a-z]{1,12}", name in ".{0,20}") {
            for lots in [lots("vk", &session), Lots::of_chance()] {
                let number = lots.of_name("key", &name);
                prop_assert!(number > 0.0 && number <= 1.0);
                let next = lots.next();
                prop_assert!((0.0..1.0).contains(&next));
            }
        }
    }
}
