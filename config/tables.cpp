// SPDX-License-Identifier: Apache-2.0
#include "config/tables.hpp"

#include <array>

#include "core/record/generation.hpp"

namespace nfstreamd::config {
namespace {

constexpr double kUint32Max = 4294967295.0;
constexpr double kInt32Max = 2147483647.0;

constexpr std::array kTop = {
    SettingSpec{.name = "instance",
                .type = SettingType::kString,
                .default_value = "",
                .reload = Reload::kLive,
                .description = "Name of this probe, in its status and log; the host name unless set."},
    SettingSpec{.name = "private_enterprise_number",
                .type = SettingType::kInteger,
                .default_value = "0",
                .description = "IANA enterprise number for information elements that neither IANA nor a known vendor "
                               "has; with 0 these are left out of IPFIX.",
                .min = 0,
                .max = kUint32Max},
};

constexpr std::array kCapture = {
    SettingSpec{.name = "interface",
                .type = SettingType::kStringList,
                .default_value = "",
                .description = "Interface to capture on, or a list of them; with *, ? or [] in it, all that match, as "
                               "they come and go; `any`; this or `pcap`."},
    SettingSpec{.name = "pcap",
                .type = SettingType::kStringList,
                .default_value = "",
                .description = "Capture file to read, or a list of them in order; this or `interface`."},
    SettingSpec{.name = "bpf_filter",
                .type = SettingType::kString,
                .default_value = "",
                .reload = Reload::kLive,
                .description = "Only packets that match this filter, see pcap-filter(7); empty: all."},
    SettingSpec{.name = "packet_sampling.method",
                .type = SettingType::kChoice,
                .default_value = "systematic",
                .reload = Reload::kLive,
                .description = "The packet of each `rate` that is metered: systematic, the first one; random, one "
                               "chosen by chance.",
                .choices = "systematic random"},
    SettingSpec{.name = "packet_sampling.rate",
                .type = SettingType::kInteger,
                .default_value = "1",
                .reload = Reload::kLive,
                .description = "One packet of so many is metered, 1: every one; IPFIX announces it, counters are of "
                               "the packets that were metered and are not scaled up.",
                .min = 1,
                .max = kUint32Max},
    SettingSpec{.name = "packet_sampling.seed",
                .type = SettingType::kInteger,
                .default_value = "0",
                .reload = Reload::kLive,
                .description = "For method random: the same number chooses the same packets of a capture file again; "
                               "0: others in each run.",
                .min = 0,
                .max = kUint32Max},
    SettingSpec{.name = "packet_hash_filter.fields",
                .type = SettingType::kStringList,
                .default_value = "[]",
                .reload = Reload::kLive,
                .description = "Only packets whose fields hash below `fraction` (RFC 5475, BOB): any of src_ip, "
                               "dst_ip, src_port, dst_port, protocol, vlan_id, ip_id; with both src and dst, both "
                               "directions of a flow are selected together; empty: all packets."},
    SettingSpec{.name = "packet_hash_filter.fraction",
                .type = SettingType::kNumber,
                .default_value = "1",
                .reload = Reload::kLive,
                .description = "Part of all hashes that is selected, such as 0.1; 1: all packets.",
                .min = 0,
                .max = 1},
    SettingSpec{.name = "packet_hash_filter.seed",
                .type = SettingType::kInteger,
                .default_value = "0",
                .reload = Reload::kLive,
                .description = "Where hashing starts: probes with the same one select the same packets, and who knows "
                               "it can tell which these are.",
                .min = 0,
                .max = kUint32Max},
    SettingSpec{.name = "promiscuous_mode",
                .type = SettingType::kBool,
                .default_value = "true",
                .description = "Also packets that are not addressed to this host."},
    SettingSpec{.name = "snapshot_length",
                .type = SettingType::kInteger,
                .default_value = "1536",
                .description = "Octets of each packet that are captured; flows count the length on the wire.",
                .min = 1,
                .max = kInt32Max},
    SettingSpec{.name = "snaplen",
                .type = SettingType::kInteger,
                .default_value = "65535",
                .description = "snapshot_length, with compatibility nfstream3.",
                .min = 1,
                .max = kInt32Max},
    SettingSpec{.name = "socket_buffer_size",
                .type = SettingType::kSize,
                .default_value = "0",
                .description = "Kernel buffer for what has not been read yet, of each meter; 0: 32 MiB.",
                .min = 0,
                .max = kInt32Max},
    SettingSpec{.name = "timestamp_type",
                .type = SettingType::kChoice,
                .default_value = "",
                .description = "Clock that stamps packets, see pcap-tstamp(7); if empty or not available, the "
                               "interface's default.",
                .choices = "host host_lowprec host_hiprec host_hiprec_unsynced adapter adapter_unsynced"},
    SettingSpec{.name = "timestamp_precision",
                .type = SettingType::kChoice,
                .default_value = "micro",
                .description = "Precision of packet time, microseconds or nanoseconds where available.",
                .choices = "micro nano"},
    SettingSpec{.name = "n_meters",
                .type = SettingType::kInteger,
                .default_value = "0",
                .description =
                    "Meters, each with a thread and a flow table of its own, that share the packets by their "
                    "addresses; 0: one less than processors for an interface, one for files.",
                .min = 0,
                .max = 256},
    SettingSpec{.name = "checksum",
                .type = SettingType::kChoice,
                .default_value = "off",
                .reload = Reload::kLive,
                .description =
                    "Packets with a wrong IPv4, TCP, UDP or ICMP checksum: off, nobody looks; count, metered and "
                    "counted; ignore. Those that the sender left to its interface are never wrong.",
                .choices = "off count ignore"},
    SettingSpec{.name = "required",
                .type = SettingType::kBool,
                .default_value = "false",
                .reload = Reload::kLive,
                .description = "A missing interface ends the daemon; otherwise it is tried again until it is there."},
    SettingSpec{.name = "group",
                .type = SettingType::kString,
                .default_value = "",
                .description = "Interfaces, or files, of all entries of one group are metered as one, in time stamp "
                               "order, so that both directions of a tap become one flow."},
    SettingSpec{.name = "reorder_window",
                .type = SettingType::kDuration,
                .default_value = "10ms",
                .description = "Live, of a group: how much later than those of another interface the packets of one "
                               "may be delivered; later ones are metered, and counted as late.",
                .min = 0,
                .max = 0.1},
    SettingSpec{.name = "deduplicate",
                .type = SettingType::kDuration,
                .default_value = "off",
                .reload = Reload::kLive,
                .description =
                    "Of a group: a packet that several interfaces see within so long is metered once, as "
                    "the first of them in this file sees it; the VLAN tag does not count. The last 65536 packets "
                    "are remembered.",
                .min = 0,
                .max = 1,
                .choices = "off"},
};

constexpr std::array kMetering = {
    SettingSpec{.name = "compatibility",
                .type = SettingType::kChoice,
                .default_value = "nfstream6",
                .reload = Reload::kRestart,
                .description = "Generation of nfstream whose parameters and defaults hold here and in `capture`, and "
                               "whose columns CSV and JSON have.",
                .choices = kGenerationChoices},
    SettingSpec{.name = "idle_timeout",
                .type = SettingType::kDuration,
                .default_value = "120s",
                .reload = Reload::kLive,
                .description = "A flow ends after so long without a packet.",
                .min = 0,
                .max = kUint32Max},
    SettingSpec{.name = "inactive_timeout",
                .type = SettingType::kDuration,
                .default_value = "60s",
                .reload = Reload::kLive,
                .description = "idle_timeout, with compatibility nfstream0.",
                .min = 0,
                .max = kUint32Max},
    SettingSpec{.name = "active_timeout",
                .type = SettingType::kDuration,
                .default_value = "1800s",
                .reload = Reload::kLive,
                .description = "A flow that goes on is exported and begun anew after so long.",
                .min = 0,
                .max = kUint32Max},
    SettingSpec{.name = "timeouts.tcp",
                .type = SettingType::kDuration,
                .default_value = "idle_timeout",
                .reload = Reload::kLive,
                .description = "Idle timeout of TCP flows; unless it is a time, that of all flows.",
                .min = 0,
                .max = kUint32Max,
                .choices = "idle_timeout"},
    SettingSpec{.name = "timeouts.udp",
                .type = SettingType::kDuration,
                .default_value = "idle_timeout",
                .reload = Reload::kLive,
                .description = "Idle timeout of UDP flows; unless it is a time, that of all flows.",
                .min = 0,
                .max = kUint32Max,
                .choices = "idle_timeout"},
    SettingSpec{.name = "timeouts.icmp",
                .type = SettingType::kDuration,
                .default_value = "idle_timeout",
                .reload = Reload::kLive,
                .description = "Idle timeout of ICMP and ICMPv6 flows; unless it is a time, that of all flows.",
                .min = 0,
                .max = kUint32Max,
                .choices = "idle_timeout"},
    SettingSpec{.name = "timeouts.other",
                .type = SettingType::kDuration,
                .default_value = "idle_timeout",
                .reload = Reload::kLive,
                .description = "Idle timeout of flows of every other protocol; unless it is a time, that of all flows.",
                .min = 0,
                .max = kUint32Max,
                .choices = "idle_timeout"},
    SettingSpec{.name = "timeouts.tcp_end",
                .type = SettingType::kDuration,
                .default_value = "off",
                .reload = Reload::kLive,
                .description = "A TCP flow whose connection is over (FIN from both ends, or RST) ends after so long "
                               "without a packet, or with the SYN of a new connection; 0s: with the packet that ends "
                               "the connection; off: like any other flow, as nfstream does.",
                .min = 0,
                .max = kUint32Max,
                .choices = "off"},
    SettingSpec{.name = "pressure.from",
                .type = SettingType::kInteger,
                .default_value = "off",
                .reload = Reload::kLive,
                .description = "Percent of `max_flows` in use from which on idle timeouts shrink, the more the fuller; "
                               "off: they never do.",
                .min = 1,
                .max = 99,
                .choices = "off"},
    SettingSpec{.name = "pressure.idle_timeout",
                .type = SettingType::kDuration,
                .default_value = "5s",
                .reload = Reload::kLive,
                .description = "What they have shrunk to when all of `max_flows` are in use.",
                .min = 0,
                .max = kUint32Max},
    SettingSpec{.name = "overload.from",
                .type = SettingType::kInteger,
                .default_value = "50",
                .reload = Reload::kRestart,
                .description = "Live: percent of the capture ring that waits to be read from which on load is shed: "
                               "first flows that begin are not dissected, then none is, then packets are sampled if "
                               "`overload.sampling` allows it; off: what does not fit is dropped by the kernel.",
                .min = 1,
                .max = 99,
                .choices = "off"},
    SettingSpec{.name = "overload.sampling",
                .type = SettingType::kInteger,
                .default_value = "off",
                .reload = Reload::kLive,
                .description = "Under overload one packet of so many is metered when nothing else helps; such flows "
                               "have a selector of their own, which IPFIX announces; off: all packets, as long as the "
                               "ring has room.",
                .min = 2,
                .max = 65535,
                .choices = "off"},
    SettingSpec{.name = "max_flows",
                .type = SettingType::kInteger,
                .default_value = "1048576",
                .reload = Reload::kRestart,
                .description = "Flows held at once by each metering thread; when full, flows of one or two packets end "
                               "early, the idlest ones first, longer ones only where nearly all are such.",
                .min = 64,
                .max = 67108864},
    SettingSpec{.name = "prefault",
                .type = SettingType::kBool,
                .default_value = "true",
                .reload = Reload::kRestart,
                .description = "Live: memory for `max_flows` is taken at the start, in huge pages where the system "
                               "has them, so that no packet waits for it later; a quarter of what the machine or the "
                               "service may have at most. false: as flows come."},
    SettingSpec{.name = "capacity",
                .type = SettingType::kInteger,
                .default_value = "128000",
                .reload = Reload::kRestart,
                .description = "max_flows, with compatibility nfstream0.",
                .min = 64,
                .max = 67108864},
    SettingSpec{.name = "max_nflows",
                .type = SettingType::kInteger,
                .default_value = "0",
                .reload = Reload::kRestart,
                .description = "The run ends when so many flows have been exported, and flows held then are lost; 0: "
                               "no such end.",
                .min = 0,
                .max = kUint32Max},
    SettingSpec{.name = "accounting_mode",
                .type = SettingType::kInteger,
                .default_value = "0",
                .reload = Reload::kRestart,
                .description = "Length that octet counts add up: 0 the frame, 1 the IP packet, 2 the transport header "
                               "and payload, 3 the payload.",
                .min = 0,
                .max = 3},
    SettingSpec{.name = "decode_tunnels",
                .type = SettingType::kStringList,
                .default_value = "true",
                .reload = Reload::kRestart,
                .description = "Meter what these tunnels carry rather than the tunnel; true is nfstream's gtp, capwap "
                               "and tzsp by its rules. With any other in the list they may be nested.",
                .choices = "true false all gtp capwap tzsp vxlan geneve gre erspan l2tp teredo"},
    SettingSpec{.name = "fragments",
                .type = SettingType::kChoice,
                .default_value = "first",
                .reload = Reload::kRestart,
                .description = "Fragments of IP packets that are metered: the first, which has the ports, or all, with "
                               "the ports of the first.",
                .choices = "first all"},
    SettingSpec{.name = "n_dissections",
                .type = SettingType::kInteger,
                .default_value = "20",
                .reload = Reload::kRestart,
                .description = "Packets of a flow that are shown to nDPI to find its application; 0: none.",
                .min = 0,
                .max = 255},
    SettingSpec{.name = "dissect",
                .type = SettingType::kBool,
                .default_value = "true",
                .reload = Reload::kRestart,
                .description = "Whether packets are shown to nDPI at all, with compatibility nfstream3."},
    SettingSpec{.name = "max_tcp_dissections",
                .type = SettingType::kInteger,
                .default_value = "10",
                .reload = Reload::kRestart,
                .description = "Packets of a TCP flow that are shown to nDPI, with compatibility nfstream3.",
                .min = 0,
                .max = 255},
    SettingSpec{.name = "max_udp_dissections",
                .type = SettingType::kInteger,
                .default_value = "16",
                .reload = Reload::kRestart,
                .description = "Packets of a UDP flow that are shown to nDPI, with compatibility nfstream3; of other "
                               "flows the first one is.",
                .min = 0,
                .max = 255},
    SettingSpec{.name = "l7_details",
                .type = SettingType::kBool,
                .default_value = "false",
                .reload = Reload::kRestart,
                .description = "Keep what else nDPI learns of a flow, the fields of the group l7_details: DNS, HTTP, "
                               "TLS and SSH in detail, operating system, risks. Never passwords."},
    SettingSpec{.name = "tcp_quality",
                .type = SettingType::kBool,
                .default_value = "false",
                .reload = Reload::kRestart,
                .description = "Round trips of the TCP handshake, time to the first response, packets sent again, out "
                               "of order, and with a closed window; the fields of group tcp_quality."},
    SettingSpec{.name = "system_visibility_mode",
                .type = SettingType::kInteger,
                .default_value = "0",
                .reload = Reload::kRestart,
                .description = "1: number and name of the local process that each flow belongs to, live only; the "
                               "packaged service needs its drop-in visibility.conf for it. 0: off.",
                .min = 0,
                .max = 1},
    SettingSpec{.name = "system_visibility_poll_ms",
                .type = SettingType::kInteger,
                .default_value = "100",
                .reload = Reload::kRestart,
                .description = "Milliseconds between two looks at the kernel's socket tables.",
                .min = 0,
                .max = kInt32Max},
    SettingSpec{
        .name = "statistical_analysis",
        .type = SettingType::kBool,
        .default_value = "false",
        .reload = Reload::kRestart,
        .description = "Minimum, mean, standard deviation and maximum of packet sizes and inter-arrival times."},
    SettingSpec{
        .name = "splt_analysis",
        .type = SettingType::kInteger,
        .default_value = "0",
        .reload = Reload::kRestart,
        .description = "First packets of a flow whose direction, size and inter-arrival time are kept; 0: none.",
        .min = 0,
        .max = 65535},
    SettingSpec{.name = "performance_report",
                .type = SettingType::kInteger,
                .default_value = "0",
                .reload = Reload::kLive,
                .description = "Seconds between two lines of JSON on standard output that tell how the daemon does; on "
                               "standard error when an exporter writes to standard output; 0: none. Not for files.",
                .min = 0,
                .max = kUint32Max},
};

constexpr std::array kNdpi = {
    SettingSpec{.name = "protocols_file",
                .type = SettingType::kString,
                .default_value = "",
                .reload = Reload::kLive,
                .description = "Path of a file of protocols by port, address and host name, in nDPI's format."},
    SettingSpec{.name = "categories_file",
                .type = SettingType::kString,
                .default_value = "",
                .reload = Reload::kLive,
                .description = "Path of a file of categories by host name and network, in nDPI's format."},
};

constexpr std::array kEnrichment = {
    SettingSpec{.name = "asn",
                .type = SettingType::kString,
                .default_value = "",
                .reload = Reload::kLive,
                .description = "Path of an MMDB file of autonomous systems, such as GeoLite2-ASN.mmdb: number and "
                               "organization of both addresses."},
    SettingSpec{.name = "country",
                .type = SettingType::kString,
                .default_value = "",
                .reload = Reload::kLive,
                .description = "Path of an MMDB file of countries or cities: the country of both addresses."},
    SettingSpec{.name = "networks",
                .type = SettingType::kString,
                .default_value = "",
                .reload = Reload::kLive,
                .description = "Path of a CSV file of prefix,label[,asn][,country]: the longest prefix that holds an "
                               "address counts, and goes before the MMDB files."},
    SettingSpec{.name = "mac_vendors",
                .type = SettingType::kStringList,
                .default_value = "[]",
                .reload = Reload::kLive,
                .description = "Path of a file of hardware vendors, or a list of them: oui.csv, mam.csv, oui36.csv and "
                               "their .txt of Debian's ieee-data, Wireshark's manuf, or a CSV of prefix,vendor."},
    SettingSpec{.name = "cache_size",
                .type = SettingType::kInteger,
                .default_value = "16384",
                .reload = Reload::kLive,
                .description = "Addresses that each meter remembers, about 100 octets each; 0: none.",
                .min = 0,
                .max = 16777216},
};

constexpr std::array kLog = {
    SettingSpec{.name = "level",
                .type = SettingType::kChoice,
                .default_value = "info",
                .reload = Reload::kLive,
                .description = "Least severe event that is logged; unless set, a file run logs from `warning`.",
                .choices = "debug info warning error"},
    SettingSpec{.name = "format",
                .type = SettingType::kChoice,
                .default_value = "text",
                .reload = Reload::kLive,
                .description = "Shape of a line on stderr: with time and level, with the journal's priority, or JSON; "
                               "unless set, `journal` when stderr is the journal.",
                .choices = "text journal json"},
};

constexpr std::array kControl = {
    SettingSpec{.name = "socket",
                .type = SettingType::kString,
                .default_value = "/run/nfstreamd/control.sock",
                .description = "Path of the socket that nfstreamctl talks to; empty: none."},
};

constexpr std::array kMetrics = {
    SettingSpec{.name = "listen",
                .type = SettingType::kString,
                .default_value = "",
                .reload = Reload::kLive,
                .description = "ADDRESS:PORT where /metrics for Prometheus and /healthz are served by HTTP, such as "
                               "`127.0.0.1:9587` or `[::]:9587`; empty: nowhere."},
    SettingSpec{.name = "page",
                .type = SettingType::kBool,
                .default_value = "false",
                .reload = Reload::kLive,
                .description = "A read-only page for browsers is served there as well, with /status.json, which tells "
                               "more than /metrics; without `listen` on 127.0.0.1:9587."},
};

constexpr std::array kPlugins = {
    SettingSpec{.name = "name",
                .type = SettingType::kString,
                .default_value = "",
                .required = true,
                .description = "1 to 64 letters, digits, `-` and `_`: by it go the status, the log and `--set`."},
    SettingSpec{.name = "type",
                .type = SettingType::kChoice,
                .default_value = "object",
                .description = "`object`: a shared object; `python`: a class as nfstream has plugins, in a file "
                               "(daemon/python/host/README.md).",
                .choices = "object python"},
    SettingSpec{.name = "path",
                .type = SettingType::kString,
                .default_value = "",
                .description = "The shared object: a path, or a plain name that is looked for where nfstreamd's own "
                               "plugins are; empty: the name of the entry. It runs as part of nfstreamd, with its "
                               "rights (core/plugin/README.md says how to make one). Of type python: the path of "
                               "the file, or the name of a module that Python finds; needed."},
    SettingSpec{.name = "settings",
                .type = SettingType::kTree,
                .default_value = "{}",
                .description = "What the plugin is told, as it wants it; --print-config shows it, so a secret is "
                               "better in a file that is named here."},
    SettingSpec{.name = "elements",
                .type = SettingType::kStringList,
                .default_value = "[]",
                .description = "Information elements of its fields in place of its own, each \"FIELD=PEN/NUMBER\"; a "
                               "number alone is one of private_enterprise_number."},
    SettingSpec{.name = "time_budget_us",
                .type = SettingType::kInteger,
                .default_value = "",
                .description = "Microseconds that a call may take, measured in one of 64; when more than half of 32 "
                               "measured calls take longer, the plugin is disabled in that meter, and counted. 100, "
                               "and 10000 of type python, unless set when the capture is live; capture files wait.",
                .min = 1,
                .max = kUint32Max,
                .choices = "off"},
    SettingSpec{.name = "class",
                .type = SettingType::kString,
                .default_value = "",
                .description = "Of type python: what in the file is the plugin, a class, which gets the settings as "
                               "arguments, an instance, which gets them as attributes, or a function of nfstream 0.x; "
                               "empty: the only class there that derives from NFPlugin."},
    SettingSpec{.name = "generation",
                .type = SettingType::kChoice,
                .default_value = "",
                .description = "Of type python: the nfstream that the plugin is written for; unless set, its functions "
                               "tell.",
                .choices = kGenerationChoices},
    SettingSpec{.name = "fields",
                .type = SettingType::kStringList,
                .default_value = "[]",
                .description = "Of type python: fields that it fills, each \"NAME=TYPE\" of `unsigned`, `signed`, "
                               "`float`, `boolean`, `text`, `list` (of 32-bit integers) and `any`, which are those "
                               "that its code names, of type any, unless set."},
};

constexpr std::array kModels = {
    SettingSpec{.name = "name",
                .type = SettingType::kString,
                .default_value = "",
                .required = true,
                .description = "1 to 64 letters, digits and `_`: its fields are NAME_class and NAME_probability, or "
                               "NAME_value of a model that gives a number. By it go the status, the log and `--set`."},
    SettingSpec{.name = "path",
                .type = SettingType::kString,
                .default_value = "",
                .required = true,
                .description = "The model, as XGBoost's save_model writes it: JSON or UBJSON, of gradient boosted "
                               "trees, at most 128 MiB. A reload reads it again: another content takes the place of "
                               "the former for flows that begin from then on (core/model/README.md)."},
    SettingSpec{.name = "shadow",
                .type = SettingType::kString,
                .default_value = "",
                .description =
                    "Another model that scores the same flows beside it: how often the two agree is counted, "
                    "its results go nowhere else. Empty: none."},
    SettingSpec{.name = "after_packets",
                .type = SettingType::kInteger,
                .default_value = "0",
                .description = "A flow is scored once it has had so many packets, by what it is then, and keeps that; "
                               "one that ends before, and each with 0, when it ends.",
                .max = kUint32Max},
    SettingSpec{.name = "features",
                .type = SettingType::kStringList,
                .default_value = "[]",
                .description = "Columns that the model takes, in its order, in place of the names in its file: of "
                               "nfstreamd or a plugin, of a list its elements, as `splt_ps.0`."},
    SettingSpec{.name = "classes",
                .type = SettingType::kStringList,
                .default_value = "[]",
                .description = "Names of its classes, in its order, in place of those in its file; without any they "
                               "are 0, 1, ..."},
    SettingSpec{.name = "elements",
                .type = SettingType::kStringList,
                .default_value = "[]",
                .description = "Information elements of its fields in place of nfstreamd's own, each "
                               "\"FIELD=PEN/NUMBER\" with the field `class`, `probability` or `value`; a number alone "
                               "is one of private_enterprise_number."},
    SettingSpec{.name = "time_budget_us",
                .type = SettingType::kInteger,
                .default_value = "",
                .description = "Microseconds that a flow may take, in the mean of a batch, which counts as 8 flows if "
                               "it has fewer; when more than half of 32 batches take longer, the model is disabled in "
                               "that meter, and counted; its shadow by itself. 250 unless set when the capture is "
                               "live; capture files wait.",
                .min = 1,
                .max = kUint32Max,
                .choices = "off"},
};

constexpr std::array kBlocks = {
    Block{"capture", true, "What is metered: a list, one entry for each capture."},
    Block{"metering", false, "How packets become flows. Names and meanings are nfstream's."},
    Block{"ndpi", false,
          "Rules of your own for nDPI. A reload reads the files again, for the flows that begin from then on."},
    Block{"enrichment", false,
          "What flow records are enriched with, from files; the fields of group enrichment. A reload reads the files "
          "again, for the records that are made from then on."},
    Block{
        "plugins", true,
        "What is computed for each flow beside nfstream's columns: a list, one entry for each plugin, called in this "
        "order. A reload adds, removes and changes plugins; flows that have begun stay with the plugins that saw them "
        "begin."},
    Block{
        "models", true,
        "Models of XGBoost that score each flow: a list, one entry for each model. A reload adds, removes and changes "
        "models, by content of their files too; flows that have begun stay with the model that they began under."},
    Block{"exporters", true, "Where flow records go: a list, one entry for each exporter."},
    Block{"log", false, "The log on stderr."},
    Block{"control", false, "The control socket."},
    Block{"metrics", false, "Metrics, health and a page, by HTTP. Anyone who reaches the port may read them."},
};

}  // namespace

std::span<const SettingSpec> top_settings() {
    return kTop;
}
std::span<const SettingSpec> capture_settings() {
    return kCapture;
}
std::span<const SettingSpec> metering_settings() {
    return kMetering;
}
std::span<const SettingSpec> ndpi_settings() {
    return kNdpi;
}
std::span<const SettingSpec> enrichment_settings() {
    return kEnrichment;
}
std::span<const SettingSpec> log_settings() {
    return kLog;
}
std::span<const SettingSpec> control_settings() {
    return kControl;
}
std::span<const SettingSpec> metrics_settings() {
    return kMetrics;
}
std::span<const SettingSpec> plugin_settings() {
    return kPlugins;
}
std::span<const SettingSpec> model_settings() {
    return kModels;
}
std::span<const Block> blocks() {
    return kBlocks;
}

}  // namespace nfstreamd::config
