//! The states of alert rules.

use passant_wire::Id;

use super::{Error, Store, at_secs, secs};
use crate::clock::EpochMs;
use crate::release::Banded;

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Nothing to tell.
    Quiet,
    /// What the rule watches for is so.
    Firing,
    /// There is no figure to say it by: held back, or none yet.
    NoData,
}

/// The state of a rule as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRow {
    /// The venue.
    pub venue: Id,
    /// The rule's name.
    pub name: Id,
    /// The rule in words.
    pub rule: String,
    /// What it says.
    pub state: AlertState,
    /// Since when, by the venue's clock.
    pub since: EpochMs,
    /// The end of the newest window that was looked at.
    pub judged_to: EpochMs,
    /// Windows in a row that were beyond what the rule allows.
    pub beyond: u32,
    /// Windows in a row that were back within it.
    pub back: u32,
    /// The newest figure; `None` when it is held back.
    pub figure: Option<Banded>,
}

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    rule: String,
    state: String,
    since_secs: i64,
    judged_to_secs: i64,
    beyond: u32,
    back: u32,
    value: Option<u32>,
    low: Option<u32>,
    high: Option<u32>,
}

impl Store {
    /// The states of a venue's rules, by their name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn alerts(&self, venue: &Id) -> Result<Vec<AlertRow>, Error> {
        const DOING: &str = "reading the states of alerts";
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT name, rule, state, since_secs, judged_to_secs, beyond, back, value, low, high \
             FROM alert WHERE venue = $1 ORDER BY name",
        )
        .bind(venue.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(Error::while_doing(DOING))?;
        rows.into_iter().map(|row| row.read(venue).ok_or(Error::Unknown { doing: DOING })).collect()
    }

    /// Keeps the state of a rule in place of the one before.
    ///
    /// # Errors
    /// When the database does not answer, or the venue was destroyed.
    pub async fn save_alert(&self, row: &AlertRow) -> Result<(), Error> {
        const DOING: &str = "keeping the state of an alert";
        let mut transaction = self.write(DOING).await?;
        // Asked under the lock, as for figures.
        if self.is_shut(&row.venue) {
            return Err(Error::Shut { doing: DOING });
        }
        sqlx::query(
            "INSERT OR REPLACE INTO alert (venue, name, rule, state, since_secs, judged_to_secs, beyond, back, \
             value, low, high) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(row.venue.as_str())
        .bind(row.name.as_str())
        .bind(&row.rule)
        .bind(row.state.as_str())
        .bind(secs(row.since))
        .bind(secs(row.judged_to))
        .bind(row.beyond)
        .bind(row.back)
        .bind(row.figure.map(|figure| figure.value))
        .bind(row.figure.map(|figure| figure.low))
        .bind(row.figure.map(|figure| figure.high))
        .execute(&mut *transaction)
        .await
        .map_err(Error::while_doing(DOING))?;
        transaction.commit().await.map_err(Error::while_doing(DOING))
    }

    /// Forgets the state of a rule that is no longer configured.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_alert(&self, venue: &Id, name: &Id) -> Result<(), Error> {
        sqlx::query("DELETE FROM alert WHERE venue = $1 AND name = $2")
            .bind(venue.as_str())
            .bind(name.as_str())
            .execute(&self.pool)
            .await
            .map_err(Error::while_doing("forgetting the state of an alert"))?;
        Ok(())
    }
}

impl AlertState {
    /// The word of the database, of the API and of a message.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Firing => "firing",
            Self::NoData => "no_data",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Quiet, Self::Firing, Self::NoData].into_iter().find(|state| state.as_str() == word)
    }
}

impl Row {
    fn read(self, venue: &Id) -> Option<AlertRow> {
        let figure = match (self.value, self.low, self.high) {
            (Some(value), Some(low), Some(high)) => Some(Banded { value, low, high }),
            _ => None,
        };
        Some(AlertRow {
            venue: venue.clone(),
            name: Id::parse(&self.name)?,
            rule: self.rule,
            state: AlertState::parse(&self.state)?,
            since: at_secs(self.since_secs),
            judged_to: at_secs(self.judged_to_secs),
            beyond: self.beyond,
            back: self.back,
            figure,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Kind;

    #[tokio::test]
    async fn a_rule_has_one_state_and_goes_with_its_venue() {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::open(temp.path(), Kind::Real).await.unwrap();
        let id = |text: &str| Id::parse(text).unwrap();
        let quiet = AlertRow {
            venue: id("mall"),
            name: id("full"),
            rule: "occupancy over 400".into(),
            state: AlertState::Quiet,
            since: at_secs(1_764_018_000),
            judged_to: at_secs(1_764_018_300),
            beyond: 1,
            back: 0,
            figure: Some(Banded { value: 390, low: 300, high: 480 }),
        };
        store.save_alert(&quiet).await.unwrap();
        let held_back = AlertRow { state: AlertState::NoData, figure: None, beyond: 0, ..quiet.clone() };
        store.save_alert(&held_back).await.unwrap();
        store.save_alert(&AlertRow { name: id("empty"), ..quiet.clone() }).await.unwrap();
        let read = store.alerts(&id("mall")).await.unwrap();
        assert_eq!(read, [AlertRow { name: id("empty"), ..quiet.clone() }, held_back]);
        store.forget_alert(&id("mall"), &id("empty")).await.unwrap();
        assert_eq!(store.alerts(&id("mall")).await.unwrap().len(), 1);
        assert_eq!(store.alerts(&id("museum")).await.unwrap(), []);
        assert_eq!(store.erase(&id("mall")).await.unwrap().left, 0);
        assert!(matches!(store.save_alert(&quiet).await, Err(Error::Shut { .. })));
        assert_eq!(store.alerts(&id("mall")).await.unwrap(), []);
    }
}
