// SPDX-License-Identifier: Apache-2.0
#include "core/metering/ignored_packets.hpp"

#include <doctest/doctest.h>

#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace std::chrono_literals;

namespace {

constexpr const char *kA = "10.0.0.1", *kB = "10.0.0.2";

IgnoredPackets of(const MeteringProcess& process) {
    return ignored_packets(process.counters(), process.capture());
}

}  // namespace

TEST_CASE("ignored_packets: what may be IP and was not metered, with its octets on the wire") {
    FileRun file;
    Bytes arp = udp_frame(kA, kB);
    arp[12] = 0x08;
    arp[13] = 0x06;
    arp[14] = 0;
    const Bytes fragment = PacketBuilder(10).udp(1, 2).ipv4(kA, kB, {.fragment = 100}).ethernet();
    file.add(udp_frame(kA, kB), kStart).add(arp, kStart).add(Bytes(20), kStart, 900).add(fragment, kStart);
    file.run();
    CHECK(file.process().counters().ignored[static_cast<std::size_t>(DecodeResult::kNotIp)].get() == 1);
    CHECK(of(file.process()) == IgnoredPackets{2, 900 + fragment.size()});
}

TEST_CASE("ignored_packets: flows that max_nflows cuts off count with the octets that they had") {
    MeteringOptions options = plain_options();
    options.idle_timeout = 1s;
    FileRun file(options);
    file.set_budget(std::make_shared<FlowBudget>(1));
    std::uint64_t octets = 0;
    for (int i = 0; i < 3; ++i) file.add(udp_frame(host(i), kB), kStart);
    for (const auto* record : file.run()) octets += record->forward.octets;
    const auto& counters = file.process().counters();
    CHECK(counters.packets_discarded.get() == 2);
    CHECK(of(file.process()) == IgnoredPackets{2, counters.octets.get() - octets});
    CHECK(of(file.process()).octets > 0);
}

TEST_CASE("ignored_packets: drops of kernel and interface, what was unread or shed count; octets nobody saw do not") {
    MeterCounters counters;
    counters.packets_shed.set(5);
    counters.sampled_out.set(1000);
    counters.hash_filtered.set(1000);
    counters.ignored_octets.set(300);
    MeteringProcess::CaptureTotals capture;
    capture.kernel_dropped = 20;
    capture.interface_dropped = 3;
    capture.unread = 100;
    capture.filtered = capture.duplicates = 1000;
    CHECK(ignored_packets(counters, capture) == IgnoredPackets{128, 300});
}
