//! The identity service's own handle at rest: sealed with a key from the master key and the session's salt, so that the
//! store alone does not tell it. Knows nothing of what a handle means.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt as HkdfSalt};

use super::entropy::Entropy;
use super::refresh_token::{KeyId, RefreshKeys, Salt};

impl RefreshKeys {
    /// Seals a handle under the active master key.
    pub fn seal(&self, salt: &Salt, handle: &str, entropy: &dyn Entropy) -> Box<[u8]> {
        let id = self.active();
        let key = self
            .sealing_key(id, salt)
            .expect("the active key is one of the keys");
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut sealed = handle.as_bytes().to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(id.0),
            &mut sealed,
        )
        .expect("a handle is far below the cipher's limit");
        [&id.0[..], &nonce, &sealed].concat().into()
    }

    /// Opens what [`Self::seal`] made. `None` when it was altered or its master key is gone.
    pub fn open(&self, salt: &Salt, sealed: &[u8]) -> Option<String> {
        let (id, rest) = sealed.split_first_chunk::<4>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let key = self.sealing_key(KeyId(*id), salt)?;
        let mut bytes = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let handle = key.open_in_place(nonce, Aad::from(id), &mut bytes).ok()?;
        String::from_utf8(handle.to_vec()).ok()
    }

    fn sealing_key(&self, id: KeyId, salt: &Salt) -> Option<LessSafeKey> {
        let prk = HkdfSalt::new(HKDF_SHA256, &salt.0).extract(self.master(id)?.expose());
        let infos = [b"tollgate-handle-v1".as_slice()];
        let okm = prk
            .expand(&infos, &AES_256_GCM)
            .expect("a key of 32 bytes is within HKDF's length");
        Some(LessSafeKey::new(UnboundKey::from(okm)))
    }
}

#[cfg(test)]
mod tests {
    use crate::session::Salt;
    use crate::session::tests::{Counting, keys};

    #[test]
    fn a_sealed_handle_opens_with_its_salt_alone_and_unaltered() {
        let (keys, salt) = (keys(), Salt([3; 32]));
        let sealed = keys.seal(&salt, "opaque", &Counting::default());
        assert_eq!(keys.open(&salt, &sealed).as_deref(), Some("opaque"));
        assert_eq!(keys.open(&Salt([4; 32]), &sealed), None);
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(keys.open(&salt, &altered), None, "byte {at}");
        }
    }
}
