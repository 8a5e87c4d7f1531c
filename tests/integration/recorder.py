#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A collector that writes what it gets to files as it comes, so that it may be killed at any moment.

usage: recorder.py PROTOCOL PORT PREFIX [CERTIFICATE KEY]

PROTOCOL is tcp, tls or udp on 127.0.0.1. Each connection, and each socket that sends datagrams, has a file PREFIX-NUMBER.
"""
import os
import socket
import ssl
import sys
import threading

SO_RCVBUFFORCE = 33
ROOM = 64 << 20  # for datagrams, so that none is lost here


def output(prefix, number):
    return os.open(f"{prefix}-{number}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def record(connection, context, descriptor):
    try:
        if context:
            connection = context.wrap_socket(connection, server_side=True)
        while octets := connection.recv(16384):
            os.write(descriptor, octets)
    except OSError as error:
        print(error, file=sys.stderr, flush=True)
    finally:
        connection.close()
        os.close(descriptor)


def stream(port, prefix, context):
    with socket.create_server(("127.0.0.1", port)) as server:
        number = 0
        while True:
            connection, _ = server.accept()
            threading.Thread(target=record, args=(connection, context, output(prefix, number)), daemon=True).start()
            number += 1


def datagrams(port, prefix):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        server.bind(("127.0.0.1", port))
        descriptors = {}
        while True:
            octets, sender = server.recvfrom(65536)
            if sender not in descriptors:
                descriptors[sender] = output(prefix, len(descriptors))
            os.write(descriptors[sender], octets)


def main(protocol, port, prefix, certificate=None, key=None):
    if protocol == "udp":
        return datagrams(int(port), prefix)
    context = None
    if protocol == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    return stream(int(port), prefix, context)


if __name__ == "__main__":
    main(*sys.argv[1:])
