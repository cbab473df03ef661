//! The requests: each takes a connection of the pool for one transaction, where blocking is allowed.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::{get, put};
use diesel::{Connection as _, PgConnection};
use guardrails::{Suite, clock::Monotonic, format};
use recovery_queue::{BorrowedStore, LeadStore as _, SourcePk, StoreFacts};

use crate::{Error, Service, tables, tables::Contact};

type Shared = State<Arc<Service>>;
type Put = (Shared, Path<String>, Form<Contact>);
type Refused = (StatusCode, String);

pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/customers/{id}", put(put_customer))
        .route("/sign-ups/{id}", put(put_sign_up).get(get_sign_up))
        .route("/guardrails", get(guardrails))
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .with_state(service)
}

/// Does the work of a request; what goes wrong is for the log, which a client does not see.
async fn with_connection<T: Send + 'static>(
    service: Arc<Service>,
    work: impl FnOnce(&Service, &mut PgConnection) -> Result<T, Error> + Send + 'static,
) -> Result<T, Refused> {
    let done = crate::spawn_blocking(move || work(&service, &mut *service.pool.get()?));
    done.await.map_err(Error::from).flatten().map_err(|error| {
        tracing::warn!("a request failed: {error}");
        (StatusCode::SERVICE_UNAVAILABLE, "try again later\n".to_owned())
    })
}

fn key(id: &str) -> Result<SourcePk, Refused> {
    SourcePk::new(id).map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}\n")))
}

/// The customer, the candidates and the sign-ups to try again change in one transaction, or not at all.
async fn put_customer((State(service), Path(id), Form(contact)): Put) -> Result<String, Refused> {
    key(&id)?;
    let woken = with_connection(service, move |service, db| {
        let normaliser = service.wake.normaliser();
        let woken = db.transaction(|db| {
            let before = tables::put_customer(db, &id, &contact)?;
            let store = BorrowedStore::on(&mut *db);
            let person = [(id.as_str(), &normaliser.normalise(&contact.record()))];
            store.candidate_index(service.secret, normaliser)?.replace(&person)?;
            // Who shared the old phone has one candidate fewer, who shares the new one has one more.
            let both = before.iter().chain([&contact]);
            let keys: Vec<_> = both.flat_map(|who| service.wake.of(&who.record())).collect();
            BorrowedStore::on(db).wake(&keys)
        })?;
        let _ = service.work.try_send(());
        Ok(woken)
    });
    Ok(format!("{} sign-ups are tried again\n", woken.await?))
}

async fn put_sign_up((State(service), Path(id), Form(contact)): Put) -> Result<String, Refused> {
    key(&id)?;
    let taken = with_connection(service, move |service, db| {
        let rows = tables::put_sign_up(db, &id, &contact)?;
        let _ = service.work.try_send(());
        Ok(rows)
    });
    Ok(format!("{} sign-ups are new\n", taken.await?))
}

async fn get_sign_up(State(service): Shared, Path(id): Path<String>) -> Result<String, Refused> {
    let key = key(&id)?;
    let found = with_connection(service, move |_, db| Ok(BorrowedStore::on(db).lead(&key)?));
    let unknown = || (StatusCode::NOT_FOUND, "no such sign-up, or not seen yet\n".to_owned());
    let row = found.await?.ok_or_else(unknown)?.row;
    let customer = row.person_key.map(|key| format!(" {key}")).unwrap_or_default();
    Ok(format!("{}{customer}\n", row.status.code()))
}

async fn guardrails(State(service): Shared) -> Result<impl IntoResponse, Refused> {
    let report = with_connection(service, |service, db| {
        let mut store = BorrowedStore::on(db);
        let facts = StoreFacts::new(store.read()?, &service.backlog);
        Ok(format::json(&Suite::recovery().run(&facts, &Monotonic::start()))?)
    });
    Ok(([(CONTENT_TYPE, "application/json")], report.await?))
}

/// Takes no more work while it stops, and while the database is away.
async fn ready(State(service): Shared) -> Result<&'static str, Refused> {
    let ready = with_connection(service, |service, db| {
        BorrowedStore::on(db).read()?;
        if service.stop.is_asked() { Err("it is stopping".into()) } else { Ok("ready\n") }
    });
    ready.await
}
