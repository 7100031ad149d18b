//! The last resort: immudb in a container.

use testcontainers::core::IntoContainerPort;
use testcontainers::runners::SyncRunner;
use testcontainers::{Container, GenericImage, ImageExt, ReuseDirective};

/// Starts the container, or finds the one an earlier run left: every test
/// process shares it, so it outlives them. `docker rm -f counterfoil-immudb`
/// ends it.
pub(crate) fn start() -> Result<(Container<GenericImage>, String, u16), String> {
    // A thread of its own: the blocking runner must not meet a test's runtime.
    let start = || {
        let container = GenericImage::new("codenotary/immudb", "1.11.1")
            .with_exposed_port(5432.tcp())
            .with_env_var("IMMUDB_PGSQL_SERVER", "true")
            .with_container_name("counterfoil-immudb")
            .with_reuse(ReuseDirective::Always)
            .start()?;
        let host = container.get_host()?.to_string();
        let port = container.get_host_port_ipv4(5432.tcp())?;
        Ok((container, host, port))
    };
    let result: Result<_, testcontainers::TestcontainersError> =
        std::thread::spawn(start).join().map_err(|_| "Docker's client panicked".to_owned())?;
    result.map_err(|e| format!("Docker could not start codenotary/immudb:1.11.1: {e}"))
}
