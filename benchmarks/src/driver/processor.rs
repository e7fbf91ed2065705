//! Processor time of processes, from `/proc`.

use std::fs;

/// The processor time of all threads in seconds, to a hundredth; `None` if there is no such process here.
pub(crate) fn seconds(process: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is a name, which may contain spaces and brackets. The rest starts at the third.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    let ticks = u32::try_from(rustix::param::clock_ticks_per_second()).ok()?;
    Some((f64::from(user) + f64::from(system)) / f64::from(ticks))
}

/// The sum over these processes.
pub(crate) fn seconds_of(processes: impl IntoIterator<Item = u32>) -> Option<f64> {
    processes.into_iter().map(seconds).sum()
}

/// The process that listens at this host and port, if it is on this machine and visible to us.
pub(crate) fn listening(address: &str) -> Option<u32> {
    let (host, port) = address.rsplit_once(':')?;
    let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let socket = format!("socket:[{}]", here.then(|| socket(port.parse().ok()?)).flatten()?);
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.find(|id| {
        let files = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
        files
            .filter_map(|file| fs::read_link(file.path()).ok())
            .any(|file| file.as_os_str() == &*socket)
    })
}

/// The number of the socket that listens on this port.
fn socket(port: u16) -> Option<String> {
    const LISTENING: &str = "0A";
    let end = format!(":{port:04X}");
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"]
        .map(|path| fs::read_to_string(path).unwrap_or_default());
    tables.iter().flat_map(|table| table.lines()).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let found = fields.get(1)?.ends_with(&end) && *fields.get(3)? == LISTENING;
        found.then(|| fields.get(9).map(|&inode| inode.to_owned())).flatten()
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::process;

    use super::{listening, seconds};

    #[test]
    fn this_process_has_used_time() {
        assert!(seconds(process::id()).is_some());
        assert_eq!(seconds(u32::MAX), None);
    }

    #[test]
    fn a_listener_is_found_by_its_port() -> std::io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        assert_eq!(listening(&format!("127.0.0.1:{port}")), Some(process::id()));
        assert_eq!(listening(&format!("rabbit.example:{port}")), None);
        Ok(())
    }
}
