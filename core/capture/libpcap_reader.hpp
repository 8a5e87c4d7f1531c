// SPDX-License-Identifier: Apache-2.0
// Every other format libpcap knows (pcapng, older and patched pcap), one copy per
// frame. On a pipe it waits for data only between blocks: a writer that stalls
// inside one delays a stop until it goes on or closes.
#pragma once
#include "core/capture/file_reader.hpp"
#include "core/capture/frame_batch.hpp"

struct pcap;

namespace nfstreamd {

class LibpcapReader final : public FileReader {
public:
    static Result<std::unique_ptr<FileReader>> make(InputStream& stream);

    Outcome read(std::span<RawFrame> frames, WakeEvent& wake, std::chrono::milliseconds wait) override;
    int link_type() const noexcept override { return link_type_; }
    bool nanoseconds() const noexcept override { return true; }  // as asked of libpcap
    const ReadProblem& problem() const noexcept override { return problem_; }

private:
    struct Close {
        void operator()(pcap* handle) const noexcept;
    };
    using Handle = std::unique_ptr<pcap, Close>;

    using Buffer = std::unique_ptr<char[]>;

    LibpcapReader(InputStream& stream, Buffer buffer, Handle handle);
    std::size_t buffered() const noexcept;

    enum class Next { kFrame, kEnd, kTruncated, kDamaged };
    Next next();

    InputStream& stream_;
    const Buffer buffer_;  // outlives the FILE that the handle closes
    const Handle handle_;
    const int link_type_;
    FrameBatch batch_;
    RawFrame frame_{};           // libpcap's, until the next call
    bool pending_ = false;       // frame_ is not in a batch yet
    Next ended_ = Next::kFrame;  // kFrame: not yet
    ReadProblem problem_;
};

}  // namespace nfstreamd
