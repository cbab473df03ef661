//! The server: connections with limits, and a stop that lets answers end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use super::connections::Connections;

/// What one client, and all of them together, may take.
///
/// Memory for connections is at most `connections` times twice `head_bytes`; answers from memory are shared.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at the same time. One more closes the one that has been without a request for longest; where each has
    /// a request under way, it waits.
    pub connections: usize,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// How long a client may take to send a head, and to take a part of its answer.
    pub head_time: Duration,
    /// How long answers may take to end when the server stops.
    pub stop_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Well below the 1,024 open files that systems grant by default.
            connections: 512,
            head_bytes: 16 * 1_024,
            head_time: Duration::from_secs(10),
            stop_time: Duration::from_secs(10),
        }
    }
}

/// Serves until `stop` is over, then accepts nothing more and lets open answers end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head_bytes);
    let connections = Arc::new(Connections::new(limits.connections));
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let accepted = async {
            let stream = listener.accept().await;
            connections.room().await;
            stream
        };
        let stream = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let stream = match stream {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Such as no file handle left: waiting lets others close theirs.
                tracing::warn!(name: "ops.accept_failed", %error);
                connections.close_idle();
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.head_time));
        let open = Arc::new(connections.open());
        let (router, under_way) = (router.clone(), Arc::clone(&open));
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let (router, busy) = (router.clone(), under_way.busy());
            async move {
                let answer = router.oneshot(request.map(Body::new)).await;
                drop(busy);
                answer
            }
        });
        let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that goes away in the middle is its own affair.
            tokio::select! {
                _ = watched => {}
                () = open.closed() => {}
            }
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(limits.stop_time, graceful.shutdown()).await;
}
