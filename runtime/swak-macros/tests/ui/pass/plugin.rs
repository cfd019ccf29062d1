//! Everything that a plugin's options can have.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use swak_sdk::options::{
    Address, ByteSize, Choice, Dict, Expr, FieldPath, Glob, Literal, Options, Pattern, Secret,
    Template,
};

/// Follows growing files, one record a line.
#[derive(Options)]
#[plugin(input, name = "FileTailing")]
pub struct FileTailingOptions {
    /// Glob patterns of the files to follow.
    #[option(positional)]
    path: Vec<Glob>,
    /// Longest line kept.
    #[option(default = "1m")]
    max_line: ByteSize,
    /// Where to start.
    #[option(positional, default = "end")]
    start: Start,
    /// Port.
    #[option(default = 24224, range = 1..=65535)]
    port: u16,
    /// Share.
    #[option(default = -0.5, range = -1.0..)]
    share: f64,
    /// Type.
    #[option(name = "kind")]
    r#type: Option<String>,
    /// Password.
    #[option(secret)]
    password: Option<Secret>,
    /// Names.
    #[option(default = ["a", "b"])]
    names: Vec<String>,
    /// Weights.
    #[option(default = {"a": 1, "b": 2})]
    weights: BTreeMap<String, u32>,
    /// Encryption.
    #[option(default = {})]
    tls: TlsOptions,
    /// Condition.
    when: Option<Expr>,
    /// File.
    #[option(default = "{{ host }}.log")]
    file: Template,
    /// Field.
    #[option(default = "a.b[0]")]
    field: FieldPath,
    /// Pattern.
    #[option(default = "^a")]
    pattern: Pattern,
    /// Server.
    #[option(default = "[::1]:5")]
    server: Address,
    /// Folder.
    #[option(default = "/tmp")]
    folder: PathBuf,
    /// Separator.
    #[option(default = ",")]
    separator: char,
    /// Pause.
    #[option(default = "1h30m")]
    pause: Duration,
    /// Extra.
    #[option(default = {})]
    extra: Dict<Literal>,
    /// Ports.
    #[option(default = [1], range = 1..=9)]
    ports: Vec<u8>,
}

/// Encryption.
#[derive(Options)]
pub struct TlsOptions {
    /// On.
    #[option(default = false)]
    on: bool,
}

/// Where to start.
#[derive(Choice)]
pub enum Start {
    /// At the beginning.
    Beginning,
    /// At the end.
    End,
}

fn main() {
    let spec = FileTailingOptions::spec();
    assert_eq!(spec.options.len(), 20);
    let path = swak_sdk::options::Literal::bare(swak_sdk::options::LiteralValue::Str("*".into()));
    let args = swak_sdk::options::Args { positional: vec![path], ..Default::default() };
    let read = FileTailingOptions::read(&args).unwrap_or_else(|e| panic!("{e}"));
    let _ = (read.path, read.max_line, read.start, read.port, read.share, read.r#type);
    let _ = (read.password, read.names, read.weights, read.tls.on, read.when, read.file);
    let _ = (read.field, read.pattern, read.server, read.folder, read.separator, read.pause);
    let _ = (read.extra, read.ports);
    let _ = Start::Beginning;
}
