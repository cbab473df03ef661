//! Runners that are installed: on the `PATH`, called by their names, with what they print followed as it stands.

use std::path::{Path, PathBuf};
use std::process::Command;

use recovery_queue::testing::PostgresServer;
use serde_json::Value;

use crate::corrections::sql;
use crate::runner::{Run, run, runner};
use crate::verify_guardrails::recovered;

/// The folder that `cargo install` filled, where a run of all checks has one.
fn installed() -> Option<PathBuf> {
    std::env::var_os("INSTALLED_RUNNERS").map(PathBuf::from)
}

fn left_out(what: &str) {
    // Past the harness, which keeps what a passing test prints to itself.
    let said = format!("LEFT OUT: {what}\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
}

/// Runs a line of a shell with the runners on the `PATH`, and nothing of cargo's.
fn shell(bin: &Path, folder: &Path, line: &str) -> Run {
    let path = format!("{}:/usr/bin:/bin", bin.display());
    run(Command::new("/bin/sh")
        .args(["-c", line])
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("DATABASE_URL"))
}

#[test]
fn what_an_installed_runner_prints_is_run_as_it_stands() {
    let folder = recovered();
    let bin = installed().unwrap_or_else(|| {
        let bin = folder.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        for name in ["verify_guardrails", "queue_admin", "seed_queue"] {
            let built = PathBuf::from(runner(name).get_program());
            let own = bin.join(built.file_name().unwrap());
            if std::fs::hard_link(&built, &own).is_err() {
                std::fs::copy(&built, &own).unwrap();
            }
        }
        bin
    });
    let database = format!("sqlite://{}", folder.path().join("q.sqlite").display());
    sql(
        &database,
        "DELETE FROM queue_link WHERE lead_id = (SELECT id FROM queue_lead WHERE source_pk = 'L-1')",
    );
    let verify = "verify_guardrails --only identity_link_integrity --database-url q.sqlite";
    let report = shell(&bin, folder.path(), &format!("{verify} --json - --output report.txt"));
    assert_eq!(report.code, 1, "{report:?}");
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    let commands: Vec<&str> = report["checks"][0]["help"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|help| help["command"].as_str())
        .collect();
    let mends = commands.iter().find(|line| line.contains("reconcile")).expect("a remedy");
    assert!(mends.starts_with("queue_admin "), "neither a path nor cargo: {mends}");
    let done = shell(&bin, folder.path(), &format!("USER=ana {mends}"));
    assert_eq!(done.code, 0, "{done:?}");
    let again = shell(&bin, folder.path(), verify);
    assert_eq!(again.code, 0, "{again:?}");
}

#[test]
fn an_installed_runner_speaks_tls() {
    let Some(bin) = installed() else {
        return left_out("runners that are installed with TLS: INSTALLED_RUNNERS names no folder");
    };
    let folder = tempfile::tempdir().unwrap();
    // The server reads its key only as its own user.
    let made = Command::new("sh")
        .current_dir(folder.path())
        .args([
            "-c",
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
                 -subj /CN=server.test -addext subjectAltName=IP:127.0.0.1 -out s.crt -keyout s.key && \
             chmod 755 . && chmod 600 s.key && { [ \"$(id -u)\" != 0 ] || chown postgres s.key; }",
        ])
        .output()
        .expect("a shell");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let at = |name: &str| folder.path().join(name).display().to_string();
    let server = PostgresServer::start_with(&[
        ("ssl", "on"),
        ("ssl_cert_file", &at("s.crt")),
        ("ssl_key_file", &at("s.key")),
    ])
    .expect("a server with TLS");
    let url = format!("{}?sslmode=verify-full&sslrootcert={}", server.url(), at("s.crt"));
    let seeded = shell(&bin, folder.path(), &format!("seed_queue --quiet --database-url '{url}'"));
    assert_eq!(seeded.code, 0, "{seeded:?}");
}
