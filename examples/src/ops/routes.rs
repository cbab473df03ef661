//! The routes, and the rules that hold for all of them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use guardrails::format::OPENMETRICS_TYPE;
use guardrails::page::{Body, CONTENT_SECURITY_POLICY, Table, encoded, plain_page};
use recovery_queue::{FailReason, SourcePk};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::{METRICS_PATH, Problem, Source};

const OPENAPI: &str = include_str!("openapi.json");
const JSON: &str = "application/json";
/// Pages of leads that are read at the same time.
const READS: usize = 2;

/// What the routes share.
#[derive(Debug)]
pub struct Answers {
    source: Arc<Source>,
    token: Option<[u8; 32]>,
    time: Duration,
    reads: Arc<Semaphore>,
}

impl Answers {
    /// Makes answers from a source; with a token every route but the probes asks for it.
    #[must_use]
    pub fn new(source: Arc<Source>, token: Option<&str>, time: Duration) -> Self {
        let token = token.map(|token| Sha256::digest(token.as_bytes()).into());
        Self { source, token, time, reads: Arc::new(Semaphore::new(READS)) }
    }

    fn allows(&self, headers: &HeaderMap) -> bool {
        let Some(expected) = self.token else { return true };
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            // The scheme's name is written in any case (RFC 9110, 11.1).
            .and_then(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer").then_some(token));
        // Digests of one length in constant time: how long it takes tells neither the token nor its length.
        given.is_some_and(|token| Sha256::digest(token.as_bytes()).ct_eq(&expected).into())
    }
}

/// Makes the router of every route.
pub fn router(answers: Arc<Answers>) -> Router {
    let guarded = Router::new()
        .route(METRICS_PATH, get(metrics))
        .route("/metrics", get(openmetrics))
        .route("/openapi.json", get(openapi))
        .route("/", get(page))
        .route("/leads", get(leads))
        .layer(from_fn_with_state(Arc::clone(&answers), authorised));
    guarded
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this server only reads: use GET")
        })
        .fallback(async || {
            Problem::new(StatusCode::NOT_FOUND, "there is nothing here; see /openapi.json")
        })
        .layer(from_fn_with_state(Arc::clone(&answers), limited))
        .with_state(answers)
}

type Shared = State<Arc<Answers>>;

async fn authorised(State(answers): Shared, request: Request, next: Next) -> Response {
    if answers.allows(request.headers()) {
        return next.run(request).await;
    }
    Problem::new(StatusCode::UNAUTHORIZED, "send the header `Authorization: Bearer TOKEN`")
        .into_response()
}

/// A time limit, and headers that hold for every answer.
async fn limited(State(answers): Shared, request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(answers.time, next.run(request)).await;
    let mut response = answer.unwrap_or_else(|_| Problem::too_slow().into_response());
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn metrics(State(answers): Shared) -> Result<Response, Problem> {
    let view = answers.source.view()?;
    let as_of = view.as_of.to_rfc3339();
    Ok(([(header::CONTENT_TYPE.as_str(), JSON), ("x-as-of", &as_of)], view.metrics.clone())
        .into_response())
}

async fn openmetrics(State(answers): Shared) -> Result<Response, Problem> {
    let view = answers.source.view()?;
    Ok(([(header::CONTENT_TYPE, OPENMETRICS_TYPE)], view.openmetrics.clone()).into_response())
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, JSON)], OPENAPI).into_response()
}

async fn page(State(answers): Shared, RawQuery(query): RawQuery) -> Result<Html<Bytes>, Problem> {
    let view = answers.source.view()?;
    let live = query.is_some_and(|query| query.split('&').any(|part| part == "live"));
    Ok(Html(if live { view.live_page.clone() } else { view.page.clone() }))
}

/// Ready once the database was read, and at the head of its migrations.
async fn ready(State(answers): Shared) -> Result<&'static str, Problem> {
    answers.source.view().map(|_| "ready\n")
}

#[derive(Deserialize)]
struct Asked {
    reason: String,
    #[serde(default)]
    after: String,
}

async fn leads(
    State(answers): Shared,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Html<String>, Problem> {
    let bad = |detail: String| Problem::new(StatusCode::BAD_REQUEST, detail);
    let Query(asked) = asked.map_err(|error| bad(error.body_text()))?;
    let reason: FailReason =
        asked.reason.parse().map_err(|_| bad("`reason` is not a known fail reason".to_owned()))?;
    if !asked.after.is_empty() && SourcePk::new(asked.after.as_str()).is_err() {
        return Err(bad("`after` is not a key of a lead".to_owned()));
    }
    let Ok(place) = Arc::clone(&answers.reads).acquire_owned().await else {
        return Err(Problem::unavailable("the server is stopping"));
    };
    let source = Arc::clone(&answers.source);
    let (after, time) = (asked.after, answers.time);
    tracing::debug!(name: "ops.leads", reason = reason.code());
    // The place is given back when the read ends, also where its client has gone away meanwhile.
    let read = move || {
        let _place = place;
        source.leads(reason, &after, time)
    };
    let found = tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| Problem::unavailable("the leads could not be read"))??;
    let heading = format!("Leads that failed as {}", reason.code());
    let unlisted = found.total.saturating_sub(found.listed.len() as u64);
    let table =
        Table::new(format!("{} from here on", found.total), ["Lead", "What is known"]).keys();
    let table = found.listed.iter().fold(table, |table, row| table.row([&row.key, &row.reason]));
    let mut body = if found.listed.is_empty() {
        Body::default().paragraph("There are none from here on.")
    } else {
        Body::default().table(&table)
    };
    if let Some(last) = found.listed.last().filter(|_| unlisted > 0) {
        let next = format!("/leads?reason={}&after={}", reason.code(), encoded(&last.key));
        body = body.link(&next, &format!("Next page ({unlisted} more)"));
    }
    Ok(Html(plain_page(&heading, Some(("/", "Back to the overview")), &body)))
}
