//! The date and time that `strftime_now` of a template gives.

/// A moment as the user's clock shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CivilTime {
    year: i64,
    /// 1 to 12.
    month: u32,
    /// 1 to 31.
    day: u32,
    /// 0 to 365.
    day_of_year: u32,
    /// From Sunday, 0 to 6.
    weekday: u32,
    second_of_day: u32,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl CivilTime {
    /// From seconds since 1970, with the offset of the user's time zone added.
    #[must_use]
    pub fn from_unix(local_seconds: i64) -> CivilTime {
        let days = local_seconds.div_euclid(86_400);
        // Howard Hinnant's civil_from_days (https://howardhinnant.github.io/date_algorithms.html): years from March,
        // eras of 400 years.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_from_march = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_from_march + 2) / 153;
        let day = day_from_march - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let day_of_year = match month {
            1 | 2 => day_from_march - 306,
            _ => day_from_march + 59 + i64::from(is_leap),
        };
        CivilTime {
            year,
            month: month as u32,
            day: day as u32,
            day_of_year: day_of_year as u32,
            weekday: (days + 4).rem_euclid(7) as u32,
            second_of_day: local_seconds.rem_euclid(86_400) as u32,
        }
    }

    /// `strftime` of C in English. Directives it does not have stay as they are.
    pub(super) fn format(&self, format: &str) -> String {
        let mut out = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            // `%-d` leaves out leading zeros.
            let mut directive = chars.next();
            let padded = directive != Some('-');
            if !padded {
                directive = chars.next();
            }
            self.push(&mut out, directive, padded);
        }
        out
    }

    fn push(&self, out: &mut String, directive: Option<char>, padded: bool) {
        let (hour, minute, second) = (self.second_of_day / 3600, self.second_of_day / 60 % 60, self.second_of_day % 60);
        let mut number = |value: u32, width: usize| match padded {
            true => out.push_str(&format!("{value:0width$}")),
            false => out.push_str(&value.to_string()),
        };
        match directive {
            Some('d') => number(self.day, 2),
            Some('m') => number(self.month, 2),
            Some('y') => number(self.year.rem_euclid(100) as u32, 2),
            Some('H') => number(hour, 2),
            Some('I') => number((hour + 11) % 12 + 1, 2),
            Some('M') => number(minute, 2),
            Some('S') => number(second, 2),
            Some('j') => number(self.day_of_year + 1, 3),
            Some('w') => number(self.weekday, 1),
            Some('u') => number((self.weekday + 6) % 7 + 1, 1),
            Some('Y') => out.push_str(&self.year.to_string()),
            Some('e') => out.push_str(&format!("{:2}", self.day)),
            Some('p') => out.push_str(if hour < 12 { "AM" } else { "PM" }),
            Some('B') => out.push_str(MONTHS[self.month as usize - 1]),
            Some('b' | 'h') => out.push_str(&MONTHS[self.month as usize - 1][..3]),
            Some('A') => out.push_str(DAYS[self.weekday as usize]),
            Some('a') => out.push_str(&DAYS[self.weekday as usize][..3]),
            Some('F') => out.push_str(&self.format("%Y-%m-%d")),
            Some('T') => out.push_str(&self.format("%H:%M:%S")),
            Some('D') => out.push_str(&self.format("%m/%d/%y")),
            Some('R') => out.push_str(&self.format("%H:%M")),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('%') => out.push('%'),
            other => {
                out.push('%');
                out.extend(other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_formats() {
        let at = |seconds: i64, format: &str| CivilTime::from_unix(seconds).format(format);
        assert_eq!(at(0, "%Y-%m-%d %H:%M:%S %A %j"), "1970-01-01 00:00:00 Thursday 001");
        assert_eq!(
            at(1_709_211_845, "%a %d %b %Y, %I:%M %p, %-d.%-m., day %j"),
            "Thu 29 Feb 2024, 01:04 PM, 29.2., day 060"
        );
        assert_eq!(at(1_735_646_399, "%F %T %D %e %y%%%Q%"), "2024-12-31 11:59:59 12/31/24 31 24%%Q%");
        assert_eq!(at(-86_401, "%F %T"), "1969-12-30 23:59:59");
        assert_eq!(at(951_782_400, "%F %j"), "2000-02-29 060");
        assert_eq!(at(1_740_787_200, "%F %j"), "2025-03-01 060");
    }
}
