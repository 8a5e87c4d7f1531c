// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/collect.hpp"

#include <cstdio>
#include <optional>
#include <string>

#include "daemon/exit_code.hpp"

#ifdef NFSTREAMD_WITH_IPFIX
#include <utility>

#include <boost/asio/io_context.hpp>

#include "daemon/ctl/collect_file.hpp"
#include "daemon/ctl/collect_listener.hpp"
#include "daemon/ctl/line_output.hpp"
#include "daemon/signals.hpp"
#include "exporters/ipfix/message_reader.hpp"
#include "exporters/transport/endpoint.hpp"
#include "exporters/verify/verify_report.hpp"
#endif

namespace nfstreamd::ctl {

#ifdef NFSTREAMD_WITH_IPFIX
namespace {

constexpr exporters::EndpointProtocol kListens[] = {exporters::EndpointProtocol::kUdp,
                                                    exporters::EndpointProtocol::kTcp};
constexpr std::string_view kDefaultListen = "udp://127.0.0.1:4739";

int fail(const Error& error) {
    std::fprintf(stderr, "nfstreamctl: %s\n", error.text().c_str());
    return daemon::exit_code(error.code);
}

// A collector that is to be reached has a port; one that listens may also leave
// the choice to the system, by port 0.
Result<exporters::Endpoint> parse_listen(std::string_view text) {
    constexpr std::string_view kAnyPort = ":0";
    if (text.ends_with(kAnyPort))
        return exporters::parse_endpoint(text.substr(0, text.size() - kAnyPort.size()), {0, 0}, kListens);
    return exporters::parse_endpoint(text, exporters::kIpfixPorts, kListens);
}

int listen(const CommandLine& line, MessageReader& reader, LineOutput& output) {
    const auto where = parse_listen(line.listen ? *line.listen : kDefaultListen);
    if (!where) {
        std::fprintf(stderr, "nfstreamctl: --listen: %s (try --help)\n", where.error().text().c_str());
        return daemon::kExitUsage;
    }
    boost::asio::io_context context;
    CollectListener listener(context, reader, output);
    auto opened = listener.open(where.value());
    if (!opened) return fail(opened.error());
    daemon::SignalReader signals(context, [&](int) { listener.stop(); });
    std::fprintf(stderr, "listening on %s\n", opened.value().c_str());
    context.run();
    if (const auto dropped = listener.dropped(); dropped > 0)
        std::fprintf(stderr, "nfstreamctl: %llu datagrams lost: the socket's buffer was full\n",
                     static_cast<unsigned long long>(dropped));
    return daemon::kExitOk;
}

void print_summary(const exporters::ipfix::ReaderCounters& counters) {
    std::fprintf(stderr,
                 "%llu messages, %llu records, %llu malformed, %llu gaps, %llu records lost, %llu sets without "
                 "template\n",
                 static_cast<unsigned long long>(counters.messages), static_cast<unsigned long long>(counters.records),
                 static_cast<unsigned long long>(counters.malformed),
                 static_cast<unsigned long long>(counters.sequence_gaps),
                 static_cast<unsigned long long>(counters.lost_records),
                 static_cast<unsigned long long>(counters.sets_without_template));
    if (counters.lost_messages > 0)
        std::fprintf(stderr, "nfstreamctl: %llu messages of NetFlow v9 lost, as their sequence numbers tell\n",
                     static_cast<unsigned long long>(counters.lost_messages));
    if (counters.udp_withdrawals > 0)
        std::fprintf(stderr, "nfstreamctl: %llu templates withdrawn over UDP, which RFC 7011 forbids\n",
                     static_cast<unsigned long long>(counters.udp_withdrawals));
    if (counters.malformed > 0)
        std::fprintf(stderr, "nfstreamctl: last malformed: %s\n", counters.last_malformed.c_str());
}

Result<const exporters::verify::CollectorProfile*> find_profile(const std::string& name) {
    if (const auto* found = exporters::verify::find_collector_profile(name)) return found;
    std::string names;
    for (const auto& profile : exporters::verify::collector_profiles())
        names += (names.empty() ? "" : ", ") + std::string(profile.name);
    return Error{ErrorCode::kInvalidArgument, "no collector " + name + "; there are " + names, "--verify"};
}

// Instead of the records; a stream that came to nothing has not been verified.
int print_report(const exporters::verify::StreamVerifier& verifier, bool json, LineOutput& output) {
    std::string text = json ? report_json(verifier) : report_text(verifier);
    text.pop_back();  // the newline that add() puts there
    output.add(text);
    output.flush();
    return verifier.finds_harm() || verifier.records() == 0 ? daemon::kExitFailure : daemon::kExitOk;
}

}  // namespace

int collect(const CommandLine& line) {
    daemon::block_signals();
    LineOutput output(1);
    std::optional<exporters::verify::StreamVerifier> verifier;
    if (line.verify) {
        const auto profile = find_profile(*line.verify);
        if (!profile) {
            std::fprintf(stderr, "nfstreamctl: %s (try --help)\n", profile.error().text().c_str());
            return daemon::kExitUsage;
        }
        verifier.emplace(*profile.value());
    }
    const auto print = [&](std::string_view json) {
        if (!verifier) output.add(json);
    };
    MessageReader reader(print, line.private_enterprise_number, verifier ? &*verifier : nullptr);
    int code = daemon::kExitOk;
    if (line.word) {
        auto read = collect_file(*line.word, reader, output);
        if (!read) code = fail(read.error());
    } else {
        code = listen(line, reader, output);
        if (code != daemon::kExitOk) return code;
    }
    if (verifier && code == daemon::kExitOk) code = print_report(*verifier, line.json, output);
    output.flush();
    print_summary(reader.counters());
    if (!output.error().empty()) return fail({ErrorCode::kIo, output.error(), "standard output"});
    return code;
}

#else

int collect(const CommandLine&) {
    std::fprintf(stderr, "nfstreamctl: built without IPFIX, it cannot collect\n");
    return daemon::kExitFailure;
}

#endif

}  // namespace nfstreamd::ctl
