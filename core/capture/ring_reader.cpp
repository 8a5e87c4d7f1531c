// SPDX-License-Identifier: Apache-2.0
#include "core/capture/ring_reader.hpp"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "core/capture/timestamp.hpp"

namespace nfstreamd {
namespace {

constexpr std::uint32_t kAddresses = 12, kVlanTag = 4;

bool has_version_3(int descriptor) {
    int version = 0;
    socklen_t size = sizeof version;
    return ::getsockopt(descriptor, SOL_PACKET, PACKET_VERSION, &version, &size) == 0 && version == TPACKET_V3;
}

// How libpcap lays out its ring is its own affair: known of these versions.
bool lays_out_as_known() {
    return std::string_view(pcap_lib_version()).starts_with("libpcap version 1.10.");
}

// Short of memory libpcap makes a smaller ring. The kernel maps one by its exact
// size alone, so the size is found by trying.
std::uint8_t* map_ring(int descriptor, std::size_t& blocks) {
    for (; blocks > 0; --blocks) {
        void* ring =
            ::mmap(nullptr, blocks * RingReader::kBlockOctets, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        if (ring != MAP_FAILED) return static_cast<std::uint8_t*>(ring);
    }
    return nullptr;
}

std::uint32_t status_of(const tpacket_block_desc& block) noexcept {
    return __atomic_load_n(&block.hdr.bh1.block_status, __ATOMIC_ACQUIRE);
}

// A tag that the kernel keeps beside the packet goes back to where it was.
std::uint8_t* put_tag_back(const tpacket3_hdr& header, std::uint8_t* data) noexcept {
    const std::uint16_t tpid = (header.tp_status & TP_STATUS_VLAN_TPID_VALID) || header.hv1.tp_vlan_tpid != 0
                                   ? header.hv1.tp_vlan_tpid
                                   : std::uint16_t{ETH_P_8021Q};
    const auto tci = static_cast<std::uint16_t>(header.hv1.tp_vlan_tci);
    data -= kVlanTag;
    std::memmove(data, data + kVlanTag, kAddresses);
    const std::uint8_t tag[kVlanTag] = {static_cast<std::uint8_t>(tpid >> 8), static_cast<std::uint8_t>(tpid),
                                        static_cast<std::uint8_t>(tci >> 8), static_cast<std::uint8_t>(tci)};
    std::memcpy(data + kAddresses, tag, sizeof tag);
    return data;
}

}  // namespace

std::unique_ptr<RingReader> RingReader::attach(pcap* handle, std::uint64_t ring_octets, bool nanoseconds) {
    const int descriptor = pcap_fileno(handle);
    if (pcap_datalink(handle) != DLT_EN10MB || !has_version_3(descriptor) || !lays_out_as_known()) return nullptr;
    std::size_t blocks = (ring_octets + kBlockOctets - 1) / kBlockOctets;
    std::uint8_t* ring = map_ring(descriptor, blocks);
    if (ring == nullptr) return nullptr;
    const auto snapshot_length = static_cast<std::uint32_t>(pcap_snapshot(handle));
    return std::unique_ptr<RingReader>(new RingReader(ring, blocks, snapshot_length, nanoseconds));
}

std::unique_ptr<RingReader> RingReader::attach_left(int descriptor, std::uint64_t ring_octets,
                                                    std::uint32_t snapshot_length, bool nanoseconds) {
    if (!has_version_3(descriptor) || !lays_out_as_known()) return nullptr;
    std::size_t blocks = (ring_octets + kBlockOctets - 1) / kBlockOctets;
    std::uint8_t* ring = map_ring(descriptor, blocks);
    if (ring == nullptr) return nullptr;
    std::unique_ptr<RingReader> reader(new RingReader(ring, blocks, snapshot_length, nanoseconds));
    reader->find_oldest();
    return reader;
}

// Blocks are numbered as they are filled: of those that wait the first one, else the one that is being filled.
void RingReader::find_oldest() noexcept {
    std::uint64_t oldest = ~std::uint64_t{0}, newest = 0;
    std::size_t at_oldest = blocks_, at_newest = 0;
    for (std::size_t i = 0; i < blocks_; ++i) {
        const std::uint64_t number = block(i).hdr.bh1.seq_num;
        if (is_full(i) && number < oldest) {
            oldest = number;
            at_oldest = i;
        }
        if (number >= newest) {
            newest = number;
            at_newest = i;
        }
    }
    current_ = at_oldest < blocks_ ? at_oldest : at_newest;
}

RingReader::RingReader(std::uint8_t* ring, std::size_t blocks, std::uint32_t snapshot_length, bool nanoseconds) noexcept
    : ring_(ring),
      blocks_(blocks),
      snapshot_length_(snapshot_length),
      fraction_unit_(nanoseconds ? 1 : 1000),
      loopback_(static_cast<int>(::if_nametoindex("lo"))) {}

RingReader::~RingReader() {
    ::munmap(ring_, octets());
}

tpacket_block_desc& RingReader::block(std::size_t ahead) const noexcept {
    const std::size_t index = current_ + ahead;
    return *reinterpret_cast<tpacket_block_desc*>(ring_ + (index < blocks_ ? index : index - blocks_) * kBlockOctets);
}

bool RingReader::is_full(std::size_t ahead) const noexcept {
    return (status_of(block(ahead)) & TP_STATUS_USER) != 0;
}

bool RingReader::open_block() noexcept {
    if (!is_full(0)) return false;
    const auto& header = block(0).hdr.bh1;
    held_ = true;
    left_ = header.num_pkts;
    position_ = reinterpret_cast<std::uint8_t*>(&block(0)) + header.offset_to_first_pkt;
    return true;
}

void RingReader::give_back() noexcept {
    __atomic_store_n(&block(0).hdr.bh1.block_status, std::uint32_t{TP_STATUS_KERNEL}, __ATOMIC_RELEASE);
    held_ = false;
    current_ = current_ + 1 < blocks_ ? current_ + 1 : 0;
}

std::span<const RawFrame> RingReader::next() noexcept {
    std::size_t count = 0;
    while (count == 0) {
        if (held_ && left_ == 0) give_back();
        if (!held_ && !open_block()) break;
        for (; left_ > 0 && count < frames_.size(); --left_) {
            auto& header = *reinterpret_cast<tpacket3_hdr*>(position_);
            position_ += header.tp_next_offset;
            ++seen_;
            // Another processor has written it: headers are a chain of misses, unless the next ones are guessed.
            __builtin_prefetch(position_ + header.tp_next_offset);
            __builtin_prefetch(position_ + 2 * header.tp_next_offset);
            if (to_skip_ > 0) [[unlikely]]
                --to_skip_;
            else if (take(header, frames_[count]))
                ++count;
        }
    }
    return {frames_.data(), count};
}

std::span<const RawFrame> RingReader::next_of_block() noexcept {
    if (held_ && left_ == 0) give_back();
    return held_ ? next() : std::span<const RawFrame>();
}

// False: libpcap leaves out what loops back, too, when it leaves; it comes again.
bool RingReader::take(tpacket3_hdr& header, RawFrame& frame) const noexcept {
    auto* start = reinterpret_cast<std::uint8_t*>(&header);
    const auto& link = *reinterpret_cast<const sockaddr_ll*>(start + TPACKET_ALIGN(sizeof header));
    if (link.sll_pkttype == PACKET_OUTGOING && link.sll_ifindex == loopback_) return false;
    std::uint8_t* data = start + header.tp_mac;
    std::uint32_t captured = header.tp_snaplen, length = header.tp_len;
    const bool tagged = header.hv1.tp_vlan_tci != 0 || (header.tp_status & TP_STATUS_VLAN_VALID) != 0;
    if (tagged && captured >= kAddresses) {
        data = put_tag_back(header, data);
        captured += kVlanTag;
        length += kVlanTag;
    }
    __builtin_prefetch(data);  // what is decoded once the vector is full
    __builtin_prefetch(data + 64);
    const std::int64_t fraction_ns = header.tp_nsec - header.tp_nsec % fraction_unit_;
    frame = {to_timestamp(header.tp_sec, fraction_ns), data, std::min(captured, snapshot_length_), length};
    return true;
}

// Blocks that wait are in a row from the one that is read.
unsigned RingReader::fill_percent() const noexcept {
    std::size_t full = held_ || is_full(0) ? 1 : 0;
    if (full == 0) return 0;
    for (std::size_t low = full, high = blocks_; low < high;) {
        const std::size_t middle = low + (high - low) / 2;
        if (is_full(middle)) {
            full = middle + 1;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return static_cast<unsigned>(100 * full / blocks_);
}

}  // namespace nfstreamd
