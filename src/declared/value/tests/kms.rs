//! Data keys from AWS KMS, with files that are encrypted here.

use std::collections::BTreeMap;

use aes_gcm::aead::consts::U32;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{AesGcm, Nonce, aes::Aes256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha512};

use super::*;

const DATA_KEY: [u8; 32] = [7; 32];
const DATE: &str = "2026-01-02T03:04:05Z";
const ARN: &str = "arn:aws:kms:eu-west-1:111111111111:key/abc";

pub(super) fn encrypt(plain: &str, aad: &str, kind: &str) -> Result<String> {
    let cipher = AesGcm::<Aes256, U32>::new(&DATA_KEY.into());
    let iv = [9_u8; 32];
    let mut data = plain.as_bytes().to_vec();
    let tag = cipher
        .encrypt_in_place_detached(Nonce::from_slice(&iv), aad.as_bytes(), &mut data)
        .map_err(|_| "not encrypted")?;
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    Ok(format!("ENC[AES256_GCM,data:{},iv:{},tag:{},type:{kind}]", base64(&data), base64(&iv), base64(&tag)))
}

/// A JSON file of one value under this key, encrypted to the key that [`Kms`] knows.
pub(super) fn named_file(key: &str, plain: &str, kind: &str) -> Result<String> {
    made(key, plain, kind, &serde_json::json!({ "kms": [recipient(ARN)] }))
}

/// A JSON file of one value, encrypted to what `recipients` says.
pub(super) fn file(plain: &str, kind: &str, recipients: &serde_json::Value) -> Result<String> {
    made("password", plain, kind, recipients)
}

fn made(key: &str, plain: &str, kind: &str, recipients: &serde_json::Value) -> Result<String> {
    let mac = hex::encode_upper(Sha512::digest(plain));
    let mut metadata = recipients.clone();
    metadata["lastmodified"] = DATE.into();
    metadata["mac"] = encrypt(&mac, DATE, "str")?.into();
    metadata["version"] = "3.11.0".into();
    let file = serde_json::json!({ key: encrypt(plain, &format!("{key}:"), kind)?, "sops": metadata });
    Ok(file.to_string())
}

pub(super) struct Kms;

impl DataKeys for Kms {
    async fn decrypt_kms(&self, request: &KmsRequest) -> std::result::Result<Zeroizing<Vec<u8>>, String> {
        let expected = KmsRequest {
            arn: ARN.to_owned(),
            ciphertext: b"wrapped".to_vec(),
            context: BTreeMap::from([("App".to_owned(), "payments".to_owned())]),
            role: Some("arn:aws:iam::111111111111:role/sops".to_owned()),
            profile: None,
        };
        if *request == expected { Ok(DATA_KEY.to_vec().into()) } else { Err("AccessDeniedException".to_owned()) }
    }
}

fn recipient(arn: &str) -> serde_json::Value {
    serde_json::json!({
        "arn": arn, "enc": STANDARD.encode("wrapped"), "context": { "App": "payments" }, "aws_profile": "",
        "role": "arn:aws:iam::111111111111:role/sops", "created_at": DATE,
    })
}

#[test]
fn kms_unwraps_the_data_key() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("db.json");
    let source = sops_at(&path, Some("/password"));
    let recipients =
        serde_json::json!({ "kms": [recipient("arn:aws:kms:us-east-1:111111111111:key/other"), recipient(ARN)] });
    std::fs::write(&path, file("from KMS", "str", &recipients)?)?;
    assert_eq!(text(&render_with(&source, &AgeKeys::none(), &Kms, None)?), "from KMS");

    std::fs::write(&path, file("from KMS", "str", &serde_json::json!({ "kms": [recipient("arn:other")] }))?)?;
    let Err(ValueError::NoKey { search, .. }) = render_with(&source, &keys(), &Kms, None) else {
        return Err("no error".into());
    };
    assert_eq!(search.problems, ["AWS KMS arn:other: AccessDeniedException"]);
    assert_eq!(search.places, ["AWS KMS arn:other"], "no age key was looked for");
    Ok(())
}

#[test]
fn a_file_does_not_choose_the_credentials() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("db.json");
    let source = sops_at(&path, Some("/password"));
    for (field, name, flag) in [
        ("aws_profile", "alices-laptop", "--sops-aws-profile alices-laptop"),
        ("role", "arn:aws:iam::1:role/r", "--sops-role arn:aws:iam::1:role/r"),
    ] {
        let mut asks = recipient(ARN);
        asks[field] = name.into();
        std::fs::write(&path, file("x", "str", &serde_json::json!({ "kms": [asks] }))?)?;
        let Err(error) = render_with(&source, &AgeKeys::none(), &Kms, None) else { return Err("no error".into()) };
        let hint = format!("{:?}", error.hint());
        assert!(matches!(error, ValueError::NoKey { .. }) && error.to_string().contains("db.json"));
        assert!(hint.contains(name) && hint.contains(flag), "{hint}");
        // The program would use it as well.
        std::fs::write(&path, file("x", "str", &serde_json::json!({ "kms": [asks], "pgp": [{ "fp": "A" }] }))?)?;
        let program = program_at("keywright-test-no-such-program");
        let refused = render_with(&source, &AgeKeys::none(), &Kms, Some(&program));
        assert!(matches!(refused, Err(ValueError::CredentialsChosen { asks, .. }) if asks.contains(flag)));
    }
    Ok(())
}

#[test]
fn a_single_key_group_is_no_sharing() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("db.json");
    std::fs::write(
        &path,
        file("grouped", "str", &serde_json::json!({ "key_groups": [{ "kms": [recipient(ARN)] }] }))?,
    )?;
    assert_eq!(text(&render_with(&sops_at(&path, Some("/password")), &AgeKeys::none(), &Kms, None)?), "grouped");
    Ok(())
}

#[test]
fn what_json_cannot_hold_is_refused() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("db.json");
    std::fs::write(&path, file("NaN", "float", &serde_json::json!({ "kms": [recipient(ARN)] }))?)?;
    let rendered = |key| render_with(&sops_at(&path, key), &AgeKeys::none(), &Kms, None);
    assert_eq!(text(&rendered(Some("/password"))?), "NaN");
    assert_eq!(rendered(None), Err(ValueError::NotJson { file: "db.json".to_owned(), path: "/password".to_owned() }));
    Ok(())
}

#[test]
fn too_much_ciphertext_is_seen_without_a_key() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("db.json");
    let source = sops_at(&path, Some("/password"));
    let recipients = serde_json::json!({ "kms": [recipient(ARN)] });
    for (bytes, fits) in [(MAX_VALUE_BYTES, true), (MAX_VALUE_BYTES + 1, false)] {
        std::fs::write(&path, file(&"a".repeat(bytes), "str", &recipients)?)?;
        let identity = identity_of(&source, "app/db");
        assert_eq!(identity.is_ok(), fits);
        assert!(fits || identity == Err(ValueError::TooLarge));
    }
    Ok(())
}
