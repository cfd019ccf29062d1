//! Where a crate's source is: `version`, `path`, or `git` with `rev`, `tag` or `branch`.

use semver::VersionReq;
use swak_recipe::diag::{Diagnostic, Span};
use swak_recipe::yaml::{Node, Value};

use super::fields::{Fields, show};
use super::{At, Found, Origin, values};
use crate::resolve::GitReference;

/// The keys of `swak`.
const RUNTIME_KEYS: &[&[&str]] =
    &[&["version"], &["path"], &["git"], &["rev"], &["tag"], &["branch"]];

/// The value of `swak`: a version, or a map.
pub(super) fn of_runtime(node: &Node, found: &mut Found<'_>) -> Option<At<Origin>> {
    if let Value::Map(entries) = &node.value {
        let mut fields = Fields::of_map(entries, RUNTIME_KEYS, found);
        let origin = of_fields(&mut fields, node.span, found);
        fields.finish(found);
        let origin = origin?;
        if origin.value == Origin::Unsaid {
            found.add(
                Diagnostic::error("missing-key", "this does not say where the runtime comes from")
                    .at(node.span, "")
                    .help("write a version, `{path: …}` or `{git: …, rev: …}`"),
            );
            return None;
        }
        return Some(origin);
    }
    let text = values::word(node, "a version, or a map with `path` or `git`", found)?;
    requirement(&text, found).map(|r| At { value: Origin::Version(r), span: text.span })
}

/// The keys that say where a crate comes from; at most one way may be said.
pub(super) fn of_fields(
    fields: &mut Fields<'_>,
    whole: Span,
    found: &mut Found<'_>,
) -> Option<At<Origin>> {
    let mut ways: Vec<(&str, Span, Option<At<Origin>>)> = Vec::new();
    if let Some((key, node)) = fields.take_entry("version") {
        let origin = values::word(node, "a version", found).and_then(|text| {
            let requirement = requirement(&text, found)?;
            Some(At { value: Origin::Version(requirement), span: text.span })
        });
        ways.push(("version", key, origin));
    }
    if let Some((key, node)) = fields.take_entry("path") {
        let origin = values::path(node, found)
            .map(|path| At { value: Origin::Path(path.value), span: path.span });
        ways.push(("path", key, origin));
    }
    let git = fields.take_entry("git");
    let reference = git_reference(fields, git.is_some(), found);
    if let Some((key, node)) = git {
        let origin = values::word(node, "the address of a repository", found)
            .filter(|url| check_url(url, found))
            .map(|url| At { value: Origin::Git { url: url.value, reference }, span: url.span });
        ways.push(("git", key, origin));
    }
    if let [(first, first_key, _), (second, second_key, _), ..] = ways.as_slice() {
        found.add(
            Diagnostic::error(
                "two-sources",
                format!("`{first}` and `{second}` cannot be together"),
            )
            .at(*second_key, "")
            .label(*first_key, "")
            .help("a crate comes from one place: keep one of them"),
        );
        return None;
    }
    match ways.pop() {
        Some((_, _, origin)) => origin,
        None => Some(At { value: Origin::Unsaid, span: whole }),
    }
}

/// A version requirement: `1.2`, `=0.4.1`, `>=1, <3`.
pub(super) fn requirement(text: &At<String>, found: &mut Found<'_>) -> Option<VersionReq> {
    match VersionReq::parse(&text.value) {
        Ok(requirement) => Some(requirement),
        Err(error) => {
            found.add(
                Diagnostic::error(
                    "bad-requirement",
                    format!("`{}` is not a version requirement: {error}", show(&text.value)),
                )
                .at(text.span, "")
                .help("write it as Cargo does: `1.2`, `=0.4.1`, `>=1, <3`"),
            );
            None
        }
    }
}

fn git_reference(fields: &mut Fields<'_>, has_git: bool, found: &mut Found<'_>) -> GitReference {
    type Make = fn(String) -> GitReference;
    let kinds: [(&str, Make); 3] =
        [("rev", GitReference::Rev), ("tag", GitReference::Tag), ("branch", GitReference::Branch)];
    let mut said: Vec<(Span, GitReference)> = Vec::new();
    for (key, make) in kinds {
        let Some((span, node)) = fields.take_entry(key) else { continue };
        if !has_git {
            found.add(
                Diagnostic::error("missing-key", format!("`{key}` needs `git`"))
                    .at(span, "of which repository?")
                    .help("add `git: https://…`, or take this key away"),
            );
            continue;
        }
        let Some(text) = values::word(node, "a name", found) else { continue };
        if text.value.is_empty() || text.value.contains(|c: char| c.is_control() || c == ' ') {
            found.add(
                Diagnostic::error("bad-git", format!("`{}` is not a {key}", show(&text.value)))
                    .at(text.span, "")
                    .help("write it as Git shows it, without spaces"),
            );
            continue;
        }
        said.push((span, make(text.value)));
    }
    if let [(first, _), (second, _), ..] = said.as_slice() {
        found.add(
            Diagnostic::error("two-sources", "only one commit can be named")
                .at(*second, "again here")
                .label(*first, "first here")
                .help("keep one of `rev`, `tag` and `branch`"),
        );
    }
    said.pop().map_or(GitReference::Head, |(_, reference)| reference)
}

fn check_url(url: &At<String>, found: &mut Found<'_>) -> bool {
    let text = &url.value;
    let schemes = ["https://", "http://", "ssh://", "git://", "file://"];
    let known = schemes.iter().any(|s| text.len() > s.len() && text.starts_with(s));
    if known && !text.contains(|c: char| c.is_control() || c == ' ') {
        return true;
    }
    found.add(
        Diagnostic::error(
            "bad-git",
            format!("`{}` is not the address of a repository", show(text)),
        )
        .at(url.span, "")
        .help("write a URL: `https://…`, `ssh://git@host/…` or `file:///…`"),
    );
    false
}
