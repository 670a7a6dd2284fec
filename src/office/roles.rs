//! What somebody may do, and where.

use std::collections::BTreeMap;
use std::fmt;

use passant_wire::Id;

use crate::config::VENUES_MAX;
use crate::store::GrantRow;

/// The word for every venue; no id has a star.
const EVERYWHERE: &str = "*";

/// What somebody may do; each may what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads figures.
    Viewer,
    /// Also enters head counts and sees to sensors.
    Operator,
    /// Also makes accounts and API tokens.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// Where a role holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In every venue, now and later.
    Everywhere,
    /// In one venue.
    Venue(Id),
}

impl Place {
    /// The place of a word: `*`, or the id of a venue.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        if word == EVERYWHERE { Some(Self::Everywhere) } else { Id::parse(word).map(Self::Venue) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere => f.write_str(EVERYWHERE),
            Self::Venue(id) => f.write_str(id.as_str()),
        }
    }
}

/// The roles of an account or of an API token, one a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles(BTreeMap<Place, Role>);

impl Roles {
    /// One role in every venue.
    #[must_use]
    pub fn everywhere(role: Role) -> Self {
        Self([(Place::Everywhere, role)].into())
    }

    /// Roles by their places; `None` where a place is named twice, or more are named than venues fit.
    #[must_use]
    pub fn of(grants: impl IntoIterator<Item = (Place, Role)>) -> Option<Self> {
        let mut roles = BTreeMap::new();
        for (place, role) in grants {
            if roles.insert(place, role).is_some() || roles.len() > VENUES_MAX {
                return None;
            }
        }
        Some(Self(roles))
    }

    /// The role in a venue; what holds everywhere holds there.
    #[must_use]
    pub fn at(&self, venue: &Id) -> Option<Role> {
        let there = self.0.get(&Place::Venue(venue.clone())).copied();
        there.max(self.everywhere_role())
    }

    /// The role that holds in every venue.
    #[must_use]
    pub fn everywhere_role(&self) -> Option<Role> {
        self.0.get(&Place::Everywhere).copied()
    }

    /// The highest role anywhere.
    #[must_use]
    pub fn highest(&self) -> Option<Role> {
        self.0.values().max().copied()
    }

    /// Whether whoever has these may make, change and remove what has those: an administrator of every place of theirs.
    /// Who has no role yet is the matter of those who administer everything.
    #[must_use]
    pub fn may_manage(&self, theirs: &Self) -> bool {
        let everything = self.everywhere_role() == Some(Role::Admin);
        let administers = |place: &Place| match place {
            Place::Everywhere => false,
            Place::Venue(id) => self.at(id) == Some(Role::Admin),
        };
        everything || (!theirs.0.is_empty() && theirs.0.keys().all(administers))
    }

    /// Each place with its role.
    pub fn iter(&self) -> impl Iterator<Item = (&Place, Role)> {
        self.0.iter().map(|(place, role)| (place, *role))
    }

    pub(super) fn rows(&self) -> Vec<GrantRow> {
        let row = |(place, role): (&Place, Role)| GrantRow {
            venue: place.to_string(),
            role: role.as_str().to_owned(),
        };
        self.iter().map(row).collect()
    }

    /// What the store keeps; a word that this program does not know gives no right.
    pub(super) fn of_rows(rows: &[GrantRow]) -> Self {
        Self(rows.iter().filter_map(|row| Place::parse(&row.venue).zip(Role::parse(&row.role))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(grants: &[(&str, Role)]) -> Roles {
        Roles::of(grants.iter().map(|(place, role)| (Place::parse(place).unwrap(), *role))).unwrap()
    }

    #[test]
    fn a_role_holds_where_it_was_given_and_the_higher_one_counts() {
        let (mall, museum) = (Id::parse("mall").unwrap(), Id::parse("museum").unwrap());
        let some = roles(&[("*", Role::Viewer), ("mall", Role::Operator)]);
        assert_eq!((some.at(&mall), some.at(&museum)), (Some(Role::Operator), Some(Role::Viewer)));
        let lower = roles(&[("*", Role::Admin), ("mall", Role::Viewer)]);
        assert_eq!(lower.at(&mall), Some(Role::Admin));
        assert_eq!((roles(&[]).at(&mall), roles(&[]).highest()), (None, None));
        assert_eq!(Roles::of_rows(&some.rows()), some);
        let unknown = GrantRow { venue: "mall".into(), role: "owner".into() };
        assert_eq!(Roles::of_rows(&[unknown]), Roles::default());
    }

    #[test]
    fn nobody_manages_what_reaches_beyond_their_own_places() {
        let all = Roles::everywhere(Role::Admin);
        let mall = roles(&[("mall", Role::Admin)]);
        for (theirs, by_all, by_mall) in [
            (roles(&[("mall", Role::Admin)]), true, true),
            (roles(&[("mall", Role::Viewer)]), true, true),
            (roles(&[("mall", Role::Viewer), ("museum", Role::Viewer)]), true, false),
            (roles(&[("*", Role::Viewer)]), true, false),
            (roles(&[]), true, false),
        ] {
            assert_eq!((all.may_manage(&theirs), mall.may_manage(&theirs)), (by_all, by_mall), "{theirs:?}");
            assert!(!Roles::everywhere(Role::Operator).may_manage(&theirs));
        }
        assert!(Roles::of([(Place::Everywhere, Role::Viewer), (Place::Everywhere, Role::Admin)]).is_none());
    }
}
