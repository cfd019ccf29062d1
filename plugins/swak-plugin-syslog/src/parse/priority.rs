//! The priority: facility and severity in one number.

/// Facility times eight plus severity, from 0 to 191.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Priority(u8);

static FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

static SEVERITIES: [&str; 8] =
    ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

impl Priority {
    /// The largest: `local7.debug`.
    pub(crate) const MAX: u8 = 191;

    /// `None` beyond [`Priority::MAX`].
    pub(crate) fn new(number: u8) -> Option<Self> {
        (number <= Priority::MAX).then_some(Priority(number))
    }

    /// The number.
    pub(crate) fn number(self) -> u8 {
        self.0
    }

    /// `kern`, `user`, … `local7`, as `syslog.conf` names them.
    pub(crate) fn facility(self) -> &'static &'static str {
        &FACILITIES[usize::from(self.0 / 8)]
    }

    /// `emerg`, `alert`, … `debug`, as `syslog.conf` names them.
    pub(crate) fn severity(self) -> &'static &'static str {
        &SEVERITIES[usize::from(self.0 % 8)]
    }
}

/// The priority at the beginning, `<34>`, and what comes after it.
pub(super) fn split(bytes: &[u8]) -> Option<(Priority, &[u8])> {
    let rest = bytes.strip_prefix(b"<")?;
    let digits = rest.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    if !(1..=3).contains(&digits) || rest.get(digits) != Some(&b'>') {
        return None;
    }
    let number = rest[..digits].iter().fold(0u16, |n, b| n * 10 + u16::from(b - b'0'));
    let priority = Priority::new(u8::try_from(number).ok()?)?;
    Some((priority, &rest[digits + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_priority_has_a_facility_and_a_severity() {
        let names = |n| Priority::new(n).map(|p| (*p.facility(), *p.severity()));
        assert_eq!(names(0), Some(("kern", "emerg")));
        assert_eq!(names(34), Some(("auth", "crit")));
        assert_eq!(names(165), Some(("local4", "notice")));
        assert_eq!(names(191), Some(("local7", "debug")));
        assert_eq!(names(192), None);
    }

    #[test]
    fn only_one_to_three_digits_in_brackets_are_a_priority() {
        assert_eq!(split(b"<13>x"), Some((Priority(13), &b"x"[..])));
        assert_eq!(split(b"<0>"), Some((Priority(0), &b""[..])));
        for wrong in [&b""[..], b"<", b"<>", b"<1", b"<0013>", b"<192>", b"<999>", b"<-1>", b"13>"]
        {
            assert_eq!(split(wrong), None, "{}", String::from_utf8_lossy(wrong));
        }
    }
}
