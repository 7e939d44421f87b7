//! Answers of the token service.

use bytes::Bytes;

use super::*;
use secrecy::ExposeSecret;

fn answer(status: u16, body: &str) -> Answer {
    Answer { status: http::StatusCode::from_u16(status).unwrap(), body: Bytes::copy_from_slice(body.as_bytes()) }
}

const SESSION_ANSWER: &str = r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser><Arn>arn:aws:sts::000000000000:assumed-role/fake/keyward</Arn></AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIAFAKE</AccessKeyId>
      <SecretAccessKey>fake/secret</SecretAccessKey>
      <SessionToken>fake+session==</SessionToken>
      <Expiration>2026-01-01T01:00:00Z</Expiration>
    </Credentials>
  </AssumeRoleResult>
</AssumeRoleResponse>"#;

#[test]
fn a_session_is_read() {
    let Fresh { token, expires_at } = session(&answer(200, SESSION_ANSWER)).unwrap();
    assert_eq!(token.access_key.expose_secret(), "ASIAFAKE");
    assert_eq!(token.secret_key.expose_secret(), "fake/secret");
    assert_eq!(token.session_token.unwrap().expose_secret(), "fake+session==");
    assert_eq!(expires_at.to_string(), "2026-01-01T01:00:00Z");
}

#[test]
fn a_refusal_tells_its_code_and_nothing_else() {
    let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>arn:aws:iam::1:user/me</Message></Error></ErrorResponse>";
    let error = session(&answer(403, body)).unwrap_err();
    assert_eq!(error.to_string(), "the token endpoint answered 403: AccessDenied");
    let error = session(&answer(500, "<html>fake-secret</html>")).unwrap_err();
    assert_eq!(error.to_string(), "the token endpoint answered 500");
}

#[test]
fn what_is_no_session_is_unusable() {
    let entities = format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{SESSION_ANSWER}");
    for body in ["", "{}", "<a>", &SESSION_ANSWER.replace("fake+session==", ""), &entities] {
        assert_eq!(session(&answer(200, body)).err(), Some(CredentialError::Unusable), "{body}");
    }
}
