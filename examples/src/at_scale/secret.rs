//! The secret under which keys travel.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::io::Read;
use std::path::PathBuf;

use data_encoding::HEXLOWER_PERMISSIVE;
use identity_matching::{HashKey, index::Seal};

use crate::cli::Failure;
use crate::files;

const VARIABLE: &str = "IDENTITY_SECRET";
const REMEDY: &str = "write 32 hexadecimal digits to a file of your own (openssl rand -hex 16), and give the same to `keys` and `decide`";

/// Where the secret comes from: a file or the environment, never the command line, which others can read.
#[derive(Clone, Debug, clap::Args)]
pub struct SecretArgs {
    /// The file that holds the secret: 32 hexadecimal digits (left out: the variable IDENTITY_SECRET).
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

impl SecretArgs {
    /// Reads the secret.
    ///
    /// # Errors
    ///
    /// No secret, a file that cannot be read, and a text that is none; no message shows it.
    pub fn seal(&self) -> Result<Seal, Failure> {
        let (from, text) = match &self.secret_file {
            Some(path) => {
                let mut text = String::new();
                let name = path.display().to_string();
                files::open(path)?
                    .take(1_024)
                    .read_to_string(&mut text)
                    .map_err(|_| Failure::new(format_args!("{name} is no text")).remedy(REMEDY))?;
                (name, text)
            }
            None => match std::env::var(VARIABLE) {
                Ok(text) => (VARIABLE.to_owned(), text),
                Err(_) => {
                    return Err(Failure::new(format_args!(
                        "there is no secret: neither --secret-file nor {VARIABLE} is given"
                    ))
                    .remedy(REMEDY));
                }
            },
        };
        let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok();
        let secret = bytes.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).ok_or_else(|| {
            Failure::new(format_args!("{from} holds no secret of 32 hexadecimal digits"))
                .remedy(REMEDY)
        })?;
        Ok(Seal::new(HashKey::new(secret)))
    }
}
