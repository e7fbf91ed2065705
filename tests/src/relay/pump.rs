use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Faults, Flow};

/// Forwards bytes in one direction until a cut, or until one end closes.
pub(super) async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    faults: &watch::Sender<Faults>,
    cuts: u64,
    flow: impl Fn(&Faults) -> Flow,
) {
    let mut changes = faults.subscribe();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let now = *changes.borrow_and_update();
        if now.cuts != cuts {
            return;
        }
        let read = tokio::select! {
            _ = changes.changed() => continue,
            read = from.read(&mut buffer), if flow(&now) != Flow::Hold => read,
        };
        let size = match read {
            Ok(size) if size > 0 => size,
            // A network that drops bytes drops the end of the connection as well.
            _ if flow(&now) == Flow::Drop => return until_cut(&mut changes, cuts).await,
            _ => return,
        };
        if flow(&now) == Flow::Drop {
            continue;
        }
        if !now.delay.is_zero() {
            sleep(now.delay).await;
        }
        let allowed = spend(faults, size);
        let written = tokio::select! {
            written = to.write_all(&buffer[..allowed]) => written,
            () = until_cut(&mut changes, cuts) => return,
        };
        if allowed < size {
            // Only now, after the bytes before the cut.
            faults.send_modify(|faults| faults.cuts += 1);
        }
        if written.is_err() || allowed < size {
            return;
        }
    }
}

/// How many of these bytes may pass before the requested cut.
fn spend(faults: &watch::Sender<Faults>, size: usize) -> usize {
    let mut allowed = size;
    faults.send_if_modified(|faults| {
        if let Some(allowance) = faults.allowance {
            let left = usize::try_from(allowance).unwrap_or(usize::MAX);
            allowed = size.min(left);
            faults.allowance = (size <= left).then(|| (left - size) as u64);
        }
        // No waiter needs this change.
        false
    });
    allowed
}

async fn until_cut(changes: &mut watch::Receiver<Faults>, cuts: u64) {
    // The sender outlives every connection.
    let _ = changes.wait_for(|faults| faults.cuts != cuts).await;
}
