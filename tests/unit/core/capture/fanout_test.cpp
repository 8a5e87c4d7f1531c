// SPDX-License-Identifier: Apache-2.0
// The program that shares packets out, run as the kernel runs it over packets as
// they arrive and leave; and groups of captures on a link of their own.
#include "core/capture/fanout.hpp"

#include <doctest/doctest.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pcap/pcap.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "core/capture/packet_source.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/collecting_sink.hpp"
#include "tests/support/network_namespace.hpp"
#include "tests/support/packet_builder.hpp"

namespace nfstreamd {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// ---- the program

// A packet in the kernel: its octets from the link header on.
struct Skb {
    Bytes octets;
    std::size_t data = 0, network = 0;  // where the packet begins for a socket; where its IP header does
    std::uint32_t protocol = 0, packet_type = PACKET_HOST, hardware_type = ARPHRD_ETHER;

    std::optional<std::uint32_t> load(std::uint32_t k, unsigned size) const {
        const auto offset = static_cast<std::int32_t>(k);
        if (offset == SKF_AD_OFF + SKF_AD_PROTOCOL) return protocol;
        if (offset == SKF_AD_OFF + SKF_AD_PKTTYPE) return packet_type;
        if (offset == SKF_AD_OFF + SKF_AD_HATYPE) return hardware_type;
        if (offset < 0 && offset < SKF_NET_OFF) return std::nullopt;
        const auto at = offset < 0 ? network + static_cast<std::size_t>(offset - SKF_NET_OFF)
                                   : data + static_cast<std::size_t>(offset);
        if (at + size > octets.size()) return std::nullopt;
        std::uint32_t value = 0;
        for (unsigned i = 0; i < size; ++i) value = value << 8 | octets[at + i];
        return value;
    }
};

std::uint32_t run(const Skb& packet) {
    static const auto program = fanout_program();
    std::uint32_t a = 0, x = 0, memory[BPF_MEMWORDS] = {};
    for (std::size_t i = 0; i < program.size(); ++i) {
        const auto [code, jt, jf, k] = program[i];
        const auto load = [&](std::uint32_t offset, unsigned size) {
            const auto value = packet.load(offset, size);
            a = value.value_or(0);
            return value.has_value();
        };
        switch (code) {
            case BPF_LD | BPF_W | BPF_ABS:
                if (!load(k, 4)) return 0;
                break;
            case BPF_LD | BPF_H | BPF_ABS:
                if (!load(k, 2)) return 0;
                break;
            case BPF_LD | BPF_W | BPF_IND:
                if (!load(x + k, 4)) return 0;
                break;
            case BPF_LD | BPF_H | BPF_IND:
                if (!load(x + k, 2)) return 0;
                break;
            case BPF_LD | BPF_W | BPF_MEM:
                a = memory[k];
                break;
            case BPF_LDX | BPF_W | BPF_MEM:
                x = memory[k];
                break;
            case BPF_LDX | BPF_W | BPF_IMM:
                x = k;
                break;
            case BPF_ST:
                memory[k] = a;
                break;
            case BPF_STX:
                memory[k] = x;
                break;
            case BPF_MISC | BPF_TXA:
                a = x;
                break;
            case BPF_MISC | BPF_TAX:
                x = a;
                break;
            case BPF_ALU | BPF_ADD | BPF_K:
                a += k;
                break;
            case BPF_ALU | BPF_ADD | BPF_X:
                a += x;
                break;
            case BPF_ALU | BPF_XOR | BPF_X:
                a ^= x;
                break;
            case BPF_ALU | BPF_MUL | BPF_K:
                a *= k;
                break;
            case BPF_ALU | BPF_RSH | BPF_K:
                a >>= k;
                break;
            case BPF_JMP | BPF_JA:
                i += k;
                break;
            case BPF_JMP | BPF_JEQ | BPF_K:
                i += a == k ? jt : jf;
                break;
            case BPF_RET | BPF_K:
                return k;
            case BPF_RET | BPF_A:
                return a;
            default:
                FAIL("an instruction that is not interpreted here: " << code);
        }
    }
    FAIL("the program has no end");
    return 0;
}

constexpr std::size_t kHeader = 14;

std::uint32_t type_at(const Bytes& octets, std::size_t at) {
    return static_cast<std::uint32_t>(octets[at] << 8 | octets[at + 1]);
}

// Whether the card or the kernel took off the outer VLAN tag, a socket sees it apart.
Skb incoming(Bytes frame) {
    if (const auto type = type_at(frame, 12); type == 0x8100 || type == 0x88a8)
        frame.erase(frame.begin() + 12, frame.begin() + 16);
    const auto type = type_at(frame, 12);
    return {std::move(frame), kHeader, kHeader, type};
}

// With its tags in the packet; the kernel may believe IP to begin at the tag.
Skb outgoing(Bytes frame) {
    const auto type = type_at(frame, 12);
    return {std::move(frame), 0, kHeader, type, PACKET_OUTGOING};
}

TEST_CASE("fanout program: both directions, all fragments and all tags have one number, arriving or leaving") {
    struct Hosts {
        std::string a, b;
    };
    std::set<std::uint32_t> numbers;
    for (const Hosts& hosts : {Hosts{"10.0.0.1", "192.0.2.9"}, Hosts{"10.0.0.2", "192.0.2.9"},
                               Hosts{"2001:db8::1", "2001:db8:1::9"}, Hosts{"2001:db8::2", "2001:db8:1::9"}}) {
        const bool v6 = hosts.a.find(':') != std::string::npos;
        const auto between = [&](const std::string& from, const std::string& to, PacketBuilder inner) {
            return v6 ? inner.ipv6(from, to) : inner.ipv4(from, to);
        };
        const auto expected = run(incoming(between(hosts.a, hosts.b, PacketBuilder(8).udp(1, 2)).ethernet()));
        CHECK(numbers.insert(expected).second);
        for (int way = 0; way < 2; ++way) {
            const auto &from = way == 0 ? hosts.a : hosts.b, &to = way == 0 ? hosts.b : hosts.a;
            std::vector<Bytes> frames = {
                between(from, to, PacketBuilder(8).udp(1, 2)).ethernet(),
                between(from, to, PacketBuilder(99).tcp(80, 2)).ethernet(),
                between(from, to, PacketBuilder(8).udp(1, 2)).vlan(5).ethernet(),
                between(from, to, PacketBuilder(8).udp(1, 2)).vlan(5).vlan(6).ethernet(),
                between(from, to, PacketBuilder(8).udp(1, 2)).vlan(5).vlan(6, 0x88a8).ethernet(),
            };
            if (v6) {
                for (const std::uint16_t offset : {1, 0x58})
                    frames.push_back(
                        between(from, to, PacketBuilder(64).udp(1, 2).fragment_header(offset, 7)).ethernet());
            } else {
                for (const std::uint16_t offset : {0x2000, 0x2005, 9})
                    frames.push_back(
                        PacketBuilder(64).udp(1, 2).ipv4(from, to, {.id = 7, .fragment = offset}).ethernet());
            }
            for (const auto& frame : frames) {
                CHECK(run(incoming(frame)) == expected);
                CHECK(run(outgoing(frame)) == expected);
            }
        }
    }
}

TEST_CASE("fanout program: links without an Ethernet header, and the loopback") {
    const Bytes datagram = PacketBuilder(8).udp(1, 2).ipv4("10.0.0.1", "192.0.2.9");
    const auto expected = run(incoming(PacketBuilder(8).udp(1, 2).ipv4("192.0.2.9", "10.0.0.1").ethernet()));
    CHECK(run({datagram, 0, 0, 0x0800, PACKET_HOST, ARPHRD_NONE}) == expected);
    CHECK(run({datagram, 0, 0, 0x0800, PACKET_OUTGOING, ARPHRD_NONE}) == expected);
    Bytes behind_header(6);
    behind_header.insert(behind_header.end(), datagram.begin(), datagram.end());
    CHECK(run({behind_header, 0, 6, 0x0800, PACKET_OUTGOING, ARPHRD_PPP}) == expected);
    auto loopback = outgoing(PacketBuilder(8).udp(1, 2).ipv4("10.0.0.1", "192.0.2.9").ethernet());
    loopback.hardware_type = ARPHRD_LOOPBACK;
    CHECK(run(loopback) == expected);
}

TEST_CASE("fanout program: what has no addresses, or not all of them, goes to the first") {
    CHECK(run(incoming(PacketBuilder(40).ethernet_field(0x0806))) == 0);
    CHECK(run(outgoing(PacketBuilder(40).ethernet_field(0x0806))) == 0);
    const Bytes whole = PacketBuilder(8).udp(1, 2).vlan(5).vlan(6).ipv6("2001:db8::1", "2001:db8::9").ethernet();
    const Bytes v4 = PacketBuilder(8).udp(1, 2).ipv4("10.0.0.1", "192.0.2.9").ethernet();
    for (std::size_t size = kHeader; size < kHeader + 20; ++size) {
        CHECK(run(incoming(Bytes(v4.begin(), v4.begin() + static_cast<std::ptrdiff_t>(size)))) == 0);
        CHECK(run(outgoing(Bytes(v4.begin(), v4.begin() + static_cast<std::ptrdiff_t>(size)))) == 0);
        CHECK(run(incoming(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)))) == 0);
    }
}

TEST_CASE("fanout program: neighbouring pairs of addresses spread evenly over any number of members") {
    constexpr int kPairs = 3000;
    for (const std::uint32_t members : {2u, 3u, 4u, 8u}) {
        std::map<std::uint32_t, int> v4, v6;
        for (int i = 0; i < kPairs; ++i) {
            const std::string a = "10.0." + std::to_string(i / 100) + '.' + std::to_string(i % 100);
            const std::string b = "10.1." + std::to_string(i / 100) + '.' + std::to_string(i % 100);
            ++v4[run(incoming(PacketBuilder(8).udp(1, 2).ipv4(a, b).ethernet())) % members];
            const std::string a6 = "2001:db8:" + std::to_string(i / 1000) + "::" + std::to_string(i % 1000);
            ++v6[run(incoming(PacketBuilder(8).udp(1, 2).ipv6(a6, "2001:db8::1").ethernet())) % members];
        }
        for (const auto& spread : {v4, v6}) {
            CHECK(spread.size() == members);
            for (const auto& [member, pairs] : spread) CHECK(pairs > kPairs / static_cast<int>(members) * 8 / 10);
        }
    }
}

// ---- groups of captures

// Sends numbered datagrams of many pairs of hosts out of `interface`, until it ends.
class Sender {
public:
    static constexpr int kPairs = 64;

    explicit Sender(const char* interface) : descriptor_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
        REQUIRE(descriptor_ >= 0);
        to_.sll_family = AF_PACKET;
        to_.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
        thread_ = std::jthread([this](std::stop_token stop) {
            for (std::uint32_t number = 0; !stop.stop_requested(); ++number) {
                send(number);
                sent_ = number + 1;
                if (number % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
            }
        });
    }
    ~Sender() {
        stop();
        ::close(descriptor_);
    }
    void stop() {
        thread_.request_stop();
        if (thread_.joinable()) thread_.join();
    }
    std::uint32_t sent() const { return sent_; }

    // Number and pair of a frame that was captured.
    static std::uint32_t number(const Bytes& frame) {
        std::uint32_t number;
        REQUIRE(frame.size() >= kPayload + sizeof number);
        std::memcpy(&number, frame.data() + kPayload, sizeof number);
        return number;
    }
    static int pair(std::uint32_t number) { return static_cast<int>(number % kPairs); }

private:
    static constexpr std::size_t kPayload = 14 + 20 + 8;

    void send(std::uint32_t number) {
        const std::string a = "10.0.0." + std::to_string(pair(number)), b = "192.0.2.1";
        const bool back = number / kPairs % 2 != 0;
        Bytes payload(64);
        std::memcpy(payload.data(), &number, sizeof number);
        const Bytes frame = PacketBuilder(payload).udp(5, 9).ipv4(back ? b : a, back ? a : b).ethernet();
        while (::sendto(descriptor_, frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to_),
                        sizeof to_) < 0 &&
               errno == ENOBUFS) {
        }
    }

    const int descriptor_;
    sockaddr_ll to_{};
    std::atomic<std::uint32_t> sent_{0};
    std::jthread thread_;
};

struct Member {
    std::unique_ptr<PacketSource> source;
    CollectingSink sink;
};

std::vector<Member> members_of(const std::shared_ptr<FanoutGroup>& group, unsigned count, const CaptureOptions& options,
                               Logger& logger) {
    std::vector<Member> members(count);
    for (unsigned i = 0; i < count; ++i) members[i].source = make_live_source("cap0", options, logger, {group, i});
    return members;
}

void poll_all(std::vector<Member>& members, milliseconds time) {
    for (const auto end = steady_clock::now() + time; steady_clock::now() < end;)
        for (auto& member : members) REQUIRE(member.source->poll(member.sink, milliseconds(5)));
}

// Every number from the first to the last one once, a pair of hosts at one member.
void check_shares(const std::vector<Member>& members, std::uint32_t last) {
    std::map<std::uint32_t, int> seen;
    std::map<int, std::set<std::size_t>> member_of;
    for (std::size_t i = 0; i < members.size(); ++i) {
        CHECK(members[i].sink.frames.size() > 0);
        for (const auto& frame : members[i].sink.frames) {
            const auto number = Sender::number(frame.octets);
            ++seen[number];
            member_of[Sender::pair(number)].insert(i);
        }
    }
    REQUIRE(!seen.empty());
    int twice = 0;
    for (const auto& [number, times] : seen) twice += times != 1;
    CHECK(twice == 0);
    CHECK(seen.rbegin()->first == last);
    // members are let in one after the other, within less than the frames of a round
    const auto first = seen.begin()->first;
    int missing = 0;
    for (auto number = first + 20 * Sender::kPairs; number < last; ++number) missing += !seen.contains(number);
    CHECK(missing == 0);
    CHECK(member_of.size() == Sender::kPairs);
    for (const auto& [pair, at] : member_of) CHECK(at.size() == 1);
}

CaptureOptions datagrams() {
    CaptureOptions options;
    options.bpf_filter = "udp dst port 9";
    options.socket_buffer_size = 8 << 20;
    return options;
}

TEST_CASE("FanoutGroup: members that open under traffic share it from the first packet on") {
    const NetworkNamespace space;
    if (!space) return;
    REQUIRE(std::system("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6") ==
            0);  // a link without a word of its own
    add_pair();
    CapturedLog log;
    auto options = datagrams();
    SUBCASE("filtered") {}
    SUBCASE("all packets") {
        options.bpf_filter.clear();
    }
    Sender sender("cap1");
    const auto group = make_fanout_group("cap0", options, 3);
    auto members = members_of(group, 3, options, log.logger());
    for (auto& member : members) REQUIRE(member.source->open());
    poll_all(members, milliseconds(600));
    sender.stop();
    poll_all(members, milliseconds(300));
    check_shares(members, sender.sent() - 1);
    CHECK(log.count("capture started") == 1);
}

TEST_CASE("FanoutGroup: an interface that goes and comes again is shared as before, opened by whoever sees it first") {
    const NetworkNamespace space;
    if (!space) return;
    CapturedLog log;
    const auto options = datagrams();
    const auto group = make_fanout_group("cap0", options, 3);
    auto members = members_of(group, 3, options, log.logger());
    for (auto& member : members) {
        REQUIRE(member.source->open());
        CHECK(member.source->counters().up.get() == 0);
    }
    CHECK(log.count("interface not available, trying again until it is") == 1);
    for (int round = 0; round < 2; ++round) {
        add_pair();
        const auto is_up = [](const Member& member) { return member.source->counters().up.get() == 1; };
        for (const auto end = steady_clock::now() + std::chrono::seconds(20); steady_clock::now() < end;) {
            poll_all(members, milliseconds(20));
            if (std::all_of(members.begin(), members.end(), is_up)) break;
        }
        REQUIRE(std::all_of(members.begin(), members.end(), is_up));
        for (auto& member : members) member.sink.frames.clear();
        Sender sender("cap1");
        poll_all(members, milliseconds(400));
        sender.stop();
        poll_all(members, milliseconds(300));
        check_shares(members, sender.sent() - 1);

        REQUIRE(ip("link del cap0"));
        poll_all(members, milliseconds(300));
        for (const auto& member : members) CHECK(member.source->counters().up.get() == 0);
    }
}

TEST_CASE("FanoutGroup: a link that goes down and up again keeps every flow at its member") {
    const NetworkNamespace space;
    if (!space) return;
    add_pair();
    CapturedLog log;
    const auto options = datagrams();
    auto members = members_of(make_fanout_group("cap0", options, 4), 4, options, log.logger());
    for (auto& member : members) REQUIRE(member.source->open());
    for (int round = 0; round < 3; ++round) {
        Sender sender("cap1");
        poll_all(members, milliseconds(150));
        sender.stop();
        poll_all(members, milliseconds(150));
        REQUIRE(ip("link set cap0 down"));
        REQUIRE(ip("link set cap0 up"));
    }
    std::map<int, std::set<std::size_t>> member_of;
    for (std::size_t i = 0; i < members.size(); ++i)
        for (const auto& frame : members[i].sink.frames)
            member_of[Sender::pair(Sender::number(frame.octets))].insert(i);
    CHECK(member_of.size() == Sender::kPairs);
    for (const auto& [pair, at] : member_of) CHECK(at.size() == 1);
}

TEST_CASE("FanoutGroup: a member that leaves early does not change what the others get") {
    const NetworkNamespace space;
    if (!space) return;
    add_pair();
    CapturedLog log;
    const auto options = datagrams();
    auto members = members_of(make_fanout_group("cap0", options, 3), 3, options, log.logger());
    for (auto& member : members) REQUIRE(member.source->open());
    Sender sender("cap1");
    poll_all(members, milliseconds(200));
    std::set<int> pairs_of_first;
    for (const auto& frame : members[0].sink.frames) pairs_of_first.insert(Sender::pair(Sender::number(frame.octets)));
    CHECK(!pairs_of_first.empty());
    members[0].source.reset();
    members.erase(members.begin());
    poll_all(members, milliseconds(300));
    sender.stop();
    poll_all(members, milliseconds(150));
    for (const auto& member : members)
        for (const auto& frame : member.sink.frames)
            CHECK_FALSE(pairs_of_first.contains(Sender::pair(Sender::number(frame.octets))));
}

// ---- a group that follows another, as a reload makes it

void append(Member& to, const Member& from) {
    to.sink.frames.insert(to.sink.frames.end(), from.sink.frames.begin(), from.sink.frames.end());
}

TEST_CASE("FanoutGroup: one that follows has every packet from the switch on, whatever the number of its members") {
    const NetworkNamespace space;
    if (!space) return;
    add_pair();
    CapturedLog log;
    const auto options = datagrams();
    for (const auto& counts : {std::pair{2u, 3u}, std::pair{3u, 1u}, std::pair{1u, 2u}}) {
        const unsigned before_count = counts.first, after_count = counts.second;
        CAPTURE(before_count);
        const auto before = make_fanout_group("cap0", options, before_count);
        const auto after = make_fanout_group("cap0", options, after_count);
        auto old_members = members_of(before, before_count, options, log.logger());
        for (auto& member : old_members) REQUIRE(member.source->open());
        Sender sender("cap1");
        poll_all(old_members, milliseconds(150));
        REQUIRE(after->open_beside(before, log.logger()));
        auto new_members = members_of(after, after_count, options, log.logger());
        poll_all(old_members, milliseconds(50));
        REQUIRE(after->switch_over());
        CHECK_FALSE(after->close_replaced());  // those before have not been given back
        for (auto& member : new_members) REQUIRE(member.source->open());
        poll_all(old_members, milliseconds(150));
        poll_all(new_members, milliseconds(150));
        sender.stop();
        poll_all(new_members, milliseconds(150));
        Member all;
        for (auto& member : old_members) {
            CHECK(!member.sink.frames.empty());
            append(all, member);
            member.source.reset();
        }
        CHECK(after->close_replaced());
        for (const auto& member : new_members) append(all, member);
        // one member in all but name: what it has is what was sent
        std::vector<Member> one;
        one.push_back(std::move(all));
        check_shares(one, sender.sent() - 1);
        check_shares(new_members, sender.sent() - 1);
    }
}

TEST_CASE("FanoutGroup: packets that are switched back are those of the group before, or it counts them as missed") {
    const NetworkNamespace space;
    if (!space) return;
    add_pair();
    CapturedLog log;
    const auto options = datagrams();
    const auto before = make_fanout_group("cap0", options, 3);
    auto members = members_of(before, 3, options, log.logger());
    for (auto& member : members) REQUIRE(member.source->open());
    Sender sender("cap1");
    poll_all(members, milliseconds(150));
    const auto follow = [&] {
        auto after = make_fanout_group("cap0", options, 2);
        REQUIRE(after->open_beside(before, log.logger()));
        return after;
    };
    follow().reset();  // given up before the switch, as when something else cannot be had
    poll_all(members, milliseconds(150));
    sender.stop();
    poll_all(members, milliseconds(150));
    check_shares(members, sender.sent() - 1);
    Sender again("cap1");
    for (auto& member : members) member.sink.frames.clear();
    {
        const auto after = follow();
        poll_all(members, milliseconds(100));
        REQUIRE(after->switch_over());
        poll_all(members, milliseconds(100));
        after->switch_back();
    }
    poll_all(members, milliseconds(150));
    again.stop();
    poll_all(members, milliseconds(150));
    std::uint64_t delivered = 0;
    for (auto& member : members) {
        delivered += member.sink.frames.size();
        member.source->finish(member.sink);
    }
    const auto missed = members.front().source->counters().unread.get();
    CHECK(missed > 0);
    CHECK(delivered + missed == again.sent());
}

TEST_CASE("FanoutGroup: one that follows with a filter that is refused leaves the group before as it was") {
    const NetworkNamespace space;
    if (!space) return;
    add_pair();
    CapturedLog log;
    const auto options = datagrams();
    const auto before = make_fanout_group("cap0", options, 2);
    auto members = members_of(before, 2, options, log.logger());
    for (auto& member : members) REQUIRE(member.source->open());
    Sender sender("cap1");
    poll_all(members, milliseconds(100));
    for (const char* filter : {"udp dst port", "wlan type mgt"}) {  // no expression; of no Ethernet
        auto wrong = options;
        wrong.bpf_filter = filter;
        const auto refused = make_fanout_group("cap0", wrong, 3)->open_beside(before, log.logger());
        REQUIRE_FALSE(refused);
        CHECK(!refused.error().message.empty());
        poll_all(members, milliseconds(50));
    }
    CHECK(before->is_open());
    sender.stop();
    poll_all(members, milliseconds(150));
    check_shares(members, sender.sent() - 1);
}

}  // namespace
}  // namespace nfstreamd
