//! The folder with the data, made when a workload asks for it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::data::{self, Json, Nginx, SEED};
use super::verify::{self, Digest, Expect};

/// Data and the places of runs.
pub(crate) struct Store {
    folder: TempDir,
    inputs: RefCell<BTreeMap<(Kind, u64), Rc<Input>>>,
    /// What must come of an input: many workloads and contestants ask for the same.
    expected: RefCell<BTreeMap<(PathBuf, &'static str), Digest>>,
}

/// What is in files.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    Nginx,
    Json,
    /// Lines of nginx in a thousand files.
    Thousand,
    /// A single line.
    Line,
    /// A thousand files with a line each.
    Quiet,
}

/// Files to follow.
pub(crate) struct Input {
    /// A file, or the folder that the files are in.
    pub(crate) path: PathBuf,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) bytes: u64,
}

impl Input {
    fn new(path: PathBuf, files: Vec<PathBuf>) -> io::Result<Self> {
        let mut bytes = 0;
        for file in &files {
            bytes += fs::metadata(file)?.len();
        }
        Ok(Input { path, files, bytes })
    }

    /// How many lines it has.
    pub(crate) fn lines(&self) -> io::Result<u64> {
        let mut count = 0;
        for file in &self.files {
            count += memchr::memchr_iter(b'\n', &fs::read(file)?).count() as u64;
        }
        Ok(count)
    }

    /// Reads it once, so that the system has it in memory.
    pub(crate) fn warm(&self) -> io::Result<()> {
        for file in &self.files {
            io::copy(&mut fs::File::open(file)?, &mut io::sink())?;
        }
        Ok(())
    }
}

impl Store {
    pub(crate) fn new(folder: Option<&Path>) -> io::Result<Store> {
        let memory = Path::new("/dev/shm");
        let parent = match folder {
            Some(folder) => {
                fs::create_dir_all(folder)?;
                folder.to_owned()
            }
            None if memory.is_dir() => memory.to_owned(),
            None => std::env::temp_dir(),
        };
        remove_left(&parent);
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir_in(parent)?;
        Ok(Store { folder, inputs: RefCell::default(), expected: RefCell::default() })
    }

    /// Data of about so many bytes.
    pub(crate) fn input(&self, kind: Kind, size: u64) -> io::Result<Rc<Input>> {
        if let Some(input) = self.inputs.borrow().get(&(kind, size)) {
            return Ok(Rc::clone(input));
        }
        let path = self.folder.path().join(format!("{kind:?}-{size}").to_lowercase());
        let input = match kind {
            Kind::Nginx => {
                data::fill(&path, &mut Nginx::new(SEED), size).map(|_| vec![path.clone()])
            }
            Kind::Json => data::fill(&path, &mut Json::new(SEED), size).map(|_| vec![path.clone()]),
            Kind::Line => fs::write(&path, "the first line\n").map(|()| vec![path.clone()]),
            Kind::Thousand => {
                // One source for all, so that no two files hold the same lines.
                let mut lines = Nginx::new(SEED);
                thousand(&path, &mut |file| data::fill(file, &mut lines, size / 1000).map(drop))
            }
            Kind::Quiet => thousand(&path, &mut |file| fs::write(file, "the only line\n")),
        };
        let input = Rc::new(Input::new(path, input?)?);
        self.inputs.borrow_mut().insert((kind, size), Rc::clone(&input));
        Ok(input)
    }

    /// What the records that come of an input must come to.
    pub(crate) fn expected(&self, input: &Input, check: &dyn Expect) -> Result<Digest> {
        let key = (input.path.clone(), check.name());
        if let Some(known) = self.expected.borrow().get(&key) {
            return Ok(*known);
        }
        let files: Vec<_> = input.files.iter().map(|file| &**file).collect();
        let expected = verify::expected(&files, check);
        let expected = expected.context("cannot work out what must come out")?;
        self.expected.borrow_mut().insert(key, expected);
        Ok(expected)
    }

    /// An empty folder for a run, in which the one before it has left nothing.
    pub(crate) fn place(&self) -> io::Result<PathBuf> {
        let place = self.folder.path().join("run");
        match fs::remove_dir_all(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&place)?,
        }
        Ok(place)
    }
}

/// How names of folders begin; the number of the process comes next.
const PREFIX: &str = "swak-bench-";

/// Removes what runs that were killed have left: it may be gigabytes of memory.
fn remove_left(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let process = rest.and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Makes a folder with a thousand files.
fn thousand(
    folder: &Path,
    write: &mut dyn FnMut(&Path) -> io::Result<()>,
) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let file = |n: u32| {
        let path = folder.join(format!("{n:04}.log"));
        write(&path).map(|()| path)
    };
    (0..1000).map(file).collect()
}
