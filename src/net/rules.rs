//! Where a credential may be sent. A planted endpoint must not be able to steal one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::Url;

use super::NetError;

/// What the operator allows beyond public addresses over https.
#[derive(Debug)]
pub(super) struct Rules {
    nets: Vec<IpNet>,
    /// Hosts and ports that the operator named.
    named: BTreeSet<(String, u16)>,
    /// Hosts of the operator's proxies, which may be anywhere.
    proxies: BTreeSet<String>,
}

impl Rules {
    pub(super) fn new(nets: Vec<IpNet>, named: impl Iterator<Item = Url>) -> Self {
        let named = named.filter_map(|url| Some((url.host_str()?.to_ascii_lowercase(), url.port_or_known_default()?)));
        Self { nets, named: named.collect(), proxies: BTreeSet::new() }
    }

    /// The same with the proxies that variables name: `HTTPS_PROXY` and its like, in capitals or not.
    pub(super) fn behind(mut self, environment: &BTreeMap<String, String>) -> Self {
        let names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
        let given = environment.iter().filter(|(name, _)| names.iter().any(|known| known.eq_ignore_ascii_case(name)));
        // `proxy.corp:3128` is a proxy too; as a URL it would have the scheme `proxy.corp`.
        let url =
            |text: &String| if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
        let hosts = given.filter_map(|(_, text)| Some(url(text).ok()?.host_str()?.to_ascii_lowercase()));
        self.proxies.extend(hosts);
        self
    }

    /// Whether the operator named this very host and port.
    fn is_named(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        url.port_or_known_default().is_some_and(|port| self.named.contains(&(host, port)))
    }

    /// Whether a host was named at all, if only as a proxy; a resolver is not told the port. [`Rules::check`] has seen it
    /// by then.
    pub(super) fn is_named_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.proxies.contains(&host) || self.named.iter().any(|(named, _)| *named == host)
    }

    /// Checks what can be known before a name is resolved: the scheme, and an address written as a number.
    pub(super) fn check(&self, url: &Url) -> Result<(), NetError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        if self.is_named(url) {
            return Ok(());
        }
        if url.scheme() != "https" {
            return Err(NetError::RefusedScheme(host));
        }
        // Named with another port: the resolver would let it through.
        if self.is_named_host(&host) && !self.is_literal_public(url) {
            return Err(NetError::RefusedHost(host));
        }
        match url.host() {
            Some(url::Host::Ipv4(address)) => self.check_address(&host, IpAddr::V4(address)),
            Some(url::Host::Ipv6(address)) => self.check_address(&host, IpAddr::V6(address)),
            _ => Ok(()),
        }
    }

    fn is_literal_public(&self, url: &Url) -> bool {
        match url.host() {
            Some(url::Host::Ipv4(address)) => self.allows(IpAddr::V4(address)),
            Some(url::Host::Ipv6(address)) => self.allows(IpAddr::V6(address)),
            _ => false,
        }
    }

    /// Checks an address that a name resolved to.
    pub(super) fn check_address(&self, host: &str, address: IpAddr) -> Result<(), NetError> {
        if self.allows(address) { Ok(()) } else { Err(NetError::RefusedAddress { host: host.to_owned(), address }) }
    }

    fn allows(&self, address: IpAddr) -> bool {
        is_public(unwrapped(address)) || self.in_allowed_net(address)
    }

    /// Whether the operator allows a network that holds this address.
    pub(super) fn in_allowed_net(&self, address: IpAddr) -> bool {
        let plain = unwrapped(address);
        self.nets.iter().any(|net| net.contains(&address) || net.contains(&plain))
    }
}

/// The IPv4 address inside an IPv6 one that is translated or tunnelled to it.
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let v4 = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match v6.segments() {
        // Mapped and compatible, RFC 4291; NAT64, RFC 6052 and 8215.
        // And 6to4, RFC 3056.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, .., high, low]
        | [0x2002, high, low, ..] => v4(high, low),
        // Teredo carries the client's address inverted, RFC 4380.
        [0x2001, 0, .., high, low] => v4(!high, !low),
        _ => address,
    }
}

/// Whether an address is one that anyone on the internet could have.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let special = v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_multicast()
        || v4.is_broadcast()
        || v4.is_documentation()
        // This network, shared space (RFC 6598), IETF assignments, benchmarking, reserved.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240;
    !special
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let first = v6.segments()[0];
    let documentation = first == 0x2001 && v6.segments()[1] == 0xdb8;
    // Only 2000::/3 is global unicast; that leaves out loopback, unique local, link local, site local and multicast.
    (0x2000..0x4000).contains(&first) && !documentation && first != 0x3fff
}

#[cfg(test)]
mod tests {
    use super::{Rules, is_public, unwrapped};

    #[test]
    fn private_addresses_in_every_disguise_are_refused() {
        for text in [
            "10.0.0.1",
            "172.16.5.4",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.8",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::",
            "::127.0.0.1",
            "2001:0:1:2:3:4:80ff:fffe",
            "2001:db8::1",
        ] {
            let address = text.parse().expect("an address");
            assert!(!is_public(unwrapped(address)), "{text}");
        }
        for text in ["1.1.1.1", "54.239.28.85", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert!(is_public(unwrapped(text.parse().expect("an address"))), "{text}");
        }
    }

    #[test]
    fn a_proxy_may_be_anywhere_and_is_no_place_for_credentials() {
        let variables =
            [("https_proxy", "http://Proxy.corp:3128"), ("ALL_PROXY", "socks5h://10.1.2.3:1080"), ("HTTP_PROXY", "gate:1")];
        let environment = variables.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        let rules = Rules::new(Vec::new(), std::iter::empty()).behind(&environment);
        for host in ["proxy.corp", "PROXY.corp", "10.1.2.3", "gate"] {
            assert!(rules.is_named_host(host), "{host}");
            let url = format!("https://{host}/").parse().expect("a URL");
            assert!(rules.check(&url).is_err(), "{host}");
        }
        assert!(!rules.is_named_host("corp"));
    }

    #[test]
    fn the_operators_word_counts_for_exactly_what_it_names() {
        let url = |text: &str| text.parse::<url::Url>().expect("a URL");
        let rules = Rules::new(
            vec!["10.1.0.0/16".parse().expect("a net")],
            [url("http://127.0.0.1:4566"), url("https://gw.corp")].into_iter(),
        );
        for good in [
            "http://127.0.0.1:4566/x?y",
            "https://gw.corp/v1",
            "https://10.1.2.3/",
            "https://api.openai.com/",
            "https://1.1.1.1/",
        ] {
            assert_eq!(rules.check(&url(good)), Ok(()), "{good}");
        }
        for bad in [
            "http://127.0.0.1:80/",
            "https://127.0.0.1/",
            "http://api.openai.com/",
            "https://10.2.0.1/",
            "https://gw.corp:8443/",
            "http://gw.corp/",
            "https://[::1]/",
        ] {
            assert!(rules.check(&url(bad)).is_err(), "{bad}");
        }
    }
}
