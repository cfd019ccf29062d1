//! `licenses: {deny: […]}`: which licences an agent may not hold.
//!
//! A licence is written as an SPDX identifier (<https://spdx.org/licenses/>), with `WITH` and an
//! exception if only that combination is meant. `GPL-3.0` stands for `GPL-3.0-only` and
//! `GPL-3.0-or-later`, and so with the other licences of GNU. `unlicensed` stands for crates that
//! do not say under which licence they are.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Serialize, Serializer};
use spdx::{AdditionItem, Expression, LicenseItem, LicenseReq, ParseMode};
use swak_recipe::diag::{Diagnostic, SourceFile, Span, did_you_mean};

use crate::release::graph::{Crate, CrateSource, Graph};

/// The word for crates without a licence.
const UNLICENSED: &str = "unlicensed";

/// Deprecated identifiers are good: crates that have them do not change any more.
const MODE: ParseMode = ParseMode { allow_deprecated: true, ..ParseMode::STRICT };

/// The licences that an agent may not hold; the default denies nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deny {
    words: Vec<(Denied, Option<Span>)>,
    /// Where the words are written.
    source: Option<SourceFile>,
}

/// One word of [`Deny`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    word: String,
    meaning: Meaning,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    /// A crate that does not say.
    Unlicensed,
    /// A licence of GNU without a word about later versions: what its identifiers begin with.
    Family(String),
    /// One licence.
    One(LicenseReq),
}

/// Why a word cannot be denied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a licence of the SPDX list", crate::manifest::show(.word))]
pub struct UnknownLicense {
    word: String,
    nearest: Option<&'static str>,
}

impl Denied {
    /// Reads a word.
    ///
    /// # Errors
    /// When it is no licence.
    pub fn parse(word: &str) -> Result<Self, UnknownLicense> {
        let meaning = if word == UNLICENSED {
            Some(Meaning::Unlicensed)
        } else if is_family(word) {
            Some(Meaning::Family(word.to_owned()))
        } else {
            one_license(word).map(Meaning::One)
        };
        match meaning {
            Some(meaning) => Ok(Denied { word: word.to_owned(), meaning }),
            None => Err(UnknownLicense { word: word.to_owned(), nearest: nearest(word) }),
        }
    }

    /// As it was written.
    pub fn word(&self) -> &str {
        &self.word
    }

    fn denies(&self, license: &LicenseReq) -> bool {
        match &self.meaning {
            Meaning::Unlicensed => false,
            Meaning::Family(family) => license.license.id().is_some_and(|id| {
                let rest = id.name.strip_prefix(family.as_str());
                // `GPL-2.0-with-classpath-exception` is what was written before there was `WITH`.
                rest.is_some_and(|rest| {
                    matches!(rest, "" | "+" | "-only" | "-or-later") || rest.starts_with("-with-")
                })
            }),
            Meaning::One(one) => {
                let same = match (&one.license, &license.license) {
                    // `Apache-2.0` is also what `Apache-2.0+` allows.
                    (LicenseItem::Spdx { id: a, .. }, LicenseItem::Spdx { id: b, .. }) => a == b,
                    (a, b) => a == b,
                };
                same && (one.addition.is_none() || one.addition == license.addition)
            }
        }
    }
}

impl Deny {
    /// These words together.
    pub fn new(words: impl IntoIterator<Item = Denied>) -> Self {
        Deny { words: words.into_iter().map(|word| (word, None)).collect(), source: None }
    }

    /// These words together, with the places where they are written, so that a mistake can show
    /// them.
    pub fn written(words: impl IntoIterator<Item = (Denied, Span)>, source: &SourceFile) -> Self {
        let words = words.into_iter().map(|(word, span)| (word, Some(span))).collect();
        Deny { words, source: Some(source.clone()) }
    }

    /// Whether nothing is denied.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Looks at every crate that is linked in for one of the targets. Gives the crates that are
    /// denied, as errors, and those whose licence nobody can tell, as warnings; ordered by name.
    ///
    /// A crate is denied when its expression has no alternative that is free of denied licences.
    /// What is only used while building is not shipped and not looked at; neither are crates of
    /// one's own, in a folder, that say nothing of a licence. Where nothing is denied, nothing is
    /// looked at.
    pub fn check<'a>(&self, graphs: impl IntoIterator<Item = &'a Graph>) -> Vec<Diagnostic> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut found = BTreeMap::new();
        for graph in graphs {
            for one in graph.dependencies().filter(|one| one.linked) {
                if let Some(verdict) = self.judge(one) {
                    found.entry(one.key()).or_insert_with(|| self.tell(one, verdict, graph));
                }
            }
        }
        found.into_values().collect()
    }

    fn judge(&self, one: &Crate) -> Option<Verdict<'_>> {
        let Some(text) = &one.license else {
            if one.license_file.is_some() {
                return Some(Verdict::Unclear("has a licence of its own".to_owned()));
            }
            let denied = self.words.iter().find(|(word, _)| word.meaning == Meaning::Unlicensed);
            return match (denied, &one.source) {
                (_, CrateSource::Path) => None,
                (Some((word, span)), _) => {
                    Some(Verdict::Denied("does not say its licence".to_owned(), word, *span))
                }
                (None, _) => Some(Verdict::Unclear("does not say its licence".to_owned())),
            };
        };
        let Some(expression) = read(text) else {
            let shown = crate::manifest::show(text);
            return Some(Verdict::Unclear(format!(
                "is under `{shown}`, which is no SPDX expression"
            )));
        };
        let denied_by = |license: &LicenseReq| self.words.iter().find(|(w, _)| w.denies(license));
        if expression.evaluate(|license| denied_by(license).is_none()) {
            return None;
        }
        let (word, span) = expression.requirements().find_map(|r| denied_by(&r.req))?;
        Some(Verdict::Denied(format!("is under `{expression}`"), word, *span))
    }

    fn tell(&self, one: &Crate, verdict: Verdict<'_>, graph: &Graph) -> Diagnostic {
        let way: Vec<_> = graph.way_to(one).into_iter().map(Crate::to_string).collect();
        let way = format!("it is linked in by: {}", way.join(" → "));
        match verdict {
            Verdict::Denied(why, word, span) => {
                let message = format!("`{one}` {why}: `{}` is denied", word.word);
                let mut told = Diagnostic::error("denied-license", message).help(way).help(
                    format!("do without what brings it, or take `{}` out of `deny`", word.word),
                );
                if let (Some(span), Some(source)) = (span, &self.source) {
                    told = told.at(span, "").in_source(source);
                }
                told
            }
            Verdict::Unclear(why) => {
                let message = format!("`{one}` {why}: `deny` cannot be held against it");
                Diagnostic::warning("unclear-license", message)
                    .help(way)
                    .help("read what it ships, in the file of licences")
            }
        }
    }
}

/// What is to be said about a crate.
enum Verdict<'a> {
    /// Why, by which word, and where that is written.
    Denied(String, &'a Denied, Option<Span>),
    /// Why nobody can tell.
    Unclear(String),
}

/// An expression as crates write it: with `/` for `OR`, with names that are not quite right.
/// `None` when it cannot be understood.
pub(in crate::release) fn read(text: &str) -> Option<Expression> {
    let parse = |text: &str| Expression::parse_mode(text, MODE).ok();
    let canonical = Expression::canonicalize(text).ok().flatten();
    // Some identifiers of old are spoiled by what mends others.
    canonical.and_then(|text| parse(&text)).or_else(|| parse(text))
}

/// A licence of GNU as it is often said: without `-only` or `-or-later`.
fn is_family(word: &str) -> bool {
    spdx::license_id(word).is_some_and(|id| id.is_gnu() && id.is_deprecated())
        && spdx::license_id(&format!("{word}-only")).is_some()
}

fn one_license(word: &str) -> Option<LicenseReq> {
    let expression = Expression::parse_mode(word, MODE).ok()?;
    let mut requirements = expression.requirements();
    match (requirements.next(), requirements.next()) {
        (Some(one), None) if !word.contains('(') => Some(one.req.clone()),
        _ => None,
    }
}

/// The identifier that was probably meant.
fn nearest(word: &str) -> Option<&'static str> {
    static NAMES: OnceLock<Vec<&str>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let listed = spdx::identifiers::LICENSES.iter().map(|license| license.name);
        listed.chain([UNLICENSED]).collect()
    });
    let same = names.iter().find(|name| name.eq_ignore_ascii_case(word)).copied();
    let loosely = || {
        // A name that people use for a licence: `apache2`, `GPLv3`.
        let (id, length) = spdx::imprecise_license_id(word)?;
        (length == word.len()).then_some(id.name)
    };
    same.or_else(loosely).or_else(|| did_you_mean(word, names.iter().copied()))
}

impl UnknownLicense {
    /// Its stable code.
    pub fn code(&self) -> &'static str {
        "unknown-license"
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self.nearest {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!(
                "write an identifier of https://spdx.org/licenses/, such as `GPL-3.0`, or \
                 `{UNLICENSED}` for crates that do not say"
            ),
        }
    }
}

impl Serialize for Deny {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.words.iter().map(|(word, _)| word.word()))
    }
}

/// `GPL-3.0, AGPL-3.0-only`
impl std::fmt::Display for Deny {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<_> = self.words.iter().map(|(word, _)| word.word()).collect();
        f.write_str(&words.join(", "))
    }
}

/// The exception of a requirement, if it is one of the list.
pub(super) fn exception(license: &LicenseReq) -> Option<spdx::ExceptionId> {
    license.addition.as_ref().and_then(AdditionItem::id)
}

#[cfg(test)]
mod tests;
