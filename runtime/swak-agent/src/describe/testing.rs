//! Hand-made plugins for the tests of this folder.

use std::borrow::Cow;

use swak_sdk::options::{ChoiceSpec, Kind, OptionSpec, PluginSpec, TextKind, TypeSpec};
use swak_sdk::plugin::CrateInfo;

pub(super) fn krate() -> CrateInfo {
    CrateInfo { name: "swak-plugin-demo".into(), version: "0.3.0".into() }
}

/// One of everything.
pub(super) fn follow() -> PluginSpec {
    let words = vec![
        ChoiceSpec { name: "begin".into(), help: "At the first byte.".into() },
        ChoiceSpec { name: "end".into(), help: "".into() },
    ];
    let on = with_default(option("on", "Whether it is on.", TypeSpec::Bool), "False");
    PluginSpec {
        kind: Kind::Input,
        name: "Follow".into(),
        summary: "Follows growing files.".into(),
        help: "Follows growing files.\n\nOne record a line.".into(),
        options: Cow::Owned(vec![
            OptionSpec {
                required: true,
                positional: true,
                ..option(
                    "path",
                    "Files to follow.",
                    TypeSpec::List(Box::new(TypeSpec::Text(TextKind::Glob))),
                )
            },
            with_default(
                option("start", "Where to start.", TypeSpec::Choice(Cow::Owned(words))),
                "\"end\"",
            ),
            OptionSpec {
                secret: true,
                ..option(
                    "password",
                    "Who knocks.",
                    TypeSpec::Optional(Box::new(TypeSpec::Text(TextKind::Plain))),
                )
            },
            with_default(
                option("tls", "Encryption.", TypeSpec::Struct(Cow::Owned(vec![on]))),
                "{}",
            ),
        ]),
    }
}

/// As little as there can be.
pub(super) fn null() -> PluginSpec {
    PluginSpec {
        kind: Kind::Output,
        name: "Null".into(),
        summary: "Drops all.".into(),
        help: "Drops all.".into(),
        options: Cow::Borrowed(&[]),
    }
}

pub(super) fn option(name: &'static str, help: &'static str, ty: TypeSpec) -> OptionSpec {
    OptionSpec {
        name: name.into(),
        help: help.into(),
        ty,
        required: false,
        positional: false,
        default: None,
        secret: false,
    }
}

fn with_default(option: OptionSpec, default: &'static str) -> OptionSpec {
    OptionSpec { default: Some(default.into()), ..option }
}
