//! What a finding says of itself.

use crate::detect::DetectorSet;
use crate::model::{Confidence, Liveness};
use crate::scan::allow::Allowing;
use crate::scan::{Counters, Groups, Request, Target, WalkOptions, run};
use crate::secret::FingerprintKey;

#[test]
fn what_says_that_it_has_expired_is_dead_without_being_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let signature = "9f8b2c7d4e1a4f0c".repeat(4);
    let url = format!(
        "https://b.s3.eu-west-1.amazonaws.com/k?X-Amz-Credential=AKIA{}%2F20250901%2Feu-west-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20250901T101500Z&X-Amz-Expires=60&X-Amz-Signature={signature}\n",
        "RZPUZDIKAB6VH3GC"
    );
    std::fs::write(folder.path().join("a.md"), url).expect("written");
    let set = DetectorSet::builtin().expect("detectors");
    let (allow, counters) = (Allowing::nothing(&[]), Counters::default());
    let walk = WalkOptions::default();
    let request =
        Request { set: &set, allow: &allow, walk, archive_depth: 0, jobs: 1, least: Confidence::Low, counters: &counters };
    let mut states = Vec::new();
    for now in ["2025-09-01T10:15:30Z", "2025-09-01T10:16:00Z"] {
        let mut gathered = run(vec![Target::Path(folder.path().to_owned())], &request);
        let key = FingerprintKey::new([5; 32]);
        let groups = Groups::new(&mut gathered, &set, &key, now.parse().expect("a time"));
        states.extend(groups.findings().into_iter().map(|finding| finding.liveness.liveness));
    }
    assert_eq!(states, [Liveness::NotChecked(None), Liveness::Dead("expired 2025-09-01T10:16:00Z".to_owned())]);
}
