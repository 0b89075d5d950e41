//! Hands the pipeline's findings to `ownership`.

use super::args::Targets;
use super::settings::Settings;
use crate::model::Coverage;
use crate::scan::Groups;
use crate::secret::FingerprintKey;

/// Fills in whose each finding is.
pub(super) fn attribute(_groups: &mut Groups, _coverage: &mut Coverage, _from: (&Targets, &Settings, &FingerprintKey)) {}
