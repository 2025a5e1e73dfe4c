use super::*;

const FIRST: u64 = 1;

/// A count of goroutines numbered from `first` on, none of which waits.
fn count(first: u64, live: usize) -> Count {
    let mut count = Count::default();
    (first..first + live as u64).for_each(|id| count.add(id, None));
    count
}

/// The history of counts of so many, of whom the first stays, at the pace of sysmon.
fn history(counts: &[(u64, usize)]) -> (History, u64) {
    let mut now = PERIOD;
    let mut history = History::new(&count(counts[0].0, counts[0].1), now);
    for (first, live) in counts {
        now += PERIOD;
        history.note(&count(*first, *live), now);
    }
    (history, now)
}

#[test]
fn what_only_grows_is_told_from_its_first_count_on() {
    let growth: Vec<(u64, usize)> = (1..=20).map(|n| (FIRST, n * 100)).collect();
    let (history, now) = history(&growth);
    assert!(history.grows(now));
    assert_eq!((history.base, history.peak), (100, 2000));
    assert_eq!(history.grew_for(), 20 * PERIOD);
}

#[test]
fn a_few_may_end_meanwhile() {
    let growth = (1..=20).map(|n| (FIRST, n * 100 - n % 2 * 10));
    let (history, now) = history(&growth.collect::<Vec<_>>());
    assert!(history.grows(now));
}

#[test]
fn too_short_or_too_little_is_no_growth() {
    let short: Vec<(u64, usize)> = (1..=7).map(|n| (FIRST, n * 100)).collect();
    let (history_of_short, now) = history(&short);
    assert!(!history_of_short.grows(now));
    let little: Vec<(u64, usize)> = (1..=40).map(|n| (FIRST, 100 + n)).collect();
    let (history_of_little, now) = history(&little);
    assert!(!history_of_little.grows(now));
}

#[test]
fn a_crowd_that_comes_and_goes_is_none() {
    let waves: Vec<(u64, usize)> = (0..60).map(|n| (FIRST, 10 + n % 6 * 200)).collect();
    for upto in 1..waves.len() {
        let (history, now) = history(&waves[..upto]);
        assert!(!history.grows(now), "after {upto} counts");
    }
}

#[test]
fn more_work_that_ends_is_none() {
    // Of those that one count saw none is left at the next but two.
    let load: Vec<(u64, usize)> = (1..=40).map(|n| (n * 4000, n as usize * 100)).collect();
    let (history, now) = history(&load);
    assert!(!history.grows(now));
}

#[test]
fn growth_is_over_when_it_has_stood_still_or_shrunk() {
    let mut counts: Vec<(u64, usize)> = (1..=12).map(|n| (FIRST, n * 100)).collect();
    let (grown, now) = history(&counts);
    assert!(grown.grows(now + STANDS / 2));
    assert!(!grown.grows(now + 2 * STANDS));
    counts.push((FIRST, 900));
    let (shrunk, now) = history(&counts);
    assert!(!shrunk.grows(now));
}

#[test]
fn the_longest_waits_are_followed_until_they_end() {
    let with = |waits: &[Began]| {
        let mut count = Count::default();
        waits.iter().for_each(|w| count.add(w.1, Some(*w)));
        count
    };
    // 1 waits from the beginning on, the others for a count each.
    let mut history = History::new(&with(&[(0, 1, 1), (90, 2, 1), (95, 3, 1)]), 100);
    history.note(&with(&[(0, 1, 1), (190, 2, 3), (185, 3, 3)]), 200);
    assert_eq!((history.ended, history.longest_ended), (1, 10));
    history.note(&with(&[(0, 1, 1), (290, 2, 5), (295, 3, 5)]), 300);
    assert_eq!((history.ended, history.longest_ended), (2, 15));
    history.note(&with(&[(390, 2, 7)]), 400);
    assert_eq!((history.ended, history.longest_ended), (4, 300));
}

#[test]
fn two_addresses_of_a_line_are_one() {
    let mut one = count(5, 3);
    one.merge(count(1, 2));
    assert_eq!((one.live, one.first, one.last), (5, 1, 7));
}
