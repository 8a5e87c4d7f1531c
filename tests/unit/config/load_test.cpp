// SPDX-License-Identifier: Apache-2.0
#include "config/load.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "core/base/printable_text.hpp"
#include "tests/unit/config/workspace.hpp"

using namespace nfstreamd;
using namespace nfstreamd::config;
using namespace nfstreamd::config::test;
using Strings = std::vector<std::string>;

TEST_CASE("load: without a file everything has its default") {
    const Loaded loaded = load(LoadRequest{});
    REQUIRE(loaded.config);
    const Config& config = *loaded.config;
    char host[256] = {};
    REQUIRE(::gethostname(host, sizeof host - 1) == 0);
    CHECK(config.instance == host);
    CHECK(config.capture.empty());
    CHECK(config.exporters.empty());
    CHECK(config.metering == MeteringOptions{});
    CHECK(config.control == ControlConfig{});
    CHECK(!config.metrics.on());
    CHECK(config.log.level == LogLevel::kInfo);
    CHECK(config.log.format == LogFormat::kText);
    CHECK(config.private_enterprise_number == 0);
    CHECK(config.files.empty());
    CHECK(loaded.warnings.empty());
}

TEST_CASE("load: a capture entry has the defaults of its struct") {
    const Loaded loaded = load_text("capture:\n  - interface: eth0\n");
    REQUIRE(loaded.config);
    REQUIRE(loaded.config->capture.size() == 1);
    CHECK(loaded.config->capture[0].options == CaptureOptions{});
    CHECK(loaded.config->capture[0].merge == MergeOptions{});
}

TEST_CASE("load: every setting arrives in its struct") {
    const Loaded loaded = load_text(R"(
instance: edge1
private_enterprise_number: 4294967295
capture:
  - interface: [eth0, eth1]
    bpf_filter: "not port 22"
    promiscuous_mode: off
    snapshot_length: 96
    socket_buffer_size: 64MiB
    timestamp_type: adapter
    timestamp_precision: nano
    n_meters: 3
    checksum: count
    required: true
    packet_sampling: { method: random, rate: 10, seed: 4 }
    packet_hash_filter: { fields: [src_ip, dst_ip], fraction: 0.25, seed: 4294967295 }
    group: tap
    reorder_window: 20ms
    deduplicate: 5ms
  - pcap: a.pcap
    deduplicate: off
metering:
  idle_timeout: 500ms
  active_timeout: 5m
  timeouts: { tcp: 1h, udp: 30s, icmp: 5, other: 0, tcp_end: 1500ms }
  pressure: { from: 80, idle_timeout: 3s }
  overload: { from: 30, sampling: 16 }
  max_nflows: 12k
  max_flows: 1M
  prefault: false
  accounting_mode: 3
  decode_tunnels: [gtp, vxlan]
  fragments: all
  tcp_quality: true
  n_dissections: 255
  l7_details: true
  system_visibility_mode: 1
  system_visibility_poll_ms: 50
  statistical_analysis: yes
  splt_analysis: 255
  performance_report: 30
ndpi: { protocols_file: p.txt, categories_file: /c.txt }
enrichment: { asn: a.mmdb, country: /c.mmdb, networks: n.csv, mac_vendors: [oui.csv, mam.csv], cache_size: 64 }
exporters:
  - name: main
    type: flow
    collectors: "udp://127.0.0.1:4739"
    ratio: 1e-1
  - type: file
    path: out.csv
log: { level: debug, format: json }
control: { socket: "" }
metrics: { listen: "[::1]:9587", page: true }
)");
    REQUIRE(lines(loaded) == Strings{});
    const Config& config = *loaded.config;
    CHECK(config.instance == "edge1");
    CHECK(config.private_enterprise_number == 4294967295u);
    REQUIRE(config.capture.size() == 2);
    CHECK(config.capture[0].interfaces == Strings{"eth0", "eth1"});
    CHECK(config.capture[0].pcap.empty());
    CHECK(config.capture[0].where.find("t.yaml:5:5") != std::string::npos);
    CHECK(config.capture[1].pcap == Strings{"a.pcap"});
    CaptureOptions options;
    options.bpf_filter = "not port 22";
    options.promiscuous_mode = false;
    options.snapshot_length = 96;
    options.socket_buffer_size = 64u << 20;
    options.timestamp_type = "adapter";
    options.timestamp_precision = TimestampPrecision::kNano;
    options.checksum = ChecksumMode::kCount;
    options.required = true;
    CHECK(config.capture[0].options == options);
    CHECK(config.capture[0].n_meters == 3);
    CHECK(config.capture[1].n_meters == 0);
    const PacketSelectionOptions selection{
        {SamplingMethod::kRandom, 10, 4}, {{"src_ip", "dst_ip"}, 0.25, 4294967295u}, 16};
    CHECK(config.capture[0].selection == selection);
    CHECK(config.capture[1].selection == PacketSelectionOptions{});
    CHECK(config.capture[0].group == "tap");
    CHECK(config.capture[0].merge == MergeOptions{std::chrono::milliseconds(20), std::chrono::milliseconds(5)});
    CHECK(config.capture[1].group.empty());
    CHECK(config.capture[1].selection.overload_rate == 0);  // a file waits
    CHECK(config.capture[1].merge == MergeOptions{});
    CHECK(config.performance_report == std::chrono::seconds(30));
    MeteringOptions metering;
    metering.idle_timeout = std::chrono::milliseconds(500);
    metering.active_timeout = std::chrono::minutes(5);
    metering.idle_tcp = std::chrono::hours(1);
    metering.idle_udp = std::chrono::seconds(30);
    metering.idle_icmp = std::chrono::seconds(5);
    metering.idle_other = std::chrono::seconds(0);
    metering.tcp_end = std::chrono::milliseconds(1500);
    metering.pressure_from = 80;
    metering.pressure_idle_timeout = std::chrono::seconds(3);
    metering.overload_from = 30;
    metering.prefault = false;
    metering.max_nflows = 12'000;
    metering.max_flows = 1'000'000;
    metering.accounting_mode = 3;
    metering.decode_tunnels = TunnelSet(false).add(TunnelKind::kGtp).add(TunnelKind::kVxlan);
    metering.fragments = FragmentMode::kAll;
    metering.n_dissections = 255;
    metering.l7_details = true;
    metering.tcp_quality = true;
    metering.system_visibility_mode = 1;
    metering.system_visibility_poll = std::chrono::milliseconds(50);
    metering.statistical_analysis = true;
    metering.splt_analysis = 255;
    metering.ndpi.protocols = "p.txt";
    metering.ndpi.categories = "/c.txt";
    metering.enrichment.asn = "a.mmdb";
    metering.enrichment.country = "/c.mmdb";
    metering.enrichment.networks = "n.csv";
    metering.enrichment.mac_vendors = {"oui.csv", "mam.csv"};
    metering.enrichment.cache_size = 64;
    CHECK(config.metering == metering);
    REQUIRE(config.exporters.size() == 2);
    CHECK(config.exporters[0].name == "main");
    CHECK(config.exporters[0].type == "flow");
    const Settings& flow = config.exporters[0].settings;
    CHECK(flow.strings("collectors") == Strings{"udp://127.0.0.1:4739"});
    CHECK(flow.number("ratio") == 0.1);
    CHECK(flow.duration("flush_interval") == std::chrono::seconds(1));
    CHECK(flow.strings("fields") == Strings{"src_ip", "dst_ip"});
    CHECK(flow.string("password").empty());
    CHECK_FALSE(flow.given("template_refresh"));
    CHECK(config.exporters[1].name == "file");
    CHECK(config.exporters[1].settings.string("mode") == "plain");
    CHECK(config.log.level == LogLevel::kDebug);
    CHECK(config.log.format == LogFormat::kJson);
    CHECK(config.control.socket.empty());
    CHECK(config.metrics.listen == "[::1]:9587");
    CHECK(config.metrics.page);
    CHECK(config.metrics.on());
    CHECK(config.files.size() == 1);
}

TEST_CASE("load: tunnels are a boolean as with nfstream, or a list") {
    const auto tunnels = [](const std::string& value) {
        const Loaded loaded = load_text("metering:\n  decode_tunnels: " + value + "\n");
        REQUIRE(lines(loaded) == Strings{});
        return loaded.config->metering.decode_tunnels;
    };
    CHECK(tunnels("true") == TunnelSet());
    CHECK(tunnels("yes") == TunnelSet(true));
    CHECK(tunnels("[gtp, capwap, tzsp]") == TunnelSet(true));
    CHECK(tunnels("False") == TunnelSet(false));
    CHECK(tunnels("[]").empty());
    CHECK(tunnels("all") == TunnelSet::all());
    CHECK(tunnels("[gtp, capwap, tzsp, vxlan, geneve, gre, erspan, l2tp, teredo]") == TunnelSet::all());
    CHECK(tunnels("geneve") == TunnelSet(false).add(TunnelKind::kGeneve));
    CHECK(tunnels("geneve").has_ours());
    const Loaded wrong = load_text("metering:\n  decode_tunnels: [gtp, vxlna]\n");
    CHECK(
        lines(wrong) ==
        Strings{"t.yaml:2:19: metering.decode_tunnels: must be one or a list of: true, false, all, gtp, capwap, tzsp, "
                "vxlan, geneve, gre, erspan, l2tp, teredo, not \"vxlna\""});
}

TEST_CASE("load: what may be off is off by that word, and a timeout may be said to be the general one") {
    const Loaded loaded =
        load_text("metering: {timeouts: {tcp_end: off, icmp: idle_timeout}, pressure: {from: off}}\n");
    REQUIRE(lines(loaded) == Strings{});
    CHECK(loaded.config->metering == MeteringOptions{});
    CHECK(loaded.effective_yaml.find("    tcp_end: off\n") != std::string::npos);
    CHECK(loaded.effective_yaml.find("    from: off\n") != std::string::npos);
    CHECK(loaded.effective_yaml.find("    udp: idle_timeout\n") != std::string::npos);
    CHECK_FALSE(load_text("metering: {overload: {from: off}}\n").config->metering.overload_from);
    CHECK(only_error(load_text("metering: {overload: {sampling: 1}}\n")) ==
          "t.yaml:1:33: metering.overload.sampling: must be off or an integer from 2 to 65535, not \"1\"");
    CHECK(only_error(load_text("metering: {timeouts: {tcp_end: no}}\n")) ==
          "t.yaml:1:32: metering.timeouts.tcp_end: must be off or a duration from 0s to 4294967295s, such as 120, "
          "120s, 5m, 1h or 500ms, not \"no\"");
    CHECK(only_error(load_text("metering: {pressure: {from: 100}}\n")) ==
          "t.yaml:1:29: metering.pressure.from: must be off or an integer from 1 to 99, not \"100\"");
    CHECK(only_error(load_text("metering: {timeouts: {udp: off}}\n")).find("must be idle_timeout or a duration") !=
          std::string::npos);
}

TEST_CASE("load: settings and entries know where they were written") {
    const Loaded loaded = load_text("exporters:\n  - type: file\n    path: out.csv\n");
    REQUIRE(loaded.config);
    const ExporterConfig& exporter = loaded.config->exporters.at(0);
    const auto ends_with = [](const std::string& text, const std::string& end) {
        return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
    };
    CHECK(ends_with(exporter.where, "/t.yaml:2:5"));
    CHECK(ends_with(exporter.settings.where("path"), "/t.yaml:3:11"));
    CHECK(ends_with(exporter.settings.where("mode"), "/t.yaml:2:5"));
}

TEST_CASE("load: all errors come at once, in the order of the text") {
    const Loaded loaded = load_text(R"(log: { level: loud }
capture:
  - interface: eth0
    snapshot_length: 0
    bpf_filtr: x
  - {}
  - { interface: lo, pcap: [a.pcap] }
  - eth5
metering:
  idle_timout: 5
  active_timeout: -1
  max_flows: 63
  accounting_mode: 4
  statistical_analysis: maybe
  splt_analysis: [1]
exporters:
  - type: flow
  - type: flwo
  - name: x
  - { name: "a b", type: file, path: "", mode: zip }
addons: []
)");
    CHECK_FALSE(loaded.config);
    CHECK(loaded.effective_yaml.empty());
    CHECK(
        lines(loaded) ==
        Strings{
            "t.yaml:1:15: log.level: must be one of: debug, info, warning, error, not \"loud\"",
            "t.yaml:4:22: capture[0].snapshot_length: must be an integer from 1 to 2147483647, not \"0\"",
            "t.yaml:5:5: capture[0].bpf_filtr: unknown key, did you mean bpf_filter?",
            "t.yaml:6:5: capture[1]: needs interface or pcap",
            "t.yaml:7:28: capture[2]: has both interface and pcap; give one of them",
            "t.yaml:8:5: capture[3]: must be a map, not a single value",
            "t.yaml:10:3: metering.idle_timout: unknown key, did you mean idle_timeout?",
            "t.yaml:11:19: metering.active_timeout: must be a duration from 0s to 4294967295s, such as 120, 120s, "
            "5m, "
            "1h or 500ms, not \"-1\"",
            "t.yaml:12:14: metering.max_flows: must be an integer from 64 to 67108864, not \"63\"",
            "t.yaml:13:20: metering.accounting_mode: must be an integer from 0 to 3, not \"4\"",
            "t.yaml:14:25: metering.statistical_analysis: must be true or false, not \"maybe\"",
            "t.yaml:15:18: metering.splt_analysis: must be an integer from 0 to 65535, not a list",
            "t.yaml:17:5: exporters[0].collectors: is missing; must be a string or a list of strings",
            "t.yaml:18:11: exporters[1].type: unknown type \"flwo\"; known: file, flow",
            "t.yaml:19:5: exporters[2].type: is missing",
            "t.yaml:20:13: exporters[3].name: must be 1 to 64 letters, digits, - or _",
            "t.yaml:20:38: exporters[3].path: must not be empty",
            "t.yaml:20:48: exporters[3].mode: must be one of: plain, gzip, not \"zip\"",
            "t.yaml:21:1: addons: unknown key; known: capture, metering, ndpi, enrichment, plugins, models, exporters, "
            "log, control, metrics, "
            "instance, "
            "private_enterprise_number",
        });
}

TEST_CASE("load: of what is known instead of a key each is named once, also a map of several") {
    const Workspace workspace;
    const Loaded loaded = load_file(workspace.write("t.yaml", "metering: {zzzzzzzzzzzz: 1}\n"));
    REQUIRE(loaded.errors.size() == 1);
    const std::string& message = loaded.errors[0].message;
    CAPTURE(message);
    const auto first = message.find("timeouts");
    REQUIRE(first != std::string::npos);
    CHECK(message.find("timeouts", first + 1) == std::string::npos);
}

TEST_CASE("load: a file is named as the operator named it") {
    const Workspace workspace;
    const std::string file = workspace.write("t.yaml", "x: 1\n");
    const Loaded loaded = load_file(file);
    REQUIRE(loaded.errors.size() == 1);
    CHECK(loaded.errors[0].where == file + ":1:1");
    CHECK(loaded.errors[0].key == "x");
    CHECK(loaded.errors[0].text() == file + ":1:1: x: " + loaded.errors[0].message);
}

TEST_CASE("load: a file that cannot be read is an error") {
    const Workspace workspace;
    CHECK(only_error(load_file(workspace.path("none.yaml"))) == "none.yaml: cannot be read: No such file or directory");
    workspace.write("folder.yaml/x", "");
    CHECK(only_error(load_file(workspace.path("folder.yaml"))) == "folder.yaml: cannot be read: Is a directory");
}

TEST_CASE("load: after a syntax error nothing is called missing, the rest is still checked") {
    const Workspace workspace;
    const std::string file = workspace.write("t.yaml", "exporters: [ {name: main, type: flow\n");
    workspace.write("conf.d/a.yaml", "exporters:\n  - name: main\n    rate_limit: 5\nmetring: {}\n");
    const auto all = lines(load_file(file));
    REQUIRE(all.size() == 2);
    CHECK(all[0].find("t.yaml:2:1: not valid YAML: ") == 0);
    CHECK(all[1] == "conf.d/a.yaml:4:1: metring: unknown key, did you mean metering?");
}

TEST_CASE("load: a whole file or a block of the wrong shape is an error") {
    CHECK(only_error(load_text("[a]\n")) == "t.yaml:1:1: must be a map of settings, not a list");
    CHECK(only_error(load_text("metering: 5\n")) == "t.yaml:1:11: metering: must be a map, not a single value");
    CHECK(only_error(load_text("capture: {interface: lo}\n")) ==
          "t.yaml:1:10: capture: must be a list of maps, not a map");
    CHECK(only_error(load_text("instance: [a]\n")) == "t.yaml:1:11: instance: must be a string, not a list");
    CHECK(only_error(load_text("instance: ''\n")) == "t.yaml:1:11: instance: must not be empty");
}

TEST_CASE("load: a key given twice is an error, also in different entries of a list of keys") {
    CHECK(only_error(load_text("metering:\n  max_flows: 1k\n  max_flows: 2k\n")) ==
          "t.yaml:3:3: metering.max_flows: given twice, first in line 2");
    CHECK(load_text("capture:\n  - interface: a\n  - interface: b\n").config);
}

TEST_CASE("load: a key with nothing after it counts as not written") {
    const Loaded loaded = load_text("capture:\nexporters:\nmetering:\n  idle_timeout:\n  max_flows: ~\nlog:\n");
    REQUIRE(lines(loaded) == Strings{});
    CHECK(loaded.config->metering == MeteringOptions{});
    CHECK(only_error(load_text("exporters:\n  - type: file\n    path:\n")) ==
          "t.yaml:2:5: exporters[0].path: is missing; must be a string");
    CHECK(only_error(load_text("capture:\n  -\n")).find("capture[0]: must be a map, not nothing") != std::string::npos);
}

TEST_CASE("load: an interface is captured once") {
    CHECK(only_error(load_text("capture:\n  - interface: [lo, lo]\n"))
              .find("t.yaml:2:21: capture[0].interface: lo is "
                    "captured already, by ") == 0);
    CHECK(only_error(load_text("capture:\n  - interface: lo\n  - interface: [eth0, lo]\n"))
              .find("t.yaml:3:23: capture[1].interface: lo is captured already, by ") == 0);
    CHECK(load_text("capture:\n  - pcap: a\n  - pcap: a\n").config);
}

TEST_CASE("load: a capture of nothing is an error") {
    CHECK(only_error(load_text("capture:\n  - interface: []\n")) ==
          "t.yaml:2:16: capture[0].interface: must not be empty");
    CHECK(only_error(load_text("capture:\n  - pcap: ''\n")) == "t.yaml:2:11: capture[0].pcap: must not be empty");
}

TEST_CASE("load: exporters of one name are an error") {
    CHECK(only_error(load_text("exporters:\n  - {type: file, path: a}\n  - {type: file, path: b}\n"))
              .find("t.yaml:3:5: exporters[1].name: file, the default because of the type, is the name of another "
                    "exporter, at ") == 0);
    CHECK(only_error(load_text("exporters:\n  - {type: file, path: a}\n  - {name: file, type: flow, collectors: x}\n"))
              .find("t.yaml:3:12: exporters[1].name: file is the name of another exporter, at ") == 0);
    CHECK(load_text("exporters:\n  - {type: file, path: a}\n  - {name: b, type: file, path: b}\n").config);
}

TEST_CASE("load: a long sequence is worth a warning") {
    CHECK(load_text("metering: {splt_analysis: 255}\n").warnings.empty());
    const Loaded loaded = load_text("metering: {splt_analysis: 256}\n");
    REQUIRE(loaded.warnings.size() == 1);
    CHECK(loaded.warnings[0].find("t.yaml:1:27: metering.splt_analysis: ") != std::string::npos);
}

TEST_CASE("load: the same file always gives the same configuration") {
    const char* text = "capture: [{interface: lo}]\nexporters: [{type: file, path: a}]\n";
    const Loaded a = load_text(text), b = load_text(text);
    REQUIRE(a.config);
    REQUIRE(b.config);
    CHECK(a.config->exporters[0].settings == b.config->exporters[0].settings);
    CHECK(a.effective_yaml == b.effective_yaml);
}

TEST_CASE("load: what is told of keys and values commands no terminal, whatever they are") {
    const Loaded file = load_text("\"a\\e[2J\\u202e\": 1\nmetering: { idle_timeout: \"\\x9b\\n\" }\n");
    REQUIRE(file.errors.size() == 2);
    CHECK(file.errors[0].key == "a\\x1b[2J\\u{202e}");
    for (const ConfigError& error : file.errors) CHECK(printable(error.text()) == error.text());
    const Loaded overridden = load(LoadRequest{{}, {{"metering.\xcc\xff", "1"}}, schemas(), {}});
    REQUIRE(overridden.errors.size() == 1);
    CHECK(overridden.errors[0].where == "--set metering.\\xcc\\xff");
}
