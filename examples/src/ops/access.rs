//! Who may ask: the host that a request names, the token, and the sessions of browsers.

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, header};
use data_encoding::HEXLOWER;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The cookie that holds a browser's session.
const COOKIE: &str = "recovery_session";
/// How long a session lives.
const SESSION: Duration = Duration::from_hours(12);
/// Sessions at the same time; the oldest makes room.
const SESSIONS: usize = 64;

type Digest = [u8; 32];

/// The rules by which a request is let in.
#[derive(Debug)]
pub struct Access {
    hosts: BTreeSet<String>,
    /// Any address will do: the server listens on all of the machine's.
    any_address: bool,
    token: Option<Digest>,
    sessions: Mutex<VecDeque<(Digest, Instant)>>,
}

impl Access {
    /// Makes the rules for the address that is listened on, further names that lead to it, and a token.
    ///
    /// A name that anybody can point at this machine (DNS rebinding) is let in only where it is listed.
    #[must_use]
    pub fn new(bind: SocketAddr, hosts: &[String], token: Option<&str>) -> Self {
        let mut names: BTreeSet<String> = hosts.iter().map(|host| named(host)).collect();
        let ip = bind.ip();
        names.insert(ip.to_string());
        if ip.is_loopback() || ip.is_unspecified() {
            names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
        }
        Self {
            hosts: names,
            any_address: ip.is_unspecified(),
            token: token.map(digest),
            sessions: Mutex::default(),
        }
    }

    /// Says whether a token is asked for.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Says whether the request names one host, and one that leads here.
    pub(super) fn knows_host(&self, request: &Request) -> bool {
        let mut given = request.headers().get_all(header::HOST).iter();
        let host = match (request.uri().authority(), given.next(), given.next()) {
            (_, _, Some(_)) | (None, None, _) => return false,
            // What an absolute target names goes before the header (RFC 9112, 3.2.2).
            (Some(authority), ..) => Some(authority.as_str()),
            (None, Some(host), None) => host.to_str().ok(),
        };
        host.map(named).is_some_and(|host| {
            self.hosts.contains(&host) || (self.any_address && host.parse::<IpAddr>().is_ok())
        })
    }

    /// Says whether the request carries the token or a session.
    pub(super) fn allows(&self, headers: &HeaderMap) -> bool {
        self.token.is_none() || self.bears_token(headers) || self.in_session(headers)
    }

    fn bears_token(&self, headers: &HeaderMap) -> bool {
        text(headers, &header::AUTHORIZATION)
            .and_then(|value| value.split_once(' '))
            // The scheme's name is written in any case (RFC 9110, 11.1).
            .and_then(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer").then_some(token))
            .is_some_and(|token| self.is_token(token))
    }

    /// Compares digests of one length in constant time: how long it takes tells neither the token nor its length.
    fn is_token(&self, given: &str) -> bool {
        self.token.is_some_and(|expected| digest(given.trim()).ct_eq(&expected).into())
    }

    fn in_session(&self, headers: &HeaderMap) -> bool {
        let Some(given) = cookie(headers).map(digest) else { return false };
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|(_, until)| *until > Instant::now());
        sessions.iter().any(|(known, _)| known.ct_eq(&given).into())
    }

    /// Begins a session for the token and returns the header that gives it to the browser; nothing for another token.
    pub(super) fn log_in(&self, token: &str, headers: &HeaderMap) -> Option<String> {
        if !self.is_token(token) {
            return None;
        }
        let id: [u8; 32] = rand::rng().random();
        let id = HEXLOWER.encode(&id);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.push_back((digest(&id), Instant::now() + SESSION));
        if sessions.len() > SESSIONS {
            sessions.pop_front();
        }
        Some(set_cookie(&id, SESSION.as_secs(), headers))
    }

    /// Ends the session of a browser and returns the header that takes its cookie away.
    pub(super) fn log_out(&self, headers: &HeaderMap) -> String {
        if let Some(given) = cookie(headers).map(digest) {
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            sessions.retain(|(known, _)| *known != given);
        }
        set_cookie("", 0, headers)
    }
}

/// Says whether a form comes from a page of this server: no other site may log a browser in or out.
pub(super) fn is_own_form(headers: &HeaderMap) -> bool {
    const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
    match (text(headers, &FETCH_SITE), text(headers, &header::ORIGIN)) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some_and(|host| text(headers, &header::HOST) == Some(host))
        }
        // Not a browser of the last ten years; it carries no cookie of a victim either.
        (None, None) => true,
    }
}

fn digest(text: &str) -> Digest {
    Sha256::digest(text.as_bytes()).into()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// A cookie for this server alone, out of reach of scripts and of other sites' pages.
fn set_cookie(value: &str, seconds: u64, headers: &HeaderMap) -> String {
    // This server speaks plain HTTP; behind a proxy that speaks TLS the browser must not send it in the clear.
    let forwarded = text(headers, &HeaderName::from_static("x-forwarded-proto"));
    let secure = if forwarded == Some("https") { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

/// The name of a host as it is compared: without port, brackets, a last dot and capitals.
fn named(host: &str) -> String {
    let host = host.trim();
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        // An address of IPv6 without brackets has colons of its own.
        None if host.matches(':').count() > 1 => host,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(access: &Access, uri: &str, hosts: &[&str]) -> bool {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        access.knows_host(&request.body(axum::body::Body::empty()).unwrap())
    }

    #[test]
    fn a_host_is_known_by_the_bind_or_the_list_whatever_its_port_and_case() {
        let own = Access::new("127.0.0.1:80".parse().unwrap(), &["Ops.Example.".into()], None);
        for host in ["127.0.0.1", "127.0.0.1:8080", "LocalHost:1", "[::1]:9", "ops.example:443"] {
            assert!(asks(&own, "/", &[host]), "{host}");
        }
        for host in ["", "evil.example", "10.0.0.7", "127.0.0.1.evil.example", "localhost.evil"] {
            assert!(!asks(&own, "/", &[host]), "{host}");
        }
        assert!(!asks(&own, "/", &[]) && !asks(&own, "/", &["localhost", "localhost"]));
        assert!(!asks(&own, "http://evil.example/", &["localhost"]));
        let all = Access::new("0.0.0.0:80".parse().unwrap(), &[], None);
        assert!(asks(&all, "/", &["10.0.0.7:8080"]) && !asks(&all, "/", &["evil.example"]));
    }

    #[test]
    fn sessions_are_few_and_end_with_the_log_out() {
        let access = Access::new("127.0.0.1:80".parse().unwrap(), &[], Some("token"));
        let none = HeaderMap::new();
        assert!(access.log_in("another", &none).is_none() && !access.allows(&none));
        let session = |set: &str| {
            let mut headers = HeaderMap::new();
            let pair = set.split(';').next().unwrap();
            headers.insert(header::COOKIE, format!("a=b; {pair}").parse().unwrap());
            headers
        };
        let first = session(&access.log_in("token", &none).unwrap());
        assert!(access.allows(&first));
        let last = (0..SESSIONS).map(|_| access.log_in("token", &none).unwrap()).last().unwrap();
        assert!(!access.allows(&first), "the oldest has made room");
        let last = session(&last);
        assert!(access.allows(&last));
        access.log_out(&last);
        assert!(!access.allows(&last));
    }
}
