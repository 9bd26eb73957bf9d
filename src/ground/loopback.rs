//! Whether an endpoint is on this machine.
//!
//! Only what needs no look-up counts: `localhost`, and loopback addresses as they are usually written. `x.localhost`,
//! `127.0.0.1.` and `127.1` look like loopback and are asked of the DNS by some resolvers, which may answer anything.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a URL's host is `localhost` or a literal loopback address. The text is what counts: parsers of URLs rewrite
/// hosts that the HTTP client then sees as they were written.
pub fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return false;
    }
    let Some(authority) = uri.authority().filter(|authority| !authority.as_str().contains('@')) else { return false };
    let host = authority.host();
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) => host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback()),
        None => {
            host.eq_ignore_ascii_case("localhost")
                || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_literal_addresses_and_localhost_are_loopback() {
        for url in [
            "http://localhost:4566",
            "http://LOCALHOST/",
            "https://127.0.0.1",
            "http://127.8.9.1:1/x",
            "http://[::1]:80",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "http://x.localhost",
            "http://localhost.",
            "http://127.0.0.1.",
            "http://127.0.0.1.:4566",
            "http://127.1",
            "http://0x7f.0.0.1",
            "http://2130706433",
            "http://0177.0.0.1",
            "http://127.0.0.1.example.com",
            "http://localhost@example.com",
            "http://user:x@localhost",
            "http://[::ffff:127.0.0.1]",
            "http://0.0.0.0",
            "http://10.0.0.1",
            "localhost",
            "127.0.0.1:4566",
            "",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
