//! The engines: DuckDB with less memory than data, and a cluster of Spark.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::{Data, decided};
use crate::runner::run;

/// Returns the Python that has the engines; nothing where the run has none, which is said aloud.
#[expect(clippy::print_stderr, reason = "what is left out is to be seen")]
pub(super) fn python(test: &str) -> Option<PathBuf> {
    let found = std::env::var_os("AT_SCALE_PYTHON").map(PathBuf::from);
    if found.is_none() {
        let why = "AT_SCALE_PYTHON names no Python with duckdb and pyspark";
        eprintln!("LEFT OUT: {test}: {why}");
    }
    found
}

pub(super) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("at_scale")
}

/// Returns the sizes of leads and persons: small, or with `AT_SCALE_FULL` as large as a night of a service.
fn sizes() -> (u32, u32) {
    if std::env::var_os("AT_SCALE_FULL").is_some() { (50_000, 200_000) } else { (2_000, 5_000) }
}

pub(super) fn assert_same(found: &BTreeMap<String, String>, expected: &BTreeMap<String, String>) {
    assert_eq!(found.len(), expected.len());
    for (lead, decision) in expected {
        assert_eq!(&found[lead], decision, "{lead}");
    }
}

#[test]
fn duckdb_joins_with_less_memory_than_data() {
    let Some(python) = python("duckdb_joins_with_less_memory_than_data") else { return };
    let (leads, persons) = sizes();
    let data = Data::new(leads, persons);
    let expected = data.in_memory();
    let mut outputs = BTreeSet::new();
    for turn in ["one.csv", "two.csv"] {
        let done = run(Command::new(&python)
            .arg(scripts().join("duckdb_match.py"))
            .args(["--memory-limit", "128MB"])
            .args(data.flags(turn)));
        assert_eq!(done.code, 0, "{}", done.stderr);
        outputs.insert(fs::read_to_string(data.path(turn)).unwrap());
    }
    assert_eq!(outputs.len(), 1, "two runs give the same bytes");
    assert_same(&decided(outputs.first().unwrap()), &expected);
}

/// A standalone cluster of Spark on loopback: one master and two workers, each a process.
struct Cluster {
    home: PathBuf,
    python: PathBuf,
    master: String,
    processes: Vec<Child>,
}

impl Cluster {
    fn start(python: &Path, folder: &Path) -> Self {
        let script = "import os, pyspark; print(os.path.dirname(pyspark.__file__))";
        let found = run(Command::new(python).args(["-c", script]));
        assert_eq!(found.code, 0, "{}", found.stderr);
        let mut cluster = Self {
            home: found.stdout.trim().into(),
            python: python.to_owned(),
            master: String::new(),
            processes: Vec::new(),
        };
        // It takes a free port and says which. A port that is chosen for it may be taken before it listens: it would listen on
        // the next one then.
        cluster.spawn(folder, "master", &["master.Master", "--port", "0"]);
        let log = folder.join("master.log");
        wait_until("the master listens", || {
            let said = fs::read_to_string(&log).unwrap();
            let ended = cluster.processes[0].try_wait().unwrap();
            assert!(ended.is_none(), "the master ended: {said}");
            let address = said.split("Starting Spark master at ").nth(1);
            let address = address.and_then(|rest| rest.split_once('\n'));
            cluster.master =
                address.map(|(address, _)| address.trim().to_owned()).unwrap_or_default();
            !cluster.master.is_empty()
        });
        for name in ["one", "two"] {
            let work = folder.join(name);
            let work = work.to_str().unwrap();
            let master = cluster.master.clone();
            let flags =
                ["worker.Worker", "--cores", "1", "--memory", "1g", "--work-dir", work, &master];
            cluster.spawn(folder, name, &flags);
        }
        cluster
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.home.join("bin").join(program));
        command
            .env("SPARK_HOME", &self.home)
            .env("PYSPARK_PYTHON", &self.python)
            .env("SPARK_LOCAL_IP", "127.0.0.1");
        command
    }

    fn spawn(&mut self, folder: &Path, name: &str, flags: &[&str]) {
        let log = File::create(folder.join(format!("{name}.log"))).unwrap();
        let started = self
            .command("spark-class")
            .arg(format!("org.apache.spark.deploy.{}", flags[0]))
            .args(["--host", "127.0.0.1", "--webui-port", "0"])
            .args(&flags[1..])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.processes.push(started.unwrap());
    }

    /// Starts the job and returns its process; its decisions go to the folder `out`.
    fn submit(&self, data: &Data, out: &str) -> Child {
        let log = File::create(data.path(&format!("{out}.log"))).unwrap();
        self.command("spark-submit")
            .args(["--master", &self.master])
            .args(["--conf", "spark.ui.enabled=false", "--conf", "spark.executor.memory=512m"])
            .args([
                "--conf",
                "spark.sql.shuffle.partitions=4",
                "--conf",
                "spark.driver.host=127.0.0.1",
            ])
            .args(["--conf", "spark.driver.bindAddress=127.0.0.1"])
            .arg(scripts().join("spark_match.py"))
            .args(data.flags(out))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// Returns the processes that work for the workers.
    fn executors(&self) -> Vec<u32> {
        let ours = |parent: u32| self.processes.iter().any(|process| process.id() == parent);
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        ids.filter(|id| {
            let read = |file: &str| fs::read_to_string(format!("/proc/{id}/{file}")).ok();
            let Some(stat) = read("stat") else { return false };
            let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
            let parent = parent.and_then(|parent| parent.parse().ok());
            parent.is_some_and(ours)
                && read("cmdline").is_some_and(|line| line.contains("CoarseGrainedExecutorBackend"))
        })
        .collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            // Asked to end, a worker ends its executors too.
            let _ = Command::new("kill").arg(process.id().to_string()).status();
            let _ = process.wait();
        }
    }
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_mins(5), "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Reads the decisions of a folder that Spark wrote, sorted.
fn parts(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let parts = files.filter(|path| path.extension().is_some_and(|name| name == "csv"));
    let mut rows: Vec<String> = parts
        .flat_map(|path| {
            let text = fs::read_to_string(path).unwrap();
            text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn a_cluster_decides_as_one_matcher_also_where_an_executor_is_killed() {
    let Some(python) = python("a_cluster_decides_as_one_matcher") else { return };
    let (leads, persons) = sizes();
    let data = Data::new(leads, persons);
    let cluster = Cluster::start(&python, data.0.path());
    let ended = |name: &str, mut job: Child| {
        let status = job.wait().unwrap();
        let log = fs::read_to_string(data.path(&format!("{name}.log"))).unwrap();
        assert!(status.success(), "{log}");
    };
    ended("calm", cluster.submit(&data, "calm"));

    let job = cluster.submit(&data, "killed");
    wait_until("an executor works", || !cluster.executors().is_empty());
    std::thread::sleep(Duration::from_secs(3));
    let victim = cluster.executors()[0].to_string();
    assert!(Command::new("kill").args(["-9", &victim]).status().unwrap().success());
    ended("killed", job);

    let calm = parts(&data.path("calm"));
    assert_eq!(calm, parts(&data.path("killed")));
    let header = "source_pk,status,person_key,match_rule,confidence,fail_reason,evidence,record_digest,stamp";
    assert_same(&decided(&format!("{header}\n{}", calm.join("\n"))), &data.in_memory());

    // What a program refuses fails its task, and with it the job.
    fs::write(data.path("persons.csv"), "person_key,phone\n,987654321\n").unwrap();
    assert!(!cluster.submit(&data, "refused").wait().unwrap().success());
    let log = fs::read_to_string(data.path("refused.log")).unwrap();
    assert!(log.contains("keys ended with 5"), "{log}");
    assert!(!data.path("refused").join("_SUCCESS").exists());
}
