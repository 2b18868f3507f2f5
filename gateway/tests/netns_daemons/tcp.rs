//! TCP, which the gateway passes one by one: through a router, a bridge, and to the gateway's kernel.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use gateway::demo::namespace::Namespace;

use crate::{By, Middle, through_both};

/// Each way.
const BYTES: usize = 4 << 20;
const PATIENCE: Duration = Duration::from_secs(10);

through_both!(through_a_router through_a_bridge to_the_host);

fn through_a_router(by: By) {
    let Some(middle) = Middle::router(by, 2) else { return };
    for address in middle.addresses(1) {
        let hosts = &middle.lab.hosts;
        demand_intact(&hosts[0].namespace, &hosts[1].namespace, SocketAddr::new(address, 7080));
    }
    middle.end();
}

fn through_a_bridge(by: By) {
    let Some(middle) = Middle::bridge(by, 2) else { return };
    for address in middle.addresses(1) {
        let hosts = &middle.lab.hosts;
        demand_intact(&hosts[0].namespace, &hosts[1].namespace, SocketAddr::new(address, 7080));
    }
    middle.end();
}

fn to_the_host(by: By) {
    let Some(middle) = Middle::router(by, 1) else { return };
    for own in ["10.78.1.1", "fd78:1::1"] {
        let address = SocketAddr::new(own.parse().unwrap(), 7080);
        demand_intact(&middle.lab.hosts[0].namespace, &middle.lab.middle, address);
    }
    middle.end();
}

/// One connection that carries the same bytes there and back.
pub(crate) fn demand_intact(client: &Namespace, server: &Namespace, address: SocketAddr) {
    let listener = server.enter(|| Ok(TcpListener::bind(address)?)).unwrap();
    let pattern: Vec<u8> = (0..BYTES as u32).map(|i| (i ^ (i >> 8) ^ (i >> 16)) as u8).collect();
    std::thread::scope(|scope| {
        let echo = scope.spawn(|| {
            let (stream, _) = listener.accept().unwrap();
            let came = read(&stream, BYTES);
            (&stream).write_all(&came).unwrap();
            came
        });
        let connect = || Ok(TcpStream::connect_timeout(&address, PATIENCE)?);
        let stream = client.enter(connect).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        (&stream).write_all(&pattern).unwrap();
        assert!(read(&stream, BYTES) == pattern, "{address}: other bytes than echoed");
        assert!(echo.join().unwrap() == pattern, "{address}: other bytes than sent");
    });
}

fn read(mut stream: &TcpStream, bytes: usize) -> Vec<u8> {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut all = vec![0; bytes];
    stream.read_exact(&mut all).unwrap();
    all
}
