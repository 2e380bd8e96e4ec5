//! The date and time that `strftime_now` of a template gives.

/// A moment as the user's clock shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Seconds since 1970, as if the clock showed UTC.
    unix: i64,
}

impl Default for CivilTime {
    fn default() -> CivilTime {
        CivilTime::from_unix(0)
    }
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
            unix: local_seconds,
        }
    }

    /// Seconds of the day.
    pub(super) fn seconds(&self) -> u32 {
        self.second_of_day
    }

    /// `strftime` of glibc in the C locale, which Python's is on Linux. What is no directive stays as it is.
    pub(super) fn format(&self, format: &str) -> String {
        let mut out = String::new();
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let inside = &rest[1..];
            // Flags say how a number is padded and in which case a name is written; a width may follow.
            let flags = inside.len() - inside.trim_start_matches(['_', '-', '0', '^', '#', '+']).len();
            let width = inside[flags..].len() - inside[flags..].trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let skipped = flags + width;
            let modified = skipped + usize::from(inside[skipped..].starts_with(['E', 'O']));
            let Some(directive) = inside[modified..].chars().next() else { break };
            let end = 1 + modified + directive.len_utf8();
            let pad = inside[..flags].chars().rev().find(|c| "_-0+".contains(*c));
            match self.directive(directive, pad) {
                Some(mut text) => {
                    if inside[..flags].contains('^') {
                        text.make_ascii_uppercase();
                    } else if inside[..flags].contains('#') {
                        match directive {
                            'p' | 'Z' => text.make_ascii_lowercase(),
                            _ => text.make_ascii_uppercase(),
                        }
                    }
                    let width = inside[flags..skipped].parse().unwrap_or(0usize).min(1024);
                    let is_number = text.ends_with(|c: char| c.is_ascii_digit());
                    let fill = if is_number && pad != Some('_') || pad == Some('0') { '0' } else { ' ' };
                    out.extend(std::iter::repeat_n(fill, width.saturating_sub(text.len())));
                    out.push_str(&text);
                }
                None => out.push_str(&rest[..end]),
            }
            rest = &rest[end..];
        }
        out.push_str(rest);
        out
    }

    /// The week of the year that begins with the first `first_day` (0 is Sunday).
    fn week(&self, first_day: u32) -> u32 {
        (self.day_of_year + 7 - (self.weekday + 7 - first_day) % 7) / 7
    }

    /// Year and week of ISO 8601: the week belongs to the year of its Thursday.
    fn iso_week(&self) -> (i64, u32) {
        let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = |year: i64| 365 + i64::from(is_leap(year));
        let thursday = i64::from(self.day_of_year) + 3 - i64::from((self.weekday + 6) % 7);
        let (year, day) = match thursday {
            day if day < 0 => (self.year - 1, day + days(self.year - 1)),
            day if day >= days(self.year) => (self.year + 1, day - days(self.year)),
            day => (self.year, day),
        };
        (year, (day / 7 + 1) as u32)
    }

    fn directive(&self, directive: char, pad: Option<char>) -> Option<String> {
        let number = |value: i64, width: usize, fill: char| match pad.unwrap_or(fill) {
            '-' => value.to_string(),
            '_' | ' ' => format!("{value:width$}"),
            _ => format!("{value:0width$}"),
        };
        let (hour, minute, second) = (self.second_of_day / 3600, self.second_of_day / 60 % 60, self.second_of_day % 60);
        let twelve = i64::from((hour + 11) % 12 + 1);
        let hour = i64::from(hour);
        let month = MONTHS[self.month as usize - 1];
        let day = DAYS[self.weekday as usize];
        let meridiem = if hour < 12 { "AM" } else { "PM" };
        Some(match directive {
            'd' => number(self.day.into(), 2, '0'),
            'e' => number(self.day.into(), 2, '_'),
            'm' => number(self.month.into(), 2, '0'),
            'y' => number(self.year.rem_euclid(100), 2, '0'),
            'Y' => number(self.year, 1, '0'),
            'C' => number(self.year.div_euclid(100), 2, '0'),
            'G' => number(self.iso_week().0, 1, '0'),
            'g' => number(self.iso_week().0.rem_euclid(100), 2, '0'),
            'V' => number(self.iso_week().1.into(), 2, '0'),
            'U' => number(self.week(0).into(), 2, '0'),
            'W' => number(self.week(1).into(), 2, '0'),
            'H' => number(hour, 2, '0'),
            'k' => number(hour, 2, '_'),
            'I' => number(twelve, 2, '0'),
            'l' => number(twelve, 2, '_'),
            'M' => number(minute.into(), 2, '0'),
            'S' => number(second.into(), 2, '0'),
            'f' => "000000".into(),
            'j' => number(i64::from(self.day_of_year) + 1, 3, '0'),
            'w' => number(self.weekday.into(), 1, '0'),
            'u' => number(i64::from((self.weekday + 6) % 7 + 1), 1, '0'),
            's' => self.unix.to_string(),
            'p' => meridiem.into(),
            'P' => meridiem.to_ascii_lowercase(),
            'B' => month.into(),
            'b' | 'h' => month[..3].into(),
            'A' => day.into(),
            'a' => day[..3].into(),
            'F' => self.format("%Y-%m-%d"),
            'T' | 'X' => self.format("%H:%M:%S"),
            'D' | 'x' => self.format("%m/%d/%y"),
            'R' => self.format("%H:%M"),
            'r' => self.format("%I:%M:%S %p"),
            'c' => self.format("%a %b %e %H:%M:%S %Y"),
            // A time without a zone has no offset and no name.
            'z' | 'Z' => String::new(),
            'n' => "\n".into(),
            't' => "\t".into(),
            '%' => "%".into(),
            _ => return None,
        })
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
