//! GetRandomPassword.

use std::sync::PoisonError;

use keywright_ground::domain::password::{LOWERCASE, NUMBERS, PUNCTUATION, UPPERCASE};
use rand::Rng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Context;
use crate::wire::{Constraints, Reply, ServiceError, input, limits};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    password_length: Option<i64>,
    exclude_characters: Option<String>,
    exclude_numbers: Option<bool>,
    exclude_punctuation: Option<bool>,
    exclude_uppercase: Option<bool>,
    exclude_lowercase: Option<bool>,
    include_space: Option<bool>,
    require_each_included_type: Option<bool>,
}

/// The password as it goes out; like a value, it cannot be printed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'a> {
    random_password: &'a str,
}

pub(super) fn get_random_password(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: Input = input(body)?;
    let mut constraints = Constraints::new();
    constraints.number("passwordLength", input.password_length, limits::PASSWORD_LENGTH);
    constraints.text("excludeCharacters", input.exclude_characters.as_deref(), limits::EXCLUDED_CHARACTERS);
    constraints.finish()?;
    let length = usize::try_from(input.password_length.unwrap_or(limits::DEFAULT_PASSWORD_LENGTH)).unwrap_or_default();
    let alphabet = Alphabet::of(&input)?;
    let mut random = context.random.lock().unwrap_or_else(PoisonError::into_inner);
    let password = alphabet.draw(length, &mut *random)?;
    Reply::sensitive(&Output { random_password: &password })
}

/// The characters that a password is drawn from.
struct Alphabet {
    /// One character at least must come from each of these.
    required: Vec<Vec<u8>>,
    all: Vec<u8>,
}

impl Alphabet {
    fn of(input: &Input) -> Result<Self, ServiceError> {
        let excluded = input.exclude_characters.as_deref().unwrap_or_default().as_bytes();
        let kept = |class: &str| -> Vec<u8> { class.bytes().filter(|byte| !excluded.contains(byte)).collect() };
        let classes: Vec<Vec<u8>> = [
            (LOWERCASE, input.exclude_lowercase),
            (UPPERCASE, input.exclude_uppercase),
            (NUMBERS, input.exclude_numbers),
            (PUNCTUATION, input.exclude_punctuation),
        ]
        .into_iter()
        .filter(|(_, left_out)| !left_out.unwrap_or(false))
        .map(|(class, _)| kept(class))
        .collect();
        let mut all = classes.concat();
        if input.include_space.unwrap_or(false) {
            // A space may come, and need not.
            all.extend(kept(" "));
        }
        if all.is_empty() {
            return Err(ServiceError::invalid_parameter("All characters have been excluded from selection"));
        }
        let required = if input.require_each_included_type.unwrap_or(true) { classes } else { Vec::new() };
        if required.iter().any(Vec::is_empty) {
            return Err(ServiceError::invalid_parameter("All characters of the desired type have been excluded"));
        }
        Ok(Self { required, all })
    }

    fn draw(&self, length: usize, random: &mut impl Rng) -> Result<Zeroizing<String>, ServiceError> {
        if self.required.len() > length {
            return Err(ServiceError::invalid_parameter("Password length is too short based on the required types."));
        }
        let mut drawn = Zeroizing::new(Vec::with_capacity(length));
        drawn.extend(self.required.iter().filter_map(|class| class.choose(random)));
        while let (true, Some(byte)) = (drawn.len() < length, self.all.choose(random)) {
            drawn.push(*byte);
        }
        drawn.shuffle(random);
        let mut password = Zeroizing::new(String::with_capacity(length));
        password.extend(drawn.iter().copied().map(char::from));
        Ok(password)
    }
}
