//! The lines of times that SubRip and WebVTT share: `00:00:01,500 --> 00:00:04,000`.

/// The times of such a line, milliseconds; what may stand behind them does not count.
pub(super) fn line(line: &str) -> Option<(u64, u64)> {
    let (from, to) = line.split_once("-->")?;
    let to = to.split_whitespace().next()?;
    Some((stamp(from.trim())?, stamp(to)?))
}

/// `1:02:03,456`, `02:03.456`, `02:03`: hours may be missing, and the part behind the
/// second.
pub(super) fn stamp(text: &str) -> Option<u64> {
    let (whole, part) = match text.split_once([',', '.']) {
        Some((whole, part)) => (whole, thousandths(part.trim())?),
        None => (text, 0),
    };
    let numbers: Option<Vec<u64>> = whole.split(':').map(|text| digits(text.trim())).collect();
    let seconds = match *numbers?.as_slice() {
        [minutes, seconds] if seconds < 60 => minutes.checked_mul(60)?.checked_add(seconds)?,
        [hours, minutes, seconds] if minutes < 60 && seconds < 60 => hours
            .checked_mul(3_600)?
            .checked_add(minutes * 60 + seconds)?,
        _ => return None,
    };
    seconds.checked_mul(1_000)?.checked_add(part)
}

fn digits(text: &str) -> Option<u64> {
    // `parse` alone takes a sign.
    let are_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| text.parse().ok()).flatten()
}

fn thousandths(text: &str) -> Option<u64> {
    let mut padded: String = text.chars().take(3).collect();
    digits(text)?;
    while padded.len() < 3 {
        padded.push('0');
    }
    digits(&padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_both_formats_write_them() {
        assert_eq!(
            line("00:00:01,500 --> 01:02:03,004"),
            Some((1_500, 3_723_004))
        );
        assert_eq!(
            line("01:02.5 -->  02:00.25 align:start position:0%"),
            Some((62_500, 120_250))
        );
        assert_eq!(stamp("100:00:00.000"), Some(360_000_000));
        for text in [
            "",
            "12",
            "1:60",
            "-1:00",
            "1:00,",
            "1:00,-2",
            "x:00:00",
            "99999999999999999999:00",
        ] {
            assert_eq!(stamp(text), None, "{text}");
        }
    }
}
