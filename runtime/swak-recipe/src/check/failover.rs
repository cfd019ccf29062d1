//! `failover(…)`: its outputs, and what it is told.

use std::time::Duration;

use swak_sdk::options::{
    DeliveryOptions, FieldPath, LiteralValue, OptionErrors, OptionValue, did_you_mean,
};
use swak_sdk::plugin::{HandsBack, TimeLimit};

use super::Checker;
use super::params::Params;
use crate::diag::{Diagnostic, Span};
use crate::model::{Call, Failover, StartBy};
use crate::syntax::{self, Expr};

/// What only an output by itself can be told: a failover goes to the next output at once, and writes
/// one chunk after the other.
const NOT_IN_FAILOVER: [&str; 2] = ["workers", "retries"];

impl Checker<'_> {
    pub(super) fn failover(&mut self, call: &syntax::Call, span: Span) -> Option<Failover> {
        let names = ["last", "start_by", "timeout", "drain_back"];
        let params = Params::bind_open(call, &names, 0, &mut self.found);
        if params.rest.is_empty() {
            self.found.push(
                Diagnostic::error("failover-empty", "this `failover` has no outputs")
                    .at(span, "")
                    .help(self.spelled(
                        "write failover(out.A(), out.B(), last=out.File(\"…\"))",
                        "write failover: {outputs: [out.A, out.B], last: {out.File: …}}",
                    )),
            );
        }
        let outputs: Vec<Option<Call>> =
            params.rest.iter().map(|expr| self.member(expr, "failover")).collect();
        let last = params.get("last").map(|expr| self.member(expr, "last"));
        let start_by = params.get("start_by").map(|expr| self.start_by(expr));
        let timeout = params.get("timeout").map(|expr| self.failover_timeout(expr));
        let drain_back = params.get("drain_back").map(|expr| self.drain_back(expr));
        for call in outputs.iter().flatten() {
            self.must_wait_long_enough(call, timeout.flatten().unwrap_or(Failover::TIMEOUT));
        }
        if let (Some(Some(true)), Some(expr)) = (drain_back, params.get("drain_back")) {
            self.must_hand_back(last.as_ref(), expr);
        }
        Some(Failover {
            outputs: outputs.into_iter().collect::<Option<_>>()?,
            last: last.map_or(Some(None), |last| last.map(Some))?,
            start_by: start_by.unwrap_or_else(|| Some(StartBy::default()))?,
            timeout: timeout.unwrap_or(Some(Failover::TIMEOUT))?,
            drain_back: drain_back.unwrap_or(Some(false))?,
            span,
        })
        .filter(|failover| !failover.outputs.is_empty())
    }

    fn member(&mut self, expr: &Expr, of: &str) -> Option<Call> {
        let call = self.output(expr, of)?;
        for name in NOT_IN_FAILOVER {
            if let Some(span) = DeliveryOptions::given(&call.args, name) {
                self.found.push(
                    Diagnostic::error(
                        "failover-option",
                        format!("an output in a failover has no `{name}`"),
                    )
                    .at(span, "")
                    .help("leave it out: what one output does not take goes to the next at once"),
                );
            }
        }
        Some(call)
    }

    fn start_by(&mut self, expr: &Expr) -> Option<StartBy> {
        let text = self.text(expr, "start_by", "write \"first\", \"ip\", \"random\" or a field")?;
        match text.as_str() {
            "first" => return Some(StartBy::First),
            "ip" => return Some(StartBy::Ip),
            "random" => return Some(StartBy::Random),
            // What the environment says is known only where the recipe runs.
            later if later.starts_with(super::links::LATER) => return Some(StartBy::First),
            _ => {}
        }
        if let Some(word) = near_miss(&text) {
            let found =
                Diagnostic::error("start-by-near-miss", format!("`{text}` is no word here"))
                    .at(expr.span, "")
                    .help(format!("did you mean \"{word}\"?"))
                    .help(format!("the field of that name is written '\"{text}\"'"));
            self.found.push(found);
            return None;
        }
        if text.trim().is_empty() {
            self.found.push(
                Diagnostic::error("bad-argument", "`start_by` is empty")
                    .at(expr.span, "")
                    .help("write \"first\", \"ip\", \"random\" or the name of a field"),
            );
            return None;
        }
        if let Err(error) = text.parse::<FieldPath>() {
            self.found.push(
                Diagnostic::error("bad-argument", format!("`start_by` is no field: {error}"))
                    .at(expr.span, "")
                    .help("write \"first\", \"ip\", \"random\" or a field: user.id"),
            );
            return None;
        }
        Some(StartBy::Field(text))
    }

    fn failover_timeout(&mut self, expr: &Expr) -> Option<Duration> {
        let value = self.value(expr)?;
        if self.later.contains(&value.span) {
            return Some(Failover::TIMEOUT);
        }
        let found = match Duration::read(&value) {
            Ok(timeout) if !timeout.is_zero() => return Some(timeout),
            Ok(_) => vec![
                Diagnostic::error("bad-argument", "`timeout` must be longer than nothing")
                    .at(expr.span, "")
                    .help("write it like 10s"),
            ],
            Err(OptionErrors(errors)) => errors
                .into_iter()
                .map(|error| {
                    let found = Diagnostic::error("bad-argument", error.message).at(error.span, "");
                    error.help.into_iter().fold(found, Diagnostic::help)
                })
                .collect(),
        };
        self.found.extend(found);
        None
    }

    fn drain_back(&mut self, expr: &Expr) -> Option<bool> {
        let value = self.value(expr)?;
        if self.later.contains(&value.span) {
            return Some(false);
        }
        if let LiteralValue::Bool(drain) = value.value {
            return Some(drain);
        }
        self.found.push(
            Diagnostic::error(
                "bad-argument",
                format!("`drain_back` is True or False, found {}", value.value.noun()),
            )
            .at(expr.span, "")
            .help(self.spelled("write drain_back=True", "write drain_back: true")),
        );
        None
    }

    /// A failover leaves an output that shows no sign of life, however long that would wait by itself.
    fn must_wait_long_enough(&mut self, call: &Call, timeout: Duration) {
        let Some(spec) = self.specs.get(&call.path()) else { return };
        for TimeLimit { option, limit } in self.catalog.time_limits(spec, &call.args) {
            if *limit > timeout {
                let message = format!(
                    "`{option}` is longer than the failover's `timeout`, which leaves the output \
                     after {timeout:?}"
                );
                self.found.push(
                    Diagnostic::warning("failover-timeout-shorter", message)
                        .at(limit.span, "")
                        .help("leave it out, or make the failover's `timeout` longer"),
                );
            }
        }
    }

    /// What `last` took is to be sent on: there must be one, and it must be able to give it back.
    fn must_hand_back(&mut self, last: Option<&Option<Call>>, drain_back: &Expr) {
        let found = match last {
            // Its own mistakes were told.
            Some(None) => return,
            None => Diagnostic::error("drain-back-without-last", "there is no `last` to drain")
                .at(drain_back.span, "")
                .help(self.spelled(
                    "write last=out.File(\"…\", format=\"record\"), or leave drain_back out",
                    "write last: {out.File: {path: …, format: record}}, or leave drain_back out",
                )),
            Some(Some(call)) => {
                let Some(spec) = self.specs.get(&call.path()) else { return };
                let found = match self.catalog.hands_back(spec, &call.args) {
                    Ok(HandsBack::Whole) => return,
                    Ok(HandsBack::Changed(how)) => Diagnostic::warning(
                        "drain-back-changes-records",
                        format!("`{}` hands records back otherwise: {how}", call.path()),
                    ),
                    Err(why) => Diagnostic::error(
                        "cannot-drain-back",
                        format!("`{}` cannot be drained: {why}", call.path()),
                    ),
                };
                found
                    .at(call.span, "")
                    .label(drain_back.span, "what it took is to be sent on")
                    .help("out.File(\"…\", format=\"record\") hands records back as they were")
            }
        };
        self.found.push(found);
    }
}

/// The word that was most likely meant. A field may well be called `id`, so that a word of two
/// letters must be right but for its case.
fn near_miss(text: &str) -> Option<&'static str> {
    let known = ["first", "ip", "random"].into_iter();
    known.clone().find(|word| word.eq_ignore_ascii_case(text.trim())).or_else(|| {
        did_you_mean(text, known.filter(|word| word.len() > 2))
            .filter(|word| text.len().abs_diff(word.len()) <= 1)
    })
}
