//! Which addresses are public: the IANA special-purpose registries as a table.
//!
//! Everything in a row is refused by default, also what a registry calls globally reachable (AS112,
//! AMT, the 6to4 relay): no API lives there. IPv6 is public only within `2000::/3`, the part that is
//! allocated.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One range: its first address, its prefix length, and what it is, as a message says it.
pub(super) struct Range<A> {
    pub(super) first: A,
    pub(super) prefix: u8,
    pub(super) what: &'static str,
}

const fn v4(first: [u8; 4], prefix: u8, what: &'static str) -> Range<Ipv4Addr> {
    Range { first: Ipv4Addr::from_octets(first), prefix, what }
}

const fn v6(first: [u16; 8], prefix: u8, what: &'static str) -> Range<Ipv6Addr> {
    Range { first: Ipv6Addr::from_segments(first), prefix, what }
}

/// The IANA IPv4 Special-Purpose Address Registry (RFC 6890), with multicast.
pub(super) const V4: [Range<Ipv4Addr>; 18] = [
    v4([0, 0, 0, 0], 8, "an address of \"this network\" (RFC 791)"),
    v4([10, 0, 0, 0], 8, "a private address (RFC 1918)"),
    v4([100, 64, 0, 0], 10, "a carrier-grade NAT address (RFC 6598)"),
    v4([127, 0, 0, 0], 8, "a loopback address (RFC 1122)"),
    v4([169, 254, 0, 0], 16, "a link-local address (RFC 3927)"),
    v4([172, 16, 0, 0], 12, "a private address (RFC 1918)"),
    v4([192, 0, 0, 0], 24, "an address for protocol assignments (RFC 6890)"),
    v4([192, 0, 2, 0], 24, "a documentation address (RFC 5737)"),
    v4([192, 31, 196, 0], 24, "an AS112 address (RFC 7535)"),
    v4([192, 52, 193, 0], 24, "an AMT address (RFC 7450)"),
    v4([192, 88, 99, 0], 24, "a 6to4 relay address (RFC 7526)"),
    v4([192, 168, 0, 0], 16, "a private address (RFC 1918)"),
    v4([192, 175, 48, 0], 24, "an AS112 address (RFC 7534)"),
    v4([198, 18, 0, 0], 15, "a benchmarking address (RFC 2544)"),
    v4([198, 51, 100, 0], 24, "a documentation address (RFC 5737)"),
    v4([203, 0, 113, 0], 24, "a documentation address (RFC 5737)"),
    v4([224, 0, 0, 0], 4, "a multicast address (RFC 1112)"),
    v4([240, 0, 0, 0], 4, "a reserved address (RFC 1112)"),
];

/// The IANA IPv6 Special-Purpose Address Registry (RFC 6890), with multicast, the deprecated forms
/// and what lies outside the allocated global unicast space. The first row that matches names it.
pub(super) const V6: [Range<Ipv6Addr>; 21] = [
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, "the unspecified address (RFC 4291)"),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, "the loopback address (RFC 4291)"),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 96, "an IPv4-compatible address (RFC 4291)"),
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, "an IPv4-mapped address (RFC 4291)"),
    v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, "an IPv4-translated address (RFC 2765)"),
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, "a NAT64 address (RFC 6052)"),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, "a local NAT64 address (RFC 8215)"),
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64, "a discard-only address (RFC 6666)"),
    v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64, "a dummy address (RFC 9780)"),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, "a Teredo address (RFC 4380)"),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "an address for protocol assignments (RFC 2928)"),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "a documentation address (RFC 3849)"),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "a 6to4 address (RFC 3056)"),
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48, "an AS112 address (RFC 7534)"),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "a documentation address (RFC 9637)"),
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, "a segment routing address (RFC 9602)"),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "a unique local address (RFC 4193)"),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "a link-local address (RFC 4291)"),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, "a site-local address (RFC 3879)"),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "a multicast address (RFC 4291)"),
    // The rest of what is not 2000::/3 is the caller's to check: it is no range.
    v6([0x4000, 0, 0, 0, 0, 0, 0, 0], 2, NOT_ALLOCATED),
];

const NOT_ALLOCATED: &str = "an address outside global unicast (RFC 4291)";

/// Where cloud platforms tell machines their credentials. They stay refused whatever network is
/// opened, unless the allow-list names them one by one.
pub(super) const METADATA: [IpAddr; 15] = [
    // AWS, Azure, Google Cloud, OpenStack and others
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    // AWS: container credentials, pod identity, time and DNS are beside them
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    // Google Cloud over IPv6
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    // Azure's wire server, a public address by its range
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    // Alibaba Cloud
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x100, 0, 0, 0, 0, 0x100, 0x200)),
    // Oracle Cloud
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe)),
    // Akamai (Linode)
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1)),
    // Tencent Cloud
    IpAddr::V4(Ipv4Addr::new(169, 254, 0, 23)),
    // Scaleway
    IpAddr::V4(Ipv4Addr::new(169, 254, 42, 42)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)),
];

/// What keeps an address from being public, or nothing.
pub(super) fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            let bits = address.to_bits();
            V4.iter().find(|range| same_prefix(bits, range.first.to_bits(), range.prefix)).map(|range| range.what)
        }
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            let row = V6.iter().find(|range| {
                let shift = 128 - u32::from(range.prefix);
                bits >> shift == range.first.to_bits() >> shift
            });
            row.map(|range| range.what).or_else(|| (bits >> 125 != 1).then_some(NOT_ALLOCATED))
        }
    }
}

fn same_prefix(one: u32, other: u32, prefix: u8) -> bool {
    let shift = 32 - u32::from(prefix);
    one >> shift == other >> shift
}

/// The IPv4 addresses that an IPv6 address stands for, where translators and tunnels deliver to them.
pub(super) fn embedded_v4(address: Ipv6Addr) -> [Option<Ipv4Addr>; 4] {
    let bits = address.to_bits();
    let v4_at = |shift: u32| Some(Ipv4Addr::from_bits((bits >> shift) as u32));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => [None; 4],
        [0, 0, 0, 0, 0 | 0xffff, 0, ..] | [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            [v4_at(0), None, None, None]
        }
        // RFC 6052 section 2.2: after a prefix of /48, /56 or /64 the address goes around bits 64 to 71, after
        // one of /96 it is whole. RFC 8215 leaves open which of them a network takes.
        [0x64, 0xff9b, 1, ..] => {
            let without = ((bits >> 64) << 56) | (bits & (u128::MAX >> 72));
            let after = |prefix: u32| Some(Ipv4Addr::from_bits((without >> (88 - prefix)) as u32));
            [v4_at(0), after(48), after(56), after(64)]
        }
        [0x2002, ..] => [v4_at(80), None, None, None],
        // RFC 4380 section 4: the server, then the client with every bit turned.
        [0x2001, 0, ..] => [v4_at(64), Some(Ipv4Addr::from_bits(!(bits as u32))), None, None],
        _ => [None; 4],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next_v4(address: Ipv4Addr, by: i64) -> Option<Ipv4Addr> {
        u32::try_from(i64::from(address.to_bits()) + by).ok().map(Ipv4Addr::from_bits)
    }

    #[test]
    fn every_v4_range_is_refused_from_its_first_to_its_last_address_and_no_further() {
        for range in &V4 {
            let last = Ipv4Addr::from_bits(range.first.to_bits() | (u32::MAX >> range.prefix));
            assert_eq!(special(range.first.into()), Some(range.what), "{}", range.first);
            assert_eq!(special(last.into()), Some(range.what), "{last}");
            for outside in [next_v4(range.first, -1), next_v4(last, 1)].into_iter().flatten() {
                let neighbour =
                    V4.iter().find(|other| same_prefix(outside.to_bits(), other.first.to_bits(), other.prefix));
                assert_eq!(special(outside.into()), neighbour.map(|range| range.what), "{outside}");
            }
        }
        // Ranges whose neighbours are public, spelled out, so that the loop above cannot agree with itself only.
        for public in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.1.255",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "8.8.8.8",
        ] {
            assert_eq!(special(public.parse().unwrap()), None, "{public}");
        }
    }

    #[test]
    fn every_v6_range_is_refused_from_its_first_to_its_last_address() {
        for range in &V6 {
            let last =
                Ipv6Addr::from_bits(range.first.to_bits() | u128::MAX.checked_shr(range.prefix.into()).unwrap_or(0));
            for address in [range.first, last] {
                assert!(special(address.into()).is_some(), "{address}");
            }
        }
        for (address, what) in [
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::2", "compatible"),
            ("::7f00:1", "compatible"),
            ("::ffff:8.8.8.8", "mapped"),
            ("::ffff:0:8.8.8.8", "translated"),
            ("64:ff9b::808:808", "NAT64"),
            ("64:ff9b:1::", "local NAT64"),
            ("64:ff9b:2::", "outside"),
            ("100::", "discard"),
            ("100:0:0:1::", "dummy"),
            ("100:0:0:2::", "outside"),
            ("1fff:ffff::", "outside"),
            ("2001::", "Teredo"),
            ("2001:1::1", "assignments"),
            ("2001:1ff:ffff::", "assignments"),
            ("2001:db8:ffff::", "documentation"),
            ("2002:808:808::", "6to4"),
            ("2620:4f:8000:ffff::", "AS112"),
            ("3fff:fff::", "documentation"),
            ("4000::", "outside"),
            ("5f00::", "segment"),
            ("5f01::", "outside"),
            ("8000::", "outside"),
            ("fbff::", "outside"),
            ("fdff::", "unique local"),
            ("fe00::", "outside"),
            ("febf::", "link-local"),
            ("feff::", "site-local"),
            ("ff02::1", "multicast"),
        ] {
            let found = special(address.parse().unwrap());
            assert!(found.is_some_and(|found| found.contains(what)), "{address}: {found:?}");
        }
        for public in [
            "2000::",
            "2001:200::",
            "2001:db7:ffff::",
            "2001:db9::",
            "2001:ffff::",
            "2003::",
            "2620:4f:7fff:ffff::",
            "2620:4f:8001::",
            "3ffe:ffff::",
            "3fff:1000::",
            "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "2606:4700:4700::1111",
        ] {
            assert_eq!(special(public.parse().unwrap()), None, "{public}");
        }
    }

    #[test]
    fn tunnels_and_translators_give_away_the_address_behind() {
        for (address, behind) in [
            ("::ffff:10.0.0.1", vec!["10.0.0.1"]),
            ("::10.0.0.1", vec!["10.0.0.1"]),
            ("::ffff:0:10.0.0.1", vec!["10.0.0.1"]),
            ("64:ff9b::10.0.0.1", vec!["10.0.0.1"]),
            ("64:ff9b:1:a00:0:100:0:0", vec!["0.0.0.0", "10.0.0.1", "0.0.1.0", "0.1.0.0"]),
            ("64:ff9b:1:80a:0:8:808:808", vec!["8.8.8.8", "8.10.0.0", "10.0.0.8", "0.0.8.8"]),
            ("64:ff9b:1:808:a:0:800:0", vec!["8.0.0.0", "8.8.10.0", "8.10.0.0", "10.0.0.8"]),
            ("64:ff9b:1:808:a8:3f81:1000:0", vec!["16.0.0.0", "8.8.168.63", "8.168.63.129", "168.63.129.16"]),
            ("2002:a00:1::", vec!["10.0.0.1"]),
            ("2001:0:808:808::f5ff:fffe", vec!["8.8.8.8", "10.0.0.1"]),
            ("2606::1", vec![]),
            ("::", vec![]),
            ("::1", vec![]),
        ] {
            let found: Vec<_> =
                embedded_v4(address.parse().unwrap()).into_iter().flatten().map(|v4| v4.to_string()).collect();
            assert_eq!(found, behind, "{address}");
        }
    }
}
