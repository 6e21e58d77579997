//! 10,000 mutated tokens, judged by this house and by `jsonwebtoken`: the verdicts are equal but for rules that are
//! stricter on purpose, each of which has a name here and is found again in the token without the verifier's help.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::issuer::{HS_SECRET, NOW, hs256, hs256_keys, terms, verifier, verify};
use crate::token::json::Object;
use crate::token::{Algorithm, BearerToken, TokenError, Verifier};

#[test]
fn verdicts_differ_from_another_library_only_by_rules_that_have_a_name() {
    let verifier = patient_verifier();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut counts = BTreeMap::<&str, u32>::new();
    for _ in 0..10_000 {
        let case = Case::roll(&mut dice);
        let ours = match BearerToken::from_compact(&case.token) {
            Ok(_) => verify(&verifier, &case.token, NOW).map(|_| ()),
            Err(_) => Err(TokenError::Malformed("alphabet")),
        };
        let theirs = judge_by_other_library(&case.token);
        let rule = match (&ours, theirs) {
            (Ok(()), true) => "both accept",
            (Err(_), false) => "both refuse",
            (Err(error), true) => case.stricter_rule(error),
            (Ok(()), false) => case.laxer_rule(),
        };
        *counts.entry(rule).or_default() += 1;
        assert_ne!(rule, UNNAMED, "{ours:?} here, {theirs} there:\n{case:#?}");
    }
    for rule in [
        "both accept",
        "both refuse",
        EXTENSION,
        TWICE,
        TYPE,
        CLAIM,
        AHEAD,
        ISSUER,
    ] {
        assert!(
            counts.contains_key(rule),
            "{rule} was never met: {counts:?}"
        );
    }
}

const UNNAMED: &str = "unnamed";
/// `crit`, `b64`, `zip`, `enc` or a nested `cty`: it has the fields and no check.
const EXTENSION: &str = "asks for an extension";
/// It keeps the last of two members where it knows neither.
const TWICE: &str = "a name twice, or nested deep";
/// `typ` is never checked there.
const TYPE: &str = "another `typ`";
/// There only `exp`, `nbf`, `iss`, `aud` and `sub` have types.
const CLAIM: &str = "a claim of the wrong type or value";
/// `iat` is never checked there.
const AHEAD: &str = "`iat` lies ahead";
/// A list that holds the issuer is as good as its name there.
const ISSUER: &str = "`iss` is a list";
/// It has no limit.
const LIFETIME: &str = "lives too long";
/// It reads the system's clock, this test stands still in 2023.
const CLOCK: &str = "between the two clocks";
/// A header member with `null` is absent there.
const NULL: &str = "`null` in the header";
/// It wants `jwk`, `x5c` and others well formed that this house never looks at.
const UNREAD: &str = "a header member that is never looked at";

/// One mutated token, and the texts it was made of.
#[derive(Debug)]
struct Case {
    header: String,
    claims: String,
    token: String,
}

impl Case {
    fn roll(dice: &mut Dice) -> Self {
        let mut header = HEADER.to_owned();
        let mut claims = format!(
            r#"{{"iss":"https://auth.example.com","aud":"https://api.example.com","sub":"alice","iat":{NOW},"exp":4000000000,"nbf":{NOW},"scope":"a b","tenant":"acme","products":["crm"]}}"#
        );
        for _ in 0..=dice.below(2) {
            match dice.below(6) {
                0 => insert_member(&mut header, dice.pick(&HEADER_MEMBERS)),
                1 | 2 => insert_member(&mut claims, dice.pick(&CLAIM_MEMBERS)),
                3 => replace_value(&mut claims, dice),
                4 => scribble(&mut claims, dice),
                _ => scribble(&mut header, dice),
            }
        }
        let mut token = hs256(&header, &claims);
        if dice.below(4) == 0 {
            scribble(&mut token, dice);
        }
        Self {
            header,
            claims,
            token,
        }
    }

    /// The rule by which this house refuses what the other library accepts.
    fn stricter_rule(&self, error: &TokenError) -> &'static str {
        let (Ok(header), Ok(claims)) = (parse(&self.header), parse(&self.claims)) else {
            return UNNAMED;
        };
        let is_strict = |text: &str| Object::parse(text.as_bytes()).is_ok();
        match error {
            TokenError::Malformed(_) => {
                let extends = ["crit", "b64", "cty", "zip", "enc"];
                if !is_strict(&self.header) || !is_strict(&self.claims) {
                    TWICE
                } else if extends.iter().any(|name| header.get(name).is_some()) {
                    EXTENSION
                } else if header.as_object().unwrap().values().any(Value::is_null) {
                    NULL
                } else {
                    UNNAMED
                }
            }
            TokenError::TypeRefused if !is_accepted_type(&header["typ"]) => TYPE,
            TokenError::IssuerUnknown if claims["iss"].is_array() => ISSUER,
            TokenError::ClaimInvalid(_) if has_odd_claim(&claims) => CLAIM,
            TokenError::NotYetValid if is_after(&claims["iat"], NOW + 5) => AHEAD,
            TokenError::LifetimeExceeded if lives(&claims) > LIFETIME_MAX_SECS as f64 => LIFETIME,
            TokenError::Expired | TokenError::NotYetValid if self.has_date_between_clocks() => {
                CLOCK
            }
            _ => UNNAMED,
        }
    }

    /// The rule by which this house accepts what the other library refuses.
    fn laxer_rule(&self) -> &'static str {
        let unread = ["jwk", "x5c", "jku", "x5u", "x5t"];
        let header = parse(&self.header).unwrap_or_default();
        if self.has_date_between_clocks() {
            CLOCK
        } else if unread.iter().any(|name| header.get(name).is_some()) {
            UNREAD
        } else {
            UNNAMED
        }
    }

    fn has_date_between_clocks(&self) -> bool {
        let claims = parse(&self.claims).unwrap_or_default();
        ["exp", "nbf"].iter().any(|name| {
            let date = claims[name].as_f64().unwrap_or_default();
            date > (NOW - 10) as f64 && date < 2.5e9
        })
    }
}

fn parse(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}

fn is_accepted_type(typ: &Value) -> bool {
    let typ = typ.as_str().unwrap_or("jwt").to_lowercase();
    ["jwt", "at+jwt"].contains(&typ.trim_start_matches("application/"))
}

/// Seconds from `iat`, or now, to `exp`.
fn lives(claims: &Value) -> f64 {
    claims["exp"].as_f64().unwrap_or_default() - claims["iat"].as_f64().unwrap_or(NOW as f64)
}

fn is_after(date: &Value, secs: u64) -> bool {
    date.as_f64().is_some_and(|date| date > secs as f64)
}

/// Whether a claim has a type or value that the contract does not know, found without the room's own reader.
fn has_odd_claim(claims: &Value) -> bool {
    let odd_text = |name: &str| {
        claims.get(name).is_some_and(|value| {
            value
                .as_str()
                .is_none_or(|text| text.contains(char::is_control))
        })
    };
    let odd_date = |name: &str| {
        claims.get(name).is_some_and(|value| {
            let secs = value.as_f64().unwrap_or(-1.0);
            secs.is_sign_negative() || secs > 253_402_300_799.0
        })
    };
    let odd_list = |name: &str| match claims.get(name) {
        None | Some(Value::String(_)) => false,
        Some(Value::Array(elements)) => !elements.iter().all(Value::is_string),
        Some(_) => true,
    };
    claims.get("cnf").is_some()
        || claims["sub"] == ""
        || ["sub", "sid", "jti", "client_id", "azp"]
            .into_iter()
            .any(odd_text)
        || (odd_text("tenant") && !claims["tenant"].is_u64())
        || ["exp", "nbf", "iat"].into_iter().any(odd_date)
        || ["aud", "scope"].into_iter().any(odd_list)
        || scopes(claims).any(|scope| scope.contains(char::is_control))
        || claims["scope"].is_array()
            && scopes(claims).any(|scope| scope.is_empty() || scope.contains(' '))
        || (odd_list("products") && !claims["products"].is_object())
}

/// The text of `scope`, or the texts of its list.
fn scopes(claims: &Value) -> impl Iterator<Item = &str> {
    let elements = claims["scope"].as_array().into_iter().flatten();
    elements.chain([&claims["scope"]]).filter_map(Value::as_str)
}

fn insert_member(object: &mut String, member: &str) {
    let at = object.find('{').map_or(0, |at| at + 1);
    object.insert_str(at, &format!("{member},"));
}

/// Puts another value behind one of the names.
fn replace_value(object: &mut String, dice: &mut Dice) {
    let Ok(Value::Object(mut members)) = parse(object) else {
        return;
    };
    let names: Vec<String> = members.keys().cloned().collect();
    if names.is_empty() {
        return;
    }
    let name = names[dice.below(names.len())].clone();
    if let Ok(value) = parse(dice.pick(&VALUES)) {
        members.insert(name, value);
    }
    *object = Value::Object(members).to_string();
}

/// Changes, drops or adds one character.
fn scribble(text: &mut String, dice: &mut Dice) {
    let at = dice.below(text.len());
    if !text.is_char_boundary(at) || !text.is_char_boundary(at + 1) {
        return;
    }
    let letter = SCRIBBLES[dice.below(SCRIBBLES.len())] as char;
    match dice.below(3) {
        0 => text.replace_range(at..=at, letter.encode_utf8(&mut [0])),
        1 => text.insert(at, letter),
        _ => _ = text.remove(at),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the other library is what this test compares with"
)]
fn judge_by_other_library(token: &str) -> bool {
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
    validation.leeway = 5;
    validation.validate_nbf = true;
    validation.set_issuer(&["https://auth.example.com"]);
    validation.set_audience(&["https://api.example.com"]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let key = jsonwebtoken::DecodingKey::from_secret(HS_SECRET);
    jsonwebtoken::decode::<Value>(token, &key, &validation).is_ok()
}

/// Lets tokens live for a century, so that their end lies ahead of every clock.
fn patient_verifier() -> Verifier {
    let mut terms = terms("main", "https://auth.example.com", &[Algorithm::Hs256]);
    terms.lifetime_max = Duration::from_secs(LIFETIME_MAX_SECS);
    verifier(terms, hs256_keys())
}

const LIFETIME_MAX_SECS: u64 = 3_200_000_000;

/// The same throws each time: xorshift64 (Marsaglia, 2003).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT","kid":"k"}"#;

const SCRIBBLES: &[u8] = b"AZaz09_-.\"\\{}[]:, \t\x00\x7feE+-n";

const HEADER_MEMBERS: [&str; 16] = [
    r#""crit":["exp"]"#,
    r#""b64":false"#,
    r#""zip":"DEF""#,
    r#""enc":"A256GCM""#,
    r#""cty":"JWT""#,
    r#""cty":"application/jwt""#,
    r#""cty":"text""#,
    r#""cty":null"#,
    r#""alg":"HS256""#,
    r#""x":1,"\u0078":2"#,
    r#""jwk":{"kty":"oct","k":"AAAA"}"#,
    r#""jwk":7"#,
    r#""x5c":"no list""#,
    r#""jku":"https://evil.example.com""#,
    r#""x":{"y":[1,2,3]}"#,
    r#""x5t":null"#,
];

const CLAIM_MEMBERS: [&str; 22] = [
    r#""sub":"mallory""#,
    r#""s\u0075b":"mallory""#,
    r#""x":1,"x":2"#,
    r#""x":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"#,
    r#""x":{"a":{"b":1,"b":1}}"#,
    r#""cnf":{"jkt":"x"}"#,
    r#""cnf":null"#,
    r#""sid":7"#,
    r#""sid":"s""#,
    r#""jti":null"#,
    r#""jti":"a\nb""#,
    r#""client_id":["web"]"#,
    r#""azp":"spa""#,
    r#""x":"\ud83d\ude00""#,
    r#""x":"\ud83d""#,
    r#""x":1e300"#,
    r#""x":1e999"#,
    r#""x":-0.0"#,
    r#""x":null"#,
    r#""":"""#,
    r#""exp":1"#,
    r#""rtg":"x""#,
];

const VALUES: [&str; 28] = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1",
    "1.5",
    "-0.0",
    "1e300",
    "1e20",
    "4000000000",
    "4000000000.5",
    "3999999999",
    "253402300800",
    "18446744073709551615",
    "\"\"",
    "\"4000000000\"",
    "\"https://auth.example.com\"",
    "\"https://api.example.com\"",
    "\"a\\u0000b\"",
    "[]",
    "[\"https://auth.example.com\"]",
    "[\"https://api.example.com\",\"x\"]",
    "[\"https://api.example.com\",7]",
    "[\"a b\"]",
    "{}",
    "{\"crm\":true}",
    "[[]]",
];
