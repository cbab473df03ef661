//! A private, throw-away PostgreSQL server for tests.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use diesel::Connection as _;

/// A private PostgreSQL server on a free loopback port, from the installed binaries.
///
/// It lives as long as the value, or the process: a shell keeps watch on a pipe and stops the server when the
/// pipe closes, however the process ended. Where the tests run as root, the server runs as the user `postgres`.
#[derive(Debug)]
pub struct PostgresServer {
    url: String,
    watch: Option<Child>,
    server_pid: Option<u32>,
    port: u16,
    folder: Option<PathBuf>,
    /// Settings on the server's command line, `name=value`.
    settings: Vec<String>,
}

/// Why no server is there.
#[derive(Debug, thiserror::Error)]
#[error(
    "no PostgreSQL server for the tests: {0}; install it (Debian: postgresql) or set TEST_POSTGRES_URL"
)]
pub struct NoServer(String);

fn no(reason: impl std::fmt::Display) -> NoServer {
    NoServer(reason.to_string())
}

/// Finds the folder with `initdb` and `postgres`, the newest version first.
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    versions.reverse();
    folders.extend(versions);
    folders
        .into_iter()
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

fn user_id(what: &str) -> Option<u32> {
    let output = Command::new("id").args([what, "postgres"]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Makes a command that runs as `postgres` where this process is root, in a process group of its own: what ends
/// the tests, such as Ctrl-C, ends their whole group and must leave the watch to stop the server.
#[cfg(unix)]
fn command(program: &Path) -> Result<Command, NoServer> {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(program);
    command.process_group(0);
    if is_root() {
        let uid = user_id("-u").ok_or_else(|| no("there is no user postgres"))?;
        let gid = user_id("-g").ok_or_else(|| no("there is no user postgres"))?;
        command.uid(uid).gid(gid);
    }
    Ok(command)
}

#[cfg(not(unix))]
fn command(program: &Path) -> Result<Command, NoServer> {
    Ok(Command::new(program))
}

impl PostgresServer {
    /// Starts a server, or takes the one that `TEST_POSTGRES_URL` names.
    ///
    /// # Errors
    /// [`NoServer`] where neither is to be had.
    pub fn start() -> Result<Self, NoServer> {
        if let Ok(url) = std::env::var("TEST_POSTGRES_URL") {
            let settings = Vec::new();
            return Ok(Self {
                url,
                watch: None,
                server_pid: None,
                port: 0,
                folder: None,
                settings,
            });
        }
        Self::start_with(&[])
    }

    /// Starts a server with settings of its own, such as `("ssl", "on")`; `TEST_POSTGRES_URL` is not looked at.
    ///
    /// # Errors
    /// [`NoServer`] where the binaries are missing or a setting is wrong.
    pub fn start_with(settings: &[(&str, &str)]) -> Result<Self, NoServer> {
        let binaries = binaries().ok_or_else(|| no("initdb and postgres are not installed"))?;
        let folder = std::env::temp_dir().join(format!(
            "recovery-queue-pg-{}-{}",
            std::process::id(),
            free_port()?
        ));
        // Made by the server's user, who must own it.
        let made =
            command(Path::new("mkdir"))?.arg("-m").arg("700").arg(&folder).status().map_err(no)?;
        if !made.success() {
            return Err(no("the data folder could not be made"));
        }
        let data = folder.join("data");
        let output = command(&binaries.join("initdb"))?
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N", "-D"])
            .arg(&data)
            .current_dir(&folder)
            .output()
            .map_err(no)?;
        if !output.status.success() {
            return Err(no(String::from_utf8_lossy(&output.stderr)));
        }
        let mut server = Self {
            url: String::new(),
            watch: None,
            server_pid: None,
            port: free_port()?,
            folder: Some(folder),
            settings: settings.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        };
        server.launch(&binaries, &data)?;
        Ok(server)
    }

    fn launch(&mut self, binaries: &Path, data: &Path) -> Result<(), NoServer> {
        let port = self.port;
        let script = "bin=$1; data=$2; port=$3; shift 3; \
             \"$bin\" -D \"$data\" -p \"$port\" -k \"\" -c listen_addresses=127.0.0.1 \
             -c max_connections=50 -c fsync=off \"$@\" >\"$data/log\" 2>&1 & pid=$!; \
             echo $pid >\"$data/watched.pid\"; read -r line; kill -INT $pid; wait $pid; \
             [ \"$line\" = keep ] || rm -rf \"$(dirname \"$data\")\"";
        let watch = command(Path::new("sh"))?
            .args(["-c", script, "sh"])
            .arg(binaries.join("postgres"))
            .arg(data)
            .arg(port.to_string())
            .args(self.settings.iter().flat_map(|setting| ["-c", setting]))
            .current_dir(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(no)?;
        self.watch = Some(watch);
        self.url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        for _ in 0..300 {
            if diesel::pg::PgConnection::establish(&self.url).is_ok() {
                let pid = std::fs::read_to_string(data.join("postmaster.pid")).ok();
                self.server_pid =
                    pid.and_then(|text| text.lines().next().and_then(|line| line.parse().ok()));
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(data.join("log")).unwrap_or_default();
        Err(no(format!("it did not come up: {log}")))
    }

    /// Gives the URL of the database `postgres` on the server.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Gives the process id of a server that this value started.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.server_pid
    }

    /// Stops the server at once, as a crash would; [`start_again`](Self::start_again) ends the outage.
    ///
    /// # Panics
    /// Where this value did not start the server, or it cannot be stopped.
    pub fn stop_for_a_while(&mut self) {
        let pid = self.server_pid.expect("the server is ours to stop");
        let status = Command::new("kill").args(["-QUIT", &pid.to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "the server could not be stopped");
        self.stop("keep");
    }

    /// Starts a server again that was stopped, on the same port.
    ///
    /// # Errors
    /// A server that this value did not start, and one that does not come up.
    pub fn start_again(&mut self) -> Result<(), NoServer> {
        let folder = self.folder.clone().ok_or_else(|| no("it is not ours to start"))?;
        let binaries = binaries().ok_or_else(|| no("the binaries are gone"))?;
        self.launch(&binaries, &folder.join("data"))
    }

    /// Gives what a server that this value started has logged so far.
    #[must_use]
    pub fn log(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.as_ref()?.join("data/log")).ok()
    }

    /// Stops the server at once, as a crash would, and starts it again on the same port.
    ///
    /// # Errors
    /// A server that this value did not start, and one that does not come up again.
    pub fn crash_and_restart(&mut self) -> Result<(), NoServer> {
        if self.server_pid.is_none() {
            return Err(no("it is not ours to stop"));
        }
        self.stop_for_a_while();
        self.start_again()
    }

    fn stop(&mut self, line: &str) {
        if let Some(mut watch) = self.watch.take() {
            if let Some(mut pipe) = watch.stdin.take() {
                let _ = writeln!(pipe, "{line}");
            }
            let _ = watch.wait();
        }
    }
}

fn free_port() -> Result<u16, NoServer> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(no)?;
    Ok(listener.local_addr().map_err(no)?.port())
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.stop("");
    }
}
