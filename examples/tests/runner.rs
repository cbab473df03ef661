//! Runs a reference runner as a process of its own.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Returns a command for a runner, in an environment that names no database.
pub(crate) fn runner(name: &str) -> Command {
    let tests = std::env::current_exe().expect("a test knows its own program");
    let built: PathBuf = tests
        .parent()
        .and_then(|deps| deps.parent())
        .expect("cargo puts tests two folders below the target folder")
        .join("examples")
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        built.is_file(),
        "{} is not built; run `cargo build -p reference-runners --examples`, or all tests at once",
        built.display()
    );
    let mut command = Command::new(built);
    command.env_remove("DATABASE_URL").env_remove("COLUMNS");
    command
}

/// Runs it to its end.
pub(crate) fn run(command: &mut Command) -> Run {
    let Output { status, stdout, stderr } = command.output().expect("the runner starts");
    Run {
        code: status.code().expect("the runner ends by itself"),
        stdout: String::from_utf8(stdout).expect("data is UTF-8"),
        stderr: String::from_utf8(stderr).expect("messages are UTF-8"),
    }
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}
