//! Which addresses a call may reach.

mod entry;
mod ranges;

use std::net::{IpAddr, Ipv4Addr};

pub use entry::EgressEntryError;
use entry::Entry;

/// Which addresses a call may reach: public ones, and what the allow-list opens.
///
/// The verdict falls on the address that is dialled, whether it stood in the URL or came from a name
/// look-up, so that a name that changes its mind gains nothing. Refused are all special-purpose
/// ranges of IANA's registries (RFC 6890), cloud metadata services, and the IPv6 forms that carry an
/// IPv4 address: mapped, compatible, NAT64, 6to4, Teredo.
///
/// ```
/// use callout_transport::EgressPolicy;
///
/// let local = EgressPolicy::public().allow("127.0.0.1:8080")?.allow("10.0.0.0/8")?.allow("api.internal")?;
/// # let _ = local;
/// # Ok::<(), callout_transport::EgressEntryError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EgressPolicy {
    entries: Vec<Entry>,
}

/// What an address is refused for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) what: &'static str,
    pub(crate) metadata: bool,
    /// The address in it that is refused as well, or alone. It is the network's own affair where a name led there.
    pub(crate) carried: Option<Ipv4Addr>,
}

impl EgressPolicy {
    /// Public addresses only. The default.
    pub fn public() -> Self {
        Self::default()
    }

    /// Opens one more host or network: `api.internal`, `127.0.0.1`, `10.0.0.0/8`, `fd00::/8`, each
    /// with a port (`api.internal:8443`, `[::1]:80`, `10.0.0.0/8:80`) or for every port.
    ///
    /// A host is allowed at whatever address its name has. Metadata services stay refused unless the
    /// entry is that very address; an address that carries another is allowed only if both are.
    ///
    /// # Errors
    ///
    /// If the entry is neither; the message says what is wrong with it.
    pub fn allow(mut self, entry: &str) -> Result<Self, EgressEntryError> {
        let entry = entry.parse()?;
        if !self.entries.contains(&entry) {
            self.entries.push(entry);
        }
        Ok(self)
    }

    /// The verdict on one address and port. `host` is the name that led there, if one did.
    pub(crate) fn check(&self, host: Option<&str>, address: IpAddr, port: u16) -> Result<(), Refusal> {
        if ranges::METADATA.contains(&address) {
            let named = self.entries.iter().any(|entry| entry.names_address(address, port));
            let refusal = Refusal { what: "a cloud metadata address", metadata: true, carried: None };
            return if named { Ok(()) } else { Err(refusal) };
        }
        let Some(what) = ranges::special(address) else { return Ok(()) };
        let host = host.map(|host| host.strip_suffix('.').unwrap_or(host));
        let opened = self
            .entries
            .iter()
            .any(|entry| entry.opens_address(address, port) || host.is_some_and(|host| entry.opens_host(host, port)));
        let within = self.refused_within(host, address, port);
        if !opened {
            let carried = within.and_then(|refusal| refusal.carried);
            return Err(Refusal { what, metadata: false, carried });
        }
        within.map_or(Ok(()), Err)
    }

    /// The verdict on what an address carries, if that is refused.
    fn refused_within(&self, host: Option<&str>, address: IpAddr, port: u16) -> Option<Refusal> {
        let IpAddr::V6(address) = address else { return None };
        ranges::embedded_v4(address).into_iter().flatten().find_map(|carried| {
            let refusal = self.check(host, carried.into(), port).err()?;
            Some(Refusal { carried: Some(carried), ..refusal })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(entries: &[&str]) -> EgressPolicy {
        entries.iter().fold(EgressPolicy::public(), |policy, entry| policy.allow(entry).unwrap())
    }

    fn allows(policy: &EgressPolicy, host: Option<&str>, address: &str, port: u16) -> bool {
        policy.check(host, address.parse().unwrap(), port).is_ok()
    }

    #[test]
    fn an_entry_opens_what_it_names_and_no_more() {
        for (entries, host, address, port, allowed) in [
            (&["127.0.0.1:8080"][..], None, "127.0.0.1", 8080, true),
            (&["127.0.0.1:8080"], None, "127.0.0.1", 443, false),
            (&["127.0.0.1:8080"], None, "127.0.0.2", 8080, false),
            (&["127.0.0.1"], None, "127.0.0.1", 443, true),
            (&["127.0.0.1"], None, "::1", 443, false),
            (&["::1"], None, "::1", 443, true),
            (&["[::1]:80"], None, "::1", 80, true),
            (&["10.0.0.0/8"], Some("any.example"), "10.255.255.255", 443, true),
            (&["10.0.0.0/8"], None, "11.0.0.0", 443, true), // public
            (&["10.0.0.0/8"], None, "192.168.0.1", 443, false),
            (&["api.internal"], Some("api.internal"), "10.0.0.1", 443, true),
            (&["api.internal"], Some("api.internal."), "10.0.0.1", 443, true),
            (&["api.internal"], Some("other.internal"), "10.0.0.1", 443, false),
            (&["api.internal"], None, "10.0.0.1", 443, false),
            (&["api.internal:8443"], Some("api.internal"), "10.0.0.1", 443, false),
            (&["api.internal:8443"], Some("api.internal"), "10.0.0.1", 8443, true),
            // Metadata services stay shut.
            (&["169.254.0.0/16"], None, "169.254.1.1", 443, true),
            (&["169.254.0.0/16"], None, "169.254.169.254", 443, false),
            (&["0.0.0.0/0", "::/0"], None, "169.254.169.254", 443, false),
            (&["0.0.0.0/0", "::/0"], None, "fd00:ec2::254", 443, false),
            (&["fc00::/7"], None, "fd00:100::100:200", 443, false),
            (&["fc00::/7"], None, "fd00:c1::a9fe:a9fe", 443, false),
            (&["fc00::/7"], None, "fd00:a9fe:a9fe::1", 443, false),
            (&["fc00::/7", "fd00:c1::a9fe:a9fe"], None, "fd00:c1::a9fe:a9fe", 443, true),
            (&["0.0.0.0/0", "::/0"], None, "168.63.129.16", 443, false),
            (&["meta.internal"], Some("meta.internal"), "169.254.169.254", 443, false),
            (&["169.254.169.254"], None, "169.254.169.254", 443, true),
            (&["169.254.169.254"], Some("meta.internal"), "169.254.169.254", 443, true),
            (&["169.254.169.254/32"], None, "169.254.169.254", 443, true),
            (&["169.254.169.254:80"], None, "169.254.169.254", 443, false),
            (&[], None, "168.63.129.16", 443, false),
            // An address in another is judged as both.
            (&["127.0.0.1"], None, "::ffff:127.0.0.1", 443, false),
            (&["::/0"], None, "::ffff:127.0.0.1", 443, false),
            (&["::/0", "127.0.0.0/8"], None, "::ffff:127.0.0.1", 443, true),
            (&["::/0", "0.0.0.0/0"], None, "::ffff:169.254.169.254", 443, false),
            (&["::/0", "0.0.0.0/0"], None, "64:ff9b::a9fe:a9fe", 443, false),
            (&["::/0", "0.0.0.0/0"], None, "64:ff9b:1:a9fe:a9:fe00::", 443, false),
            (&["::/0", "0.0.0.0/0"], None, "64:ff9b:1:8a8:3f:8110:808:808", 443, false),
            (&["::/0", "0.0.0.0/0"], None, "64:ff9b:1:808:a8:3f81:1000:0", 443, false),
            (&["::/0"], None, "64:ff9b:1:808:a:0:800:0", 443, false),
            (&["::/0"], None, "64:ff9b:1:808:8:808:808:808", 443, true),
            (&["::/0", "0.0.0.0/0"], None, "2002:a9fe:a9fe::1", 443, false),
            (&["::/0"], None, "64:ff9b::808:808", 443, true),
            (&[], None, "64:ff9b::808:808", 443, false),
            (&["api.internal"], Some("api.internal"), "::ffff:10.0.0.1", 443, true),
        ] {
            let policy = policy(entries);
            assert_eq!(allows(&policy, host, address, port), allowed, "{entries:?} {host:?} {address} {port}");
        }
    }

    proptest::proptest! {
        /// No IPv4 address gets by as an IPv6 one, public ones included, and none that is refused gets
        /// by where all of IPv6 is open.
        #[test]
        fn no_v4_address_passes_in_disguise(bits: u32) {
            let v4 = std::net::Ipv4Addr::from_bits(bits);
            let low = u128::from(bits);
            for disguise in [
                low,
                0xffff << 32 | low,
                0xffff << 48 | low,
                0x64_ff9b << 96 | low,
                0x64_ff9b_0001 << 80 | low,
                // Under a prefix of /56 and one of /64, around bits 64 to 71.
                0x64_ff9b_0001_0800 << 64 | (low >> 24) << 64 | (low & 0xff_ffff) << 32 | 0x0808_0808,
                0x64_ff9b_0001_0808 << 64 | low << 24 | 0x08_0808,
                0x2002 << 112 | low << 80,
                0x2001_0000 << 96 | 0x0808_0808 << 64 | u128::from(!bits),
            ] {
                let disguised = IpAddr::V6(std::net::Ipv6Addr::from_bits(disguise));
                assert!(EgressPolicy::public().check(None, disguised, 443).is_err(), "{disguised} is {v4}");
                let open = policy(&["::/0"]);
                if disguise > 1 && open.check(None, v4.into(), 443).is_err() {
                    assert!(open.check(None, disguised, 443).is_err(), "{disguised} is {v4}");
                }
            }
        }

        #[test]
        fn any_text_is_an_entry_or_a_fault(text in proptest::prop_oneof![".*", "[a.:/1\u{3002}]{0,6}"]) {
            if let Ok(policy) = EgressPolicy::public().allow(&text) {
                assert_eq!(policy.clone().allow(&policy.entries[0].to_string()), Ok(policy));
            }
        }
    }

    #[test]
    fn every_label_of_a_name_is_there() {
        for text in ["", ".", "..", ":1", ".:1", "a..", ".a", "a..b", "a\u{3002}\u{3002}", "a..:1"] {
            assert!(EgressPolicy::public().allow(text).is_err(), "{text}");
        }
        for text in ["a.b.", "A.b", "a\u{3002}b", "a.b\u{3002}"] {
            assert_eq!(policy(&[text]), policy(&["a.b"]), "{text}");
        }
    }
}
