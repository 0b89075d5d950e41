//! The proxy against raw sockets (bytes unchanged) and against a real client process (who dies, and after what).

use super::{Moment, Proxy};
use crate::harness::program::{Home, Output};
use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

const REQUEST: &str = "POST / HTTP/1.1\r\nhOsT: iam.amazonaws.com\r\nContent-Length: 28\r\n\r\nAction=CreateUser&UserName=a";

/// An upstream that takes one connection a request, gives `answers` in turn, and returns the requests it got.
fn upstream(answers: Vec<&'static str>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = thread::spawn(move || {
        let mut requests = Vec::new();
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let request = super::read_message(&mut BufReader::new(&stream), super::Kind::Request).unwrap();
            // None: the test has woken us because nothing more will come.
            let Some(request) = request else { break };
            requests.push(String::from_utf8(request.bytes).unwrap());
            (&stream).write_all(answer.as_bytes()).unwrap();
        }
        requests
    });
    (url, requests)
}

/// Sends `requests` over one connection to a proxy before an upstream with `answers`; what the upstream and the client got.
fn through(requests: &[&str], answers: Vec<&'static str>) -> (Vec<String>, String) {
    let (url, got) = upstream(answers);
    let proxy = Proxy::start(&url, None);
    let mut client = TcpStream::connect(proxy.url().strip_prefix("http://").unwrap()).unwrap();
    for request in requests {
        client.write_all(request.as_bytes()).unwrap();
    }
    client.shutdown(Shutdown::Write).unwrap();
    let mut answered = String::new();
    client.read_to_string(&mut answered).unwrap();
    (got.join().unwrap(), answered)
}

#[test]
fn requests_and_answers_pass_byte_for_byte() {
    let chunked = "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nTrailer: t\r\n\r\n";
    let requests = [REQUEST, chunked, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HEAD / HTTP/1.1\r\n\r\n", REQUEST];
    let answers = vec![
        "HTTP/1.1 200 OK\r\nX-Odd:  two  spaces\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 403 Forbidden\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\nuntil the end",
    ];
    let (got, answered) = through(&requests, answers.clone());
    assert_eq!(got, requests);
    assert_eq!(answered, answers.concat());
}

#[test]
fn an_answer_that_breaks_off_is_not_handed_on() {
    let (got, answered) = through(&[REQUEST], vec!["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal"]);
    assert_eq!((got.len(), answered.as_str()), (1, ""));
}

#[test]
fn actions_are_written_down() {
    let (url, _got) = upstream(vec!["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]);
    let proxy = Proxy::start(&url, None);
    let mut client = TcpStream::connect(proxy.url().strip_prefix("http://").unwrap()).unwrap();
    client.write_all(REQUEST.as_bytes()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    client.read_to_end(&mut Vec::new()).unwrap();
    let seen = proxy.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].line.as_str(), seen[0].action.as_deref()), ("POST / HTTP/1.1", Some("CreateUser")));
}

/// A client process that makes three requests and says each time that it has heard the answer.
const CLIENT: &str = "import http.client, sys, urllib.parse as u
for n in range(3):
    c = http.client.HTTPConnection(u.urlsplit(sys.argv[1]).netloc, timeout=30)
    c.request('POST', '/', f'Action=Step{n}')
    print(c.getresponse().status, flush=True)
";

/// Runs the client against a proxy that kills it at its second request; what it heard, and what the upstream got.
fn killed_at_the_second(moment: Moment) -> (Output, Vec<String>, Vec<bool>) {
    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let (url, got) = upstream(vec![OK; 3]);
    let proxy = Proxy::start(&url, Some((2, moment)));
    let home = Home::new();
    let client = home.program("python3", ["-c", CLIENT, &proxy.url()]).spawn();
    proxy.victim(client.pid());
    let output = client.wait();
    // A request that came after the kill would be in the upstream's queue before this.
    drop(TcpStream::connect(url.strip_prefix("http://").unwrap()));
    let forwarded = proxy.seen().iter().map(|seen| seen.forwarded).collect();
    (output, got.join().unwrap(), forwarded)
}

#[test]
fn killed_before_forwarding_the_upstream_never_hears_of_it() {
    let (output, got, forwarded) = killed_at_the_second(Moment::BeforeForwarding);
    assert!(output.was_killed(), "{output:?}");
    assert_eq!(output.stdout(), "200\n");
    assert_eq!((got.len(), forwarded), (1, vec![true, false]));
}

#[test]
fn killed_after_the_answer_the_upstream_has_done_it_and_the_client_never_hears() {
    let (output, got, forwarded) = killed_at_the_second(Moment::AfterAnswer);
    assert!(output.was_killed(), "{output:?}");
    assert_eq!(output.stdout(), "200\n");
    assert_eq!((got.len(), forwarded), (2, vec![true, true]));
    assert!(got[1].ends_with("Action=Step1"), "{}", got[1]);
}

#[test]
fn after_the_kill_requests_are_forwarded_again() {
    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let (url, got) = upstream(vec![OK; 4]);
    let proxy = Proxy::start(&url, Some((1, Moment::AfterAnswer)));
    let home = Home::new();
    let first = home.program("python3", ["-c", CLIENT, &proxy.url()]).spawn();
    proxy.victim(first.pid());
    assert!(first.wait().was_killed());
    let second = home.program("python3", ["-c", CLIENT, &proxy.url()]).output();
    assert_eq!(second.stdout(), "200\n200\n200\n");
    assert_eq!(got.join().unwrap().len(), 4);
}
