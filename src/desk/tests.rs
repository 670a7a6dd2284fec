use std::path::Path;

use tempfile::TempDir;
use tokio::sync::mpsc;

use super::*;
use crate::optout::{Gate, KeyFile};
use crate::sighting::{AddressClass, DeviceId, Sighting};
use crate::store::{FILE_NAME, Kind};

const ADDRESS: &str = "A4:C1:38:11:22:33";

fn key_file(dir: &TempDir) -> KeyFile {
    KeyFile::new(dir.path().join("opt-out-key/key"))
}

async fn opened(dir: &TempDir) -> (Store, Arc<Key>, Gate) {
    let store = Store::open(dir.path(), Kind::Real).await.unwrap();
    let (key, gate) = open(&store, &key_file(dir)).await.unwrap();
    (store, key, gate)
}

/// A corridor that does with the gate what the real one does.
fn corridor(mut gate: Gate) -> (mpsc::Sender<Delivery>, tokio::task::JoinHandle<Gate>) {
    let (lane, mut arriving) = mpsc::channel::<Delivery>(4);
    let task = tokio::spawn(async move {
        while let Some(Delivery { arrival, .. }) = arriving.recv().await {
            match arrival {
                Arrival::OptedOut { mark, .. } | Arrival::Restored(mark) => gate.object(mark),
                Arrival::Withdrawn(mark) => gate.withdraw(mark),
                _ => {}
            }
        }
        gate
    });
    (lane, task)
}

fn passes(gate: &Gate, address: &str) -> bool {
    let device = DeviceId::parse(address).unwrap();
    gate.admit(Sighting { device, class: AddressClass::Global, rssi: -60, at: None }).is_some()
}

/// An address like the others that no decoy has by chance.
fn free(gate: &Gate) -> String {
    let address = |n: u8| format!("a4:c1:38:11:23:{n:02x}");
    (0..=255).map(address).find(|address| passes(gate, address)).unwrap()
}

#[tokio::test]
async fn an_objection_holds_over_a_restart_until_its_receipt_withdraws_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, key, gate) = opened(&dir).await;
    let address = free(&gate);
    let (lane, task) = corridor(gate);
    let desk = Desk::new(key, store.clone(), lane);
    let receipt = desk.object(&address.to_uppercase().replace(':', " ")).await.unwrap();
    assert_eq!(receipt.strength, Strength::Short);
    assert_eq!(desk.standing(&receipt.code).await.unwrap(), Some(Standing { strength: Strength::Short }));
    drop(desk);
    assert!(!passes(&task.await.unwrap(), &address), "it is in force when the receipt is given");
    store.close().await;

    let (store, key, gate) = opened(&dir).await;
    assert!(!passes(&gate, &address), "the list is read at the next start");
    let (lane, task) = corridor(gate);
    let desk = Desk::new(key, store, lane);
    assert!(desk.withdraw(&receipt.code.to_lowercase()).await.unwrap());
    assert!(!desk.withdraw(&receipt.code).await.unwrap());
    assert_eq!(desk.standing(&receipt.code).await.unwrap(), None);
    drop(desk);
    assert!(passes(&task.await.unwrap(), &address));
}

#[tokio::test]
async fn a_second_objection_is_answered_like_the_first_and_stands_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (store, key, gate) = opened(&dir).await;
    let address = free(&gate);
    let (lane, task) = corridor(gate);
    let desk = Desk::new(key, store, lane);
    let first = desk.object(&address).await.unwrap();
    let second = desk.object(&address).await.unwrap();
    assert!(first.code != second.code && first.code.len() == second.code.len());
    assert_eq!(first.strength, second.strength);
    assert!(desk.withdraw(&first.code).await.unwrap());
    drop(desk);
    assert!(!passes(&task.await.unwrap(), &address), "the other receipt's objection stands");
}

#[tokio::test]
async fn without_its_key_or_its_list_nothing_is_counted() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, ..) = opened(&dir).await;
    opened(&other).await.0.close().await;
    let (key, theirs) = (key_file(&dir), key_file(&other));
    std::fs::copy(theirs.path(), key.path()).unwrap();
    assert!(matches!(open(&store, &key).await, Err(ListError::ForeignList { .. })));
    std::fs::remove_file(key.path()).unwrap();
    assert!(matches!(open(&store, &key).await, Err(ListError::KeyLost { .. })));
    store.close().await;
    std::fs::copy(theirs.path(), key.path()).unwrap();
    std::fs::remove_file(dir.path().join(FILE_NAME)).unwrap();
    let store = Store::open(dir.path(), Kind::Real).await.unwrap();
    let lost = open(&store, &key).await.err().unwrap();
    assert!(matches!(lost, ListError::ListLost { .. }) && lost.to_string().contains("restore the database"));
}

#[tokio::test]
async fn a_first_start_that_broke_off_is_finished_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let (store, key, _) = opened(&dir).await;
    let file = key_file(&dir);
    std::fs::rename(file.path(), file.path().with_added_extension("draft")).unwrap();
    let (again, _) = open(&store, &file).await.unwrap();
    assert_eq!(again.check_value(), key.check_value());
    assert!(file.path().exists());
}

#[tokio::test]
async fn a_backup_brings_its_objections_back() {
    let (dir, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, key, gate) = opened(&dir).await;
    let address = free(&gate);
    let desk = Desk::without_server(key.clone(), store.clone());
    let receipt = desk.object(&address).await.unwrap();
    let copy = backup.path().join("old.db");
    std::fs::copy(dir.path().join(FILE_NAME), &copy).unwrap();
    assert!(desk.withdraw(&receipt.code).await.unwrap());
    let (lane, task) = corridor(gate);
    let desk = Desk::new(key, store, lane);
    assert_eq!(desk.merge(&copy).await.unwrap(), 1);
    assert!(desk.standing(&receipt.code).await.unwrap().is_some());
    drop(desk);
    assert!(!passes(&task.await.unwrap(), &address));
}

#[tokio::test]
async fn a_server_that_does_not_listen_is_told_of_and_nothing_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (store, key, _) = opened(&dir).await;
    let (lane, arriving) = mpsc::channel(1);
    drop(arriving);
    let before = store.objections_len().await.unwrap();
    let desk = Desk::new(key, store.clone(), lane);
    assert!(matches!(desk.object(ADDRESS).await, Err(Error::Unavailable)));
    assert_eq!(store.objections_len().await.unwrap(), before);
    assert!(matches!(desk.object("no address").await, Err(Error::NotAnAddress(_))));
}

#[tokio::test]
async fn the_size_of_the_list_does_not_tell_of_one() {
    let dir = tempfile::tempdir().unwrap();
    let (store, key, _) = opened(&dir).await;
    let desk = Desk::without_server(key, store);
    let counted = desk.counted().await.unwrap();
    assert_eq!(counted.rows_about % ROWS_STEP, 0);
    assert!(
        counted.rows_about + ROWS_STEP / 2 >= counted.decoys_min && counted.decoys_min < counted.decoys_max
    );
}

#[test]
fn nothing_of_a_receipt_can_be_printed() {
    static_assertions::assert_not_impl_any!(Receipt: std::fmt::Debug, std::fmt::Display, serde::Serialize);
    assert_eq!(Path::new(FILE_NAME).extension().unwrap(), "db");
}
