#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real clients and servers for the links of the integration tests.

usage: traffic.py echo ADDRESS PORT            UDP server that answers with what it got
       traffic.py ask ADDRESS PORT COUNT       so many UDP questions, each from a port of its own, answers awaited
       traffic.py get URL COUNT                so many HTTP requests, each on a connection of its own
       traffic.py send ADDRESS PORT SOURCE...  one UDP datagram from each source port, no answer
       traffic.py flood ADDRESS PORT COUNT N   so many UDP datagrams from N ports in turn, with a rest now and then
`ask` and `get` print the local ports they used, one line each.
"""
import contextlib
import http.client
import socket
import sys
import time
import urllib.parse


def echo(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, int(port)))
        while True:
            question, client = server.recvfrom(2048)
            server.sendto(question, client)


def ask(address, port, count):
    with contextlib.ExitStack() as clients:  # open to the end: a port that is free again could be given out twice
        for index in range(int(count)):
            client = clients.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            client.settimeout(10)
            client.connect((address, int(port)))
            client.send(b"question %d" % index)
            if client.recv(2048) != b"question %d" % index:
                sys.exit("another answer than expected")
            print(client.getsockname()[1])


def get(url, count):
    place = urllib.parse.urlsplit(url)
    for _ in range(int(count)):
        connection = http.client.HTTPConnection(place.netloc, timeout=10)
        connection.connect()
        print(connection.sock.getsockname()[1])
        connection.request("GET", place.path or "/", headers={"Connection": "close"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != 200:
            sys.exit(f"HTTP status {answer.status}")


def send(address, port, *sources):
    for source in sources:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind(("0.0.0.0", int(source)))
            client.sendto(b"one datagram", (address, int(port)))


def flood(address, port, count, sources):
    clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(int(sources))]
    for index in range(int(count)):
        clients[index % len(clients)].sendto(b"one of many", (address, int(port)))
        if index % 100 == 99:
            time.sleep(0.01)


if __name__ == "__main__":
    {"flood": flood, "echo": echo, "ask": ask, "get": get, "send": send}[sys.argv[1]](*sys.argv[2:])
