//! The formats of JSON Schema that can be enforced, as regular expressions.

/// The texts of a format; `None` if it is not known.
///
/// - `date`, `time`, `date-time`: RFC 3339, with the days of each month and leap years; no leap seconds, `T` and `Z` are large.
/// - `email`: RFC 5321's dot-string at a domain name. `hostname`: RFC 1123. `ipv4`, `ipv6`: RFC 3986. `uuid`: RFC 4122.
/// - `uri`: RFC 3986 with a scheme.
#[must_use]
pub fn pattern(format: &str) -> Option<String> {
    Some(match format {
        "date" => date(),
        "time" => TIME.to_owned(),
        "date-time" => format!("(?:{})T{TIME}", date()),
        "uuid" => format!("{HEX}{{8}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{12}}"),
        "email" => {
            let atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
            format!(r"{atom}(?:\.{atom})*@(?:{LABEL}\.)+{LABEL}")
        }
        "hostname" => format!(r"{LABEL}(?:\.{LABEL})*"),
        "ipv4" => ipv4(),
        "ipv6" => ipv6(),
        "uri" => uri(),
        _ => return None,
    })
}

pub const KNOWN: &str = "date, time, date-time, uuid, email, hostname, ipv4, ipv6, uri";

const HEX: &str = "[0-9a-fA-F]";
const TIME: &str = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";
const LABEL: &str = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";

fn date() -> String {
    let of_4 = "0[48]|[2468][048]|[13579][26]";
    let leap = format!("(?:[0-9]{{2}}(?:{of_4})|(?:00|{of_4})00)-02-29");
    let long = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])";
    let short = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)";
    let february = "02-(?:0[1-9]|1[0-9]|2[0-8])";
    format!("[0-9]{{4}}-(?:{long}|{short}|{february})|{leap}")
}

fn ipv4() -> String {
    let byte = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    format!(r"{byte}(?:\.{byte}){{3}}")
}

fn ipv6() -> String {
    let h = format!("{HEX}{{1,4}}");
    let last = format!("(?:{h}:{h}|{})", ipv4());
    // Eight groups, the last two of which may be an IPv4 address; `::` stands for one group or more.
    let mut forms = vec![format!("(?:{h}:){{6}}{last}")];
    for after in 0..6 {
        let before = format!("(?:(?:{h}:){{0,{}}}{h})?", 4 - after.min(4));
        let before = if after == 5 { String::new() } else { before };
        forms.push(format!("{before}::(?:{h}:){{{after}}}{last}"));
    }
    forms.push(format!("(?:(?:{h}:){{0,5}}{h})?::{h}"));
    forms.push(format!("(?:(?:{h}:){{0,6}}{h})?::"));
    forms.join("|")
}

fn uri() -> String {
    let unreserved = r"A-Za-z0-9._~\-";
    let sub = "!$&'()*+,;=";
    let escaped = format!("%{HEX}{{2}}");
    let pchar = format!("(?:[{unreserved}{sub}:@]|{escaped})");
    let user = format!("(?:(?:[{unreserved}{sub}:]|{escaped})*@)?");
    let host = format!(r"(?:\[(?:{})\]|(?:[{unreserved}{sub}]|{escaped})*)", ipv6());
    let path = format!("(?:/{pchar}*)*");
    let authority = format!("//{user}{host}(?::[0-9]*)?{path}");
    let absolute = format!("/(?:{pchar}+{path})?");
    let rootless = format!("{pchar}+{path}");
    let rest = format!("(?:{pchar}|[/?])*");
    format!(r"[A-Za-z][A-Za-z0-9+.-]*:(?:{authority}|{absolute}|{rootless})?(?:\?{rest})?(?:#{rest})?")
}
