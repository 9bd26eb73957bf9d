//! GetRandomPassword.

use super::*;

fn password(client: &Client, input: Value) -> String {
    text(&client.ok("GetRandomPassword", input)["RandomPassword"])
}

#[test]
fn a_password_has_its_length_and_one_of_each_type() {
    let client = Client::new();
    assert_eq!(password(&client, json!({})).len(), 32);
    for _ in 0..200 {
        let shortest = password(&client, json!({"PasswordLength": 4}));
        let has = |test: fn(&u8) -> bool| shortest.bytes().filter(test).count() == 1;
        assert!(has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase), "{shortest}");
        assert!(has(u8::is_ascii_digit) && has(u8::is_ascii_punctuation), "{shortest}");
    }
    assert_eq!(password(&client, json!({"PasswordLength": 4096})).len(), 4096);
    assert_ne!(password(&client, json!({})), password(&client, json!({})));
}

#[test]
fn excluded_characters_are_not_drawn() {
    let client = Client::new();
    let digits =
        json!({"PasswordLength": 500, "ExcludeLowercase": true, "ExcludeUppercase": true, "ExcludePunctuation": true});
    assert!(password(&client, digits).bytes().all(|byte| byte.is_ascii_digit()));
    let some =
        password(&client, json!({"PasswordLength": 4000, "ExcludeCharacters": "abc\"'\\", "ExcludeNumbers": true}));
    assert!(!some.contains(|character: char| "abc\"'\\ ".contains(character) || character.is_ascii_digit()));
    let spaces = password(&client, json!({"PasswordLength": 4000, "IncludeSpace": true}));
    assert!(spaces.contains(' '));
}

#[test]
fn impossible_passwords_are_refused() {
    let client = Client::new();
    let none =
        json!({"ExcludeLowercase": true, "ExcludeUppercase": true, "ExcludePunctuation": true, "ExcludeNumbers": true});
    for (input, message) in [
        (json!({"PasswordLength": 3}), "Password length is too short based on the required types."),
        (json!({"ExcludeCharacters": "0123456789"}), "All characters of the desired type have been excluded"),
        (none, "All characters have been excluded from selection"),
    ] {
        assert_eq!(client.refused("GetRandomPassword", input), refused("InvalidParameterException", message));
    }
    password(&client, json!({"ExcludeCharacters": "0123456789", "RequireEachIncludedType": false}));
    assert_eq!(password(&client, json!({"PasswordLength": 1, "RequireEachIncludedType": false})).len(), 1);
    assert_eq!(client.refused("GetRandomPassword", json!({"PasswordLength": 4097})).code, "ValidationException");
}
