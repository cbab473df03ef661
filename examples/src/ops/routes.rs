//! The routes, and the rules that hold for all of them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Form, Query, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use guardrails::format::OPENMETRICS_TYPE;
use guardrails::page::{Body, CONTENT_SECURITY_POLICY, FormField, plain_page};
use recovery_queue::{FailReason, SourcePk};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::access::{Access, is_own_form};
use super::{METRICS_PATH, Problem, Source, leads};

const OPENAPI: &str = include_str!("openapi.json");
const JSON: &str = "application/json";
/// Pages of leads that are read at the same time.
const READS: usize = 2;

/// Bytes of a form.
const FORM: usize = 4 * 1_024;

/// What the routes share.
#[derive(Debug)]
pub struct Answers {
    source: Arc<Source>,
    access: Access,
    time: Duration,
    reads: Arc<Semaphore>,
}

impl Answers {
    /// Makes answers from a source, for whom `access` lets in; probes are answered to everybody.
    #[must_use]
    pub fn new(source: Arc<Source>, access: Access, time: Duration) -> Self {
        Self { source, access, time, reads: Arc::new(Semaphore::new(READS)) }
    }
}

/// Makes the router of every route.
pub fn router(answers: Arc<Answers>) -> Router {
    let guarded = Router::new()
        .route(METRICS_PATH, get(metrics))
        .route("/metrics", get(openmetrics))
        .route("/openapi.json", get(openapi))
        .route("/", get(page))
        .route("/leads", get(leads_of_reason))
        .route("/lead", get(lead))
        .route("/review", get(review))
        .layer(from_fn_with_state(Arc::clone(&answers), authorised));
    guarded
        .route("/login", get(login_form).post(login))
        .route("/logout", post(logout))
        .layer(DefaultBodyLimit::max(FORM))
        .layer(from_fn_with_state(Arc::clone(&answers), to_this_host))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this route takes another method; most take GET",
            )
        })
        .fallback(async || {
            Problem::new(StatusCode::NOT_FOUND, "there is nothing here; see /openapi.json")
        })
        .layer(from_fn_with_state(Arc::clone(&answers), limited))
        .with_state(answers)
}

type Shared = State<Arc<Answers>>;

/// A page of another site whose name was pointed here (DNS rebinding) gets no answer.
async fn to_this_host(State(answers): Shared, request: Request, next: Next) -> Response {
    if answers.access.knows_host(&request) {
        return next.run(request).await;
    }
    Problem::wrong_host().into_response()
}

async fn authorised(State(answers): Shared, request: Request, next: Next) -> Response {
    if answers.access.allows(request.headers()) {
        return next.run(request).await;
    }
    let html = |value: &HeaderValue| value.to_str().is_ok_and(|kinds| kinds.contains("text/html"));
    if request.headers().get(header::ACCEPT).is_some_and(html) {
        return (StatusCode::UNAUTHORIZED, login_page("")).into_response();
    }
    let what = "send the header `Authorization: Bearer TOKEN`, or open /login in a browser";
    Problem::new(StatusCode::UNAUTHORIZED, what).into_response()
}

fn login_page(why: &str) -> Html<String> {
    let body = if why.is_empty() { Body::default() } else { Body::default().paragraph(why) };
    let field = FormField { name: "token", label: "Token", value: "", secret: true };
    Html(plain_page("Log in", None, &body.form("/login", &field, "Log in", true)))
}

async fn login_form(State(answers): Shared) -> Response {
    if answers.access.has_token() {
        login_page("").into_response()
    } else {
        Redirect::to("/").into_response()
    }
}

#[derive(Deserialize)]
struct Given {
    token: String,
}

async fn login(
    State(answers): Shared,
    headers: HeaderMap,
    given: Result<Form<Given>, FormRejection>,
) -> Result<Response, Problem> {
    own_form(&headers)?;
    // The rejection's own words would quote what was sent.
    let Form(given) =
        given.map_err(|error| Problem::new(error.status(), "send the form of /login"))?;
    if !answers.access.has_token() {
        return Ok(Redirect::to("/").into_response());
    }
    Ok(match answers.access.log_in(&given.token, &headers) {
        Some(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response(),
        None => (StatusCode::UNAUTHORIZED, login_page("That is not the token.")).into_response(),
    })
}

async fn logout(State(answers): Shared, headers: HeaderMap) -> Result<Response, Problem> {
    own_form(&headers)?;
    let cookie = answers.access.log_out(&headers);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/login")).into_response())
}

fn own_form(headers: &HeaderMap) -> Result<(), Problem> {
    let what = "the form was sent by a page of another site";
    if is_own_form(headers) { Ok(()) } else { Err(Problem::new(StatusCode::FORBIDDEN, what)) }
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

async fn leads_of_reason(
    State(answers): Shared,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Html<String>, Problem> {
    let Query(asked) = asked.map_err(|error| bad(error.body_text()))?;
    let reason: FailReason =
        asked.reason.parse().map_err(|_| bad("`reason` is not a known fail reason"))?;
    if !asked.after.is_empty() && SourcePk::new(asked.after.as_str()).is_err() {
        return Err(bad("`after` is not a key of a lead"));
    }
    tracing::debug!(name: "ops.leads", reason = reason.code());
    let time = answers.time;
    let wanted = reason.clone();
    let found = read(&answers, move |source| source.leads(&wanted, &asked.after, time)).await?;
    Ok(Html(leads::list(&reason, &found)))
}

async fn review(State(answers): Shared) -> Result<Response, Problem> {
    let view = answers.source.view()?;
    let as_of = view.as_of.to_rfc3339();
    Ok(([(header::CONTENT_TYPE.as_str(), JSON), ("x-as-of", &as_of)], view.review.clone())
        .into_response())
}

#[derive(Deserialize)]
struct Wanted {
    key: String,
}

async fn lead(
    State(answers): Shared,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Wanted { key }) = wanted.map_err(|error| bad(error.body_text()))?;
    let known = SourcePk::new(key.as_str()).map_err(|_| bad("`key` is not a key of a lead"))?;
    Ok(match read(&answers, move |source| source.lead(&known)).await? {
        Some(record) => Html(leads::one(&record, answers.source.launcher())).into_response(),
        None => (StatusCode::NOT_FOUND, Html(leads::unknown(&key))).into_response(),
    })
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

/// Reads the database for one request; few do at a time.
async fn read<T: Send + 'static>(
    answers: &Answers,
    work: impl FnOnce(&Source) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let Ok(place) = Arc::clone(&answers.reads).acquire_owned().await else {
        return Err(Problem::unavailable("the server is stopping"));
    };
    let source = Arc::clone(&answers.source);
    // The place is given back when the read ends, also where its client has gone away meanwhile.
    let work = move || {
        let _place = place;
        work(&source)
    };
    let read = tokio::task::spawn_blocking(work).await;
    read.map_err(|_| Problem::unavailable("the leads could not be read"))?
}
