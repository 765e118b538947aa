//! One entry of the allow-list: a host or a network, perhaps with a port.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use ipnet::IpNet;
use url::Host;

/// An entry of an allow-list that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("egress entry {entry:?}: {reason}")]
pub struct EgressEntryError {
    entry: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    target: Target,
    /// `None` for every port.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Net(IpNet),
    /// Lower case, in its ASCII form, without the root's dot.
    Host(String),
}

impl Entry {
    fn opens(&self, port: u16) -> bool {
        self.port.is_none_or(|own| own == port)
    }

    /// Whether a network of this entry holds the address, for that port.
    pub(super) fn opens_address(&self, address: IpAddr, port: u16) -> bool {
        self.opens(port) && matches!(&self.target, Target::Net(net) if net.contains(&address))
    }

    /// Whether it names that very address and nothing beside it.
    pub(super) fn names_address(&self, address: IpAddr, port: u16) -> bool {
        self.opens(port) && matches!(&self.target, Target::Net(net) if *net == IpNet::from(address))
    }

    /// Whether it names that host, for that port.
    pub(super) fn opens_host(&self, host: &str, port: u16) -> bool {
        self.opens(port) && matches!(&self.target, Target::Host(name) if name == host)
    }
}

impl FromStr for Entry {
    type Err = EgressEntryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (target, port) = read(text).map_err(|reason| EgressEntryError { entry: text.to_owned(), reason })?;
        Ok(Self { target, port })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.target, self.port) {
            (Target::Host(name), None) => f.write_str(name),
            (Target::Host(name), Some(port)) => write!(f, "{name}:{port}"),
            (Target::Net(net), port) => {
                let whole = net.prefix_len() == net.max_prefix_len();
                match (whole, port) {
                    (true, None) => write!(f, "{}", net.addr()),
                    (true, Some(port)) => write!(f, "{}", SocketAddr::new(net.addr(), port)),
                    (false, None) => write!(f, "{net}"),
                    (false, Some(port)) => write!(f, "{net}:{port}"),
                }
            }
        }
    }
}

fn read(text: &str) -> Result<(Target, Option<u16>), &'static str> {
    let odd = "must be a host, an address or a network, perhaps with a port, such as api.internal, \
               127.0.0.1:8080 or 10.0.0.0/8";
    if text.contains("://") || text.contains(['@', '?', '#', '*']) || text.contains(char::is_whitespace) {
        return Err(odd);
    }
    if let Ok(address) = bracketed(text).unwrap_or(text).parse::<IpAddr>() {
        return Ok((Target::Net(address.into()), None));
    }
    if let Some((address, rest)) = text.split_once('/') {
        let (prefix, port) = match rest.split_once(':') {
            Some((prefix, port)) => (prefix, Some(read_port(port)?)),
            None => (rest, None),
        };
        let bare = bracketed(address).unwrap_or(address);
        let network = "is no network; write it as 10.0.0.0/8 or fd00::/8";
        let address = bare.parse::<IpAddr>().map_err(|_| network)?;
        let prefix = prefix.parse::<u8>().map_err(|_| network)?;
        let net = IpNet::new(address, prefix).map_err(|_| network)?;
        return Ok((Target::Net(net.trunc()), port));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(read_port(port)?)),
        None => (text, None),
    };
    match Host::parse(host) {
        Ok(Host::Ipv4(address)) => Ok((Target::Net(IpAddr::from(address).into()), port)),
        Ok(Host::Ipv6(address)) => Ok((Target::Net(IpAddr::from(address).into()), port)),
        // Looked at once it is parsed, which makes plain signs and dots of others, such as full-width ones.
        Ok(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(&name);
            let is_label = |label: &str| {
                !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            };
            if name.split('.').all(is_label) { Ok((Target::Host(name.to_owned()), port)) } else { Err(odd) }
        }
        Err(_) => Err("is no host, address or network"),
    }
}

fn bracketed(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.strip_suffix(']')
}

fn read_port(text: &str) -> Result<u16, &'static str> {
    text.parse().ok().filter(|port| *port != 0).ok_or("has no port from 1 to 65535 after its colon")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_as_a_person_writes_them() {
        for (text, shown) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("10.0.0.0/8:8080", "10.0.0.0/8:8080"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("[::1]:80", "[::1]:80"),
            ("fd00::/8", "fd00::/8"),
            ("[fd00::]/8:443", "fd00::/8:443"),
            ("api.internal", "api.internal"),
            ("API.Internal.:8443", "api.internal:8443"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2130706433", "127.0.0.1"),
        ] {
            assert_eq!(text.parse::<Entry>().map(|entry| entry.to_string()), Ok(shown.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_entry_is_refused_with_a_reason() {
        for text in [
            "",
            ":80",
            "host:",
            "host:0",
            "host:65536",
            "host:http",
            "http://host",
            "host/path",
            "10.0.0.0/33",
            "*.example.com",
            "\u{ff0a}.example.com",
            "a!b",
            "user@host",
            "a b",
            "::1:",
            "[::1",
            "fd00::/129",
            "10.0.0.0/",
        ] {
            let error = text.parse::<Entry>().expect_err(text);
            assert!(error.to_string().starts_with(&format!("egress entry {text:?}: ")), "{error}");
        }
    }

    /// What looks like a URL or a pattern is told what an entry is, whichever sign gives it away.
    #[test]
    fn the_reason_says_what_to_write_instead() {
        for text in ["http://host", "user@host", "a?b", "a#b", "*.example.com", "a b", "a\tb", "http://a b@c", "a!b"] {
            let error = text.parse::<Entry>().expect_err(text).to_string();
            assert!(error.ends_with("127.0.0.1:8080 or 10.0.0.0/8"), "{error}");
        }
        for text in ["host/path", "10.0.0.0/33", "10.0.0.0/", "/8"] {
            let error = text.parse::<Entry>().expect_err(text).to_string();
            assert!(error.ends_with("write it as 10.0.0.0/8 or fd00::/8"), "{error}");
        }
    }
}
