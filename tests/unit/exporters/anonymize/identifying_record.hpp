// SPDX-License-Identifier: Apache-2.0
// A batch whose records have something in every member that could tell of a
// person, for the tests of anonymisation.
#pragma once
#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <string>

#include "core/record/flow_record.hpp"

namespace nfstreamd::test {

inline IpAddress ip(const char* text) {
    IpAddress address;
    if (::inet_pton(AF_INET, text, address.bytes.data()) == 1)
        address.version = 4;
    else if (::inet_pton(AF_INET6, text, address.bytes.data()) == 1)
        address.version = 6;
    REQUIRE(address.version != 0);
    return address;
}

inline void fill_application(FlowRecord& record, Arena& arena, ApplicationFamily family) {
    auto* details = arena.make<ApplicationDetails>();
    details->dns_answer = "198.51.100.7";
    details->http_method = "GET";
    details->http_url = "intranet.example/people/4711";
    details->tls_alpn = "h2";
    details->tls_issuer = "CN=Example CA";
    details->tls_subject = "CN=mail.example";
    details->tls_server_names = "mail.example,www.example";
    details->tls_certificate_sha1 = "0123456789abcdef0123456789abcdef01234567";
    details->ssh_client_version = "SSH-2.0-client";
    details->ssh_server_version = "SSH-2.0-server";
    details->ja3_client = details->ja3_server = details->hassh_client = details->hassh_server = "fingerprint";
    details->detected_os = "Windows 11";
    details->risk_names = "Obsolete TLS";
    auto* application = arena.make<ApplicationRecord>();
    application->name = "TLS.Example";
    application->category_name = "Web";
    application->requested_server_name = "mail.example";
    application->client_fingerprint = "client fingerprint";
    application->server_fingerprint = "server fingerprint";
    application->user_agent = "Browser/1.0";
    application->content_type = "text/html";
    application->family = family;
    application->details = details;
    record.application = application;
}

inline FlowRecord& add_identifying(RecordBatch& batch, std::uint64_t id,
                                   ApplicationFamily family = ApplicationFamily::kTls) {
    FlowRecord& record = batch.records.emplace_back();
    record.id = id;
    record.source_address = ip("192.0.2.130");
    record.destination_address = ip("198.51.100.7");
    record.ip_version = 4;
    record.source_mac = {0x30, 0x52, 0xcb, 0x6c, 0x9c, 0x1b};
    record.destination_mac = {0x00, 0x1a, 0x8c, 0x15, 0xf9, 0x80};
    record.source_port = 40000;
    record.destination_port = 443;
    record.forward.packets = 3;
    record.interface_name = "eth0";
    fill_application(record, batch.arena, family);
    auto* tunnel = batch.arena.make<TunnelRecord>();
    tunnel->source_address = ip("203.0.113.1");
    tunnel->destination_address = ip("2001:db8::2");
    tunnel->key = 0x1234;
    tunnel->reverse_key = 0x5678;
    tunnel->kind = "vxlan";
    record.tunnel = tunnel;
    auto* process = batch.arena.make<ProcessRecord>();
    process->pid = 4711;
    process->name = "firefox";
    record.process = process;
    auto* enrichment = batch.arena.make<EnrichmentRecord>();
    enrichment->source = {64500, "Example Net", "DE", "office", "Vendor"};
    enrichment->destination = {64501, "Example Hosting", "FR", "servers", "Other Vendor"};
    record.enrichment = enrichment;
    return record;
}

}  // namespace nfstreamd::test
