//! Clients of streams: a WebSocket that sends any frame, right or wrong, and a reader of server-sent events.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

/// Only so that a hanging server fails the test instead of stopping it.
const PATIENCE: Duration = Duration::from_secs(60);

fn connect(address: SocketAddr, head: &str, body: &str) -> (u16, Vec<String>, BufReader<TcpStream>) {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).expect("the server reads");
    let mut reader = BufReader::new(stream);
    let mut lines = std::iter::from_fn(|| {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a head");
        Some(line.trim_end().to_ascii_lowercase()).filter(|line| !line.is_empty())
    });
    let status = lines.next().expect("a status line").split(' ').nth(1).expect("a status").parse().expect("a number");
    let headers = lines.collect();
    (status, headers, reader)
}

/// An open WebSocket.
pub(crate) struct Socket {
    reader: BufReader<TcpStream>,
    pub(crate) headers: Vec<String>,
}

/// What the server sent.
#[derive(Debug, PartialEq)]
pub(crate) enum Frame {
    Text(String),
    Close(u16),
    Pong(Vec<u8>),
}

impl Socket {
    /// Opens one; the error is the status of the refusal.
    pub(crate) fn open(address: SocketAddr, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let mut head = "GET /graphql HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            .to_owned();
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let (status, headers, reader) = connect(address, &head, "");
        if status == 101 { Ok(Self { reader, headers }) } else { Err(status) }
    }

    /// Opens one of our protocol, and introduces itself with a token.
    pub(crate) fn admitted(address: SocketAddr, token: Option<&str>) -> Self {
        let mut socket = Self::open(address, &[("Sec-WebSocket-Protocol", "graphql-transport-ws")]).expect("101");
        let payload = token.map(|token| json!({ "Authorization": format!("Bearer {token}") }));
        socket.send(&json!({"type": "connection_init", "payload": payload}));
        assert_eq!(socket.message(), json!({"type": "connection_ack"}));
        socket
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.send_frame(1, message.to_string().as_bytes());
    }

    pub(crate) fn subscribe(&mut self, id: &str, query: &str, variables: &Value) {
        let payload = json!({"query": query, "variables": variables});
        self.send(&json!({"id": id, "type": "subscribe", "payload": payload}));
    }

    /// Sends one whole frame; the mask is zero, which masks nothing.
    pub(crate) fn send_frame(&mut self, opcode: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match u16::try_from(payload.len()) {
            Ok(length @ 0..126) => frame.push(0x80 | length as u8),
            Ok(length) => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
            Err(_) => {
                frame.push(0x80 | 127);
                frame.extend((payload.len() as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        self.reader.get_mut().write_all(&frame).expect("the server reads");
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.reader.read_exact(&mut bytes).expect("the connection is closed in order");
        bytes
    }

    /// The next frame that is no ping.
    pub(crate) fn frame(&mut self) -> Frame {
        loop {
            let head = self.bytes(2);
            assert!(head[0] & 0x80 != 0 && head[1] & 0x80 == 0, "whole and not masked: {head:?}");
            let length = match head[1] {
                126 => u16::from_be_bytes(self.bytes(2).try_into().expect("two")).into(),
                127 => u64::from_be_bytes(self.bytes(8).try_into().expect("eight")) as usize,
                length => length.into(),
            };
            let payload = self.bytes(length);
            return match head[0] & 0x0f {
                1 => Frame::Text(String::from_utf8(payload).expect("UTF-8")),
                8 => Frame::Close(u16::from_be_bytes([payload[0], payload[1]])),
                9 => continue,
                10 => Frame::Pong(payload),
                opcode => panic!("opcode {opcode}"),
            };
        }
    }

    /// The next message.
    pub(crate) fn message(&mut self) -> Value {
        match self.frame() {
            Frame::Text(text) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("{other:?}"),
        }
    }

    /// The code that it is closed with, once messages on the way are read.
    pub(crate) fn close_code(&mut self) -> u16 {
        loop {
            if let Frame::Close(code) = self.frame() {
                return code;
            }
        }
    }
}

/// A response that is a stream of events.
pub(crate) struct Events {
    reader: BufReader<TcpStream>,
    pub(crate) headers: Vec<String>,
    text: String,
}

impl Events {
    /// Asks by POST; the error is the status of the refusal.
    pub(crate) fn open(address: SocketAddr, token: Option<&str>, body: &Value) -> Result<Self, u16> {
        let body = body.to_string();
        let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nHost: test\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\n\
             {bearer}Content-Length: {}\r\n",
            body.len()
        );
        Self::read(connect(address, &head, &body))
    }

    /// Asks by GET.
    pub(crate) fn get(address: SocketAddr, query: &str) -> Result<Self, u16> {
        let head = format!("GET /graphql?{query} HTTP/1.1\r\nHost: test\r\nAccept: text/event-stream\r\n");
        Self::read(connect(address, &head, ""))
    }

    fn read((status, headers, reader): (u16, Vec<String>, BufReader<TcpStream>)) -> Result<Self, u16> {
        if status == 200 { Ok(Self { reader, headers, text: String::new() }) } else { Err(status) }
    }

    /// The next event with its data; `None` at the end of the response.
    pub(crate) fn event(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                // Without a name it is a comment that keeps the connection open.
                let Some(name) = field("event:") else { continue };
                let data = field("data:").expect("browsers drop an event without data");
                return Some((name.to_owned(), serde_json::from_str(data).unwrap_or_default()));
            }
            let mut length = String::new();
            self.reader.read_line(&mut length).expect("a chunk");
            let length = usize::from_str_radix(length.trim(), 16).expect("a length");
            let mut chunk = vec![0; length + 2];
            self.reader.read_exact(&mut chunk).expect("a chunk");
            if length == 0 {
                return None;
            }
            self.text.push_str(std::str::from_utf8(&chunk[..length]).expect("UTF-8"));
        }
    }

    /// The answer of the next event, which must be one.
    pub(crate) fn next(&mut self) -> Value {
        let (name, data) = self.event().expect("an event");
        assert_eq!(name, "next", "{data}");
        data
    }
}
