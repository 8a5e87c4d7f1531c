// SPDX-License-Identifier: Apache-2.0
// A BPF filter (pcap-filter(7)) compiled for one link type, run over frames of
// capture files. Owned by one metering thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/result.hpp"
#include "core/packet/frame.hpp"

struct bpf_program;

namespace nfstreamd {

// nfstream's: makes "ip broadcast" mean the broadcast address of a /24.
inline constexpr std::uint32_t kFilterNetmask = 0xFFFFFF00;

class PacketFilter {
public:
    static Result<PacketFilter> compile(const std::string& filter, int link_type);

    PacketFilter(PacketFilter&&) noexcept = default;
    PacketFilter& operator=(PacketFilter&&) noexcept = default;

    int link_type() const noexcept { return link_type_; }
    bool matches(const RawFrame& frame) const noexcept;

private:
    struct Free {
        void operator()(bpf_program* program) const noexcept;
    };
    using Program = std::unique_ptr<bpf_program, Free>;

    PacketFilter(int link_type, Program program) : link_type_(link_type), program_(std::move(program)) {}

    int link_type_;
    Program program_;
};

}  // namespace nfstreamd
