//! What must be there before the first fault: folders, servers, the rewritten recipe, the agents.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use swak_recipe::check;
use swak_recipe::diag::Diagnostic;
use swak_sdk::options::{Literal, LiteralValue};
use tempfile::TempDir;

use super::clock::Clock;
use super::collector;
use super::disk::Disk;
use super::fault::Fault;
use super::folder::Folder;
#[cfg(unix)]
use super::last;
use super::line::Line;
use super::process::{Agent, Launch};
use super::proxy::Proxy;
use super::random::Random;
use super::rewrite::{self, Place, Rewritten, Sender, Sink, SinkKind};
use super::session::{Aim, Session, Watch};
use super::sources::{Source, Sources, locked, start_writer};
use super::stand_in;
use super::tally::Tally;
use super::{Given, failed};
use crate::failure::Failure;

/// A session with what it needs.
pub(super) struct Setup {
    pub(super) session: Session,
    /// The agents at the other ends of the plugins' own protocols.
    _helpers: Vec<Agent>,
    pub(super) seed: u64,
    /// The folder of everything.
    pub(super) root: PathBuf,
    /// The folder of the followed files.
    pub(super) files: PathBuf,
    pub(super) notes: Vec<String>,
    skips_present: bool,
    filtered: bool,
    /// Removed at the end, after everything that lies in it.
    _folder: Option<TempDir>,
}

/// How long the first line may take.
const FIRST_LINE: Duration = Duration::from_secs(60);

impl Setup {
    /// Prepares everything and starts the agent.
    ///
    /// # Errors
    /// As [`super::run`].
    pub(super) fn new(given: &Given<'_>, interrupted: &Arc<AtomicBool>) -> Result<Self, Failure> {
        let args = given.args;
        let seed = args.seed.unwrap_or_else(Random::new_seed);
        let mut random = Random::new(seed);
        let (root, folder) = root(args.keep.as_deref())?;
        let (files, state) = (root.join("files"), root.join("state"));
        fs::create_dir_all(&state).map_err(|error| failed(&error))?;

        let mut proxies = Vec::new();
        let mut address = |sink: usize| {
            let proxy = Proxy::start(random.fork())?;
            let address = proxy.address();
            proxies.push((sink, proxy));
            Ok(address)
        };
        let (script, _) = check::parse(given.recipe, given.spelling);
        let script = check::inline(&script, true, &mut Vec::new());
        let rewritten = rewrite::rewrite(
            script,
            Place {
                catalog: given.plugins,
                environment: given.environment,
                files: &files,
                state: &state,
                address: &mut address,
                free_port: &mut free_port,
            },
        )?;
        let mut notes = rewritten.notes.clone();
        let clock = Clock::new(&root).map_err(|error| failed(&error))?;
        let has_files = rewritten.sources.iter().any(|source| source.sent.is_none());
        let (faults, disk) = faults(given, &proxies, has_files, &state, &clock, &mut notes);
        let line = match (&args.line, &args.sample) {
            (Some(template), _) => Line::template(template),
            (None, Some(path)) => Line::sample(path)?,
            (None, None) => Line::usual(rewritten.shape),
        };
        let count = rewritten.sources.len();
        let tally = Tally::new(rewritten.units, count, &rewritten.sinks);
        let tally = Arc::new(Mutex::new(tally));
        let prepared = prepare(&root, &files, &rewritten, &proxies, &tally, given);
        let (launch, helpers, sources) = prepared.map_err(|error| failed(&error))?;
        let mut sources = sources;
        for source in &mut sources {
            source.has_dates = random.chance(50);
        }
        let launch = Launch { environment: clock.environment(), ..launch };
        let sources = Sources::new(sources, line, random.fork());
        let sources = Arc::new(Mutex::new(sources));
        let writer_failure = Arc::new(Mutex::new(None));
        start_writer(&sources, &writer_failure);
        let agent = launch.start().map_err(|error| failed(&error))?;
        let folders =
            rewritten.sinks.iter().enumerate().filter_map(|(sink, one)| match &one.kind {
                SinkKind::Files(folder) => Some((sink, Folder::new(folder.clone()))),
                _ => None,
            });
        let lasts = rewritten.sinks.iter().filter_map(|sink| match &sink.kind {
            SinkKind::Between(folder) => Some((folder.clone(), sink.unit)),
            _ => None,
        });
        let lasts = watched(lasts.collect(), &tally, &mut notes);
        let session = Session {
            aim: Aim { time: args.time(), faults, rate: args.rate, outage: args.outage },
            sources,
            writer_failure,
            tally,
            expects: rewritten.sources.iter().map(|source| source.expect.clone()).collect(),
            folders: folders.collect(),
            lasts,
            proxies: proxies.into_iter().map(|(_, proxy)| proxy).collect(),
            launch,
            agent,
            data: state.join("data"),
            buffers: state.join("buffers"),
            disk,
            clock,
            random,
            interrupted: Arc::clone(interrupted),
            watch: Watch::new(count),
        };
        Ok(Setup {
            session,
            _helpers: helpers,
            seed,
            root,
            files,
            notes,
            skips_present: rewritten.skips_present,
            filtered: args.expect_filtered,
            _folder: folder,
        })
    }

    /// Writes lines until one of each source has come out; gives the number of the first line that
    /// must.
    ///
    /// # Errors
    /// `nothing-arrives`: none does.
    pub(super) fn first_lines(&mut self) -> Result<Vec<u64>, Failure> {
        let until = Instant::now() + FIRST_LINE;
        let session = &mut self.session;
        let count = session.expects.len();
        loop {
            for place in 0..count {
                let write = locked(&session.sources).write(place, 1);
                write.map_err(|error| failed(&error))?;
            }
            // An input that begins at the end of its files may not have seen them yet.
            let wait = if self.skips_present { Duration::from_secs(1) } else { FIRST_LINE };
            let look = Instant::now() + wait;
            while Instant::now() < look.min(until) {
                session.pause(Duration::from_millis(10)).map_err(|error| failed(&error))?;
                let first = session.first_come();
                // Nobody knows before what was followed.
                if !session.has_positions() {
                    continue;
                }
                let some = first.iter().any(Option::is_some);
                if first.iter().all(Option::is_some) || (self.filtered && some) {
                    let first: Vec<u64> =
                        first.into_iter().map(Option::unwrap_or_default).collect();
                    return Ok(match self.skips_present {
                        true => session.begin_at(first),
                        false => vec![0; count],
                    });
                }
                if session.agent.ended().is_some() {
                    return Err(self.nothing("the agent ended by itself"));
                }
            }
            if Instant::now() >= until {
                return Err(self.nothing("it was waited a minute for the first line"));
            }
        }
    }

    fn nothing(&self, why: &str) -> Failure {
        let said = self.session.agent.said();
        let last: Vec<&str> = said.lines().rev().take(3).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        let message = format!("no line comes out: {why}");
        Diagnostic::error("nothing-arrives", message)
            .help("say with --line or --sample what lines this recipe can parse and lets through")
            .help(format!("the agent says: {}", last.join(" ⏎ ")))
            .into()
    }
}

/// Sees what the last outputs of units store below these folders. Where that cannot be seen, the order
/// of these units is not judged.
fn watched(
    lasts: Vec<(PathBuf, usize)>,
    tally: &Arc<Mutex<Tally>>,
    notes: &mut Vec<String>,
) -> Vec<PathBuf> {
    #[cfg(unix)]
    for (folder, unit) in &lasts {
        last::watch(folder.clone(), *unit, tally);
    }
    if !cfg!(unix) && !lasts.is_empty() {
        let mut tally = tally.lock().expect("no panic while the tally is locked");
        lasts.iter().for_each(|(_, unit)| tally.leave_order(*unit));
        notes.push("what drain_back sends on is not known here: order is not judged there".into());
    }
    lasts.into_iter().map(|(folder, _)| folder).collect()
}

/// The folder of everything: a temporary one, or the one that is to be kept.
fn root(keep: Option<&Path>) -> Result<(PathBuf, Option<TempDir>), Failure> {
    let (root, folder) = match keep {
        Some(keep) => {
            fs::create_dir_all(keep).map_err(|error| no_folder(keep, &error))?;
            let mut entries = fs::read_dir(keep).map_err(|error| no_folder(keep, &error))?;
            if entries.next().is_some() {
                let message = format!("the folder {} is not empty", keep.display());
                return Err(Diagnostic::error("folder-not-empty", message)
                    .help("name a new one with --keep; nothing of it is overwritten")
                    .into());
            }
            (keep.to_owned(), None)
        }
        None => {
            let folder = tempfile::tempdir().map_err(|error| failed(&error))?;
            (folder.path().to_owned(), Some(folder))
        }
    };
    let root = root.canonicalize().map_err(|error| failed(&error))?;
    // On Windows a canonical path begins in a way that many programs do not understand.
    let root = match root.to_str().and_then(|text| text.strip_prefix(r"\\?\")) {
        Some(text) => PathBuf::from(text),
        None => root,
    };
    let special = |c: char| "*?[]{}".contains(c) || (c == '\\' && !cfg!(windows));
    if root.to_str().is_none_or(|text| text.contains(special)) {
        let message = format!("{} cannot be the beginning of a pattern", root.display());
        return Err(Diagnostic::error("torture-folder", message)
            .help("name a folder without special characters with --keep")
            .into());
    }
    Ok((root, folder))
}

fn no_folder(path: &Path, error: &io::Error) -> Failure {
    Failure::tried("torture-folder", format!("cannot use the folder {}: {error}", path.display()))
}

/// The faults that were asked for and can be done here, each with how often at least.
fn faults(
    given: &Given<'_>,
    proxies: &[(usize, Proxy)],
    has_files: bool,
    state: &Path,
    clock: &Clock,
    notes: &mut Vec<String>,
) -> (BTreeMap<Fault, u32>, Option<Disk>) {
    let mut wanted = given.args.wanted();
    let mut disk = None;
    // By reason, as it is told.
    let mut left_out: Vec<(String, Vec<&str>)> = Vec::new();
    let mut leave_out = |fault: Fault, why: &str, wanted: &mut BTreeMap<Fault, u32>| {
        if wanted.remove(&fault).is_none() {
            return;
        }
        match left_out.iter_mut().find(|(known, _)| known == why) {
            Some((_, faults)) => faults.push(fault.name()),
            None => left_out.push((why.to_owned(), vec![fault.name()])),
        }
    };
    if !cfg!(unix) {
        for fault in [Fault::Stop, Fault::Freeze] {
            leave_out(fault, "it needs signals, which only Unix has", &mut wanted);
        }
    }
    if !has_files {
        for fault in Fault::all().filter(|fault| fault.is_of_file()) {
            leave_out(fault, "this recipe follows no file", &mut wanted);
        }
    }
    if proxies.is_empty() {
        for fault in Fault::all().filter(|fault| fault.is_of_server()) {
            leave_out(fault, "no output of this recipe delivers to a server", &mut wanted);
        }
    }
    if wanted.contains_key(&Fault::DiskFull) {
        match Disk::mount(state, given.args.disk.0) {
            Ok(mounted) => disk = Some(mounted),
            Err(why) => leave_out(Fault::DiskFull, &why, &mut wanted),
        }
    }
    for (why, faults) in left_out {
        notes.push(format!("left out: {}: {why}", faults.join(", ")));
    }
    if wanted.contains_key(&Fault::Clock) && !clock.is_own() {
        notes.push(
            "without libfaketime only the times of files jump, not the agent's clock".to_owned(),
        );
    }
    (wanted, disk)
}

/// Writes the recipes, creates the files and starts the helpers.
fn prepare(
    root: &Path,
    files: &Path,
    rewritten: &Rewritten,
    proxies: &[(usize, Proxy)],
    tally: &Arc<Mutex<Tally>>,
    given: &Given<'_>,
) -> io::Result<(Launch, Vec<Agent>, Vec<Source>)> {
    fs::create_dir_all(files)?;
    let recipe = root.join("recipe.swak");
    fs::write(&recipe, &rewritten.recipe)?;
    let mut receiver_tasks = String::new();
    for (sink, proxy) in proxies {
        let collector = collector::listen(*sink, tally)?;
        match &rewritten.sinks[*sink] {
            Sink { kind: SinkKind::Peer { input, options }, .. } => {
                let port = free_port()?;
                proxy.lead_to(port.clone());
                let (options, output) = (written(options), stand_in::PATH);
                receiver_tasks +=
                    &format!("task({input}(\"{port}\"{options}), {output}(\"{collector}\"))\n");
            }
            _ => proxy.lead_to(collector),
        }
    }
    let sender_tasks: String = rewritten
        .senders
        .iter()
        .map(|Sender { path, output, address, options }| {
            let path = Literal::bare(LiteralValue::Str(path.to_string_lossy().into_owned()));
            let follower = rewrite::FOLLOWER;
            format!("task({follower}({path}), {output}(\"{address}\"{}))\n", written(options))
        })
        .collect();
    let mut helpers = Vec::new();
    for (name, tasks) in [("receiver", receiver_tasks), ("sender", sender_tasks)] {
        if !tasks.is_empty() {
            let recipe = root.join(format!("{name}.swak"));
            fs::write(&recipe, tasks)?;
            let data = root.join(format!("{name}-data"));
            helpers.push(launch(&recipe, &data, None, root.join(format!("{name}.log"))).start()?);
        }
    }
    let sources = rewritten.sources.iter().map(|source| match &source.sent {
        Some((transport, address)) => {
            Source::sent(source.path.clone(), *transport, address.clone())
        }
        None => Source::create(source.path.clone()),
    });
    let sources = sources.collect::<io::Result<Vec<_>>>()?;
    let config = given.args.config.config.as_deref().map(std::path::absolute).transpose()?;
    let data = root.join("state/data");
    Ok((launch(&recipe, &data, config, root.join("agent.log")), helpers, sources))
}

fn launch(recipe: &Path, data: &Path, config: Option<PathBuf>, log: PathBuf) -> Launch {
    let mut args: Vec<OsString> = vec!["torture-agent".into(), recipe.into()];
    args.extend(["--data-dir".into(), data.into(), "--log-level".into(), "info".into()]);
    args.extend(["--log-format".into(), "text".into()]);
    if let Some(config) = config {
        args.extend(["--config".into(), config.into()]);
    }
    Launch { args, environment: Vec::new(), log }
}

/// Options after the first of a call.
fn written(options: &[(String, String)]) -> String {
    options.iter().map(|(name, value)| format!(", {name}={value}")).collect()
}

fn free_port() -> io::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
