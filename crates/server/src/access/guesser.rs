//! Who guesses passwords: told apart by where the guess comes from, and by whose password it is about.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use keyward_core::secret::KeyHash;
use keyward_store::KeyHasher;

use super::throttle::Throttle;

/// The longest wait of an address.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// The longest wait of what others can cause: a user name, and an address that may be a proxy's, and so many people's.
const LONGEST_SHARED: SignedDuration = SignedDuration::from_mins(1);

/// Where a guess comes from, and whose password it is about, as keyed hashes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guesser {
    address: KeyHash,
    /// Whether the address is of this machine or of a private network, where proxies are.
    is_near: bool,
    name: KeyHash,
}

impl Guesser {
    pub(super) fn new(hasher: &KeyHasher, address: &str, username: &str) -> Self {
        let ip = address.parse().ok();
        let network = ip.map_or_else(|| address.to_owned(), network);
        Self {
            address: hasher.hash(format!("address\0{network}")),
            is_near: ip.is_some_and(is_near),
            name: hasher.hash(format!("name\0{username}")),
        }
    }
}

/// What one guesser has at its disposal: an IPv4 address, or a whole IPv6 subnet of 64 bits.
fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

/// The wrong tries of all guessers.
#[derive(Debug)]
pub(super) struct Throttles {
    by_address: Throttle,
    by_near_address: Throttle,
    by_name: Throttle,
}

impl Default for Throttles {
    fn default() -> Self {
        Self {
            by_address: Throttle::new(LONGEST),
            by_near_address: Throttle::new(LONGEST_SHARED),
            by_name: Throttle::new(LONGEST_SHARED),
        }
    }
}

impl Throttles {
    /// How long the guesser has to wait before the next try; none: it may try.
    pub(super) fn wait(&self, guesser: Guesser, now: Timestamp) -> Option<SignedDuration> {
        let by_address = if guesser.is_near { &self.by_near_address } else { &self.by_address };
        by_address.wait(guesser.address, now).max(self.by_name.wait(guesser.name, now))
    }

    /// Counts a try as wrong.
    pub(super) fn failed(&mut self, guesser: Guesser, now: Timestamp) {
        self.of_addresses(guesser).failed(guesser.address, now);
        self.by_name.failed(guesser.name, now);
    }

    /// Forgets the guesser's wrong tries.
    pub(super) fn succeeded(&mut self, guesser: Guesser) {
        self.of_addresses(guesser).succeeded(guesser.address);
        self.by_name.succeeded(guesser.name);
    }

    fn of_addresses(&mut self, guesser: Guesser) -> &mut Throttle {
        if guesser.is_near { &mut self.by_near_address } else { &mut self.by_address }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guesser_has_one_address_of_ipv4_and_a_subnet_of_ipv6() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!((of("203.0.113.7").as_str(), of("::ffff:203.0.113.7").as_str()), ("203.0.113.7", "203.0.113.7"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }

    #[test]
    fn an_address_that_may_be_a_proxys_waits_a_minute_at_most() {
        for (address, longest) in [
            ("127.0.0.1", 1),
            ("::1", 1),
            ("10.0.0.1", 1),
            ("::ffff:192.168.0.1", 1),
            ("fd00::1", 1),
            ("203.0.113.7", 15),
            ("2001:db8::1", 15),
        ] {
            let shared = is_near(address.parse().unwrap());
            let guesser = |name| Guesser { address: KeyHash([0; 32]), is_near: shared, name: KeyHash([name; 32]) };
            let mut throttles = Throttles::default();
            for name in 0..30 {
                throttles.failed(guesser(name), Timestamp::UNIX_EPOCH);
            }
            let wait = throttles.wait(guesser(99), Timestamp::UNIX_EPOCH);
            assert_eq!(wait, Some(SignedDuration::from_mins(longest)), "{address}");
        }
    }
}
