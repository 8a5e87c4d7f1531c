// SPDX-License-Identifier: Apache-2.0
// Plain packet sockets as members of a group in the kernel: who gets what while others join, leave and come back.
#include "core/capture/kernel_fanout.hpp"

#include <doctest/doctest.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "tests/support/network_namespace.hpp"
#include "tests/support/packet_builder.hpp"

namespace nfstreamd {
namespace {

using namespace test;

constexpr int kPairs = 40;

// A socket on cap0 that takes datagrams to port 9.
int open_member() {
    const int descriptor = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    REQUIRE(descriptor >= 0);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_IP);
    address.sll_ifindex = static_cast<int>(::if_nametoindex("cap0"));
    REQUIRE(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return descriptor;
}

// The sockets of a test by name, and what comes to each.
class Members {
public:
    Members() : out_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
        REQUIRE(out_ >= 0);
        to_.sll_family = AF_PACKET;
        to_.sll_ifindex = static_cast<int>(::if_nametoindex("cap1"));
    }
    ~Members() {
        ::close(out_);
        for (const auto& [name, descriptor] : open_) ::close(descriptor);
    }
    int operator[](char name) {
        if (!open_.contains(name)) open_[name] = open_member();
        return open_[name];
    }
    void close(char name) {
        ::close(open_.at(name));
        open_.erase(name);
    }
    std::pair<int, std::function<void()>> leaving(char name) {
        return {(*this)[name], [this, name] { close(name); }};
    }

    // One datagram of each pair of hosts; who got them, by pair. Each came to one member.
    std::map<int, char> round() {
        for (int pair = 0; pair < kPairs; ++pair) {
            const Bytes frame = PacketBuilder(8 + static_cast<std::size_t>(pair))
                                    .udp(5, 9)
                                    .ipv4("10.0.0." + std::to_string(pair), "192.0.2.1")
                                    .ethernet();
            REQUIRE(::sendto(out_, frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to_),
                             sizeof to_) == static_cast<ssize_t>(frame.size()));
        }
        // a packet over a veth has come when sendto() returns, unless the receiving thread of the kernel has it
        std::map<int, char> owners;
        for (int look = 0; look < 2000 && owners.size() < kPairs; ++look) {
            if (look > 0) ::usleep(1000);
            for (const auto& [name, descriptor] : open_) read(name, descriptor, owners);
        }
        CHECK(owners.size() == kPairs);
        return owners;
    }

private:
    void read(char name, int descriptor, std::map<int, char>& owners) {
        unsigned char octets[256];
        for (ssize_t size; (size = ::recv(descriptor, octets, sizeof octets, 0)) > 0;) {
            if (size < 42 || octets[23] != IPPROTO_UDP || octets[37] != 9) continue;
            CHECK(owners.emplace(octets[29], name).second);
        }
    }

    const int out_;
    sockaddr_ll to_{};
    std::map<char, int> open_;
};

std::set<char> names_in(const std::map<int, char>& owners) {
    std::set<char> names;
    for (const auto& [pair, name] : owners) names.insert(name);
    return names;
}

// As `owners` with other names.
std::map<int, char> renamed(std::map<int, char> owners, const std::map<char, char>& names) {
    for (auto& [pair, name] : owners)
        if (const auto other = names.find(name); other != names.end()) name = other->second;
    return owners;
}

bool prepare_links() {
    add_pair();
    return std::system(
               "echo 1 >/proc/sys/net/ipv6/conf/cap0/disable_ipv6 && "
               "echo 1 >/proc/sys/net/ipv6/conf/cap1/disable_ipv6") == 0;
}

TEST_CASE("KernelFanout: those that stay keep their share, whoever leaves, and whatever place the kernel gives them") {
    const NetworkNamespace space;
    if (!space) return;
    REQUIRE(prepare_links());
    for (const std::string stay : {"ad", "bd", "cd", "ab", "ac", "bc", "da"}) {
        CAPTURE(stay);
        Members members;
        KernelFanout group;
        for (const char name : {'a', 'b', 'c', 'd'}) REQUIRE(group.join(members[name]));
        CHECK(group.members() == 4);
        REQUIRE(group.direct_to({members[stay[0]], members[stay[1]]}));
        const auto before = members.round();
        CHECK(names_in(before) == std::set<char>(stay.begin(), stay.end()));
        std::vector<std::pair<int, std::function<void()>>> leaving;
        for (const char name : {'a', 'b', 'c', 'd'})
            if (stay.find(name) == std::string::npos) leaving.push_back(members.leaving(name));
        group.leave(std::move(leaving));
        CHECK(group.members() == 2);
        CHECK(members.round() == before);
        // a new one comes to the end and takes over a share
        REQUIRE(group.join(members['e']));
        CHECK(members.round() == before);
        REQUIRE(group.direct_to({members['e'], members[stay[1]]}));
        CHECK(members.round() == renamed(before, {{stay[0], 'e'}}));
        REQUIRE(group.direct_back());
        CHECK(members.round() == before);
        // and back to `e`
        REQUIRE(group.direct_back());
        group.leave({members.leaving(stay[0])});
        CHECK(members.round() == renamed(before, {{stay[0], 'e'}}));
    }
}

TEST_CASE("KernelFanout: a program that the kernel refuses leaves everything as it was") {
    const NetworkNamespace space;
    if (!space) return;
    REQUIRE(prepare_links());
    Members members;
    KernelFanout group;
    for (const char name : {'a', 'b'}) REQUIRE(group.join(members[name]));
    REQUIRE(group.direct_to({members['b'], members['a']}));
    const auto before = members.round();
    CHECK(names_in(before) == std::set<char>{'a', 'b'});
    const int stranger = open_member();
    errno = 0;
    CHECK_FALSE(group.direct_to({stranger}));
    CHECK(errno == EINVAL);
    CHECK(members.round() == before);
    REQUIRE(group.direct_to({members['a']}));
    CHECK_FALSE(group.direct_to({stranger}));
    REQUIRE(group.direct_back());  // to what was before the one that was taken
    CHECK(members.round() == before);
    ::close(stranger);
}

TEST_CASE("KernelFanout: members of a process before are taken as they are; others are refused") {
    const NetworkNamespace space;
    if (!space) return;
    REQUIRE(prepare_links());
    Members members;
    std::map<int, char> before;
    {
        KernelFanout first;
        for (const char name : {'a', 'b', 'c'}) REQUIRE(first.join(members[name]));
        REQUIRE(first.direct_to({members['a'], members['b'], members['c']}));
        before = members.round();
    }
    CHECK(members.round() == before);  // it was the kernel's, not the object's
    KernelFanout second, other;
    for (const char name : {'a', 'b', 'c'}) REQUIRE(second.rejoin(members[name]));
    REQUIRE(second.direct_to({members['a'], members['b'], members['c']}));
    CHECK(members.round() == before);
    CHECK_FALSE(second.rejoin(members['x']));  // a member of no group
    REQUIRE(other.join(members['y']));
    CHECK_FALSE(second.rejoin(members['y']));  // of another one
    CHECK(second.members() == 3);
    members.close('x');
    members.close('y');
    REQUIRE(second.direct_to({members['b'], members['c']}));
    second.leave({members.leaving('a')});
    CHECK(names_in(members.round()) == std::set<char>{'b', 'c'});
}

TEST_CASE("KernelFanout: what fills up gets nothing and leaves with the others") {
    const NetworkNamespace space;
    if (!space) return;
    REQUIRE(prepare_links());
    Members members;
    KernelFanout group;
    REQUIRE(group.join(members['a']));
    REQUIRE(group.direct_to({members['a']}));
    REQUIRE(group.fill_up_to(3));
    CHECK(group.members() == 3);
    CHECK(names_in(members.round()) == std::set<char>{'a'});
    for (const char name : {'b', 'c'}) REQUIRE(group.join(members[name]));
    REQUIRE(group.direct_to({members['b'], members['c']}));
    const auto before = members.round();
    CHECK(names_in(before) == std::set<char>{'b', 'c'});
    group.leave({members.leaving('a')});
    CHECK(group.members() == 2);
    CHECK(members.round() == before);
}

}  // namespace
}  // namespace nfstreamd
