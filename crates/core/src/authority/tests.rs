//! The ceiling: no chain of changes and grants leads out of it.

use proptest::prelude::*;

use super::*;
use crate::permission::Resource;

const TEAMS: [&str; 4] = ["t0", "t1", "t2", "t3"];
const CUSTOMERS: [&str; 2] = ["c0", "c1"];

/// Two customers with a team each, a team that moved, and a team without a customer.
fn customer_of(team: &TeamId) -> Option<CustomerId> {
    match team.as_str() {
        "t0" | "t2" => Some("c0".into()),
        "t1" => Some("c1".into()),
        _ => None,
    }
}

fn team() -> impl Strategy<Value = TeamId> {
    prop::sample::select(&TEAMS[..]).prop_map(Into::into)
}

fn customer() -> impl Strategy<Value = CustomerId> {
    prop::sample::select(&CUSTOMERS[..]).prop_map(Into::into)
}

fn reach() -> impl Strategy<Value = Reach> {
    prop_oneof![Just(Reach::Everything), team().prop_map(Reach::Team), customer().prop_map(Reach::Customer)]
}

/// A virtual key's team, its own customer, and the customer that counts.
fn owners() -> impl Strategy<Value = (Option<TeamId>, Option<CustomerId>)> {
    prop_oneof![Just((None, None)), team().prop_map(|id| (Some(id), None)), customer().prop_map(|id| (None, Some(id)))]
}

fn permits_key(reach: &Reach, (team, customer): &(Option<TeamId>, Option<CustomerId>)) -> bool {
    let above = customer.clone().or_else(|| team.as_ref().and_then(customer_of));
    reach.permits(Access::Write, Subject::VirtualKey { team: team.as_ref(), customer: above.as_ref() })
}

fn permission() -> impl Strategy<Value = Permission> {
    (prop::sample::select(&Resource::ALL[..]), prop::sample::select(&[Access::Read, Access::Write][..]))
        .prop_map(|(resource, access)| Permission { resource, access })
}

fn permissions() -> impl Strategy<Value = Permissions> {
    prop_oneof![
        1 => Just(Permissions::Everything),
        4 => prop::collection::vec(permission(), 0..4).prop_map(Permissions::Only),
    ]
}

fn authority() -> impl Strategy<Value = Authority> {
    let expiry = prop::option::of((0_i64..4).prop_map(|second| Timestamp::from_second(second).unwrap()));
    (permissions(), reach(), expiry).prop_map(|(permissions, reach, expires_at)| Authority {
        permissions,
        reach,
        expires_at,
    })
}

fn covers(maker: &Authority, made: &Authority) -> bool {
    let customer = match &made.reach {
        Reach::Team(id) => customer_of(id),
        Reach::Everything | Reach::Customer(_) => None,
    };
    maker.covers(made, customer.as_ref()).is_ok()
}

fn includes(own: &Reach, other: &Reach) -> bool {
    covers(&Authority { reach: own.clone(), ..Authority::FULL }, &Authority { reach: other.clone(), ..Authority::FULL })
}

proptest! {
    #[test]
    fn a_narrower_reach_permits_nothing_that_the_wider_one_does_not(wide in reach(), narrow in reach(), key in owners()) {
        if includes(&wide, &narrow) && permits_key(&narrow, &key) {
            prop_assert!(permits_key(&wide, &key));
        }
    }

    #[test]
    fn what_is_made_without_an_owner_is_made_within_reach(reach in reach()) {
        prop_assert!(permits_key(&reach, &reach.home(None, None)));
    }

    #[test]
    fn an_owner_that_is_named_is_kept(reach in reach(), key in owners()) {
        if key != (None, None) {
            prop_assert_eq!(reach.home(key.0.clone(), key.1.clone()), key);
        }
    }

    #[test]
    fn nobody_changes_the_owner_whose_limits_are_their_ceiling(id in team(), customer in customer()) {
        let above = customer_of(&id);
        let own = Subject::Team { id: &id, customer: above.as_ref() };
        prop_assert!(!Reach::Team(id.clone()).permits(Access::Write, own));
        prop_assert!(Reach::Team(id.clone()).permits(Access::Read, own));
        prop_assert!(!Reach::Customer(customer.clone()).permits(Access::Write, Subject::Customer(&customer)));
    }

    #[test]
    fn a_key_of_a_key_has_no_more_than_the_first(a in authority(), b in authority(), c in authority()) {
        if covers(&a, &b) && covers(&b, &c) {
            prop_assert!(covers(&a, &c));
        }
    }

    #[test]
    fn what_is_covered_allows_nothing_more(maker in authority(), made in authority(), wanted in permission(), key in owners()) {
        if covers(&maker, &made) {
            prop_assert!(!made.allows(wanted) || maker.allows(wanted));
            prop_assert!(!permits_key(&made.reach, &key) || permits_key(&maker.reach, &key));
            prop_assert!(maker.expires_at.is_none_or(|end| made.expires_at.is_some_and(|earlier| earlier <= end)));
        }
        prop_assert!(covers(&made, &made));
        prop_assert!(covers(&Authority::FULL, &made));
    }
}

#[test]
fn a_reach_excludes_what_has_no_owner() {
    let limited = Authority { reach: Reach::Team("t0".into()), ..Authority::FULL };
    for resource in Resource::ALL {
        let wanted = Permission::new(resource, Access::Read);
        assert!(Authority::FULL.allows(wanted));
        assert_eq!(limited.allows(wanted), resource.has_owners(), "{resource:?}");
    }
}

#[test]
fn a_key_without_a_team_is_not_of_any_customer() {
    let reach = Reach::Customer("c0".into());
    for (team, customer, permitted) in
        [(None, None, false), (Some("t0"), None, true), (Some("t1"), None, false), (Some("t3"), None, false)]
    {
        let owners = (team.map(Into::into), customer);
        assert_eq!(permits_key(&reach, &owners), permitted, "{team:?}");
    }
    assert!(!permits_key(&Reach::Team("t0".into()), &(None, Some("c0".into()))), "the customer of a team is above it");
}
