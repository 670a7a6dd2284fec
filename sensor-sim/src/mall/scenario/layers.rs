//! What a scenario does not say, another one says: `extends` names the scenario underneath, and `[sensing]` is what
//! every `[[sensor]]` is like that does not say otherwise.

use std::path::Path;

use toml::{Table, Value};

use super::{Error, FILE_BYTES_MAX, SHIPPED};

/// So many scenarios lie on each other at most; a ring of them is found by it as well.
pub const LAYERS_MAX: usize = 4;

/// Where the scenario underneath is looked for before those that ship.
#[derive(Clone, Copy, Debug)]
pub(super) enum Beside<'a> {
    Nothing,
    Folder(&'a Path),
}

/// A scenario's keys, with those of the scenarios underneath and of `[sensing]` laid under them.
pub(super) fn resolve(text: &str, beside: Beside<'_>) -> Result<Table, Error> {
    let mut table = parse(text)?;
    for _ in 0..LAYERS_MAX {
        let Some(under) = table.remove("extends") else {
            spread_sensing(&mut table);
            return Ok(table);
        };
        lay_under(&mut table, parse(&beside.text(&under)?)?);
    }
    Err(wrong(&format!("at most {LAYERS_MAX} scenarios may extend each other")))
}

fn parse(text: &str) -> Result<Table, Error> {
    Ok(text.parse::<Table>().map_err(Box::new)?)
}

fn wrong(what: &str) -> Error {
    Error::Value { at: "extends".into(), what: what.into() }
}

impl Beside<'_> {
    fn text(self, name: &Value) -> Result<String, Error> {
        let name = name.as_str().filter(|name| !name.contains(['/', '\\']));
        let name = name.ok_or_else(|| wrong("name a file of the same folder, like \"common.toml\""))?;
        if let Self::Folder(folder) = self {
            let path = folder.join(name);
            if path.is_file() {
                return read(&path);
            }
        }
        let shipped = SHIPPED.iter().find(|(file, _)| *file == name);
        let (_, text) = shipped.ok_or_else(|| wrong("there is no such scenario beside this one"))?;
        Ok((*text).to_owned())
    }
}

/// A scenario file's text.
pub(super) fn read(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::Read { path: path.into(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(Error::TooLong { path: path.into() });
    }
    std::fs::read_to_string(path).map_err(failed)
}

/// Tables are merged key by key; of anything else the upper one stands.
fn lay_under(over: &mut Table, under: Table) {
    for (key, value) in under {
        match (over.get_mut(&key), value) {
            (Some(Value::Table(over)), Value::Table(under)) => lay_under(over, under),
            (Some(_), _) => {}
            (None, value) => {
                over.insert(key, value);
            }
        }
    }
}

fn spread_sensing(table: &mut Table) {
    let Some(Value::Table(sensing)) = table.remove("sensing") else { return };
    let Some(Value::Array(sensors)) = table.get_mut("sensor") else { return };
    for sensor in sensors {
        if let Value::Table(sensor) = sensor {
            lay_under(sensor, sensing.clone());
        }
    }
}
