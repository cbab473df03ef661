//! An import by itself: files into the service's tables, and nothing decided.

use std::path::PathBuf;

use clap::Args;
use identity_matching::Region;
use recovery_queue::DatabaseUrl;

use crate::cli::{Console, Exit, Failure};
use crate::recovery::Recovery;
use crate::service::{Import, ImportSummary, MapArgs};
use crate::tables::TableArgs;

/// The flags of an import by itself.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = true, args = ["leads", "persons", "claims"])]
pub struct ImportArgs {
    /// Leads to import.
    #[arg(long, value_name = "CSV", conflicts_with = "map")]
    pub leads: Option<PathBuf>,
    /// Persons to import.
    #[arg(long, value_name = "CSV", conflicts_with = "map")]
    pub persons: Option<PathBuf>,
    /// Claims to import.
    #[arg(long, value_name = "CSV", conflicts_with = "map")]
    pub claims: Option<PathBuf>,
    /// Takes each file for all that there is: what is not in it any more is told and removed.
    #[arg(long)]
    pub full: bool,
    /// Lets a file have fewer than half the rows of the last import (at least 100 fewer).
    #[arg(long)]
    pub allow_shrink: bool,
    /// How files are read.
    #[command(flatten)]
    pub tables: TableArgs,
    /// The region that reads local phones and documents.
    #[arg(long, default_value = "PE", value_name = "CODE")]
    pub region: Region,
    /// The matching policy, for its own kinds and for which leads wake.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Who imports; kept in the history.
    #[arg(long, env = "USER", default_value = "queue_admin", value_name = "NAME")]
    pub by: String,
}

impl ImportArgs {
    /// Imports the files, all of them or none; a dry run takes that back.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or has shrunk too much, and the database's.
    pub fn run(
        &self,
        url: &DatabaseUrl,
        console: &Console,
        dry_run: bool,
    ) -> Result<(Vec<ImportSummary>, Exit), Failure> {
        let recovery = Recovery {
            map: MapArgs::default(),
            limit: None,
            batch_size: 1,
            workers: 1,
            region: self.region,
            policy: self.policy.clone(),
            decisions: None,
        };
        let tables = self.tables.open(console.bars())?;
        let files = [&self.leads, &self.persons, &self.claims].map(|file| file.as_deref());
        let given = Import::open(&tables, recovery.own_columns()?, files)?
            .allowing_shrink(self.allow_shrink)
            .as_full(self.full)
            .imported_by(&self.by)
            .as_dry_run(dry_run);
        let (_, mut service) = recovery.map.open(url)?;
        let keys = recovery.wake_keys(&mut service)?;
        let imports = service.import(given, &keys)?;
        for import in &imports {
            import.tell(console);
        }
        tables.finish()?;
        let exit = imports.iter().map(ImportSummary::exit).fold(Exit::Done, Exit::and);
        Ok((imports, exit))
    }
}
