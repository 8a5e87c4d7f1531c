#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A little real traffic for packaging/quickstart.

usage: quickstart_traffic.py loopback          a DNS question and a page by HTTP, with servers started here
       quickstart_traffic.py link INTERFACE    a multicast DNS question that leaves through INTERFACE
"""
import http.server
import socket
import socketserver
import struct
import sys
import threading
import urllib.request


def dns_message(name, answer=False, address="127.0.0.1"):
    """A DNS message (RFC 1035, 4): the question for NAME's address, or also its answer."""
    labels = b"".join(struct.pack("B", len(label)) + label.encode() for label in name.split(".")) + b"\0"
    header = struct.pack(">6H", 0x1234, 0x8180 if answer else 0x0100, 1, int(answer), 0, 0)
    message = header + labels + struct.pack(">2H", 1, 1)
    if answer:
        message += struct.pack(">3HIH", 0xc00c, 1, 1, 60, 4) + socket.inet_aton(address)
    return message


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = b"<html><body>Hello from nfstreamd's quick start.</body></html>\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Name(socketserver.BaseRequestHandler):
    def handle(self):
        _, server = self.request
        server.sendto(dns_message("www.example.org", answer=True), self.client_address)


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def name_server():
    """On DNS's own port, where it is recognised as DNS, unless that is taken."""
    try:
        return socketserver.UDPServer(("127.0.0.1", 53), Name)
    except OSError:
        return socketserver.UDPServer(("127.0.0.1", 0), Name)


def loopback():
    port = serve(name_server())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(dns_message("www.example.org"), ("127.0.0.1", port))
        client.recv(512)
    print(f"   asked 127.0.0.1, UDP port {port}, for www.example.org")

    port = serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        size = len(answer.read())
    print(f"   fetched {size} octets from http://127.0.0.1:{port}/")


def link(interface):
    """Multicast stays on the link, so this reaches its neighbours and no further."""
    index = socket.if_nametoindex(interface)
    question = dns_message("_services._dns-sd._udp.local")
    sent = 0
    for family, group, level, option, value in (
            (socket.AF_INET, "224.0.0.251", socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
             struct.pack("@4s4si", b"\0" * 4, b"\0" * 4, index)),
            (socket.AF_INET6, "ff02::fb", socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, struct.pack("@i", index))):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sender:
                sender.setsockopt(level, option, value)
                sender.sendto(question, (group, 5353))
                sent += 1
        except OSError as error:
            print(f"   {group}: {error.strerror}")
    return sent


if __name__ == "__main__":
    if sys.argv[1:] == ["loopback"]:
        loopback()
    elif len(sys.argv) == 3 and sys.argv[1] == "link":
        sys.exit(0 if link(sys.argv[2]) else 1)
    else:
        sys.exit(__doc__)
