//! TIMESTAMPs as text: `2021-12-08 13:46:23.123456`, in UTC and in the
//! Gregorian calendar, as immudb's wire shows and reads them.

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400;
/// Days from 1 March of the year 0 to 1970.
const EPOCH: i64 = 719_468;
/// Days in 400 years.
const ERA: i64 = 146_097;

/// Microseconds since 1970. `None` for any other text.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (date, clock) = text.split_once(' ')?;
    let [year, month, day] = numbers(date, '-')?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(clock, ':')?;
    let digits = fraction.len();
    let legal = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && (1..=6).contains(&digits)
        && fraction.bytes().all(|b| b.is_ascii_digit());
    if !legal {
        return None;
    }
    let micros = fraction.parse::<i64>().ok()? * 10_i64.pow(6 - digits as u32);
    // Years that begin in March end with the day that some do not have.
    let year = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH;
    Some((days * DAY + hour * 3600 + minute * 60 + second) * MICROS + micros)
}

/// The text; `None` outside the years 1 to 9999.
pub(crate) fn format(micros: i64) -> Option<String> {
    let (seconds, fraction) = (micros.div_euclid(MICROS), micros.rem_euclid(MICROS));
    let (days, clock) = (seconds.div_euclid(DAY) + EPOCH, seconds.rem_euclid(DAY));
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    (1..=9999).contains(&year).then(|| {
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{fraction:06}")
    })
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let mut parts = text.split(between).map(|part| {
        let digits =
            !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
        if digits { part.parse().ok() } else { None }
    });
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times_are_read_and_written() {
        for (text, micros) in [
            ("1970-01-01 00:00:00.000000", 0),
            ("1969-12-31 23:59:59.999999", -1),
            ("2021-12-08 13:46:23.123450", 1_638_971_183_123_450),
            ("2000-02-29 00:00:00.000000", 951_782_400_000_000),
            ("1900-03-01 00:00:00.000000", -2_203_891_200_000_000),
            ("9999-12-31 23:59:59.000000", 253_402_300_799_000_000),
        ] {
            assert_eq!(parse(text), Some(micros), "{text}");
            assert_eq!(format(micros).as_deref(), Some(text));
        }
        assert_eq!(parse("2021-12-08 13:46:23"), Some(1_638_971_183_000_000));
        assert_eq!(parse("2021-12-08 13:46:23.5"), Some(1_638_971_183_500_000));
    }

    #[test]
    fn every_day_comes_back() {
        for day in (-700_000..2_900_000).step_by(97) {
            let micros = day * DAY * MICROS + 12_345;
            assert_eq!(parse(&format(micros).unwrap()), Some(micros), "day {day}");
        }
        assert_eq!((format(i64::MIN), format(i64::MAX)), (None, None));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "2021-12-08",
            "2021-13-08 00:00:00",
            "2021-12-08 24:00:00",
            "2021-12-08 00:00:00.",
            "2021-12-08 00:00:00.1234567",
            "2021-12-08T00:00:00",
            "+021-12-08 00:00:00",
            "2021-12-08 00:00:00 +01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
