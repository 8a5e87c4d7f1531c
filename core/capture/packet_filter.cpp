// SPDX-License-Identifier: Apache-2.0
#include "core/capture/packet_filter.hpp"

#include <pcap/pcap.h>

namespace nfstreamd {

namespace {
// A filter compiled for a snapshot length of 0 would match nothing.
constexpr int kSnapshotLength = 262144;
}  // namespace

void PacketFilter::Free::operator()(bpf_program* program) const noexcept {
    pcap_freecode(program);
    delete program;
}

Result<PacketFilter> PacketFilter::compile(const std::string& filter, int link_type) {
    const std::unique_ptr<pcap_t, decltype(&pcap_close)> dead(pcap_open_dead(link_type, kSnapshotLength), &pcap_close);
    if (!dead) return Error{ErrorCode::kInternal, "out of memory", "bpf_filter"};
    Program program(new bpf_program{});
    if (pcap_compile(dead.get(), program.get(), filter.c_str(), 1, kFilterNetmask) != 0) {
        return Error{ErrorCode::kInvalidArgument, "bad BPF filter \"" + filter + "\": " + pcap_geterr(dead.get()), {}};
    }
    return PacketFilter(link_type, std::move(program));
}

bool PacketFilter::matches(const RawFrame& frame) const noexcept {
    pcap_pkthdr header{};
    header.caplen = frame.captured_length;
    header.len = frame.wire_length;
    return pcap_offline_filter(program_.get(), &header, frame.data) != 0;
}

}  // namespace nfstreamd
