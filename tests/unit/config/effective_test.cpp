// SPDX-License-Identifier: Apache-2.0
#include "config/effective.hpp"

#include <doctest/doctest.h>

#include "tests/unit/config/workspace.hpp"

using namespace nfstreamd::config;
using namespace nfstreamd::config::test;
using Strings = std::vector<std::string>;

namespace {

// All but the places and the names of files.
void check_same(const Config& a, const Config& b) {
    CHECK(a.instance == b.instance);
    CHECK(a.metering == b.metering);
    CHECK(a.private_enterprise_number == b.private_enterprise_number);
    CHECK(a.control == b.control);
    CHECK(a.metrics == b.metrics);
    CHECK(a.log.level == b.log.level);
    CHECK(a.log.format == b.log.format);
    REQUIRE(a.capture.size() == b.capture.size());
    for (std::size_t i = 0; i < a.capture.size(); ++i) {
        CHECK(a.capture[i].interfaces == b.capture[i].interfaces);
        CHECK(a.capture[i].pcap == b.capture[i].pcap);
        CHECK(a.capture[i].options == b.capture[i].options);
        CHECK(a.capture[i].group == b.capture[i].group);
        CHECK(a.capture[i].merge == b.capture[i].merge);
    }
    REQUIRE(a.exporters.size() == b.exporters.size());
    for (std::size_t i = 0; i < a.exporters.size(); ++i) {
        CHECK(a.exporters[i].name == b.exporters[i].name);
        CHECK(a.exporters[i].type == b.exporters[i].type);
        CHECK(a.exporters[i].settings == b.exporters[i].settings);
    }
}

void check_round_trip(const Loaded& first) {
    REQUIRE(lines(first) == Strings{});
    const Loaded second = load_text(first.effective_yaml);
    CAPTURE(first.effective_yaml);
    REQUIRE(lines(second) == Strings{});
    check_same(*first.config, *second.config);
    CHECK(first.effective_yaml == second.effective_yaml);
}

}  // namespace

TEST_CASE("effective_yaml: the defaults, in the order of the tables") {
    const Loaded loaded = load_text("instance: edge\ncapture: [{interface: lo}]\nexporters: [{type: file, path: x}]\n");
    REQUIRE(loaded.config);
    CHECK(loaded.effective_yaml == R"(instance: edge
capture:
  - interface: [lo]
    bpf_filter: ""
    packet_sampling:
      method: systematic
      rate: 1
      seed: 0
    packet_hash_filter:
      fields: []
      fraction: 1
      seed: 0
    promiscuous_mode: true
    snapshot_length: 1536
    socket_buffer_size: 0
    timestamp_precision: micro
    n_meters: 0
    checksum: "off"
    required: false
    group: ""
    reorder_window: 10ms
    deduplicate: off
metering:
  compatibility: nfstream6
  idle_timeout: 120s
  active_timeout: 1800s
  timeouts:
    tcp: idle_timeout
    udp: idle_timeout
    icmp: idle_timeout
    other: idle_timeout
    tcp_end: off
  pressure:
    from: off
    idle_timeout: 5s
  overload:
    from: 50
    sampling: off
  max_flows: 1048576
  prefault: true
  max_nflows: 0
  accounting_mode: 0
  decode_tunnels: true
  fragments: first
  n_dissections: 20
  l7_details: false
  tcp_quality: false
  system_visibility_mode: 0
  system_visibility_poll_ms: 100
  statistical_analysis: false
  splt_analysis: 0
  performance_report: 0
ndpi:
  protocols_file: ""
  categories_file: ""
enrichment:
  asn: ""
  country: ""
  networks: ""
  mac_vendors: []
  cache_size: 16384
plugins: []
models: []
exporters:
  - name: file
    type: file
    path: x
    mode: plain
private_enterprise_number: 0
log:
  level: info
  format: text
control:
  socket: /run/nfstreamd/control.sock
metrics:
  listen: ""
  page: false
)");
}

TEST_CASE("effective_yaml: loads back to the same configuration") {
    check_round_trip(load_text(""));
    check_round_trip(load_text("capture: [{pcap: []}]\n", {{"capture.pcap", "[a, b c]"}}));
    check_round_trip(load_text(R"(
instance: "edge 1"
private_enterprise_number: 5
capture:
  - { interface: [eth0, "eth0.5"], bpf_filter: "host 1.2.3.4 and not port 22", socket_buffer_size: 65537,
      timestamp_type: host, timestamp_precision: nano, required: on, promiscuous_mode: no
}
  - { interface: lo, timestamp_type: "" }
metering: { idle_timeout: 1500ms, active_timeout: 0, fragments: all, splt_analysis: 7, max_flows: 64 }
exporters:
  - { name: main, type: flow, collectors: ["udp://[::1]:4739", "tcp://h:1"], ratio: 0.3, flush_interval: 1h, fields: [],
      template_refresh: 60 }
  - { name: "123", type: file, path: "-" }
log: { level: warning, format: journal }
control: { socket: "" }
metrics: { listen: "[::1]:9587", page: true }
)"));
}

TEST_CASE("effective_yaml: strings keep every character") {
    const Strings texts = {"",
                           " ",
                           "a: b",
                           "# x",
                           "'",
                           "\"",
                           "\\",
                           "\\n",
                           "a\nb\n",
                           "\t\r\x01",
                           "${HOME}",
                           "$${HOME}",
                           "- a",
                           "!file x",
                           "&a *b",
                           "null",
                           "~",
                           "yes",
                           "12",
                           "0x1f",
                           "{a: 1}",
                           "[",
                           "gr\xc3\xbcn",
                           "\xc2\x85\xe2\x80\xa8\xef\xbb\xbf",
                           "%a",
                           "@a `b`",
                           "\x7f\x1b[31m",
                           "a ",
                           "\xf0\x9f\x98\x80",
                           "a,b"};
    for (const std::string& text : texts) {
        CAPTURE(text);
        const Workspace workspace;
        workspace.write("value", text + "\n");
        const Loaded loaded = load_file(workspace.write("t.yaml", "control: {socket: !file value}\n"));
        REQUIRE(loaded.config);
        CHECK(loaded.config->control.socket == text);
        check_round_trip(loaded);
    }
}

TEST_CASE("effective_yaml: a secret is masked, whatever its length") {
    const char* head = "exporters:\n  - type: flow\n    collectors: x\n    password: ";
    const Loaded loaded = load_text(head + std::string("hunter2\n"));
    REQUIRE(loaded.config);
    CHECK(loaded.config->exporters[0].settings.string("password") == "hunter2");
    CHECK(loaded.effective_yaml.find("hunter2") == std::string::npos);
    CHECK(loaded.effective_yaml.find("    password: \"********\"\n") != std::string::npos);
    const Loaded empty = load_text(head + std::string("''\n"));
    REQUIRE(empty.config);
    CHECK(empty.effective_yaml.find("    password: \"\"\n") != std::string::npos);
}

TEST_CASE("effective_yaml: a secret that stands in a URL or in a header is masked, the rest is shown") {
    const auto shown = [](const std::string& text) {
        const Loaded loaded = load_text("exporters:\n  - type: flow\n    collectors: ['" + text + "']\n");
        REQUIRE(loaded.config);
        CHECK(loaded.config->exporters[0].settings.strings("collectors") == std::vector{text});
        const auto begin = loaded.effective_yaml.find("    collectors: [") + 17;
        return loaded.effective_yaml.substr(begin, loaded.effective_yaml.find(']', begin) - begin);
    };
    CHECK(shown("https://me:hunter2@host/a:b@c") == "\"https://me:********@host/a:b@c\"");
    CHECK(shown("http://host:8123/?user=me&password=hunter2&query=INSERT") ==
          "\"http://host:8123/?user=me&password=********&query=INSERT\"");
    CHECK(shown("http://host/?api_key=hunter2") == "\"http://host/?api_key=********\"");
    CHECK(shown("http://host/?a&b=c") == "\"http://host/?a&b=c\"");
    CHECK(shown("udp://probe.example:4739") == "\"udp://probe.example:4739\"");
    CHECK(shown("X-Api-Key: hunter2") == "\"X-Api-Key: ********\"");
    CHECK(shown("Accept: text") == "\"Accept: text\"");
    const Loaded loaded = load_text("exporters:\n  - type: file\n    path: 'http://me:hunter2@host/'\n");
    CHECK(loaded.effective_yaml.find("http://me:********@host/") != std::string::npos);
}
