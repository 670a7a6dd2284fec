//! Open windows, sketches among them, on their way into the vault and out of it.

use super::Aggregate;
use crate::sealing::{Sealing, Unread, Unsealing};

impl Aggregate {
    /// Puts all that is open in.
    pub fn seal(&self, into: &mut Sealing) {
        into.put(&(self.closed_up_to, &self.newest));
        into.put_all(self.crowd.iter(), |into, window| into.put(&window));
        into.put_all(self.visits.iter(), |into, window| into.put(&window));
        into.put_all(self.moves.iter(), |into, window| into.put(&window));
    }

    /// Takes it out, where no window is open yet.
    ///
    /// # Errors
    /// When it does not read, or is of other zones.
    pub fn unseal(&mut self, from: &mut Unsealing) -> Result<(), Unread> {
        let zones = self.group_of.len();
        let cells = 1 + self.groups + zones;
        (self.closed_up_to, self.newest) = from.take()?;
        from.take_all(|from| {
            let (at, open) = from.take()?;
            self.crowd.insert(at, open);
            Ok::<_, Unread>(())
        })?;
        from.take_all(|from| {
            let (at, open) = from.take()?;
            self.visits.insert(at, open);
            Ok::<_, Unread>(())
        })?;
        from.take_all(|from| {
            let (at, open) = from.take()?;
            self.moves.insert(at, open);
            Ok::<_, Unread>(())
        })?;
        let crowd = self.crowd.values().all(|open| open.cells.len() == cells && open.alive.len() == zones);
        let visits = self.visits.values().all(|open| open.cells.len() == cells && open.alive.len() == zones);
        let moves = self.moves.values().all(|open| open.cells.len() == cells && open.alive.len() == zones);
        if crowd && visits && moves { Ok(()) } else { Err(from.unread()) }
    }
}
