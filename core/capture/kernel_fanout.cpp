// SPDX-License-Identifier: Apache-2.0
#include "core/capture/kernel_fanout.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace nfstreamd {

namespace {

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
    explicit ProgramWriter(std::span<const std::uint32_t> places) : places_(places) {}

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
        add(BPF_RET | BPF_K, places_.empty() ? 0 : places_.front());
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
    }
    void choose_place() {
        const auto count = static_cast<std::uint32_t>(places_.size());
        if (count == 0) return add(BPF_RET | BPF_A);
        add(BPF_ALU | BPF_MOD | BPF_K, count);
        if (is_in_a_row()) {
            add(BPF_ALU | BPF_ADD | BPF_K, places_.front());
            return add(BPF_RET | BPF_A);
        }
        for (std::uint32_t share = 0; share + 1 < count; ++share) {
            add(BPF_JMP | BPF_JEQ | BPF_K, share, 0, 1);
            add(BPF_RET | BPF_K, places_[share]);
        }
        add(BPF_RET | BPF_K, places_.back());
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

    bool is_in_a_row() const {
        for (std::size_t share = 0; share < places_.size(); ++share)
            if (places_[share] != places_.front() + share) return false;
        return true;
    }

    const std::span<const std::uint32_t> places_;
    std::vector<sock_filter> program_;
};

int place_of(const std::vector<int>& places, int descriptor) {
    return static_cast<int>(std::find(places.begin(), places.end(), descriptor) - places.begin());
}

}  // namespace

std::vector<sock_filter> fanout_program(std::span<const std::uint32_t> places) {
    if (places.size() == 1) return {{BPF_RET | BPF_K, 0, 0, places.front()}};
    ProgramWriter writer(places);
    writer.find_type();
    for (int tag = 0; tag < kMostVlanTags; ++tag) writer.skip_vlan_tag();
    writer.load_addresses();
    writer.mix();
    writer.choose_place();
    return writer.take();
}

KernelFanout::~KernelFanout() {
    for (const int descriptor : fillers_) ::close(descriptor);
}

bool KernelFanout::join(int descriptor) {
    constexpr int kFanoutType = PACKET_FANOUT_CBPF << 16;
    const int wanted = (places_.empty() ? PACKET_FANOUT_FLAG_UNIQUEID << 16 : id_) | kFanoutType;
    if (::setsockopt(descriptor, SOL_PACKET, PACKET_FANOUT, &wanted, sizeof wanted) != 0) return false;
    int granted = 0;
    socklen_t size = sizeof granted;
    if (::getsockopt(descriptor, SOL_PACKET, PACKET_FANOUT, &granted, &size) != 0) return false;
    id_ = granted & 0xffff;
    places_.push_back(descriptor);
    return true;
}

bool KernelFanout::rejoin(int descriptor) {
    int granted = 0;
    socklen_t size = sizeof granted;
    if (::getsockopt(descriptor, SOL_PACKET, PACKET_FANOUT, &granted, &size) != 0 || granted == 0) return false;
    if (!places_.empty() && id_ != (granted & 0xffff)) return false;
    id_ = granted & 0xffff;
    places_.push_back(descriptor);
    return true;
}

bool KernelFanout::fill_up_to(std::size_t members) {
    while (places_.size() < members) {
        sockaddr_ll bound{};
        socklen_t size = sizeof bound;
        if (::getsockname(places_.front(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) return false;
        const int descriptor = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        if (descriptor < 0) return false;
        fillers_.push_back(descriptor);
        sock_filter nothing{BPF_RET | BPF_K, 0, 0, 0};
        const sock_fprog program{1, &nothing};
        if (::setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) return false;
        bound.sll_halen = 0;
        if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&bound), sizeof bound) != 0) return false;
        if (!join(descriptor)) return false;
    }
    return true;
}

bool KernelFanout::direct_to(const std::vector<int>& members) {
    std::vector<std::uint32_t> values;
    for (const int member : members) values.push_back(static_cast<std::uint32_t>(place_of(places_, member)));
    if (!run(members.front(), values)) return false;
    former_ = std::exchange(targets_, members);
    values_ = std::move(values);
    return true;
}

// When this returns no packet is being put where the program before had sent it.
bool KernelFanout::run(int descriptor, const std::vector<std::uint32_t>& values) const {
    auto instructions = fanout_program(values);
    sock_fprog program;
    std::memset(&program, 0, sizeof program);  // what lies between its members, too
    program.len = static_cast<unsigned short>(instructions.size());
    program.filter = instructions.data();
    return ::setsockopt(descriptor, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof program) == 0;
}

// The last member takes the place of the one that leaves. With `count` left a number that is
// place + count * (place + 1) leads to `place`, and to the last one with one more: the kernel takes the remainder.
void KernelFanout::leave(int descriptor, const std::function<void()>& close) {
    const auto place = static_cast<std::size_t>(place_of(places_, descriptor));
    if (place == places_.size()) return close();
    const std::size_t count = places_.size() - 1;
    const auto moved = std::find(targets_.begin(), targets_.end(), places_.back());
    const bool moves = place != count && moved != targets_.end();
    if (moves) {
        values_[static_cast<std::size_t>(moved - targets_.begin())] =
            static_cast<std::uint32_t>(place + count * (place + 1));
        run(*moved, values_);
    }
    close();
    places_[place] = places_.back();
    places_.pop_back();
}

void KernelFanout::leave(std::vector<std::pair<int, std::function<void()>>> leaving) {
    for (const int filler : std::exchange(fillers_, {})) leaving.emplace_back(filler, [filler] { ::close(filler); });
    // the last ones first: so those that stay are in the order in which they joined
    std::sort(leaving.begin(), leaving.end(),
              [this](const auto& a, const auto& b) { return place_of(places_, a.first) > place_of(places_, b.first); });
    for (const auto& [descriptor, close] : leaving) leave(descriptor, close);
    if (!targets_.empty()) direct_to(std::vector<int>(targets_));
}

}  // namespace nfstreamd
