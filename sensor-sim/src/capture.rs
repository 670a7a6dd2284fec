//! A recorded capture: `time_ms,id,rssi_dbm`, one row a frame, plain or gzipped.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use passant_wire::{DeviceId, Heard, Kind};

/// The most rows one file may hold; they stand in memory, to be sorted.
pub const ROWS_MAX: usize = 50_000_000;

const COLUMNS: [&str; 3] = ["time_ms", "id", "rssi_dbm"];
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Epoch ms of the year 10000, past which the wire refuses a time.
const TIME_END_MS: i64 = 253_402_300_800_000;

/// One frame of a capture.
#[derive(Debug)]
pub struct Row {
    /// Epoch ms.
    pub at: i64,
    /// Received strength in dBm, as the wire accepts it.
    pub rssi: i8,
    /// Who was heard.
    pub device: DeviceId,
}

/// The rows of one file in order of time, and how many did not read.
#[derive(Debug, Default)]
pub struct Capture {
    /// In order of time.
    pub rows: Vec<Row>,
    /// Rows that did not read.
    pub unread: Unread,
}

/// Rows that did not read, by reason; their text is never kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Unread {
    /// A column is missing.
    pub bad_row: u64,
    /// The time is no number of ms.
    pub bad_time: u64,
    /// The id is no 48-bit address.
    pub bad_device: u64,
    /// The strength is 0, no number, or outside −127 to 20 dBm.
    pub bad_rssi: u64,
}

/// Why a capture could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened.
    #[error("opening {}: {error}; check the name", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file breaks off or is no gzip inside; the words of the parser may quote a row and are dropped.
    #[error("reading {} after row {rows}: {kind}; the file may be cut short", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// How many rows had been read.
        rows: u64,
        /// What kind of failure.
        kind: std::io::ErrorKind,
    },
    /// The header line is not the documented one.
    #[error("{} has no header line time_ms,id,rssi_dbm; add one", path.display())]
    Header {
        /// The file.
        path: PathBuf,
    },
    /// More than [`ROWS_MAX`].
    #[error("{} has over {ROWS_MAX} rows; split it", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
}

impl Capture {
    /// Reads a file; a gzip is told by its first bytes, whatever its name.
    ///
    /// # Errors
    /// When it cannot be opened or read to its end. A bad row is counted, not an error.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let failed = |error| Error::Open { path: path.to_owned(), error };
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        if file.fill_buf().map_err(failed)?.starts_with(&GZIP_MAGIC) {
            Self::parse(MultiGzDecoder::new(file), path)
        } else {
            Self::parse(file, path)
        }
    }

    fn parse(text: impl Read, path: &Path) -> Result<Self, Error> {
        let mut lines = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text);
        let failed = |error: csv::Error, rows| {
            let kind = match error.into_kind() {
                csv::ErrorKind::Io(error) => error.kind(),
                _ => std::io::ErrorKind::InvalidData,
            };
            Error::Read { path: path.to_owned(), rows, kind }
        };
        let header = lines.byte_headers().map_err(|e| failed(e, 0))?.clone();
        let place = |name: &str| header.iter().position(|column| column == name.as_bytes());
        let [Some(time), Some(id), Some(rssi)] = COLUMNS.map(place) else {
            return Err(Error::Header { path: path.to_owned() });
        };
        let mut capture = Self::default();
        let mut line = csv::ByteRecord::new();
        let mut read = 0;
        while lines.read_byte_record(&mut line).map_err(|e| failed(e, read))? {
            read += 1;
            capture.add(line.get(time), line.get(id), line.get(rssi));
            if capture.rows.len() > ROWS_MAX {
                return Err(Error::TooLong { path: path.to_owned() });
            }
        }
        // Stable, so frames of one ms keep the order in which they were written.
        capture.rows.sort_by_key(|row| row.at);
        Ok(capture)
    }

    fn add(&mut self, time: Option<&[u8]>, id: Option<&[u8]>, rssi: Option<&[u8]>) {
        let (Some(time), Some(id), Some(rssi)) = (time, id, rssi) else {
            self.unread.bad_row += 1;
            return;
        };
        let Some(at) = number::<i64>(time).filter(|at| (0..TIME_END_MS).contains(at)) else {
            self.unread.bad_time += 1;
            return;
        };
        let Some(device) = std::str::from_utf8(id).ok().and_then(DeviceId::parse) else {
            self.unread.bad_device += 1;
            return;
        };
        let dbm = number::<f64>(rssi).map(f64::round);
        let Some(dbm) = dbm.filter(|dbm| (-127.0..=20.0).contains(dbm) && *dbm != 0.0) else {
            self.unread.bad_rssi += 1;
            return;
        };
        self.rows.push(Row { at, rssi: dbm as i8, device });
    }
}

impl Row {
    /// The row as a sensor would say it.
    #[must_use]
    pub fn heard(self) -> Heard {
        Heard { device: self.device, kind: Kind::Wifi, rssi: self.rssi, at: Some(self.at) }
    }
}

impl Unread {
    /// How many in all.
    #[must_use]
    pub fn total(self) -> u64 {
        self.by_reason().iter().map(|(_, count)| count).sum()
    }

    /// Each reason and its count.
    #[must_use]
    pub fn by_reason(self) -> [(&'static str, u64); 4] {
        let Self { bad_row, bad_time, bad_device, bad_rssi } = self;
        [("bad_row", bad_row), ("bad_time", bad_time), ("bad_device", bad_device), ("bad_rssi", bad_rssi)]
    }

    /// Adds what another file left unread.
    pub fn add(&mut self, other: Self) {
        self.bad_row += other.bad_row;
        self.bad_time += other.bad_time;
        self.bad_device += other.bad_device;
        self.bad_rssi += other.bad_rssi;
    }
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const GOOD: &str = "time_ms,id,rssi_dbm\n2000,a4:c1:38:11:22:33,-67\n1000,a4:c1:38:11:22:34,-68.4\n";

    fn parse(text: &[u8]) -> Result<Capture, Error> {
        Capture::parse(text, Path::new("capture.csv"))
    }

    fn plain(capture: &Capture) -> Vec<(i64, i8, u8)> {
        capture.rows.iter().map(|row| (row.at, row.rssi, row.device.octets()[5])).collect()
    }

    #[test]
    fn rows_come_in_order_of_time() {
        let capture = parse(GOOD.as_bytes()).unwrap();
        assert_eq!(plain(&capture), [(1000, -68, 0x34), (2000, -67, 0x33)]);
        assert_eq!(capture.unread, Unread::default());
    }

    #[test]
    fn columns_may_stand_in_any_order_among_others() {
        let capture = parse(b"channel, rssi_dbm, id, time_ms\r\n6, -67, A4C138112233, 5\r\n").unwrap();
        assert_eq!(plain(&capture), [(5, -67, 0x33)]);
    }

    #[test]
    fn bad_rows_are_counted_by_reason_and_the_rest_is_kept() {
        let mut text = GOOD.as_bytes().to_vec();
        text.extend(b"3000,a4:c1:38:11:22:33\nnoon,a4:c1:38:11:22:33,-67\n-1,a4:c1:38:11:22:33,-67\n");
        text.extend(b"3000,someone,-67\n3000,\xff\xfe,-67\n3000,a4:c1:38:11:22:33,0\n");
        text.extend(b"3000,a4:c1:38:11:22:33,inf\n3000,a4:c1:38:11:22:33,NaN\n");
        let capture = parse(&text).unwrap();
        assert_eq!(capture.rows.len(), 2);
        let want = Unread { bad_row: 1, bad_time: 2, bad_device: 2, bad_rssi: 3 };
        assert_eq!((capture.unread, want.total()), (want, 8));
    }

    #[test]
    fn a_file_without_its_header_is_refused_and_not_quoted() {
        let error = parse(b"1000,a4:c1:38:11:22:33,-67\n").unwrap_err().to_string();
        assert_eq!(error, "capture.csv has no header line time_ms,id,rssi_dbm; add one");
    }

    #[test]
    fn a_gzip_is_told_by_its_bytes_and_a_cut_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(GOOD.as_bytes()).unwrap();
        let bytes = gzip.finish().unwrap();
        let path = dir.path().join("capture");
        std::fs::write(&path, [&bytes[..], &bytes[..]].concat()).unwrap();
        let twice = Capture::read(&path).unwrap();
        assert_eq!(
            (twice.rows.len(), twice.unread.total()),
            (4, 1),
            "two members; the second header is no row"
        );
        std::fs::write(&path, &bytes[..bytes.len() - 10]).unwrap();
        assert!(matches!(Capture::read(&path), Err(Error::Read { .. })));
        assert!(matches!(Capture::read(&dir.path().join("none")), Err(Error::Open { .. })));
    }
}
