//! Which network addresses an upstream may have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

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
            IpAddr::V6(v6) => embedded_v4(v6).map_or_else(|| Self::of_v6(v6), Self::of_v4),
        }
    }

    /// Classifies the address in a URL, if it has one in place of a name.
    #[must_use]
    pub fn of_host(url: &Url) -> Option<Self> {
        match url.host()? {
            Host::Ipv4(address) => Some(Self::of(address.into())),
            Host::Ipv6(address) => Some(Self::of(address.into())),
            Host::Domain(_) => None,
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        /// Metadata services outside the link-local range.
        const METADATA: [Ipv4Addr; 3] =
            [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
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

/// The IPv4 address that a NAT64, 6to4 or IPv4-compatible address leads to.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low));
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => Some(join(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if high > 0 => Some(join(high, low)),
        _ => None,
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
                    "64:ff9b::a9fe:a9fe",
                    "2002:a9fe:a9fe::",
                    "::a9fe:a9fe",
                    "192.0.0.192",
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
