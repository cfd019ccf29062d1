//! `mode="file"`: a process for each chunk, with a file to read and a file to write.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use swak_sdk::prelude::*;

use super::command::{Files, Program};
use super::process::Process;
use super::result::split_lines;
use crate::blocking::blocking;
use crate::formats::{Encoder, Replaced};

/// Runs a process for each chunk.
pub(super) struct PerChunk {
    pub(super) program: Program,
    pub(super) encoder: Encoder,
    pub(super) replaced: Replaced,
    pub(super) timeout: Duration,
    pub(super) max_output: u64,
}

impl PerChunk {
    /// What the process made of a chunk: the lines of its output file, read at this moment. The
    /// files are gone when this returns, whatever happened.
    pub(super) async fn run(&mut self, chunk: &Chunk) -> Result<Batch> {
        let folder = tempfile::Builder::new()
            .prefix("swak-exec-")
            .tempdir()
            .context("cannot make a folder for temporary files")?;
        let (input, output) = (folder.path().join("input"), folder.path().join("output"));
        blocking(|| self.write_input(&input, chunk))
            .with_context(|| format!("cannot write {}", input.display()))?;
        let name = self.program.name();
        let command = self.program.command(Some(&Files { input: &input, output: &output }));
        let mut process = Process::start(command, &name, false)?;
        match tokio::time::timeout(self.timeout, process.succeed()).await {
            Ok(result) => result?,
            Err(_) => {
                process.kill();
                let _ = process.wait().await;
                let what = format!("ended because it took longer than {:?}", self.timeout);
                return Err(process.failure(&what).await);
            }
        }
        let lines = blocking(|| self.read_output(&output));
        lines.with_context(|| format!("`{name}` ended well, but its output file cannot be read"))
    }

    fn write_input(&mut self, path: &Path, chunk: &Chunk) -> Result<()> {
        let mut file = fs::File::create(path)?;
        if let Some(header) = self.encoder.header() {
            file.write_all(&header)?;
        }
        let encoded = self.encoder.encode(chunk)?;
        for slice in encoded.slices() {
            file.write_all(slice)?;
        }
        self.replaced.count(encoded.replaced());
        Ok(())
    }

    fn read_output(&self, path: &Path) -> Result<Batch> {
        let mut bytes = Vec::new();
        // Not what its length says: it may be a pipe or a device that the process put there.
        fs::File::open(path)?.take(self.max_output + 1).read_to_end(&mut bytes)?;
        ensure!(
            bytes.len() as u64 <= self.max_output,
            "it is larger than max_output={}",
            ByteSize(self.max_output)
        );
        Ok(split_lines(bytes))
    }
}
