// SPDX-License-Identifier: Apache-2.0
// The packets of a live capture, read where the kernel puts them: the TPACKET_V3
// ring that libpcap has set up is mapped once more, and libpcap's own reader is
// not used. A vector of frames points into a block of the ring, which goes back
// to the kernel when its last vector has been seen. One metering thread.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/packet/frame.hpp"

struct pcap;
struct tpacket3_hdr;
struct tpacket_block_desc;

namespace nfstreamd {

class RingReader {
public:
    // libpcap's: room for its largest packet.
    static constexpr std::size_t kBlockOctets = 256 * 1024;

    // Null: this capture is libpcap's to read. That is one without TPACKET_V3, of a
    // link type whose octets libpcap changes, or with a filter that the kernel does
    // not run. Nothing may have been read before; to be gone before `handle` is closed.
    static std::unique_ptr<RingReader> attach(pcap* handle, std::uint64_t ring_octets, bool nanoseconds);
    // The ring that another process has left: read on from the block where that ended. Null: it is none.
    static std::unique_ptr<RingReader> attach_left(int descriptor, std::uint64_t ring_octets,
                                                   std::uint32_t snapshot_length, bool nanoseconds);
    ~RingReader();
    RingReader(const RingReader&) = delete;
    RingReader& operator=(const RingReader&) = delete;

    // What has come, good until the next call; empty: nothing more now.
    std::span<const RawFrame> next() noexcept;
    // No further than the block that is being read; empty: that has gone back.
    std::span<const RawFrame> next_of_block() noexcept;
    // So many frames are passed over: they came before the filter.
    void skip(std::uint64_t frames) noexcept { to_skip_ = frames; }
    std::uint64_t seen() const noexcept { return seen_; }  // packets of the ring, those left out included

    std::size_t octets() const noexcept { return blocks_ * kBlockOctets; }
    unsigned fill_percent() const noexcept;  // of the ring: blocks that wait to be read

private:
    RingReader(std::uint8_t* ring, std::size_t blocks, std::uint32_t snapshot_length, bool nanoseconds) noexcept;

    tpacket_block_desc& block(std::size_t ahead) const noexcept;
    bool is_full(std::size_t ahead) const noexcept;
    bool open_block() noexcept;
    void find_oldest() noexcept;
    void give_back() noexcept;
    bool take(tpacket3_hdr& header, RawFrame& frame) const noexcept;

    std::uint8_t* const ring_;
    const std::size_t blocks_;
    const std::uint32_t snapshot_length_;
    const std::uint32_t fraction_unit_;  // nanoseconds that a time stamp is a multiple of
    const int loopback_;                 // its index

    std::size_t current_ = 0;           // block
    std::uint32_t left_ = 0;            // packets of it
    std::uint8_t* position_ = nullptr;  // of the next one
    bool held_ = false;                 // the block is ours
    std::uint64_t to_skip_ = 0, seen_ = 0;
    std::array<RawFrame, kFrameVectorSize> frames_;
};

}  // namespace nfstreamd
