//! A run that is asked to stop, also while the database is away.
//!
//! None of these would ever end if a wait did not look at the flag: patience has no end here.

use recovery_queue::*;

use crate::support::backends::{fill, on_each, prove, resolve};

#[test]
fn a_stop_before_the_start_of_a_run_lets_no_batch_begin() {
    on_each(|mut store| {
        let backlog = fill(&mut store, 10);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let stop = Stop::new();
        stop.ask();
        let options = RecoverOptions::default().with_stop(stop);
        let run = store.recover(&mut resolve, &options).unwrap();
        assert_eq!((run.stopped, run.claimed, run.recorded), (Stopped::Asked, 0, true));
        prove(&mut store, 10);
    });
}

#[cfg(feature = "sqlite")]
#[test]
fn a_stop_while_another_writer_holds_the_file_ends_the_run() {
    use diesel::Connection as _;
    use diesel::connection::SimpleConnection as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("locked.sqlite");
    let path = path.to_str().unwrap();
    let hour = std::time::Duration::from_hours(1);
    let options = OpenOptions::default().with_busy_timeout(hour);
    let mut store = SqlStore::open(&DatabaseUrl::parse(path).unwrap(), options).unwrap();
    store.migrate().unwrap();
    let backlog = fill(&mut store, 100);
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    let mut other = diesel::SqliteConnection::establish(path).unwrap();
    let stop = Stop::new();
    let mut asks = None;
    let options = RecoverOptions::default().with_batch_size(10).with_stop(stop.clone());
    let run = store
        .recover_with_progress(&mut resolve, &options, &mut |_| {
            other.batch_execute("BEGIN IMMEDIATE").unwrap();
            let stop = stop.clone();
            asks = Some(std::thread::spawn(move || {
                std::thread::sleep(std::time::Duration::from_millis(300));
                stop.ask();
            }));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!((run.stopped, run.batches, run.recorded), (Stopped::Asked, 1, false));
    asks.unwrap().join().unwrap();
    other.batch_execute("ROLLBACK").unwrap();
    store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
    prove(&mut store, 100);
}

#[cfg(feature = "postgres")]
mod on_postgres {
    use std::ops::ControlFlow;
    use std::thread;
    use std::time::Duration;

    use recovery_queue::testing::{PostgresServer, ScriptedResolver};

    use super::*;
    use crate::support::backends::counts;
    use crate::support::proxy::Proxy;
    use crate::support::server;

    fn endless(stop: &Stop) -> RecoverOptions {
        RecoverOptions::default()
            .with_batch_size(10)
            .with_max_reconnects(u32::MAX)
            .with_stop(stop.clone())
    }

    /// Asks once a run has begun to wait for the database.
    fn ask_soon(stop: &Stop) -> thread::JoinHandle<()> {
        let stop = stop.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(500));
            stop.ask();
        })
    }

    #[test]
    fn a_stop_while_the_server_is_down_ends_the_run_and_the_next_one_records_it() {
        let Some(server) = server::shared().filter(|server| server.pid().is_some()) else { return };
        let mut server = PostgresServer::start_with(&[]).unwrap_or_else(|error| {
            panic!("a second server beside {}: {error}", server.url());
        });
        let mut store = server::store(&server);
        let backlog = fill(&mut store, 100);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let stop = Stop::new();
        let mut asks = None;
        let run = store
            .recover_with_progress(&mut resolve, &endless(&stop), &mut |_| {
                server.stop_for_a_while();
                asks = Some(ask_soon(&stop));
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!((run.stopped, run.batches, run.recorded), (Stopped::Asked, 1, false));
        assert!(run.reconnects >= 1, "{run:?}");
        asks.unwrap().join().unwrap();

        server.start_again().unwrap();
        store.reconnect().unwrap();
        store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        let runs = store.snapshot().unwrap().runs(2).unwrap();
        let outcomes: Vec<_> = runs.iter().map(|run| run.outcome).collect();
        assert_eq!(outcomes, [Some(RunOutcome::Done), Some(RunOutcome::Killed)]);
        prove(&mut store, 100);
    }

    #[test]
    fn a_server_that_takes_a_connection_and_says_nothing_is_given_up_in_time() {
        let Some(server) = server::shared() else { return };
        let Some(proxy) = Proxy::start(server.url()) else { return };
        proxy.fall_silent();
        let url = DatabaseUrl::parse(proxy.url()).unwrap();
        let options = OpenOptions::default().with_connect_timeout(Duration::from_secs(2));
        let told = SqlStore::open(&url, options).map(drop).unwrap_err();
        assert!(told.is_retryable(), "{told}");
    }

    #[test]
    fn a_stop_while_the_server_says_nothing_ends_a_run_and_a_seed() {
        let Some(server) = server::shared() else { return };
        let Some(proxy) = Proxy::start(server.url()) else { return };
        let mut store = server::store_at(proxy.url());
        let backlog = fill(&mut store, 100);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let stop = Stop::new();
        let mut resolver = ScriptedResolver::new();
        let mut asks = None;
        let run = store
            .recover_with_progress(&mut resolver, &endless(&stop), &mut |_| {
                proxy.fall_silent();
                asks = Some(ask_soon(&stop));
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!((run.stopped, run.failed_total()), (Stopped::Asked, 10));
        asks.unwrap().join().unwrap();

        let stop = Stop::new();
        let asks = ask_soon(&stop);
        let options = SeedOptions::default().with_max_reconnects(u32::MAX).with_stop(stop);
        assert!(store.seed(&backlog, &options).unwrap_err().is_retryable());
        asks.join().unwrap();

        proxy.speak_again();
        store.reconnect().unwrap();
        assert_eq!(counts(&mut store)[&Status::Pending], 90);
        prove(&mut store, 100);
    }
}
