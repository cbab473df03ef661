//! A clock that jumps, and days that must not change when it does.

use chrono::TimeDelta;
use recovery_queue::testing::minute;
use recovery_queue::*;

use crate::support::backends::{fill, on_each, prove, prove_drained, resolve};

#[test]
fn a_rolled_up_day_stays_as_it_was_when_the_clock_jumps_back() {
    on_each(|mut store| {
        store.set_clock(Some(minute(0)));
        let backlog = fill(&mut store, 100);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let mut limited = RecoverOptions::default();
        limited.limit = Some(40);
        store.set_clock(Some(minute(30)));
        store.recover(&mut resolve, &limited).unwrap();
        let day = minute(0).date_naive();
        let days = |store: &mut SqlStore| {
            let mut snapshot = store.snapshot().unwrap();
            snapshot.daily_metrics(day, day + TimeDelta::days(2), chrono_tz::Asia::Kolkata).unwrap()
        };
        let before = days(&mut store);
        store.set_clock(Some(minute(1440)));
        assert!(store.roll_up(minute(5000), None).is_err(), "the future is not over");
        let summed = store.roll_up(minute(1440), None).unwrap();
        assert_eq!((summed.rolled_up, summed.pruned), (140, 0));
        assert_eq!(days(&mut store), before, "a roll-up changes no figure");
        assert!(store.roll_up(minute(1440), Some(minute(1440))).unwrap().pruned > 0);
        assert_eq!(days(&mut store), before, "nor does pruning");
        store.set_clock(Some(minute(45)));
        store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        assert_eq!(days(&mut store)[0], before[0], "a reported day does not change");
        prove_drained(&mut store, 100);
    });
}

#[test]
fn a_day_is_closed_when_the_next_one_has_begun_and_today_is_what_the_queue_holds() {
    use recovery_queue::testing::TestStore;

    fn check(store: &mut dyn TestStore) {
        let lead = |number: i64| {
            let key = SourcePk::new(format!("L-{number}")).unwrap();
            BacklogLead::new(key, minute(-10_000 + number))
        };
        let seed = |store: &mut dyn TestStore, leads: i64| {
            let backlog = InMemoryBacklog::new("all", (0..leads).map(lead));
            store.seed(&backlog, &SeedOptions::default()).unwrap();
        };
        let first = minute(0).date_naive();
        let days = |store: &mut dyn TestStore| {
            let mut snapshot = store.snapshot().unwrap();
            let today = snapshot.as_of().date_naive();
            let days = snapshot.daily_metrics(first, today, chrono_tz::UTC).unwrap();
            let open = backlog_size(&snapshot.status_counts().unwrap());
            assert_eq!(days.last().unwrap().backlog_end, i64::try_from(open).unwrap());
            days
        };
        store.set_clock(minute(0));
        seed(store, 20);
        // The second day begins with a run that does nothing.
        store.set_clock(minute(24 * 60));
        store.recover(&mut resolve, &RecoverOptions::default().with_limit(Some(0))).unwrap();
        let told = days(store);
        for minutes in [0, 23 * 60, -10_000] {
            store.set_clock(minute(minutes));
            store.recover(&mut resolve, &RecoverOptions::default().with_limit(Some(4))).unwrap();
            seed(store, 30);
            let now = days(store);
            assert_eq!(now[0], told[0], "a day that was told");
            assert_eq!(now.len(), 2, "and today is still today");
        }
    }

    check(&mut InMemoryStore::new());
    on_each(|mut store| check(&mut store));
}

#[test]
fn a_clock_that_jumps_to_and_fro_loses_and_doubles_nothing() {
    on_each(|mut store| {
        let backlog = fill(&mut store, 200);
        let mut options = RecoverOptions::default();
        options.limit = Some(20);
        // Decades on and back, and before 1970.
        for minutes in [0, 30_000_000, -30_000_000, 5, -40_000_000, 10, 9, 8, 7, 0] {
            store.set_clock(Some(minute(minutes)));
            store.seed(&backlog, &SeedOptions::default()).unwrap();
            store.recover(&mut resolve, &options).unwrap();
            prove(&mut store, 200);
        }
        store.set_clock(Some(minute(100)));
        let mut never = SeedOptions::default();
        never.cool_down = None;
        store.seed(&backlog, &never).unwrap();
        store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        prove_drained(&mut store, 200);
    });
}
