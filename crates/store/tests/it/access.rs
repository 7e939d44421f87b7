//! Sessions end when they should, and a limited reach is the same in lists, reads and changes.

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use keyward_core::authority::Reach;
use keyward_core::change::{Change, Grounds};
use keyward_core::limits::Edit;
use keyward_core::management_key::{CreateManagementKey, ManagementKey};
use keyward_core::owner::TeamFilter;
use keyward_core::secret::ManagementKeyValue;
use keyward_core::session::Session;
use keyward_core::virtual_key::VirtualKeyFilter;
use keyward_store::{ConfigRecord, CredentialStamp, Noun, Reveal, SessionTerms, Store, StoreError, StoredAuth};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::database::Database;
use crate::request::{change, create, customer, now, provider, team, update};

const TERMS: SessionTerms =
    SessionTerms { credential: CredentialStamp([7; 32]), idle_limit: SignedDuration::from_hours(1) };

async fn open_session(store: &Store, token: &str, at: Timestamp) -> Session {
    let session = Session {
        id: Uuid::new_v4().into(),
        username: "admin".to_owned(),
        management_key_id: None,
        from_dashboard: false,
        source: "127.0.0.1".to_owned(),
        created_at: at,
        last_used_at: at,
        expires_at: at + 24.hours(),
    };
    store.session_create(Change::by_server("session_login", at), session, token, None, TERMS).await.unwrap()
}

async fn is_open(store: &Store, token: &str, terms: SessionTerms, at: Timestamp) -> bool {
    store.session_use(token, terms, at).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_idleness_age_and_another_credential() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let start = now();
    open_session(&store, "used", start).await;
    open_session(&store, "idle", start).await;
    assert!(!is_open(&store, "another", TERMS, start).await);
    let other = SessionTerms { credential: CredentialStamp([8; 32]), ..TERMS };
    assert!(!is_open(&store, "used", other, start).await);
    for half_hours in 1..48 {
        assert!(is_open(&store, "used", TERMS, start + (30 * half_hours).minutes()).await, "{half_hours}");
    }
    assert!(!is_open(&store, "used", TERMS, start + 24.hours()).await, "it ends however much it is used");
    assert!(is_open(&store, "idle", TERMS, start + 59.minutes()).await);
    assert!(!is_open(&store, "idle", TERMS, start + 119.minutes()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_bounded_and_those_that_are_over_are_forgotten() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    for number in 0..102 {
        open_session(&store, &format!("{number}"), now() + number.seconds()).await;
    }
    let at = now() + 102.seconds();
    assert_eq!(store.session_list(TERMS, at).await.unwrap().count, 100);
    assert!(!is_open(&store, "1", TERMS, at).await && is_open(&store, "2", TERMS, at).await, "the oldest make room");
    let later = now() + 48.hours();
    let last = open_session(&store, "later", later).await;
    assert_eq!(store.session_list(TERMS, later).await.unwrap().sessions, std::slice::from_ref(&last));
    store.session_delete(change("session_delete"), last.id.clone()).await.unwrap();
    let missing = store.session_delete(change("session_delete"), last.id).await;
    assert!(matches!(missing, Err(StoreError::NotFound(Noun::Session))));
}

fn management_key(request: Value) -> (ManagementKey, ManagementKeyValue) {
    let request: CreateManagementKey = serde_json::from_value(request).unwrap();
    let key = request.build(&mut Edit { now: now(), mint: &mut Uuid::new_v4 }).unwrap();
    (key, ManagementKeyValue::from_uuid(Uuid::new_v4()))
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_reads_and_changes_agree_about_a_reach() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let acme = store.customer_create(change("customer_create"), customer(json!({"name": "acme"}))).await.unwrap();
    let red = team(json!({"name": "red", "customer_id": acme.id.as_str()}));
    let red = store.team_create(change("team_create"), red).await.unwrap();
    let blue = store.team_create(change("team_create"), team(json!({"name": "blue"}))).await.unwrap();
    let owners = [
        json!({"name": "a"}),
        json!({"name": "b", "team_id": red.id.as_str()}),
        json!({"name": "c", "team_id": blue.id.as_str()}),
        json!({"name": "d", "customer_id": acme.id.as_str()}),
    ];
    let mut keys = Vec::new();
    for request in owners {
        keys.push(create(&store, request).await.unwrap());
    }
    for (reach, expected) in [
        (Reach::Everything, vec!["a", "b", "c", "d"]),
        (Reach::Team(red.id.clone()), vec!["b"]),
        (Reach::Team(blue.id.clone()), vec!["c"]),
        (Reach::Customer(acme.id.clone()), vec!["b", "d"]),
        (Reach::Team("nobody".into()), vec![]),
    ] {
        let seen = store.within(&reach);
        let listed = seen.virtual_key_list(VirtualKeyFilter::default(), now(), Reveal::Redacted).await.unwrap();
        let mut listed: Vec<String> = listed.entries.into_iter().map(|key| key.name).collect();
        listed.sort_unstable();
        assert_eq!(listed, expected, "{reach:?}");
        for key in &keys {
            let is_in = expected.contains(&key.name.as_str());
            assert_eq!(seen.virtual_key_get(key.id.clone(), Reveal::Redacted).await.is_ok(), is_in, "{reach:?}");
            let mut deletion = change("virtual_key_delete");
            deletion.author.authority.reach = reach.clone();
            // A version that it never had: what may be changed at all is found, and then found to be another one.
            deletion.precondition = keyward_core::change::Precondition::parse("\"0\"").unwrap();
            match store.virtual_key_delete(deletion, key.id.clone()).await {
                Err(StoreError::Stale) => assert!(is_in),
                Err(StoreError::NotFound(Noun::VirtualKey)) => assert!(!is_in),
                other => panic!("{other:?}"),
            }
        }
    }
    update(&store, &keys[0], now(), json!({"name": "e"})).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_nobody_checked_is_closed_to_a_limited_author() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let mut limited = change("provider_create");
    limited.author.authority.reach = Reach::Customer("acme".into());
    let refused = store.provider_create(limited, provider(json!({"name": "openai"}))).await;
    assert!(matches!(refused, Err(StoreError::Denied(_))), "{refused:?}");
    assert_eq!(store.provider_list().await.unwrap(), [], "and nothing is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_team_is_gone_reaches_nothing() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let red = store.team_create(change("team_create"), team(json!({"name": "red"}))).await.unwrap();
    let read = json!([{"resource": "virtual_keys", "access": "read"}]);
    let (key, value) = management_key(json!({"name": "x", "permissions": read, "team_id": red.id.as_str()}));
    store.management_key_create(change("management_key_create"), key.clone(), &value).await.unwrap();
    create(&store, json!({"name": "a", "team_id": red.id.as_str()})).await.unwrap();
    store.team_delete(change("team_delete"), red.id.clone()).await.unwrap();
    let found = store.management_key_find(value.expose()).await.unwrap().unwrap();
    assert_eq!(found.reach(), Reach::Team(red.id));
    let seen = store
        .within(&found.reach())
        .virtual_key_list(VirtualKeyFilter::default(), now(), Reveal::Redacted)
        .await
        .unwrap();
    assert_eq!(seen.total, 0);
}

/// A request may take its time: what its author could do when it was let in is looked at again when something is changed.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_shut_out_meanwhile_changes_nothing() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let write = json!([{"resource": "teams", "access": "write"}]);
    let (key, value) = management_key(json!({"name": "x", "permissions": write}));
    let key = store.management_key_create(change("management_key_create"), key, &value).await.unwrap().0;
    let session = open_session(&store, "token", now()).await;
    let config = store.config_get().await.unwrap();
    let grounds = [
        Grounds::ManagementKey(key.id.clone()),
        Grounds::Session(session.id.clone()),
        Grounds::Configured(config.auth_stamp().unwrap()),
    ];
    let create = async |grounds: &Grounds, name: String| {
        let mut change = change("team_create");
        change.author.grounds = grounds.clone();
        if let Grounds::ManagementKey(_) = grounds {
            change.author.authority = key.authority();
        }
        store.team_create(change, team(json!({"name": name}))).await
    };
    for (number, grounds) in grounds.iter().enumerate() {
        create(grounds, format!("before {number}")).await.unwrap();
    }

    let narrowed = |key: &ManagementKey, at| Ok(ManagementKey { is_active: false, updated_at: at, ..key.clone() });
    store.management_key_update(change("management_key_update"), key.id.clone(), narrowed).await.unwrap();
    store.session_delete(change("session_delete"), session.id.clone()).await.unwrap();
    let auth = StoredAuth { is_enabled: false, username: Some("root".to_owned()), password: None };
    let another = |record, _| Ok(ConfigRecord { auth: Some(auth), ..record });
    store.config_update(change("config_update"), another).await.unwrap();
    for (number, grounds) in grounds.iter().enumerate() {
        let refused = create(grounds, format!("after {number}")).await;
        assert!(matches!(refused, Err(StoreError::Denied(_))), "{grounds:?}: {refused:?}");
    }
    assert_eq!(store.team_list(TeamFilter::default()).await.unwrap().total, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_credential_ends_the_sessions_for_good() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    open_session(&store, "one", now()).await;
    let disabled = StoredAuth { is_enabled: false, username: None, password: None };
    for auth in [Some(disabled), None] {
        let edit = |record, _| Ok(ConfigRecord { auth, ..record });
        store.config_update(change("config_update"), edit).await.unwrap();
        assert!(!is_open(&store, "one", TERMS, now()).await, "also when the old one comes back");
    }
    open_session(&store, "two", now()).await;
    store.sessions_keep_only(Some(TERMS.credential)).await.unwrap();
    assert!(is_open(&store, "two", TERMS, now()).await);
    store.sessions_keep_only(None).await.unwrap();
    assert!(!is_open(&store, "two", TERMS, now()).await);
}
