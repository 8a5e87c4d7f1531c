// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/unconfirmed_messages.hpp"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>

#include <netinet/in.h>

namespace nfstreamd::exporters {
namespace {

constexpr std::uint64_t kUnknownWindow = 8 << 20;  // of kernels before 5.4
constexpr std::uint64_t kWindowsKept = 4;

std::uint64_t window_of(int socket) noexcept {
    tcp_info info{};
    socklen_t length = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return kUnknownWindow;
    if (length < offsetof(tcp_info, tcpi_snd_wnd) + sizeof info.tcpi_snd_wnd) return kUnknownWindow;
    return info.tcpi_snd_wnd;
}

}  // namespace

void UnconfirmedMessages::clear() noexcept {
    ends_.clear();
    window_ = 0;
}

void UnconfirmedMessages::add(std::uint64_t end) {
    if (ends_.size() == kMost) ends_.pop_front();
    ends_.push_back(end);
}

void UnconfirmedMessages::confirm(int socket) noexcept {
    int unacknowledged = 0;
    if (ioctl(socket, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0) ends_.clear();
}

void UnconfirmedMessages::look_at(int socket, std::uint64_t written) noexcept {
    int unacknowledged = 0;
    if (ioctl(socket, SIOCOUTQ, &unacknowledged) != 0) return;
    window_ = std::max(window_, window_of(socket));
    const std::uint64_t kept = kWindowsKept * window_ + static_cast<std::uint64_t>(std::max(unacknowledged, 0));
    while (!ends_.empty() && ends_.front() + kept <= written) ends_.pop_front();
}

}  // namespace nfstreamd::exporters
