// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/link_list.hpp"

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace nfstreamd::ctl {
namespace {

class Socket {
public:
    Socket(int family, int type, int protocol) : descriptor_(::socket(family, type | SOCK_CLOEXEC, protocol)) {}
    ~Socket() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    int get() const { return descriptor_; }

private:
    int descriptor_;
};

Error failed(const char* what) {
    return {ErrorCode::kIo, std::string(what) + ": " + std::strerror(errno), "links"};
}

template <class Take>
void each_attribute(const rtattr* attribute, std::size_t length, Take take) {
    auto left = static_cast<int>(length);
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
        take(attribute->rta_type & NLA_TYPE_MASK, static_cast<const char*>(RTA_DATA(attribute)),
             static_cast<std::size_t>(RTA_PAYLOAD(attribute)));
}

std::uint32_t number_of(const char* data, std::size_t length) {
    std::uint32_t value = 0;
    if (length >= sizeof value) std::memcpy(&value, data, sizeof value);
    return value;
}

std::string text_of(const char* data, std::size_t length) {
    return std::string(data, ::strnlen(data, length));
}

Link link_of(const nlmsghdr* message) {
    const auto* header = static_cast<const ifinfomsg*>(NLMSG_DATA(message));
    Link link;
    link.index = static_cast<std::uint32_t>(header->ifi_index);
    link.up = (header->ifi_flags & IFF_UP) != 0;
    link.loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
    bool elsewhere = false;
    each_attribute(IFLA_RTA(header), message->nlmsg_len - NLMSG_LENGTH(sizeof *header),
                   [&](int type, const char* data, std::size_t length) {
                       if (type == IFLA_IFNAME) link.name = text_of(data, length);
                       if (type == IFLA_MTU) link.mtu = number_of(data, length);
                       if (type == IFLA_LINK) link.lower = number_of(data, length);
                       if (type == IFLA_MASTER) link.master = number_of(data, length);
                       if (type == IFLA_LINK_NETNSID) elsewhere = true;
                       if (type != IFLA_LINKINFO) return;
                       each_attribute(reinterpret_cast<const rtattr*>(data), length,
                                      [&](int inner, const char* of, std::size_t size) {
                                          if (inner == IFLA_INFO_KIND) link.kind = text_of(of, size);
                                      });
                   });
    // the other end of a veth pair is no link below it
    if (elsewhere || link.kind == "veth" || link.lower == link.index) link.lower = 0;
    return link;
}

void look_at_offloads(int socket, Link& link) {
    ifreq request{};
    link.name.copy(request.ifr_name, sizeof request.ifr_name - 1);
    const auto value_of = [&](std::uint32_t command) {
        ethtool_value value{command, 0};
        request.ifr_data = reinterpret_cast<char*>(&value);
        return ::ioctl(socket, SIOCETHTOOL, &request) == 0 ? value.data : 0;
    };
    static constexpr std::pair<std::uint32_t, const char*> kFlags[] = {
        {ETHTOOL_GGRO, "gro"}, {ETHTOOL_GGSO, "gso"}, {ETHTOOL_GTSO, "tso"}};
    for (const auto& [command, name] : kFlags)
        if (value_of(command) != 0) link.offloads.emplace_back(name);
    if ((value_of(ETHTOOL_GFLAGS) & ETH_FLAG_LRO) != 0) link.offloads.emplace_back("lro");
    ethtool_drvinfo driver{};
    driver.cmd = ETHTOOL_GDRVINFO;
    request.ifr_data = reinterpret_cast<char*>(&driver);
    if (::ioctl(socket, SIOCETHTOOL, &request) == 0)
        link.driver =
            text_of(driver.driver, sizeof driver.driver) + " " + text_of(driver.version, sizeof driver.version);
}

}  // namespace

Result<std::vector<Link>> list_links() {
    const Socket netlink(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    if (netlink.get() < 0) return failed("cannot ask the kernel");
    const timeval patience{2, 0};
    ::setsockopt(netlink.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    struct {
        nlmsghdr header;
        ifinfomsg link;
    } request{};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = RTM_GETLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    if (::send(netlink.get(), &request, sizeof request, 0) < 0) return failed("cannot ask the kernel");

    std::vector<Link> links;
    alignas(nlmsghdr) std::array<char, 64 * 1024> buffer;
    for (bool more = true; more;) {
        const auto length = ::recv(netlink.get(), buffer.data(), buffer.size(), 0);
        if (length < 0 && errno == EINTR) continue;
        if (length <= 0) return failed("no answer of the kernel");
        auto left = static_cast<unsigned>(length);
        for (const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data()); NLMSG_OK(message, left);
             message = NLMSG_NEXT(message, left)) {
            if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) more = false;
            if (message->nlmsg_type == RTM_NEWLINK) links.push_back(link_of(message));
        }
    }
    const Socket any(AF_INET, SOCK_DGRAM, 0);
    if (any.get() >= 0)
        for (Link& link : links) look_at_offloads(any.get(), link);
    return links;
}

}  // namespace nfstreamd::ctl
