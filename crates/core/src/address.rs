//! Which network addresses an upstream may have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of address a provider's host resolves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressClass {
    /// Reachable by anyone.
    Public,
    /// On this machine or in a private network.
    Private,
    /// Link-local and metadata addresses: they hand out credentials of the machine, never models.
    Forbidden,
}

impl AddressClass {
    /// Classifies an address; one that is mapped into IPv6 is what it maps.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => Self::of_v6(v6),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        /// Metadata services outside the link-local range.
        const METADATA: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16)];
        let [first, second, ..] = address.octets();
        let carrier_grade_nat = first == 100 && (64..128).contains(&second);
        if address.is_link_local() || address.is_broadcast() || address.is_multicast() || METADATA.contains(&address) {
            Self::Forbidden
        } else if address.is_private() || address.is_loopback() || first == 0 || carrier_grade_nat {
            Self::Private
        } else {
            Self::Public
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        /// The metadata service of AWS.
        const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
        if address.is_unicast_link_local() || address.is_multicast() || address == METADATA {
            Self::Forbidden
        } else if address.is_unique_local() || address.is_loopback() || address.is_unspecified() {
            Self::Private
        } else {
            Self::Public
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_and_link_local_addresses_are_forbidden_in_every_spelling() {
        for (class, addresses) in [
            (
                AddressClass::Forbidden,
                &[
                    "169.254.169.254",
                    "::ffff:169.254.169.254",
                    "fe80::1",
                    "fd00:ec2::254",
                    "100.100.100.200",
                    "224.0.0.1",
                ][..],
            ),
            (
                AddressClass::Private,
                &["127.0.0.1", "10.1.2.3", "::1", "0.0.0.0", "192.168.0.1", "fd12::1", "100.64.0.1"][..],
            ),
            (AddressClass::Public, &["1.1.1.1", "2606:4700::1"][..]),
        ] {
            for address in addresses {
                assert_eq!(AddressClass::of(address.parse().unwrap()), class, "{address}");
            }
        }
    }
}
