use guardrails::{Threshold, ThresholdError, Thresholds};
use proptest::prelude::*;

#[test]
fn what_is_no_threshold_is_refused_with_the_text() {
    for text in ["", "x", "-1", "1, 2", "5%, 6%", "NaN%", "%", "1.5"] {
        assert!(text.parse::<Threshold>().is_err(), "{text}");
    }
    let error = "101%".parse::<Threshold>().unwrap_err();
    assert_eq!(error, ThresholdError::RatioOutOfRange { ratio: "101%".into() });
    assert!(Threshold::ratio(f64::NAN).is_err());
    // More than the whole population can never be.
    assert_eq!("100%".parse::<Threshold>(), Err(ThresholdError::NeverCrossed));
    assert_eq!(Threshold::ratio(1.0), Err(ThresholdError::NeverCrossed));
}

#[test]
fn a_ratio_without_a_population_is_not_decided() {
    let ratio = Threshold::ratio(0.1).unwrap();
    assert_eq!(ratio.is_crossed(1, None), None);
    assert_eq!("3, 10%".parse::<Threshold>().unwrap().is_crossed(4, None), Some(true));
}

proptest! {
    #[test]
    fn a_threshold_reads_back_what_it_was_written_as(count in any::<u64>(), percent in 0_u32..100) {
        let both: Threshold = format!("{count}, {percent}%").parse().unwrap();
        prop_assert_eq!(both.count, Some(count));
        prop_assert!((both.ratio.unwrap() - f64::from(percent) / 100.0).abs() < 1e-12);
    }

    #[test]
    fn more_offenders_never_uncross_a_threshold(
        most in 0_u64..100, ratio in 0.0..=1.0_f64, offenders in 0_u64..200, more in 0_u64..50,
        population in 1_u64..300,
    ) {
        let threshold = Threshold { count: Some(most), ratio: Some(ratio) };
        let before = threshold.is_crossed(offenders, Some(population)).unwrap();
        let after = threshold.is_crossed(offenders + more, Some(population)).unwrap();
        prop_assert!(!before || after);
    }

    #[test]
    fn accepted_pairs_can_warn_without_failing(warn in 0_u64..50, fail in 0_u64..50) {
        let pair = Thresholds::new(Threshold::count(warn), Threshold::count(fail));
        prop_assert_eq!(pair.is_ok(), warn < fail);
    }
}
