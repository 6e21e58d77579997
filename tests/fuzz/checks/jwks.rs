//! A key set's document: whatever it holds, only sound public keys serve, each under one algorithm, and a second reading
//! finds the same ones.

use tollgate::token::{Algorithm, KeySet};

pub(crate) fn check(document: &[u8]) {
    let Ok((keys, _)) = KeySet::parse(document, &Algorithm::ALL) else {
        return;
    };
    assert!(document.len() <= KeySet::DOCUMENT_BYTES_MAX);
    // An RSA key that leaves its algorithm open serves six.
    assert!(keys.len() <= 6 * KeySet::KEYS_MAX);
    let mut names = Vec::new();
    for key in keys.keys() {
        assert!(!key.algorithm().is_symmetric());
        assert!(key.thumbprint().is_some());
        assert!(key.usage().count() == 0);
        names.extend(key.kid().map(|kid| (kid, key.algorithm())));
    }
    let named = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), named);
    let (again, _) = KeySet::parse(document, &Algorithm::ALL).expect("read before");
    let uids = |set: &KeySet| set.keys().map(|key| key.uid()).collect::<Vec<_>>();
    assert_eq!(uids(&again), uids(&keys));
    let thumbprints: Vec<&str> = keys.keys().filter_map(|key| key.thumbprint()).collect();
    assert!(keys.distrusting(&thumbprints).is_empty());
}
