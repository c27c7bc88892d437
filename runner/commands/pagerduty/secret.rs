//! Where a subscription's secret goes. PagerDuty tells it once, so its place is made ready before
//! the subscription is.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

/// An empty file that waits for its secret; removed again when dropped without one.
pub(super) struct Place {
    path: PathBuf,
    file: File,
    is_filled: bool,
}

/// Why there is no place.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlaceError {
    #[error(
        "{} holds a secret already, which another subscription may sign with: name another file, \
         or move it away if its subscription is gone",
        .0.display()
    )]
    Taken(PathBuf),
    #[error("{} cannot be written: {source}", path.display())]
    Closed { path: PathBuf, source: std::io::Error },
}

impl Place {
    /// Readable by its owner only. What is there is never written over.
    pub(super) fn make(path: &Path) -> Result<Self, PlaceError> {
        let closed = |source| PlaceError::Closed { path: path.to_owned(), source };
        if std::fs::metadata(path).is_ok_and(|it| it.len() > 0) {
            return Err(PlaceError::Taken(path.to_owned()));
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path).map_err(closed)?;
        file.set_permissions(Permissions::from_mode(0o600)).map_err(closed)?;
        Ok(Self { path: path.to_owned(), file, is_filled: false })
    }

    /// Durable when it returns.
    pub(super) fn fill(mut self, secret: &SecretString) -> Result<PathBuf, PlaceError> {
        let filled = writeln!(self.file, "{}", secret.expose_secret());
        filled
            .and_then(|()| self.file.sync_all())
            .map_err(|source| PlaceError::Closed { path: self.path.clone(), source })?;
        self.is_filled = true;
        Ok(self.path.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_filled {
            drop(std::fs::remove_file(&self.path));
        }
    }
}
