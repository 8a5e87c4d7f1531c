// SPDX-License-Identifier: Apache-2.0
#include "daemon/link_watcher.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace nfstreamd::daemon {
namespace {

constexpr std::chrono::seconds kPeriod{5};

int open_netlink() {
    const int descriptor = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (descriptor < 0) return -1;
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_LINK;
    if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return descriptor;
    const int error = errno;
    ::close(descriptor);
    errno = error;
    return -1;
}

}  // namespace

LinkWatcher::LinkWatcher(boost::asio::io_context& context, Logger& logger, std::function<void()> changed)
    : changed_(std::move(changed)), descriptor_(context), timer_(context) {
    if (const int descriptor = open_netlink(); descriptor >= 0) {
        descriptor_.assign(descriptor);
        wait();
    } else {
        logger.warning("changes of interfaces are noticed late", {{"error", std::strerror(errno)}});
    }
    wait_for_period();
}

// What has changed each capture looks up itself: one call for all that has been told.
void LinkWatcher::wait() {
    descriptor_.async_wait(
        boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
            if (error) return;
            std::array<char, 8192> told;
            while (::recv(descriptor_.native_handle(), told.data(), told.size(), 0) > 0 || errno == ENOBUFS) {
            }
            changed_();
            wait();
        });
}

void LinkWatcher::wait_for_period() {
    timer_.expires_after(kPeriod);
    timer_.async_wait([this](const boost::system::error_code& cancelled) {
        if (cancelled) return;
        changed_();
        wait_for_period();
    });
}

}  // namespace nfstreamd::daemon
