//! TLS to PostgreSQL: a server is believed only by the certificate that the client was given for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use recovery_queue::testing::PostgresServer;
use recovery_queue::*;

use crate::support::backends::told;

/// Makes a self-signed certificate for 127.0.0.1 and its key; none where there is no `openssl`.
fn certificate(folder: &Path, name: &str) -> Option<(PathBuf, PathBuf)> {
    let (cert, key) = (folder.join(format!("{name}.crt")), folder.join(format!("{name}.key")));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=server.test"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-out"])
        .arg(&cert)
        .arg("-keyout")
        .arg(&key)
        .output();
    made.is_ok_and(|output| output.status.success()).then_some((cert, key))
}

fn shell(script: &str, folder: &Path) {
    let status = Command::new("sh").args(["-c", script]).current_dir(folder).status().unwrap();
    assert!(status.success(), "{script}");
}

fn open(url: &str) -> Result<SqlStore, StoreError> {
    SqlStore::open(&DatabaseUrl::parse(url).unwrap(), OpenOptions::default())
}

#[test]
fn a_server_is_believed_by_its_certificate_and_refused_by_another() {
    if crate::support::server::shared().and_then(PostgresServer::pid).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some((cert, key)) = certificate(folder.path(), "server") else {
        crate::support::server::left_out(
            "TLS to PostgreSQL: there is no openssl to make a certificate",
        );
        return;
    };
    let (wrong, _) = certificate(folder.path(), "other").unwrap();
    // The server reads its key only as its own user.
    let own =
        "chmod 755 .; chmod 600 server.key; [ \"$(id -u)\" != 0 ] || chown postgres server.key";
    shell(own, folder.path());
    let server = PostgresServer::start_with(&[
        ("ssl", "on"),
        ("ssl_cert_file", cert.to_str().unwrap()),
        ("ssl_key_file", key.to_str().unwrap()),
    ])
    .unwrap();
    let with = |root: &Path| {
        format!("{}?sslmode=verify-full&sslrootcert={}", server.url(), root.display())
    };

    let mut store = open(&with(&cert)).unwrap();
    store.migrate().unwrap();
    store.open_run(&NewRun::new(RunKind::Recover, "over TLS", None)).unwrap();
    crate::support::backends::script(
        &mut store,
        "DO $$ BEGIN IF NOT (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) \
         THEN RAISE EXCEPTION 'in the clear'; END IF; END $$",
    );

    let refused = told(&open(&with(&wrong)).map(drop).unwrap_err());
    assert!(refused.contains("certificate verify failed"), "{refused}");
    let elsewhere = with(&cert).replace("@127.0.0.1:", "@localhost:") + "&hostaddr=127.0.0.1";
    let refused = told(&open(&elsewhere).map(drop).unwrap_err());
    assert!(refused.contains("does not match host name"), "{refused}");
}
