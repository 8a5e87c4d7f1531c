// SPDX-License-Identifier: Apache-2.0
#include "core/capture/fanout.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace nfstreamd {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// ---- the program

constexpr std::uint32_t kIpv4 = 0x0800, kIpv6 = 0x86dd, kVlan = 0x8100, kServiceVlan = 0x88a8;
constexpr std::uint32_t kEthernetHeader = 14, kEthernetType = 12, kVlanTag = 4;
constexpr int kMostVlanTags = 3;  // in the packet; the kernel holds the outer one apart when it arrives
// scratch words
constexpr std::uint32_t kType = 0, kSource = 1, kDestination = 2, kPosition = 3, kHash = 4;

constexpr std::uint32_t ancillary(int what) {
    return static_cast<std::uint32_t>(SKF_AD_OFF + what);
}

class ProgramWriter {
public:
    void add(int code, std::uint32_t k = 0, unsigned if_true = 0, unsigned if_false = 0) {
        program_.push_back({static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(if_true),
                            static_cast<std::uint8_t>(if_false), k});
    }

    // A: the type of what begins at X. Incoming packets begin behind their link
    // header, the others with it; only Ethernet's is known, of others the kernel
    // knows the end.
    void find_type() {
        add(BPF_LD | BPF_W | BPF_ABS, ancillary(SKF_AD_PKTTYPE));
        add(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 9);
        add(BPF_LD | BPF_W | BPF_ABS, ancillary(SKF_AD_HATYPE));
        add(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_ETHER, 4);
        add(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_LOOPBACK, 3);
        add(BPF_LDX | BPF_W | BPF_IMM, static_cast<std::uint32_t>(SKF_NET_OFF));  // outgoing, no Ethernet
        add(BPF_LD | BPF_W | BPF_ABS, ancillary(SKF_AD_PROTOCOL));
        add(BPF_JMP | BPF_JA, 5);
        add(BPF_LDX | BPF_W | BPF_IMM, kEthernetHeader);  // outgoing, Ethernet
        add(BPF_LD | BPF_H | BPF_ABS, kEthernetType);
        add(BPF_JMP | BPF_JA, 2);
        add(BPF_LDX | BPF_W | BPF_IMM, 0);  // incoming
        add(BPF_LD | BPF_W | BPF_ABS, ancillary(SKF_AD_PROTOCOL));
    }
    void skip_vlan_tag() {
        add(BPF_JMP | BPF_JEQ | BPF_K, kVlan, 1);
        add(BPF_JMP | BPF_JEQ | BPF_K, kServiceVlan, 0, 6);
        add(BPF_LD | BPF_H | BPF_IND, 2);
        add(BPF_ST, kType);
        add(BPF_MISC | BPF_TXA);
        add(BPF_ALU | BPF_ADD | BPF_K, kVlanTag);
        add(BPF_MISC | BPF_TAX);
        add(BPF_LD | BPF_W | BPF_MEM, kType);
    }
    void load_addresses() {
        add(BPF_JMP | BPF_JEQ | BPF_K, kIpv4, 0, 5);
        add(BPF_LD | BPF_W | BPF_IND, 12);
        add(BPF_ST, kSource);
        add(BPF_LD | BPF_W | BPF_IND, 16);
        add(BPF_ST, kDestination);
        const std::size_t jump = program_.size();
        add(BPF_JMP | BPF_JA);
        add(BPF_JMP | BPF_JEQ | BPF_K, kIpv6, 1);
        add(BPF_RET | BPF_K, 0);
        add(BPF_STX, kPosition);
        fold_ipv6(8, kSource);
        fold_ipv6(24, kDestination);
        program_[jump].k = static_cast<std::uint32_t>(program_.size() - jump - 1);
    }
    // By sum and difference of the ends, which do not tell them apart, then mixed
    // well, as the members are a remainder.
    void mix() {
        add(BPF_LD | BPF_W | BPF_MEM, kSource);
        add(BPF_LDX | BPF_W | BPF_MEM, kDestination);
        add(BPF_ALU | BPF_XOR | BPF_X);
        add(BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1);
        add(BPF_ST, kHash);
        add(BPF_LD | BPF_W | BPF_MEM, kSource);
        add(BPF_ALU | BPF_ADD | BPF_X);
        add(BPF_ALU | BPF_MUL | BPF_K, 0x85ebca77);
        add(BPF_LDX | BPF_W | BPF_MEM, kHash);
        add(BPF_ALU | BPF_XOR | BPF_X);
        shift_into(16);
        add(BPF_ALU | BPF_MUL | BPF_K, 0xc2b2ae3d);
        shift_into(15);
        add(BPF_RET | BPF_A);
    }
    std::vector<sock_filter> take() { return std::move(program_); }

private:
    // The four words of the address at X + `offset`, as one.
    void fold_ipv6(std::uint32_t offset, std::uint32_t slot) {
        add(BPF_LD | BPF_W | BPF_IND, offset);
        for (int word = 1; word < 4; ++word) {
            add(BPF_ALU | BPF_MUL | BPF_K, 0x27d4eb2f);
            add(BPF_ST, slot);
            add(BPF_LD | BPF_W | BPF_IND, offset + 4 * static_cast<std::uint32_t>(word));
            add(BPF_LDX | BPF_W | BPF_MEM, slot);
            add(BPF_ALU | BPF_ADD | BPF_X);
            add(BPF_LDX | BPF_W | BPF_MEM, kPosition);
        }
        add(BPF_ST, slot);
    }
    // A ^= A >> bits
    void shift_into(std::uint32_t bits) {
        add(BPF_ST, kHash);
        add(BPF_ALU | BPF_RSH | BPF_K, bits);
        add(BPF_LDX | BPF_W | BPF_MEM, kHash);
        add(BPF_ALU | BPF_XOR | BPF_X);
    }

    std::vector<sock_filter> program_;
};

// ---- the group in the kernel

constexpr milliseconds kLongestEmptying{300};

// What came before the filter was closed is no share of the member. In a ring that
// we read it is passed over; libpcap shows it when the kernel hands over a block,
// up to two periods later.
Status empty(LiveHandle& capture, const std::string& interface, steady_clock::time_point deadline) {
    const auto waiting = waiting_packets(capture, interface);
    if (!waiting) return waiting.error();
    if (capture.ring) {
        capture.ring->skip(waiting.value());
        return ok();
    }
    pcap* const handle = capture.pcap_handle.get();
    for (std::uint64_t seen = 0;;) {
        const int count = pcap_dispatch(
            handle, -1, [](u_char*, const pcap_pkthdr*, const u_char*) {}, nullptr);
        if (count < 0) return Error{ErrorCode::kUnavailable, libpcap_error_text(handle, count), interface};
        seen += static_cast<std::uint64_t>(count);
        if (count > 0) continue;
        // on `lo` libpcap leaves out half of what it counts: there the deadline ends it
        if (seen >= waiting.value() || steady_clock::now() >= deadline) return ok();
        pollfd ready{pcap_get_selectable_fd(handle), POLLIN, 0};
        ::poll(&ready, 1, 10);
    }
}

// Members are told apart by the order in which they join: it is also that of
// their sockets, by which the kernel lets them join again after the link was down.
Status join(const std::vector<LiveHandle>& handles, const std::string& interface) {
    constexpr int kFanoutType = PACKET_FANOUT_CBPF << 16;
    int group = PACKET_FANOUT_FLAG_UNIQUEID << 16;
    for (const auto& handle : handles) {
        const int descriptor = pcap_fileno(handle.pcap_handle.get());
        const int wanted = group | kFanoutType;
        if (::setsockopt(descriptor, SOL_PACKET, PACKET_FANOUT, &wanted, sizeof wanted) != 0)
            return system_error("share the packets between meters", interface);
        int granted = 0;
        socklen_t size = sizeof granted;
        if (::getsockopt(descriptor, SOL_PACKET, PACKET_FANOUT, &granted, &size) != 0)
            return system_error("share the packets between meters", interface);
        group = granted & 0xffff;
    }
    auto instructions = fanout_program();
    const sock_fprog program{static_cast<unsigned short>(instructions.size()), instructions.data()};
    if (::setsockopt(pcap_fileno(handles.front().pcap_handle.get()), SOL_PACKET, PACKET_FANOUT_DATA, &program,
                     sizeof program) != 0)
        return system_error("share the packets between meters by address", interface);
    return ok();
}

}  // namespace

std::vector<sock_filter> fanout_program() {
    ProgramWriter writer;
    writer.find_type();
    for (int tag = 0; tag < kMostVlanTags; ++tag) writer.skip_vlan_tag();
    writer.load_addresses();
    writer.mix();
    return writer.take();
}

Result<LiveHandle> FanoutGroup::take(unsigned member, Logger& logger) {
    const std::lock_guard lock(mutex_);
    if (!is_open() || waiting_[member].pcap_handle == nullptr) {
        present_.store(0, std::memory_order_release);
        if (auto status = open(logger); !status) return status.error();
    }
    ++taken_;
    return std::move(waiting_[member]);
}

Status FanoutGroup::open(Logger& logger) {
    waiting_.clear();
    returned_.clear();
    taken_ = 0;
    CaptureOptions unfiltered = options_;
    unfiltered.bpf_filter.clear();
    std::vector<LiveHandle> handles;
    for (unsigned i = 0; i < members_; ++i) {
        auto handle = open_live_handle(interface_, unfiltered, logger);
        if (!handle) return handle.error();
        handles.push_back(std::move(handle.value()));
        handles.back().opening = openings_ + 1;
        if (auto status = close_filter(handles.back(), interface_); !status) return status;
    }
    const auto deadline = steady_clock::now() + kLongestEmptying;
    for (auto& handle : handles)
        if (auto status = empty(handle, interface_, deadline); !status) return status;
    if (auto status = join(handles, interface_); !status) return status;
    for (const auto& handle : handles)
        if (auto status = open_filter(handle, options_, interface_); !status) return status;
    waiting_ = std::move(handles);
    present_.store(++openings_, std::memory_order_release);
    return ok();
}

void FanoutGroup::give_back(LiveHandle handle) {
    const std::lock_guard lock(mutex_);
    if (is_lost(handle)) return;
    returned_.push_back(std::move(handle));
    if (--taken_ > 0) return;
    present_.store(0, std::memory_order_release);
    returned_.clear();
    waiting_.clear();
}

void FanoutGroup::lose(const LiveHandle& handle) {
    const std::lock_guard lock(mutex_);
    if (is_lost(handle)) return;
    present_.store(0, std::memory_order_release);
    returned_.clear();
    waiting_.clear();
}

}  // namespace nfstreamd
