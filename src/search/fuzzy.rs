//! Words that are nearly the same: how many letters must change.
//!
//! The distance counts a letter put in, left out, changed, or exchanged with its
//! neighbour as one (optimal string alignment).

/// How many changes are forgiven: one in words of up to five letters, else two.
/// Words of one or two letters must be equal: nearly everything is near them.
pub(super) fn tolerance(letters: usize) -> usize {
    match letters {
        0..=2 => 0,
        3..=5 => 1,
        _ => 2,
    }
}

/// The number of changes between two words, if it is at most `most`.
pub(super) fn distance(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(last.len());
        row.push(i + 1);
        for (j, &to) in b.iter().enumerate() {
            let cost = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let changed = cost(&last, j) + usize::from(from != to);
            let mut best = changed.min(cost(&last, j + 1) + 1).min(cost(&row, j) + 1);
            let are_exchanged =
                i > 0 && j > 0 && a.get(i - 1) == Some(&to) && b.get(j - 1) == Some(&from);
            if are_exchanged {
                best = best.min(cost(&before_last, j - 1) + 1);
            }
            row.push(best);
        }
        if row.iter().all(|cost| *cost > most) {
            return None;
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|cost| *cost <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(a: &str, b: &str) -> Option<usize> {
        distance(
            &a.chars().collect::<Vec<_>>(),
            &b.chars().collect::<Vec<_>>(),
            2,
        )
    }

    #[test]
    fn the_four_slips_of_a_typist_cost_one_each() {
        assert_eq!(between("landlord", "landlord"), Some(0));
        assert_eq!(between("landlrod", "landlord"), Some(1));
        assert_eq!(between("landord", "landlord"), Some(1));
        assert_eq!(between("lanndlord", "landlord"), Some(1));
        assert_eq!(between("lendlord", "landlord"), Some(1));
        assert_eq!(between("lendlorde", "landlord"), Some(2));
        assert_eq!(between("lentlorde", "landlord"), None);
        assert_eq!(between("", "ab"), Some(2));
        assert_eq!(between("", "abc"), None);
    }
}
