// SPDX-License-Identifier: Apache-2.0
// Classic pcap, version 2.4, either byte order, micro- or nanoseconds: frames are
// handed out in place, which costs a third of libpcap's reader. Delivers exactly
// what libpcap would.
#pragma once
#include <optional>

#include "core/capture/file_reader.hpp"

namespace nfstreamd {

struct PcapFormat {
    bool swapped = false, nanoseconds = false;
    int link_type = 0;                  // DLT_*
    std::uint32_t snapshot_length = 0;  // longer records are cut to it
};

class PcapFileReader final : public FileReader {
public:
    static constexpr std::uint32_t kLargestRecord = 262144;  // a longer one is damage

    // `stream` stands behind the file header.
    PcapFileReader(InputStream& stream, const PcapFormat& format) : stream_(stream), format_(format) {}

    Outcome read(std::span<RawFrame> frames, WakeEvent& wake, std::chrono::milliseconds wait) override;
    int link_type() const noexcept override { return format_.link_type; }
    bool nanoseconds() const noexcept override { return format_.nanoseconds; }
    const ReadProblem& problem() const noexcept override { return problem_; }

private:
    template <bool swapped>
    std::size_t parse(std::span<RawFrame> frames) noexcept;
    Outcome fail(ReadState state, std::string reason);

    InputStream& stream_;
    const PcapFormat format_;
    std::uint32_t bad_length_ = 0;  // of the next record, when it is damage
    ReadProblem problem_;
};

}  // namespace nfstreamd
