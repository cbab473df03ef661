//! A loopback proxy to PostgreSQL that loses a commit, or the answer to it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The server never hears of the commit.
    Commit,
    /// The server commits, and the client never hears of it.
    Answer,
}

#[derive(Default)]
struct State {
    /// How many commits from now the connection is cut; 0 and less: not at all.
    countdown: AtomicI64,
    answer: AtomicBool,
    cuts: AtomicU32,
    /// Whether connections are taken and nothing is passed on.
    silent: AtomicBool,
    /// The connections that are passed on.
    open: Mutex<Vec<TcpStream>>,
}

/// Passes on every byte between clients and a server, until it is told to cut.
pub(crate) struct Proxy {
    url: String,
    state: Arc<State>,
}

/// What a client sends to commit: a simple query of the protocol's version 3.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

impl Proxy {
    /// Starts a proxy before the server that a URL names by host and port.
    pub(crate) fn start(url: &str) -> Option<Self> {
        let (user, rest) = url.split_once('@')?;
        let (server, database) = rest.split_once('/')?;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let (shared, server) = (Arc::clone(&state), server.to_owned());
        // Ends with the process.
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for client in listener.incoming().flatten() {
                if shared.silent.load(SeqCst) {
                    held.push(client);
                    continue;
                }
                held.clear();
                let Ok(upstream) = TcpStream::connect(&server) else { continue };
                shared.open.lock().unwrap().extend(client.try_clone());
                pass_on(client, upstream, &shared);
            }
        });
        // The encryption that the client would try first hides the commits.
        let mark = if database.contains('?') { '&' } else { '?' };
        let url =
            format!("{user}@127.0.0.1:{port}/{database}{mark}sslmode=disable&gssencmode=disable");
        Some(Self { url, state })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Cuts the connection at the `nth` commit from now.
    pub(crate) fn lose(&self, nth: i64, lost: Lost) {
        self.state.cuts.store(0, SeqCst);
        self.state.answer.store(lost == Lost::Answer, SeqCst);
        self.state.countdown.store(nth, SeqCst);
    }

    /// Cuts all connections; takes new ones, and never says a word.
    pub(crate) fn fall_silent(&self) {
        self.state.silent.store(true, SeqCst);
        for client in self.state.open.lock().unwrap().drain(..) {
            let _ = client.shutdown(Shutdown::Both);
        }
    }

    /// Passes on what new connections say.
    pub(crate) fn speak_again(&self) {
        self.state.silent.store(false, SeqCst);
    }

    /// Gives how often the connection was cut since it was last asked for.
    pub(crate) fn cuts(&self) -> u32 {
        self.state.cuts.load(SeqCst)
    }
}

fn pass_on(client: TcpStream, upstream: TcpStream, state: &Arc<State>) {
    let cut = |one: &TcpStream, other: &TcpStream| {
        let _ = one.shutdown(Shutdown::Both);
        let _ = other.shutdown(Shutdown::Both);
    };
    let swallow = Arc::new(AtomicBool::new(false));
    let (mut from, mut to) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
    let (shared, swallows) = (Arc::clone(state), Arc::clone(&swallow));
    std::thread::spawn(move || {
        let mut buffer = [0; 16_384];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let commits = buffer[..read].windows(COMMIT.len()).any(|bytes| bytes == COMMIT);
            if commits && shared.countdown.fetch_sub(1, SeqCst) == 1 {
                if !shared.answer.load(SeqCst) {
                    shared.cuts.fetch_add(1, SeqCst);
                    break;
                }
                swallows.store(true, SeqCst);
            }
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        cut(&from, &to);
    });
    let (mut from, mut to) = (upstream, client);
    let shared = Arc::clone(state);
    std::thread::spawn(move || {
        let mut buffer = [0; 16_384];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if swallow.load(SeqCst) {
                // The server has answered, so it has committed.
                shared.cuts.fetch_add(1, SeqCst);
                break;
            }
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        cut(&from, &to);
    });
}
