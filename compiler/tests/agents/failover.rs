//! The seed's recipe under fire: follow, parse, hold, and deliver to the first of two Fluentd servers
//! that answers, to a file when none does, and from there to the servers again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use crate::delivery::{append, free_port, requests};
use crate::support::{Place, Running, agent, wait_until};

/// What is to be seen of one run of the recipe.
struct Field {
    place: Place,
    agent: PathBuf,
    log: PathBuf,
    /// The next number that is written to the log.
    next: usize,
    ports: [u16; 2],
}

impl Field {
    fn new() -> Self {
        let place = Place::new();
        let log = place.path("mylog.txt");
        Field { agent: agent("samples"), log, next: 0, ports: [free_port(), free_port()], place }
    }

    /// One of the two servers: 0 or 1.
    fn server(&self, i: usize) -> Running {
        let (port, file) = (self.ports[i], self.place.path(&received(i)));
        let recipe =
            format!("task(in.Fluentd(\"127.0.0.1:{port}\"), out.File({file:?}, format=\"json\"))");
        self.place.start_recipe(&self.agent, &format!("server{i}.swak"), &recipe)
    }

    fn sender(&self) -> Running {
        let output = |port| format!("out.Fluentd(\"127.0.0.1:{port}\", retry_max_wait=\"500ms\")");
        let recipe = format!(
            "task(in.FileTailing({:?}), out.MyLogParser(), out.TimedBuffer(\"0.1s\"), \
             failover({}, {}, last=out.File({:?}, format=\"record\"), timeout=\"400ms\", \
             drain_back=True))",
            self.log,
            output(self.ports[0]),
            output(self.ports[1]),
            self.failed(),
        );
        self.place.start_recipe(&self.agent, "sender.swak", &recipe)
    }

    /// Where records go when no server answers.
    fn failed(&self) -> PathBuf {
        self.place.path("failed.txt")
    }

    fn write(&mut self, lines: usize) {
        append(&self.log, self.next..self.next + lines);
        self.next += lines;
    }

    fn at_server(&self, i: usize) -> Vec<usize> {
        requests(&self.place.lines(&received(i)))
    }

    /// Writes to the log until something of it comes to this server.
    fn write_until_it_comes_to(&mut self, i: usize) {
        let first = self.next;
        wait_until("what was written since then, at the server that should have it", || {
            self.write(10);
            sleep(Duration::from_millis(50));
            self.at_server(i).iter().any(|n| *n >= first).then_some(())
        });
    }

    fn write_until_it_comes_to_the_file(&mut self) {
        wait_until("a file with what no server took", || {
            self.write(10);
            sleep(Duration::from_millis(50));
            is_filled(&self.failed()).then_some(())
        });
    }

    /// Waits until all that was written is at one of the servers, and nothing in the file.
    fn wait_for_all(&self) {
        let aside = self.place.path("failed.txt.drain");
        wait_until("everything at one server or the other", || {
            let all: BTreeSet<usize> = [0, 1].iter().flat_map(|i| self.at_server(*i)).collect();
            let is_empty = !is_filled(&self.failed()) && !aside.exists();
            (is_empty && all.iter().copied().eq(0..self.next)).then_some(())
        });
    }
}

fn received(i: usize) -> String {
    format!("received{i}.json")
}

fn is_filled(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.len() > 0)
}

#[test]
fn servers_die_hang_and_come_back_and_nothing_is_lost() {
    let mut field = Field::new();
    let (one, two) = (field.server(0), field.server(1));
    field.write(100);
    let sender = field.sender();
    field.write_until_it_comes_to(0);

    // The first one hangs: it takes connections and bytes, and answers nothing.
    one.signal("STOP");
    field.write_until_it_comes_to(1);
    one.signal("CONT");
    field.write_until_it_comes_to(0);

    // The first one dies, then the second: the file takes over.
    one.kill();
    field.write_until_it_comes_to(1);
    two.signal("STOP");
    field.write_until_it_comes_to_the_file();
    two.kill();
    field.write_until_it_comes_to_the_file();

    // The second one is back: the flow is at it, and what is in the file follows.
    let two = field.server(1);
    field.write_until_it_comes_to(1);
    field.wait_for_all();

    // All die, the sender too, with something in the file.
    two.kill();
    field.write_until_it_comes_to_the_file();
    sender.kill();
    field.write(100);
    let sender = field.sender();
    let two = field.server(1);
    field.wait_for_all();

    // Back at the first one, and nothing goes to the second any more.
    let one = field.server(0);
    field.write_until_it_comes_to(0);
    field.wait_for_all();
    let at_two = field.at_server(1).len();
    field.write(500);
    field.wait_for_all();
    assert_eq!(field.at_server(1).len(), at_two);
    for running in [sender, one, two] {
        assert_eq!(running.stop().code(), Some(0));
    }
}

#[test]
fn what_the_file_took_is_sent_once_when_all_stop_in_order() {
    let mut field = Field::new();
    let sender = field.sender();
    field.write_until_it_comes_to_the_file();
    let one = field.server(0);
    field.write_until_it_comes_to(0);
    field.wait_for_all();
    assert_eq!(sender.stop().code(), Some(0));
    assert_eq!(one.stop().code(), Some(0));
    let mut all = field.at_server(0);
    all.sort_unstable();
    assert_eq!(all, (0..field.next).collect::<Vec<_>>());
}
